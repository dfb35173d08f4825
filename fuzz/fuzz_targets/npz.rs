//! An archive of NumPy, whole and as a checkpoint that is read by place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porewalk::formats::checkpoint::Checkpoint;
use porewalk::formats::npz;

fuzz_target!(|bytes: &[u8]| {
    let _ = npz::from_bytes("fuzzed", bytes);
    let Ok(checkpoint) = Checkpoint::from_bytes("fuzzed", bytes.to_vec()) else { return };
    for (number, tensor) in checkpoint.tensors().iter().enumerate().take(100) {
        let count = tensor.count();
        let mut out = vec![0.0; count.min(1000)];
        let _ = checkpoint.read(number, 0, &mut out);
        let _ = checkpoint.read(number, count - out.len(), &mut out);
        let _ = checkpoint.read(number, (count - out.len()) / 2, &mut out);
    }
});

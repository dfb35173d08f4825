//! An IDX file, plain or gzip.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porewalk::formats::idx;

fuzz_target!(|bytes: &[u8]| {
    let _ = idx::from_bytes("fuzzed", bytes);
});

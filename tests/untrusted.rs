//! Readers of foreign files over damaged and hostile bytes: a result or an error that names the file, no panic, and memory
//! that grows with the file, not with what it claims.

#![allow(clippy::unwrap_used)] // a file that is missing must stop the test

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use porewalk::formats::checkpoint::{Checkpoint, CheckpointFolder, Selection};
use porewalk::formats::{idx, npz, table};
use proptest::prelude::*;

/// Counts what is held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)] // an allocator cannot be counted otherwise; it passes every call on
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that `work` held at once. The other tests of this file wait for it.
fn most_held(work: impl FnOnce()) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    PEAK.load(Ordering::Relaxed).saturating_sub(before)
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const MEBIBYTE: usize = 1 << 20;

/// Every reader over the same bytes; the message of the checkpoint's refusal. Tensors are read at both ends.
fn read_all_ways(bytes: &[u8]) -> Option<String> {
    let told = |message: String| assert!(message.contains("hostile"), "no file is named: {message}");
    let mut refusal = None;
    match Checkpoint::from_bytes("hostile", bytes.to_vec()) {
        Err(error) => refusal = Some(error.to_string()),
        Ok(checkpoint) => {
            for (number, tensor) in checkpoint.tensors().iter().enumerate() {
                let count = tensor.count();
                let mut out = vec![0.0; count.min(3000)];
                for first in [0, count - out.len()] {
                    if let Err(error) = checkpoint.read(number, first, &mut out) {
                        refusal = Some(error.to_string());
                    }
                }
            }
        }
    }
    refusal.iter().cloned().for_each(told);
    npz::from_bytes("hostile", bytes).err().into_iter().for_each(|error| told(error.to_string()));
    idx::from_bytes("hostile", bytes).err().into_iter().for_each(|error| told(error.to_string()));
    table::from_bytes("hostile", bytes).err().into_iter().for_each(|error| told(error.to_string()));
    refusal
}

fn refused(bytes: &[u8], expected: &str) {
    let mut message = None;
    let held = most_held(|| message = read_all_ways(bytes));
    let message = message.unwrap_or_else(|| panic!("not refused: {expected}"));
    assert!(message.contains(expected), "{message}, not {expected}");
    // A value of a pickle takes 32 bytes, its container 16 more, and a growing vector holds three times its length.
    assert!(held < 16 * MEBIBYTE + 112 * bytes.len(), "{expected}: {held} bytes were held for {}", bytes.len());
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

fn archive(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn torch(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let entries = [("archive/data.pkl", pickle), ("archive/byteorder", b"little"), ("archive/data/0", storage)];
    archive(&entries, zip::CompressionMethod::Stored)
}

/// The pickle of {"w": tensor} by hand: `numel` elements stored, and offset, shape and stride as given.
fn tensor_pickle(numel: i32, offset: i32, shape: &[i32], stride: &[i32]) -> Vec<u8> {
    let int = |value: i32| [b"J".to_vec(), value.to_le_bytes().to_vec()].concat();
    let tuple = |items: &[i32]| {
        let inside: Vec<u8> = items.iter().flat_map(|item| int(*item)).collect();
        [b"(".to_vec(), inside, b"t".to_vec()].concat()
    };
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    [
        b"\x80\x02}".to_vec(),
        text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        int(numel),
        b"tQ".to_vec(),
        int(offset),
        tuple(shape),
        tuple(stride),
        b"\x89NtRs.".to_vec(),
    ]
    .concat()
}

#[test]
fn lying_safetensors_are_refused() {
    let _alone = alone();
    let one =
        |shape: &str, offsets: &str| format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
    for (header, data, expected) in [
        (one("[2]", "[0,8]"), 7, "truncated: its header asks for 8 bytes of elements but there are 7"),
        (one("[2]", "[0,8]"), 9, "accounts for 8 bytes of elements but there are 9"),
        (one("[3]", "[0,8]"), 8, "asks for 12 bytes but its offsets are 0 to 8"),
        (one("[2]", "[8,0]"), 8, "its offsets are 8 to 0"),
        (one("[9223372036854775808]", "[0,8]"), 8, "overflows"),
        (one("[4294967296,4294967296]", "[0,8]"), 8, "overflows"),
        (one("[4611686018427387904]", "[0,8]"), 8, "overflows"),
        (one("[1152921504606846976]", "[0,4611686018427387904]"), 8, "truncated"),
        (one("[0,4294967296,4294967296,4294967296]", "[0,0]"), 8, "accounts for 0"),
        (one("[1]", "[18446744073709551612,18446744073709551615]"), 8, "its offsets are"),
        (one("[-1]", "[0,8]"), 8, "damaged"),
        (one("[2]", "[4,12]"), 12, "bytes 0 to 4 before tensor w belong to no tensor"),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#.into(), 12, "tensor b begins at byte 4 inside another one that ends at 8"),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#.into(), 8, "holds tensor a twice"),
        (r#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#.into(), 1, "its type F4 is not read"),
        ("[".repeat(100_000), 0, "damaged"),
        (format!(r#"{{"__metadata__":{}"#, r#"{"a":"#.repeat(100_000)), 0, "damaged"),
        ("not json".into(), 0, "damaged"),
    ] {
        refused(&safetensors(&header, data), expected);
    }
    let mut long = safetensors("{}", 0);
    long[..8].copy_from_slice(&100_000_001u64.to_le_bytes());
    refused(&long, "announce a header of 100000001 bytes");
    long[..8].copy_from_slice(&99_999_999u64.to_le_bytes());
    refused(&long, "truncated: its header has 99999999 bytes but the file only 10");
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    refused(&long, "announce a header of");
    refused(b"short", "fewer than 8 bytes");
    refused(b"", "fewer than 8 bytes");
}

#[test]
fn lying_arrays_and_bombs_are_refused() {
    let _alone = alone();
    let array = |text: &str, bytes: usize| {
        [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), &vec![0; bytes]].concat()
    };
    let shaped =
        |shape: &str, bytes| array(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"), bytes);
    for (entry, expected) in [
        (shaped("(3,)", 8), "array w: truncated: its shape [3] of float32 asks for 12 bytes but there are 8"),
        (shaped("(1,)", 8), "it goes on after them"),
        (shaped("(9223372036854775808,)", 8), "overflows"),
        (shaped("(4611686018427387904, 4)", 8), "overflows"),
        (shaped("(18446744073709551616,)", 8), "not readable"),
        (array("{'descr': '<f4'}", 8), "has no shape"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "the limit is 65536"),
        (b"hello".to_vec(), "no NumPy header"),
    ] {
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            refused(&archive(&[("w.npy", &entry)], method), expected);
        }
    }
    // 256 MiB of zeros in 256 kB: what the header does not announce is not unpacked.
    let bomb = archive(&[("w.npy", &shaped("(2,)", 256 * MEBIBYTE))], zip::CompressionMethod::Deflated);
    assert!(bomb.len() < MEBIBYTE);
    refused(&bomb, "it goes on after them");
    // Announced, it is read in pieces.
    let honest = archive(&[("w.npy", &shaped("(67108864,)", 256 * MEBIBYTE))], zip::CompressionMethod::Deflated);
    let held = most_held(|| {
        let checkpoint = Checkpoint::from_bytes("hostile", honest.clone()).unwrap();
        let mut out = [1.0; 1000];
        checkpoint.read(0, 67_108_864 - 1000, &mut out).unwrap();
        assert_eq!(out, [0.0; 1000]);
    });
    assert!(held < 2 * MEBIBYTE, "{held}");
    let zeros = archive(&[("archive/data.pkl", &vec![0; 256 * MEBIBYTE])], zip::CompressionMethod::Deflated);
    refused(&zeros, "data.pkl has 268435456 bytes, the limit is 67108864");
}

#[test]
fn archives_that_point_beyond_themselves_are_refused() {
    let _alone = alone();
    let good = archive(&[("w.npy", &[7; 100])], zip::CompressionMethod::Stored);
    let central = good.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    for (place, value, expected) in [
        (central + 20, u32::MAX - 1, "points past the end of the file"),
        (central + 24, 1 << 30, "is stored but declares"),
        (central + 42, 1 << 30, "damaged"),
    ] {
        let mut bytes = good.clone();
        bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        refused(&bytes, expected);
    }
    let mut packed = archive(&[("w.npy", &[7; 100])], zip::CompressionMethod::Deflated);
    let central = packed.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    packed[central + 24..central + 28].copy_from_slice(&(1u32 << 31).to_le_bytes());
    refused(&packed, "more than");
    refused(&good[..good.len() - 30], "damaged or truncated zip archive");
    refused(b"PK\x03\x04", "damaged or truncated zip archive");
}

#[test]
fn lying_and_malicious_pickles_are_refused() {
    let _alone = alone();
    // What is right first: the same bytes are read when they do not lie.
    let good = Checkpoint::from_bytes("hostile", torch(&tensor_pickle(6, 1, &[2, 2], &[1, 3]), &[0; 24])).unwrap();
    assert_eq!((&good.tensors()[0].shape[..], good.array("w").unwrap().data), (&[2, 2][..], vec![0.0; 4]));
    for (pickle, storage, expected) in [
        (tensor_pickle(6, 1, &[2, 3], &[3, 1]), 24, "reaches beyond the 6 elements of its storage"),
        (tensor_pickle(6, 0, &[6], &[1]), 20, "truncated: its storage should hold 6 elements but has 20 bytes"),
        (tensor_pickle(6, 7, &[], &[]), 24, "reaches beyond"),
        (tensor_pickle(6, -1, &[1], &[1]), 24, "wrong arguments"),
        (tensor_pickle(6, 0, &[-1], &[1]), 24, "wrong arguments"),
        (tensor_pickle(-6, 0, &[1], &[1]), 24, "no storage"),
        (tensor_pickle(6, 0, &[1, 1], &[1]), 24, "wrong arguments"),
        (tensor_pickle(6, 0, &[i32::MAX; 3], &[0; 3]), 24, "overflows"),
        (tensor_pickle(6, 0, &[i32::MAX; 2], &[0; 2]), 24, "the limit is 268435456"),
        (tensor_pickle(6, 0, &[2; 65], &[0; 65]), 24, "wrong arguments"),
        (tensor_pickle(6, 0, &[2, i32::MAX], &[i32::MAX, i32::MAX]), 24, "reaches beyond"),
        (
            b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.".to_vec(),
            0,
            "the global os.system is not one that a checkpoint needs; nothing was executed",
        ),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.".to_vec(), 0, "the global builtins.eval is not one"),
        (b"\x80\x02ctorch.storage\n_load_from_bytes\n.".to_vec(), 0, "torch.storage._load_from_bytes is not one"),
        (b"\x80\x02(ios\nsystem\n.".to_vec(), 0, "the operation 0x69 at byte 3"),
        (b"\x80\x02X\x05\0\0\0posixP0\n.".to_vec(), 0, "the operation 0x50"),
        (b"\x80\x02\x82\x01.".to_vec(), 0, "the operation 0x82"),
        (b"\x80\x09.".to_vec(), 0, "protocol 9"),
        (b"\x80\x02".to_vec(), 0, "truncated"),
        (b"\x80\x02X\xff\xff\xff\xffa".to_vec(), 0, "truncated"),
        (b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffa".to_vec(), 0, "truncated"),
        (b"\x80\x02h\x07.".to_vec(), 0, "recalls 7"),
        (b"\x80\x02.".to_vec(), 0, "a value that is not there"),
        (b"\x80\x02N((1(0.".to_vec(), 0, "a value that is not there"),
        (b"\x80\x02)t.".to_vec(), 0, "a mark is missing"),
        (b"\x80\x02]q\0h\0a.".to_vec(), 0, "holds itself"),
        (b"\x80\x02}q\0X\x01\0\0\0ah\0s.".to_vec(), 0, "holds itself"),
        (b"\x80\x02}(Nu.".to_vec(), 0, "a key without a value"),
        (b"\x80\x02N)R.".to_vec(), 0, "calls what is no function"),
        // A million tuples, each around the last one.
        ([&b"\x80\x02)"[..], &[0x85; 1_000_000], b"."].concat(), 0, "nests more than 32 containers"),
        // More operations than are allowed.
        ([&b"\x80\x02N"[..], &b"20".repeat(1 << 20), b"."].concat(), 0, "operations"),
        // Every list holds the last one twice, to a depth of 31: two thousand million ways.
        (
            [
                &b"\x80\x02N"[..],
                &(0..31u8).flat_map(|k| [b'q', k, b'0', b']', b'h', k, b'a', b'h', k, b'a']).collect::<Vec<u8>>(),
                b".",
            ]
            .concat(),
            0,
            "leads to more than",
        ),
    ] {
        refused(&torch(&pickle, &vec![0; storage]), expected);
    }
    let big = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/byteorder", b"big")], zip::CompressionMethod::Stored);
    refused(&big, "its byte order is \"big\"");
    let missing = archive(&[("a/data.pkl", &tensor_pickle(1, 0, &[1], &[1]))], zip::CompressionMethod::Stored);
    refused(&missing, "tensor w: its storage data/0 is missing");
    let packed = [("a/data.pkl", &tensor_pickle(6, 0, &[6], &[1])[..]), ("a/data/0", &[0; 24])];
    refused(&archive(&packed, zip::CompressionMethod::Deflated), "is compressed; torch.save does not do so");
    refused(
        &torch(&tensor_pickle(1, 0, &[1], &[1]), &f32::NAN.to_le_bytes()),
        "tensor w, element 0: NaN is not a finite number",
    );
}

#[test]
fn small_pickles_that_ask_for_much_work_are_refused_at_once() {
    let _alone = alone();
    let packed =
        |pickle: &[u8]| archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 24])], zip::CompressionMethod::Deflated);
    let text = |text: &[u8]| [b"X", &(text.len() as u32).to_le_bytes()[..], text].concat();
    let long = text(&vec![b'a'; 20 * MEBIBYTE]);
    // One text of 20 MiB is the key of 20 000 pairs, or the storage of as many persistent ids.
    let keys = [&b"\x80\x02"[..], &long, b"q\x000}(", &b"h\0N".repeat(20_000), b"u."].concat();
    let kind = [&b"\x80\x02"[..], &long, b"q\x000(", &text(b"storage"), b"ctorch\nFloatStorage\n"].concat();
    let ids = [&kind[..], b"h\0", &text(b"cpu"), b"K\x06tq\x01", &b"h\x01Q".repeat(20_000), b"."].concat();
    // A dictionary whose 100 000 pairs have one key is held 100 000 times.
    let pairs = [&b"\x80\x02](}("[..], &b"K\0N".repeat(100_000), b"uq\0", &b"h\0".repeat(100_000), b"e."].concat();
    // A tensor is made 100 000 times from 1 000 000 arguments, most of them metadata of nothing.
    let made = [
        &b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\0(("[..],
        &text(b"storage"),
        b"ctorch\nFloatStorage\n",
        &text(b"0"),
        &text(b"cpu"),
        b"K\x06tQK\0))",
        &b"N".repeat(1_000_000),
        b"tq\x01",
        &b"h\0h\x01R0".repeat(100_000),
        b".",
    ]
    .concat();
    for (pickle, expected) in [
        (keys, "data.pkl has a name of more than 1000 bytes"),
        (ids, "a persistent id that is no storage"),
        (pairs, "leads to more than 2097152 values"),
        (made, "wrong arguments of RebuildTensor"),
    ] {
        let bytes = packed(&pickle);
        assert!(bytes.len() < MEBIBYTE / 10, "{}", bytes.len());
        let begin = std::time::Instant::now();
        let message = read_all_ways(&bytes).expect(expected);
        assert!(message.contains(expected), "{message}, not {expected}");
        assert!(begin.elapsed().as_secs() < 10, "{expected}: {:?}", begin.elapsed());
    }
    // A text of that length that is no name does no harm.
    let aside = [&b"\x80\x02}("[..], &text(b"notes"), &long, b"u."].concat();
    assert!(Checkpoint::from_bytes("hostile", packed(&aside)).unwrap().tensors().is_empty());
}

/// The tensors of several pickles of one in a dictionary of w0000, w0001, ...
fn together(pickles: &[Vec<u8>]) -> Vec<u8> {
    let mut whole = b"\x80\x02}".to_vec();
    for (number, pickle) in pickles.iter().enumerate() {
        // Before the tensor lie the protocol, the dictionary and the name, behind it the end.
        let tensor = &pickle[3 + 6..pickle.len() - 2];
        whole.extend([&b"X\x05\0\0\0"[..], format!("w{number:04}").as_bytes(), tensor, b"s"].concat());
    }
    whole.push(b'.');
    whole
}

#[test]
fn views_are_tied_when_they_have_elements_in_common() {
    let _alone = alone();
    let view = |offset, shape: &[i32], stride: &[i32]| tensor_pickle(6, offset, shape, stride);
    let folder = std::env::temp_dir().join(format!("porewalk-untrusted-{}-views", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (a, b, is_tied) in [
        // Halves, and columns that lie between one another.
        (view(0, &[3], &[1]), view(3, &[3], &[1]), false),
        (view(0, &[3], &[2]), view(1, &[3], &[2]), false),
        // Transposed, the end of it, and a row of a transposed one.
        (view(0, &[2, 3], &[3, 1]), view(0, &[3, 2], &[1, 3]), true),
        (view(0, &[6], &[1]), view(4, &[2], &[1]), true),
        (view(0, &[3, 2], &[1, 3]), view(3, &[3], &[1]), true),
    ] {
        std::fs::write(folder.join("step_1.pt"), torch(&together(&[a, b]), &[0; 24])).unwrap();
        let run = CheckpointFolder::open(&folder, &Selection::default()).unwrap();
        assert_eq!(
            run.notes().iter().any(|note| note.contains("w0000 and w0001 share")),
            is_tied,
            "{:?}",
            run.tensors()
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_repeats_its_elements_takes_no_memory() {
    let _alone = alone();
    // 1000 tensors of 2^28 elements each, all of them the one element of a storage.
    let tensors = vec![tensor_pickle(1, 0, &[1 << 28], &[0]); 1000];
    let folder = std::env::temp_dir().join(format!("porewalk-untrusted-{}-repeated", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("step_1.pt"), torch(&together(&tensors), &3.0f32.to_le_bytes())).unwrap();
    let held = most_held(|| {
        let run = CheckpointFolder::open(&folder, &Selection::default()).unwrap();
        assert!(run.notes()[0].contains("w0000 and w0001") && run.notes()[0].contains("and 995 more pairs"));
        assert_eq!(run.dimension(), 1000 << 28);
        let mut out = [0.0; 1000];
        run.read(0, run.dimension() - out.len(), &mut out).unwrap();
        assert_eq!(out, [3.0; 1000]);
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(held < 4 * MEBIBYTE, "{held}");
}

/// Small valid files of every format.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut found: Vec<Vec<u8>> = [
        "checkpoints/safetensors/float32/step_2.safetensors",
        "checkpoints/safetensors/float8_e4m3/step_2.safetensors",
        "checkpoints/torch/views/00010.pth",
        "checkpoints/torch/nested/epoch2.pt",
        "checkpoints/torch/plain/step_2/pytorch_model.bin",
        "checkpoints/npz/deflated/run1_step2.npz",
        "checkpoints/npz/stored/run1_step2.npz",
        "checkpoints/npz/single/2.npy",
        "numpy_written.npz",
    ]
    .iter()
    .map(|name| std::fs::read(root.join(name)).unwrap())
    .collect();
    found.push(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef".to_vec());
    found.push(b"x,y\n1,2\n3.5,-4e3\n\"7\",8\n".to_vec());
    found
}

proptest! {
    #![proptest_config(support::random_cases(600))]
    #[test]
    fn damaged_files_never_panic(
        seed in 0usize..11,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        doubled in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let _alone = alone();
        let mut bytes = seeds().swap_remove(seed);
        if let Some(place) = doubled {
            let tail = bytes[place.index(bytes.len())..].to_vec();
            bytes.extend(tail);
        }
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let held = most_held(|| drop(read_all_ways(&bytes)));
        prop_assert!(held < 8 * MEBIBYTE + 40 * bytes.len(), "{held} bytes were held");
    }

    #[test]
    fn random_pickles_never_panic(operations in prop::collection::vec(
        prop_oneof![
            prop::sample::select(b"().012N]}aesultQRbqhjGJKM\x81\x85\x86\x87\x88\x8f\x90\x93\x94".to_vec()).prop_map(|code| vec![code]),
            Just(b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec()),
            Just(b"ctorch\nFloatStorage\n".to_vec()),
            Just(b"ccollections\nOrderedDict\n".to_vec()),
            Just(b"X\x07\0\0\0storageX\x01\0\0\0".to_vec()),
            Just(b"X\x01\0\0\x000".to_vec()),
            prop::collection::vec(any::<u8>(), 1..3),
        ],
        0..40,
    )) {
        let _alone = alone();
        let pickle = [b"\x80\x02".to_vec(), operations.concat(), b".".to_vec()].concat();
        read_all_ways(&torch(&pickle, &[0; 16]));
    }
}

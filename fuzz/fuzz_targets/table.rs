//! A table of numbers as text, plain or gzip.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porewalk::formats::table;

fuzz_target!(|bytes: &[u8]| {
    let _ = table::from_bytes("fuzzed", bytes);
});

//! A run of checkpoints read from the page cache. `cargo bench --bench checkpoints`; numbers in benches/README.md.
//!
//! 200 safetensors files of 1 million float32 are written into the temporary folder (0.8 GB) and removed at the end.
//! `cargo bench --bench checkpoints -- summary` gives seconds, processor seconds and peak memory alone.
//! `POREWALK_BENCH_FOLDER` names another folder, `POREWALK_BENCH_PARAMETERS` another number of parameters.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use divan::{Bencher, black_box, counter::BytesCount};
use porewalk::estimate::trajectory::{Gram, displacement};
use porewalk::formats::checkpoint::{CheckpointFolder, Selection};

const FILES: usize = 200;

fn parameters() -> usize {
    let text = std::env::var("POREWALK_BENCH_PARAMETERS").unwrap_or_else(|_| "1000000".into());
    text.parse().expect("POREWALK_BENCH_PARAMETERS is a number")
}

fn folder() -> PathBuf {
    let parent = std::env::var_os("POREWALK_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    parent.join(format!("porewalk-bench-checkpoints-{}", std::process::id()))
}

/// The run, in the page cache.
static RUN: LazyLock<CheckpointFolder> = LazyLock::new(|| {
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a writable folder");
    for step in 0..FILES {
        write(&folder.join(format!("step_{step}.safetensors")), step);
    }
    let run = CheckpointFolder::open(&folder, &Selection::default()).expect("readable checkpoints");
    run.files().iter().for_each(|file| drop(black_box(std::fs::read(file).expect("readable"))));
    run
});

/// Ten tensors and a bias each; numbers that drift with the step.
fn write(path: &Path, step: usize) {
    let (tensors, share) = (10, parameters() / 10);
    let mut header = serde_json::Map::new();
    for tensor in 0..tensors {
        let (rows, bytes) = (share / 100, 400 * (share / 100));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": [rows, 100], "data_offsets": [tensor * bytes, (tensor + 1) * bytes]
        });
        header.insert(format!("layers.{tensor}.weight"), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).expect("a writable folder"));
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("written");
    file.write_all(header.as_bytes()).expect("written");
    let mut state = 1u32;
    for _ in 0..tensors * (share / 100) * 100 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = (state >> 8) as f32 * 1e-7 + step as f32 * ((state >> 4) & 0xff) as f32 * 1e-5;
        file.write_all(&value.to_le_bytes()).expect("written");
    }
    file.flush().expect("written");
}

fn bytes() -> BytesCount {
    BytesCount::new(4 * RUN.dimension() * FILES)
}

/// The same files by `std::fs::read`: what no reader beats by far.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn plain_read(bencher: Bencher) {
    let run = &*RUN;
    bencher.counter(bytes()).bench_local(|| {
        run.files().iter().for_each(|file| drop(black_box(std::fs::read(file).expect("readable"))));
    });
}

/// R(t) from the first checkpoint (target: 1 GB/s).
#[divan::bench(args = [1, 2], sample_count = 3, sample_size = 1)]
fn displacement_from_the_first(bencher: Bencher, threads: usize) {
    let run = &*RUN;
    bencher.counter(bytes()).bench_local(|| black_box(displacement(run, 0, threads).expect("readable")));
}

/// Every inner product (target: 20 s for 200 x 10 million on two threads).
#[divan::bench(args = [1, 2], sample_count = 1, sample_size = 1)]
fn gram(bencher: Bencher, threads: usize) {
    let run = &*RUN;
    bencher
        .counter(bytes())
        .bench_local(|| black_box(Gram::of_with(run, 32, threads, &mut |_| Ok(())).expect("readable")));
}

/// Processor seconds of this process so far: what counts when others use the machine. In hundredths, as Linux counts them.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Most memory that this process has held so far.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_string()
}

fn report(what: &str, threads: usize, work: impl FnOnce()) {
    let (begun, used) = (Instant::now(), processor_seconds());
    work();
    let (wall, used) = (begun.elapsed().as_secs_f64(), processor_seconds() - used);
    println!("{what}, threads {threads}: {wall:.2} s, {used:.2} s of processors, {}", peak());
}

fn main() {
    divan::main();
    let asked = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    if asked("--bench") && (folder().exists() || asked("summary")) {
        let run = &*RUN;
        // The plain reads are over: their peak is not that of the readers.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        for threads in [1, 2] {
            report("displacement", threads, || drop(black_box(displacement(run, 0, threads).expect("readable"))));
        }
        for threads in [1, 2] {
            let work = || drop(black_box(Gram::of_with(run, 32, threads, &mut |_| Ok(())).expect("readable")));
            report("gram", threads, work);
        }
    }
    let _ = std::fs::remove_dir_all(folder());
}

//! Chains that are stopped go on to the same bits, in the library and on the command line.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use porewalk::Error;
use porewalk::experiment::llc::run_llc;
use porewalk::experiment::{Options, Resources};
use porewalk::propagator::{Observer, StopFlag};
use porewalk::storage::llc::TRACES_FILE;
use porewalk::storage::{LlcReport, Replacement};

/// An empty folder of its own for a test.
fn workplace(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("porewalk-resume-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder
}

/// Twelve chains in two blocks, the second half empty.
fn run_file(folder: &Path, hidden: usize, llc: &str) -> PathBuf {
    let file = folder.join("run.toml");
    let outer = hidden + 1;
    let widths = format!("inputs = {outer}\nhidden = [{hidden}]\noutputs = {outer}\nsingular_values = [1.0]\n");
    let model = format!("[model]\nkind = \"reduced-rank\"\n{widths}sample_count = 500\n");
    fs::write(&file, format!("{model}[llc]\nchains = 12\n{llc}")).expect("a written file");
    file
}

fn options(output: PathBuf, threads: usize, resume: bool) -> Options {
    Options {
        output: Some(output),
        overrides: Vec::new(),
        replacement: Replacement::IfIdentical,
        resources: Resources { seed: 3, threads: NonZeroUsize::new(threads) },
        resume,
        stop: StopFlag::default(),
    }
}

/// Stops a run once it has done some steps, and remembers what it was told.
#[derive(Default)]
struct Stopper {
    stop: StopFlag,
    /// `None` never stops it.
    after: Option<u64>,
    first: Option<u64>,
    newest: u64,
    notes: Vec<String>,
}

impl Observer for Stopper {
    fn progress(&mut self, done: u64, total: u64) {
        assert!(done <= total, "{done} of {total}");
        let first = *self.first.get_or_insert(done);
        self.newest = done;
        if self.after.is_some_and(|after| done >= first + after) {
            self.stop.set();
        }
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.into());
    }
}

/// Traces, and the report without the times that it took.
fn results(folder: &Path) -> (Vec<u8>, LlcReport) {
    let mut report = LlcReport::read(folder).expect("a report");
    report.wall_time.clear();
    (fs::read(folder.join(TRACES_FILE)).expect("traces"), report)
}

#[test]
fn stopped_runs_go_on_to_the_same_bytes() {
    let cases = [
        "sampler = \"mala\"\nburn_in = 100\ndraws = 8000\n",
        "sampler = \"sgld\"\nburn_in = 100\ndraws = 3000\n[llc.sweep]\nstep_size = [1e-5, 2e-5]\n",
        "sampler = \"sgnht\"\nburn_in = 1000\ndraws = 2000\n",
        "sampler = \"rmsprop-sgld\"\nburn_in = 500\ndraws = 1000\n",
        "sampler = \"hmc\"\nburn_in = 50\ndraws = 300\n",
    ];
    let mut resumed = 0;
    for (case, llc) in cases.iter().enumerate() {
        let folder = workplace(&format!("bytes-{case}"));
        let file = run_file(&folder, 2, llc);
        run_llc(&file, &options(folder.join("whole"), 1, false), &|_, _, _| Ok(()), &mut ()).expect("a whole run");
        let whole = results(&folder.join("whole"));
        for threads in [1, 2] {
            let place = folder.join(format!("parts-{threads}"));
            let (mut stops, mut begin) = (0, 0);
            loop {
                let after = (stops < 4).then_some(1 + 300 * stops);
                let mut stopper = Stopper { after, ..Stopper::default() };
                let options = Options { stop: stopper.stop.clone(), ..options(place.clone(), threads, stops > 0) };
                let outcome = run_llc(&file, &options, &|_, _, _| Ok(()), &mut stopper);
                assert!(stopper.first.expect("it tells its progress") >= begin, "{llc}: it counts on");
                match outcome {
                    Ok(_) => break,
                    Err(Error::Interrupted { kept }) => {
                        assert_eq!(kept.is_some(), place.join(".partial/kept/chains-0-0-0.npz").exists(), "{llc}");
                        assert!(!place.join("report.json").exists());
                        resumed += usize::from(kept.is_some());
                        begin = stopper.first.unwrap_or(0);
                    }
                    Err(other) => panic!("{llc}: {other}"),
                }
                stops += 1;
            }
            assert!(results(&place) == whole, "{llc} with {threads} threads and {stops} stops");
            assert!(!place.join(".partial").exists());
        }
        fs::remove_dir_all(folder).expect("a removable folder");
    }
    // A busy machine may let a short run end before it is stopped, but not most of them.
    assert!(resumed >= cases.len(), "{resumed} stops with something to keep");
}

#[test]
fn only_the_same_run_goes_on() {
    let folder = workplace("same");
    let file = run_file(&folder, 2, "burn_in = 100\ndraws = 60000\n");
    let place = folder.join("out");
    let run = |resume: bool, overrides: &[&str], seed: u64, after: Option<u64>| {
        let mut stopper = Stopper { after, ..Stopper::default() };
        let mut options = Options { stop: stopper.stop.clone(), ..options(place.clone(), 2, resume) };
        options.overrides = overrides.iter().map(ToString::to_string).collect();
        options.resources.seed = seed;
        (run_llc(&file, &options, &|_, _, _| Ok(()), &mut stopper), stopper)
    };
    let (outcome, stopper) = run(true, &[], 3, Some(1));
    let error = outcome.expect_err("stopped");
    assert_eq!((error.exit_code(), error.is_input()), (1, false));
    assert!(error.to_string().contains("what is done is kept in") && error.to_string().contains("--resume"), "{error}");
    assert!(stopper.notes[0].contains("nothing is kept") && stopper.notes[0].contains("afresh"), "{:?}", stopper.notes);

    for (overrides, seed, words) in [
        (&["llc.draws=50"][..], 3, "run.llc.draws is 60000 there, 50 here"),
        (&[], 4, "seed is 3 there, 4 here"),
        (&["model.singular_values=[2.0]"], 3, "run.model.singular_values is [1.0] there, [2.0] here"),
    ] {
        let error = run(true, overrides, seed, None).0.expect_err("another run");
        assert!(error.exit_code() == 2 && error.to_string().contains(words), "{error}");
    }
    let kept = place.join(".partial/kept/chains-0-0-0.npz");
    let bytes = fs::read(&kept).expect("kept in spite of the refusals");
    fs::write(&kept, &bytes[..bytes.len() / 2]).expect("a written file");
    let error = run(true, &[], 3, Some(1)).0.expect_err("a damaged file");
    assert!(error.exit_code() == 2 && error.to_string().contains("chains-0-0-0.npz"), "{error}");
    fs::write(&kept, &bytes).expect("a written file");

    let (outcome, stopper) = run(true, &[], 3, Some(1));
    assert!(matches!(outcome, Err(Error::Interrupted { kept: Some(_) })));
    assert!(stopper.notes[0].contains("going on"), "{:?}", stopper.notes);
    assert!(stopper.first.is_some_and(|first| first > 0) && stopper.newest >= stopper.first.unwrap_or(0));

    let (outcome, stopper) = run(false, &["llc.draws=50"], 3, None);
    outcome.expect("a run that starts afresh");
    assert!(stopper.first == Some(0) && stopper.notes.is_empty());
    assert!(!place.join(".partial").exists());
    fs::remove_dir_all(folder).expect("a removable folder");
}

#[cfg(unix)]
mod program {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    fn start(folder: &Path, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_porewalk"))
            .args(["llc", "run.toml", "--threads", "2"])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// Sends the signal of Ctrl-C once the chains have begun.
    fn interrupt(program: &Child, place: &Path) {
        let begun = Instant::now();
        while !place.join(".partial/kept/identity.json").exists() {
            assert!(begun.elapsed() < Duration::from_secs(5), "no run has begun");
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(250));
        let sent = Command::new("kill").args(["-INT", &program.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    #[test]
    fn control_c_stops_cleanly_and_resume_goes_on() {
        let folder = workplace("signal");
        let draws = if cfg!(debug_assertions) { 2_000 } else { 30_000 };
        // With the step size given there is no pilot: the chains begin at once.
        run_file(&folder, 10, &format!("burn_in = 100\ndraws = {draws}\nstep_size = 1e-3\n"));
        let place = folder.join("parts");
        let stopped = start(&folder, &["-o", "parts"]);
        interrupt(&stopped, &place);
        let output = stopped.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("what is done is kept in parts") && text.contains("--resume goes on"), "{text}");
        assert!(output.stdout.is_empty());
        let names: Vec<_> =
            fs::read_dir(&place).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, [".partial"], "nothing but what is kept");

        let parts = start(&folder, &["-o", "parts", "--resume"]).wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&parts.stderr).into_owned();
        assert_eq!(parts.status.code(), Some(0), "{text}");
        assert!(text.contains("note: going on with what is kept in parts"), "{text}");
        let whole = start(&folder, &["-o", "whole", "--resume"]).wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&whole.stderr).into_owned();
        assert!(text.contains("note: nothing is kept in whole: starting afresh"), "{text}");
        assert!(results(&place) == results(&folder.join("whole")));
        fs::remove_dir_all(folder).expect("a removable folder");
    }
}

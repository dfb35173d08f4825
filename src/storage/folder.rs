//! A results folder that is written whole or not at all.
//!
//! Everything goes to `DIR/.partial/` first and is then renamed file by file, the report last: a folder with a report
//! is complete. What an earlier run wrote is replaced only when it solved the identical problem with the same version,
//! or when that was asked for; files of other origin are never removed.
//!
//! A run that can be stopped keeps its state in `DIR/.partial/kept/`, beside it the identity of what it belongs to; a
//! later run of the same identity goes on from there when it is asked to, and any other clears it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::identity::Identity;
use super::report::REPORT_FILE;
use crate::error::{Error, Result};

/// Which earlier results may be replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Replacement {
    /// Those of the identical problem and version.
    IfIdentical,
    /// Any (`--force`).
    Always,
}

const PARTIAL: &str = ".partial";
const KEPT: &str = "kept";
const IDENTITY_FILE: &str = "identity.json";

/// A results folder being written. Dropped before [`ResultFolder::commit`] it leaves no trace.
#[derive(Debug)]
pub struct ResultFolder {
    path: PathBuf,
    partial: PathBuf,
    /// Folders that were not there before, outermost first.
    created: Vec<PathBuf>,
    /// Files of the replaced results.
    stale: Vec<String>,
    /// Nothing is to be undone any more.
    is_settled: bool,
}

impl ResultFolder {
    /// Prepares `path` for results of `identity`: judges what is there, clears what a crash left and makes sure that the
    /// place can be written, before any work is done.
    ///
    /// # Errors
    /// [`Error::Occupied`] when the folder holds something else, [`Error::Io`] when it cannot be written.
    pub fn open(path: &Path, identity: &Identity, replacement: Replacement) -> Result<Self> {
        let partial = path.join(PARTIAL);
        let stale = judge(path, &partial, identity, replacement)?;
        let created = missing_ancestors(path);
        let folder = ResultFolder { path: path.to_path_buf(), partial, created, stale, is_settled: false };
        if folder.partial.exists() {
            fs::remove_dir_all(&folder.partial).map_err(|source| Error::io("clear", &folder.partial, source))?;
        }
        // From here on dropping `folder` removes what was made.
        fs::create_dir_all(&folder.partial).map_err(|source| Error::io("create", &folder.partial, source))?;
        Ok(folder)
    }

    /// As [`ResultFolder::open`], but what a stopped run of the same identity has kept stays; `None` when there is nothing.
    ///
    /// # Errors
    /// Those of [`ResultFolder::open`]; [`Error::DoesNotApply`] when what is kept belongs to another run, which it leaves
    /// alone.
    pub fn resume(path: &Path, identity: &Identity, replacement: Replacement) -> Result<Option<Self>> {
        let partial = path.join(PARTIAL);
        let stale = judge(path, &partial, identity, replacement)?;
        let Some(kept) = read_identity(&partial) else { return Ok(None) };
        if kept != *identity {
            let differences = kept.differences(identity);
            return Err(Error::DoesNotApply {
                method: "--resume",
                why: format!("what is kept in {} belongs to another run: {differences}", partial.display()),
                remedy: "name the run that was stopped, or leave --resume out to start afresh".into(),
            });
        }
        for name in names(&partial)? {
            let leftover = partial.join(name);
            let removed = if leftover.is_dir() { fs::remove_dir_all(&leftover) } else { fs::remove_file(&leftover) };
            removed.map_err(|source| Error::io("clear", &leftover, source))?;
        }
        let created = Vec::new();
        Ok(Some(ResultFolder { path: path.to_path_buf(), partial, created, stale, is_settled: false }))
    }

    /// The folder for all that a stopped run needs to go on, with the identity of the run in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn kept(&self, identity: &Identity) -> Result<PathBuf> {
        let kept = self.partial.join(KEPT);
        fs::create_dir_all(&kept).map_err(|source| Error::io("create", &kept, source))?;
        let text = serde_json::to_vec_pretty(identity)
            .map_err(|error| Error::io("write", kept.join(IDENTITY_FILE), std::io::Error::other(error)))?;
        replace_file(&kept.join(IDENTITY_FILE), &text)?;
        Ok(kept)
    }

    /// Gives the folder up, but leaves what is kept in it for a later [`ResultFolder::resume`].
    pub fn keep(mut self) {
        self.is_settled = true;
    }

    /// The folder to write into until [`ResultFolder::commit`].
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Names of the files written so far, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self) -> Result<Vec<String>> {
        names(&self.partial)
    }

    /// Writes one file.
    ///
    /// # Errors
    /// When the place cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.partial.join(name);
        fs::write(&path, content).map_err(|source| Error::io("write", &path, source))
    }

    /// Moves every file to its place, the report last, and removes those files of the replaced results that the new
    /// ones do not have. Gives the names of the files, sorted.
    ///
    /// # Errors
    /// When a file cannot be moved.
    pub fn commit(mut self) -> Result<Vec<String>> {
        let files = self.files()?;
        // Without a report the folder is incomplete for every reader while the files change.
        remove_file(&self.path.join(REPORT_FILE))?;
        for name in self.stale.iter().filter(|name| !files.contains(name)) {
            remove_file(&self.path.join(name))?;
        }
        let (report, others): (Vec<&String>, Vec<&String>) = files.iter().partition(|name| *name == REPORT_FILE);
        for name in others.into_iter().chain(report) {
            let place = self.path.join(name);
            fs::rename(self.partial.join(name), &place).map_err(|source| Error::io("write", &place, source))?;
        }
        self.is_settled = true;
        fs::remove_dir_all(&self.partial).map_err(|source| Error::io("clear", &self.partial, source))?;
        Ok(files)
    }
}

impl Drop for ResultFolder {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        // The run has failed already: an error here would only hide why.
        let _ = fs::remove_dir_all(&self.partial);
        for folder in self.created.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The files that may be replaced, or why the folder may not be used.
fn judge(path: &Path, partial: &Path, identity: &Identity, replacement: Replacement) -> Result<Vec<String>> {
    let present = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::io("open", path, source)),
        Ok(metadata) if !metadata.is_dir() => {
            let source = std::io::Error::new(ErrorKind::NotADirectory, "it is a file, not a folder");
            return Err(Error::io("write into", path, source));
        }
        Ok(_) => names(path)?,
    };
    // A crash while files were being moved leaves the new report in the partial folder.
    let report = read_report(path).or_else(|| read_report(partial));
    let own_files = report.as_ref().map_or(Vec::new(), listed_files);
    if replacement == Replacement::Always || present.is_empty() {
        return Ok(own_files);
    }
    let holds = match &report {
        None => format!("other files ({})", present.first().map_or("", String::as_str)),
        Some(report) if report.get("problem") != Some(&identity.problem) => {
            let title = report.get("title").and_then(Value::as_str).unwrap_or("untitled");
            format!("results of another problem ({title:?})")
        }
        Some(report) => match report.get("version").and_then(Value::as_str) {
            Some(version) if version == identity.version => return Ok(own_files),
            version => format!("results of version {} of the program", version.unwrap_or("unknown")),
        },
    };
    Err(Error::Occupied { path: path.to_path_buf(), holds })
}

fn read_report(folder: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(folder.join(REPORT_FILE)).ok()?).ok()
}

/// Names listed in a report; a name with a folder in it is not one that this program wrote.
fn listed_files(report: &Value) -> Vec<String> {
    let listed = report.get("files").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names = listed.iter().filter_map(Value::as_str);
    names.filter(|name| Path::new(name).file_name().is_some_and(|last| last == *name)).map(str::to_string).collect()
}

/// The run that the kept state belongs to, when there is such a state.
fn read_identity(partial: &Path) -> Option<Identity> {
    serde_json::from_str(&fs::read_to_string(partial.join(KEPT).join(IDENTITY_FILE)).ok()?).ok()
}

/// Writes a file under another name first: a reader sees the old content or the new one.
pub(super) fn replace_file(path: &Path, content: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, content)
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|source| Error::io("write", path, source))
}

/// Names in a folder, sorted, without the partial folder and what is kept in it.
fn names(folder: &Path) -> Result<Vec<String>> {
    let unreadable = |source| Error::io("list", folder, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    let is_partial = folder.file_name().is_some_and(|name| name == PARTIAL);
    names.retain(|name| name != PARTIAL && !(is_partial && name == KEPT));
    names.sort();
    Ok(names)
}

fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("replace", path, error)),
        _ => Ok(()),
    }
}

/// `path` and those of its parents that do not exist, outermost first.
fn missing_ancestors(path: &Path) -> Vec<PathBuf> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let mut missing: Vec<PathBuf> = path.ancestors().take_while(is_missing).map(Path::to_path_buf).collect();
    missing.reverse();
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn identity(order: f64) -> Identity {
        Identity { problem: json!({ "order": order }), version: "1".into() }
    }

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("porewalk-folder-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn results(path: &Path, order: f64, replacement: Replacement, extra: &[&str]) -> Result<Vec<String>> {
        let folder = ResultFolder::open(path, &identity(order), replacement)?;
        for name in extra {
            folder.write(name, b"new")?;
        }
        let report = json!({ "problem": { "order": order }, "version": "1", "title": "t", "files": extra });
        folder.write(REPORT_FILE, report.to_string().as_bytes())?;
        folder.commit()
    }

    #[test]
    fn identical_results_are_replaced_and_others_are_kept() {
        let path = place("replace").join("deep/er");
        assert_eq!(results(&path, 0.5, Replacement::IfIdentical, &["a.svg", "b.npz"]).unwrap().len(), 3);
        fs::write(path.join("notes.txt"), "mine").unwrap();
        results(&path, 0.5, Replacement::IfIdentical, &["b.npz"]).unwrap();
        assert_eq!(names(&path).unwrap(), ["b.npz", "notes.txt", "report.json"], "stale files go, foreign ones stay");
        let error = results(&path, 0.6, Replacement::IfIdentical, &["c.npz"]).unwrap_err();
        assert!(matches!(error, Error::Occupied { .. }), "{error}");
        assert_eq!(names(&path).unwrap(), ["b.npz", "notes.txt", "report.json"]);
        results(&path, 0.6, Replacement::Always, &["c.npz"]).unwrap();
        assert_eq!(names(&path).unwrap(), ["c.npz", "notes.txt", "report.json"]);
        assert!(!path.join(PARTIAL).exists());
    }

    #[test]
    fn foreign_files_and_other_versions_need_force() {
        let path = place("foreign");
        fs::create_dir_all(&path).unwrap();
        assert!(results(&path, 0.5, Replacement::IfIdentical, &[]).is_ok(), "an empty folder is fine");
        let newer = Identity { version: "2".into(), ..identity(0.5) };
        let error = ResultFolder::open(&path, &newer, Replacement::IfIdentical).unwrap_err().to_string();
        assert!(error.contains("version 1"), "{error}");
        fs::remove_file(path.join(REPORT_FILE)).unwrap();
        fs::write(path.join("thesis.tex"), "mine").unwrap();
        let error = results(&path, 0.5, Replacement::IfIdentical, &[]).unwrap_err().to_string();
        assert!(error.contains("thesis.tex") && error.contains("--force"), "{error}");
        results(&path, 0.5, Replacement::Always, &[]).unwrap();
        assert!(path.join("thesis.tex").exists());
    }

    #[test]
    fn an_abandoned_run_leaves_no_trace() {
        let root = place("abandoned");
        let path = root.join("a/b");
        let folder = ResultFolder::open(&path, &identity(0.5), Replacement::IfIdentical).unwrap();
        folder.write("x", b"half").unwrap();
        drop(folder);
        assert!(!root.exists());
        results(&path, 0.5, Replacement::IfIdentical, &["x"]).unwrap();
        drop(ResultFolder::open(&path, &identity(0.5), Replacement::IfIdentical).unwrap());
        assert_eq!(names(&path).unwrap(), ["report.json", "x"], "complete results outlive a later failure");
    }

    #[test]
    fn what_a_crash_left_is_cleared() {
        let path = place("crash");
        fs::create_dir_all(path.join(PARTIAL)).unwrap();
        fs::write(path.join(PARTIAL).join("half.npz"), "half").unwrap();
        assert_eq!(results(&path, 0.5, Replacement::IfIdentical, &[]).unwrap(), ["report.json"]);
        // A crash between two renames: files in place, the report still in the partial folder.
        fs::create_dir_all(path.join(PARTIAL)).unwrap();
        fs::rename(path.join(REPORT_FILE), path.join(PARTIAL).join(REPORT_FILE)).unwrap();
        fs::write(path.join("x.npz"), "moved").unwrap();
        assert!(results(&path, 0.5, Replacement::IfIdentical, &["x.npz"]).is_ok());
    }

    #[test]
    fn what_is_kept_is_gone_on_with_by_the_same_run_only() {
        let root = place("kept");
        let path = root.join("deep");
        let resume = |identity: &Identity| ResultFolder::resume(&path, identity, Replacement::IfIdentical);
        assert!(resume(&identity(0.5)).unwrap().is_none(), "nothing there");
        let folder = ResultFolder::open(&path, &identity(0.5), Replacement::IfIdentical).unwrap();
        fs::write(folder.kept(&identity(0.5)).unwrap().join("state"), "half").unwrap();
        folder.write("half.svg", b"half").unwrap();
        assert_eq!(folder.files().unwrap(), ["half.svg"], "what is kept is no result");
        folder.keep();
        let other = Identity { version: "2".into(), ..identity(0.25) };
        let error = resume(&other).unwrap_err();
        assert!(error.is_input(), "{error}");
        for words in ["order is 0.5 there, 0.25 here", "version 1 of the program there, 2 here"] {
            assert!(error.to_string().contains(words), "{error}");
        }
        let folder = resume(&identity(0.5)).unwrap().unwrap();
        assert!(folder.files().unwrap().is_empty());
        assert_eq!(fs::read_to_string(folder.kept(&identity(0.5)).unwrap().join("state")).unwrap(), "half");
        folder.keep();
        results(&path, 0.5, Replacement::IfIdentical, &["x"]).unwrap();
        assert!(!path.join(PARTIAL).exists(), "a run that does not resume clears it");
        assert!(resume(&identity(0.5)).unwrap().is_none());
    }

    #[test]
    fn places_that_cannot_be_written_are_named() {
        let path = place("file");
        fs::write(&path, "a file").unwrap();
        for target in [path.clone(), path.join("below")] {
            let error = ResultFolder::open(&target, &identity(0.5), Replacement::Always).unwrap_err();
            assert!(error.to_string().contains(&target.display().to_string()), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    }
}

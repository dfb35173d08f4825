//! What `diagnose` is given: a folder of checkpoints, whole trajectories, or a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::formats::npz::{self, Array};
use crate::formats::table;
use crate::storage::report::REPORT_FILE;
use crate::storage::trajectory::TRAJECTORY_FILE;

/// Names of a column or array of times.
const TIMES: [&str; 7] = ["t", "time", "times", "step", "steps", "iteration", "epoch"];
/// Names of a column or array of displacements.
const DISPLACEMENTS: [&str; 4] = ["r", "displacement", "distance", "msd_root"];
/// Names of a column or array of learning coefficients.
const COEFFICIENTS: [&str; 3] = ["lambda", "llc", "learning_coefficient"];

/// What an input holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// A folder of checkpoints, not yet opened.
    Checkpoints(PathBuf),
    /// Whole trajectories.
    Trajectories(Trajectories),
    /// Times and displacements.
    Table(DisplacementTable),
}

/// Points of one or many runs at the same times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trajectories {
    /// Step of every point.
    pub(super) times: Vec<f64>,
    /// Number of parameters.
    pub(super) dimension: usize,
    /// Number of runs.
    pub(super) runs: usize,
    /// Run after run, point after point.
    pub(super) points: Vec<f64>,
}

/// A table of displacements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DisplacementTable {
    /// Times, increasing.
    pub(super) times: Vec<f64>,
    /// Displacement at each.
    pub(super) displacement: Vec<f64>,
    /// Learning coefficient at each, when it was given.
    pub(super) learning_coefficient: Option<Vec<f64>>,
}

/// A number that changes with the content of a file, and for a folder with the names and sizes of what is in it.
///
/// # Errors
/// When it cannot be read.
pub(super) fn fingerprint(path: &Path) -> Result<String> {
    let unreadable = |source| Error::io("read", path, source);
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    if path.is_dir() {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            names.push((entry.file_name(), entry.metadata().map_err(unreadable)?.len()));
        }
        names.sort();
        for (name, size) in names {
            hash.add(name.as_encoded_bytes());
            hash.add(&size.to_le_bytes());
        }
    } else {
        hash.add(&std::fs::read(path).map_err(unreadable)?);
    }
    Ok(format!("{:016x}", hash.0))
}

/// FNV-1a: it tells an edited file from the one before, no more.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Looks at `path` and reads what is not a folder of checkpoints.
///
/// # Errors
/// When it does not exist, is of no known kind, or does not hold what its kind should.
pub(super) fn read(path: &Path) -> Result<Input> {
    let metadata = std::fs::metadata(path).map_err(|source| Error::io("read", path, source))?;
    if metadata.is_dir() && path.join(REPORT_FILE).exists() {
        let rule = "is a folder of results, not of checkpoints";
        let kept = path.join(TRAJECTORY_FILE);
        let remedy = match kept.exists() {
            true => format!("give the run in it, {}", kept.display()),
            false => "give the folder that holds the checkpoints of the run".to_string(),
        };
        return Err(Error::invalid("INPUT", path.display(), rule, remedy));
    }
    if metadata.is_dir() {
        return Ok(Input::Checkpoints(path.to_path_buf()));
    }
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().to_lowercase());
    if name.ends_with(".npz") {
        return from_npz(path);
    }
    if [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".dat"].iter().any(|end| name.ends_with(end)) {
        return from_table(path).map(Input::Table);
    }
    let rule = "is no folder of checkpoints, no .npz and no .csv, .tsv, .txt or .dat (also .gz) file";
    let remedy = "give the folder that holds the checkpoints, a table of (t, R[, lambda]), or an npz of trajectories";
    Err(Error::invalid("INPUT", path.display(), rule, remedy))
}

fn from_table(path: &Path) -> Result<DisplacementTable> {
    let table = table::read(path)?;
    let column = |names: &[&str], place: usize| -> Result<Option<usize>> {
        let Some(header) = &table.header else { return Ok((place < table.columns).then_some(place)) };
        let is_named = |title: &String| names.contains(&title.trim().to_lowercase().as_str());
        let found: Vec<usize> = (0..header.len()).filter(|place| is_named(&header[*place])).collect();
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Error::malformed(path, format!("more than one column is called one of {}", names.join(", ")))),
        }
    };
    let needed = |what: &str, names: &[&str], place: usize| {
        column(names, place)?.ok_or_else(|| {
            let titles = table.header.as_ref().map_or(format!("{} columns", table.columns), |names| names.join(", "));
            let problem = format!("no column of {what} among {titles}; call it one of {}", names.join(", "));
            Error::malformed(path, problem)
        })
    };
    if table.header.is_none() && table.columns > 3 {
        let problem = format!("{} columns without names: a header says which is t, R and lambda", table.columns);
        return Err(Error::malformed(path, problem));
    }
    let (time, displacement) = (needed("times", &TIMES, 0)?, needed("displacements", &DISPLACEMENTS, 1)?);
    let coefficient = column(&COEFFICIENTS, 2)?;
    let pick = |place: usize| table.values.chunks_exact(table.columns).map(|row| row[place]).collect::<Vec<f64>>();
    Ok(DisplacementTable {
        times: pick(time),
        displacement: pick(displacement),
        learning_coefficient: coefficient.map(pick),
    })
}

fn from_npz(path: &Path) -> Result<Input> {
    let arrays = npz::read(path)?;
    let find = |names: &[&str]| arrays.iter().find(|(name, _)| names.contains(&name.to_lowercase().as_str()));
    let times = find(&TIMES);
    if let Some((name, displacement)) = find(&DISPLACEMENTS) {
        let Some((_, times)) = times else {
            return Err(Error::malformed(
                path,
                format!("beside {name} it needs an array of times: {}", TIMES.join(", ")),
            ));
        };
        let coefficient = find(&COEFFICIENTS).map(|(_, array)| array.data.clone());
        let lengths = [times.data.len(), coefficient.as_ref().map_or(times.data.len(), Vec::len)];
        if lengths.iter().any(|length| *length != displacement.data.len()) {
            return Err(Error::malformed(
                path,
                format!("{name}, its times and learning coefficients differ in length"),
            ));
        }
        return Ok(Input::Table(DisplacementTable {
            times: times.data.clone(),
            displacement: displacement.data.clone(),
            learning_coefficient: coefficient,
        }));
    }
    let (name, points) = trajectory_array(path, &arrays)?;
    let (runs, count, dimension) = match points.shape[..] {
        [runs, count, dimension] => (runs, count, dimension),
        [count, dimension] => (1, count, dimension),
        _ => (0, 0, 0),
    };
    if runs * count * dimension == 0 {
        return Err(Error::malformed(path, format!("the array {name} is empty: its shape is {:?}", points.shape)));
    }
    let times = match times {
        Some((_, times)) => times.data.clone(),
        None => (0..count).map(|step| step as f64).collect(),
    };
    if times.len() != count {
        let problem = format!("{} times for {count} points of {name} of shape {:?}", times.len(), points.shape);
        return Err(Error::malformed(path, problem));
    }
    if let Some(place) = points.data.iter().position(|value| !value.is_finite()) {
        let (point, parameter) = (place / dimension, place % dimension);
        let problem = format!(
            "{name}: run {}, point {}, parameter {parameter} is {}; leave out what comes after it",
            point / count,
            point % count,
            points.data[place]
        );
        return Err(Error::malformed(path, problem));
    }
    Ok(Input::Trajectories(Trajectories { times, dimension, runs, points: points.data.clone() }))
}

/// The array of trajectories: `parameters` or `trajectories`, or the only one with three axes.
fn trajectory_array<'a>(path: &Path, arrays: &'a BTreeMap<String, Array>) -> Result<(&'a String, &'a Array)> {
    let named = ["parameters", "trajectories"];
    let found = named.iter().find_map(|name| arrays.get_key_value(*name));
    let mut with_axes = arrays.iter().filter(|(_, array)| array.shape.len() == 3);
    let chosen = found.or_else(|| with_axes.next().filter(|_| with_axes.next().is_none()));
    match chosen {
        Some((name, array)) if (2..=3).contains(&array.shape.len()) => Ok((name, array)),
        Some((name, array)) => {
            let problem =
                format!("{name} has the shape {:?}, not (run, step, parameter) or (step, parameter)", array.shape);
            Err(Error::malformed(path, problem))
        }
        None => {
            let names: Vec<&str> = arrays.keys().map(String::as_str).collect();
            let problem = format!(
                "neither displacements ({}) nor trajectories (an array `parameters` of shape (run, step, parameter)) \
                 among its arrays: {}",
                DISPLACEMENTS.join(", "),
                names.join(", ")
            );
            Err(Error::malformed(path, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("porewalk-input-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a writable folder");
        path
    }

    #[test]
    fn tables_are_read_by_their_header_or_by_place() {
        let expected = |coefficient: Option<Vec<f64>>| {
            Input::Table(DisplacementTable {
                times: vec![1.0, 2.0],
                displacement: vec![0.5, 0.75],
                learning_coefficient: coefficient,
            })
        };
        let lambda = Some(vec![3.0, 4.0]);
        for (name, text, wanted) in [
            ("a.csv", "1,0.5\n2,0.75\n", None),
            ("b.txt", "1 0.5 3\n2 0.75 4\n", lambda.clone()),
            ("c.csv", "llc,R,note,Step\n3,0.5,0,1\n4,0.75,0,2\n", lambda),
            ("d.tsv", "# made by hand\ntime\tdisplacement\n1\t0.5\n2\t0.75\n", None),
        ] {
            assert_eq!(read(&file(name, text.as_bytes())).expect(name), expected(wanted), "{name}");
        }
        for (name, text, words) in [
            ("e.csv", "1,2,3,4\n5,6,7,8\n", "without names"),
            ("f.csv", "x,R\n1,2\n", "no column of times among x, R"),
            ("g.csv", "t,time,R\n1,1,2\n", "more than one column"),
            ("h.md", "1 2\n", "is no folder of checkpoints"),
        ] {
            let error = read(&file(name, text.as_bytes())).expect_err(name);
            assert!(error.to_string().contains(words) && error.is_input(), "{error}");
        }
    }

    #[test]
    fn archives_hold_tables_or_trajectories() {
        let archive =
            |name: &str, arrays: &[(&str, &[usize], &[f64])]| read(&file(name, &npz::to_bytes(arrays).expect("small")));
        let numbers: Vec<f64> = (0..12).map(f64::from).collect();
        let found = archive("a.npz", &[("w", &[2, 3, 2], &numbers)]).expect("trajectories");
        let times = vec![0.0, 1.0, 2.0];
        let wanted = Trajectories { times: times.clone(), dimension: 2, runs: 2, points: numbers.clone() };
        assert_eq!(found, Input::Trajectories(wanted));
        let steps = [0.0, 10.0, 30.0, 40.0];
        let found = archive("b.npz", &[("parameters", &[4, 3], &numbers), ("step", &[4], &steps)]).expect("one run");
        let wanted = Trajectories { times: steps.to_vec(), dimension: 3, runs: 1, points: numbers.clone() };
        assert_eq!(found, Input::Trajectories(wanted));
        let found = archive("c.npz", &[("displacement", &[3], &times), ("time", &[3], &times)]).expect("a table");
        assert!(matches!(found, Input::Table(_)));
        let mut broken = numbers.clone();
        broken[7] = f64::NAN;
        for (name, arrays, words) in [
            ("d.npz", vec![("w", &[2usize, 3, 2][..], &broken[..])], "run 1, point 0, parameter 1 is NaN"),
            ("e.npz", vec![("w", &[2, 3, 2], &numbers), ("t", &[2], &numbers[..2])], "2 times for 3 points"),
            ("f.npz", vec![("w", &[12], &numbers)], "neither displacements"),
            ("g.npz", vec![("R", &[12], &numbers)], "needs an array of times"),
            ("h.npz", vec![("parameters", &[12], &numbers)], "not (run, step, parameter)"),
            ("i.npz", vec![("R", &[12], &numbers), ("t", &[2], &numbers[..2])], "differ in length"),
        ] {
            let error = archive(name, &arrays).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

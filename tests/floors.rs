//! The house rules that a machine can check: imports go down, citation keys resolve, files stay readable.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor; a module may import from lower floors and from itself.
const FLOORS: [&[&str]; 7] = [
    &["error", "math", "formats"],
    &["mesh", "landscape", "caputo"],
    &["fokker_planck", "network"],
    &["propagator", "dynamics"],
    &["estimate", "storage"],
    &["experiment"],
    &["plot"],
];

/// The guide is read by every floor and reads none.
const GUIDE: &str = "guide";

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("inside src").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("a readable file"))
    };
    paths.into_iter().map(read).collect()
}

/// Names of crate modules a source file mentions by `crate::name`.
fn imports(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in code {
        for (start, _) in line.match_indices("crate::") {
            let rest = &line[start + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(&rest[..end]);
        }
    }
    found
}

#[test]
fn imports_go_down_only() {
    let mut breaches = Vec::new();
    for (name, text) in all_sources() {
        let module = name.split(['/', '.']).next().expect("a first part");
        if ["lib", "main", "progress", GUIDE].contains(&module) {
            continue;
        }
        let own =
            floor_of(module).unwrap_or_else(|| panic!("{name}: the module {module} has no floor; add it to FLOORS"));
        for import in imports(&text) {
            let Some(other) = floor_of(import) else { continue };
            if import != module && other >= own && !(own == 0 && import == "error") && !(own == 0 && import == "math") {
                breaches.push(format!("{name} (floor {own}) imports {import} (floor {other})"));
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "imports go strictly down, neighbours do not import each other:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn every_citation_key_resolves() {
    let references = include_str!("../src/guide/references.md");
    let mut missing = Vec::new();
    let mut pages: Vec<(String, String)> = all_sources();
    for page in
        ["equation", "discretisation", "time", "learning", "displacement", "sections", "checkpoints", "extending"]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/guide/{page}.md"));
        pages.push((format!("{page}.md"), fs::read_to_string(path).expect("a guide page")));
    }
    for (name, text) in pages {
        for piece in text.split('[').skip(1) {
            let Some(end) = piece.find([']', '\\']) else { continue };
            let key = &piece[..end];
            let is_key = key.len() > 5
                && key.starts_with(|c: char| c.is_ascii_uppercase())
                && key.chars().all(|c| c.is_ascii_alphanumeric())
                && key.trim_end_matches(|c: char| c.is_ascii_lowercase()).len() >= 5
                && key.chars().rev().skip_while(|c| c.is_ascii_lowercase()).take(4).all(|c| c.is_ascii_digit());
            if is_key && !references.contains(&format!("`[{key}]`")) {
                missing.push(format!("{name}: [{key}]"));
            }
        }
    }
    assert!(missing.is_empty(), "keys without an entry in src/guide/references.md:\n{}", missing.join("\n"));
}

#[test]
fn no_source_file_outgrows_a_sitting() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 420)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split these along their nouns:\n{}", long.join("\n"));
}

//! No dependency under a copyleft licence: the licence of every package in the lock file is read and judged.

use std::process::Command;

/// Licences that bind whoever links the program.
const REFUSED: [&str; 6] = ["GPL", "AGPL", "LGPL", "SSPL", "EUPL", "OSL"];

/// True when some alternative of the expression avoids the refused licences.
fn permissive(expression: &str) -> bool {
    let alternatives = expression.split(" OR ").flat_map(|part| part.split('/'));
    alternatives.map(|part| part.trim_matches(['(', ')', ' '])).any(|part| {
        !part.is_empty() && !REFUSED.iter().any(|refused| part.split([' ', '-']).any(|word| word == *refused))
    })
}

#[test]
fn expressions_are_judged_rightly() {
    for (expression, expected) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("LGPL-2.1", false),
        ("GPL-3.0-only", false),
        ("AGPL-3.0", false),
        ("MIT OR LGPL-2.1-or-later", true),
        ("Unlicense/MIT", true),
    ] {
        assert_eq!(permissive(expression), expected, "{expression}");
    }
}

#[test]
fn every_locked_dependency_is_permissively_licensed() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    assert!(packages.len() > 50, "the whole graph is listed");
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(permissive))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not permissively licensed:\n{}", refused.join("\n"));
}

//! What `porewalk list` shows: the names that a problem file or a run file can hold and this version can run.

use super::check::{
    ACTIVATIONS, BOUNDARIES, COMPONENTS, DATA, DERIVATIVES, DIFFUSIVITIES, DIRECTIONS, FLUXES, INITIALS, MEMORIES,
    METHODS, NETWORKS, OPTIMIZERS, PROPAGATORS, SAMPLERS, SCHEDULES, SPACINGS, UNITS, landscapes,
};
use super::choice::{Choice, choose};
use crate::error::{Error, Result};

/// A key and its names.
struct Topic {
    name: &'static str,
    key: &'static str,
    entries: Vec<(&'static str, &'static str)>,
}

fn topic<T>(name: &'static str, key: &'static str, choices: &[Choice<T>]) -> Topic {
    let available = choices.iter().filter(|choice| choice.value.is_some());
    Topic { name, key, entries: available.map(|choice| (choice.name, choice.meaning)).collect() }
}

fn topics() -> Vec<Topic> {
    vec![
        topic("landscapes", "landscape.kind", &landscapes()),
        topic("boundaries", "domain.boundary", BOUNDARIES),
        topic("components", "domain.component", COMPONENTS),
        topic("diffusivities", "diffusivity.kind", DIFFUSIVITIES),
        topic("initials", "initial.kind", INITIALS),
        topic("spacings", "time.spacing", SPACINGS),
        topic("schemes", "method.propagator", PROPAGATORS),
        topic("memories", "method.memory", MEMORIES),
        topic("derivatives", "method.derivatives", DERIVATIVES),
        topic("fluxes", "method.flux", FLUXES),
        topic("models", "model.kind of a run file, beside the landscapes", NETWORKS),
        topic("activations", "model.activation", ACTIVATIONS),
        topic("data", "data.kind", DATA),
        topic("optimizers", "training.optimizer", OPTIMIZERS),
        topic("schedules", "training.schedule", SCHEDULES),
        topic("samplers", "llc.sampler", SAMPLERS),
        topic("directions", "section.directions", DIRECTIONS),
        topic("units", "section.unit", UNITS),
        topic("fields", "section.method", METHODS),
    ]
}

/// The list of one topic, or of all.
///
/// # Errors
/// When there is no such topic.
pub fn list(name: Option<&str>) -> Result<String> {
    let topics = topics();
    let wanted = match name {
        None => None,
        Some(name) => {
            let choices: Vec<Choice<&str>> =
                topics.iter().map(|topic| Choice::of(topic.name, topic.name, topic.key)).collect();
            Some(choose("list", name, &choices).map_err(|error| match error {
                Error::Invalid { value, remedy, .. } => Error::invalid("list", value, "there is no such topic", remedy),
                other => other,
            })?)
        }
    };
    let mut text = String::new();
    for topic in topics.iter().filter(|topic| wanted.is_none_or(|wanted| wanted == topic.name)) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{} ({})\n", topic.name, topic.key));
        let width = topic.entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, meaning) in &topic.entries {
            text.push_str(&format!("  {name:width$}  {meaning}\n"));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_is_listed() {
        let all = list(None).unwrap();
        assert!(all.contains("krylov") && all.contains("double-well") && all.contains("scharfetter-gummel"), "{all}");
        for name in ["walkers", "tensor", "periodic"] {
            assert!(!all.contains(&format!("  {name} ")), "{name}");
        }
    }

    #[test]
    fn one_topic_or_a_suggestion() {
        assert!(!list(Some("schemes")).unwrap().contains("double-well"));
        let error = list(Some("landscape")).unwrap_err();
        assert!(error.to_string().contains("did you mean \"landscapes\"?"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

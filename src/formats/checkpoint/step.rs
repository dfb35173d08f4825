//! The step of a checkpoint from its name.

use regex_lite::Regex;

/// Steps are exact as `f64` up to here.
const LARGEST_STEP: u64 = 1 << 53;

/// How a step is told from a path relative to the folder, with `/` between its parts.
pub(super) enum StepRule {
    /// The last number of the file's name, or of its folder's when it has none.
    LastNumber,
    /// The one group of an expression; paths that it does not fit are no checkpoints.
    Pattern(Regex),
}

impl StepRule {
    /// # Errors
    /// Says what is wrong with the expression.
    pub(super) fn new(pattern: Option<&str>) -> std::result::Result<Self, String> {
        let Some(pattern) = pattern else { return Ok(StepRule::LastNumber) };
        let regex = Regex::new(pattern).map_err(|reason| format!("is no regular expression ({reason})"))?;
        match regex.captures_len() {
            2 => Ok(StepRule::Pattern(regex)),
            groups => Err(format!("has {} groups, the rule is one around the step number", groups - 1)),
        }
    }

    /// The step; `None` for a path that is no checkpoint.
    ///
    /// # Errors
    /// Says why there is no step.
    pub(super) fn step(&self, relative: &str) -> std::result::Result<Option<u64>, String> {
        match self {
            StepRule::Pattern(regex) => {
                let Some(captures) = regex.captures(relative) else { return Ok(None) };
                let digits = captures.get(1).map(|group| group.as_str()).unwrap_or("");
                number(digits).map(Some)
            }
            StepRule::LastNumber => {
                let parts: Vec<&str> = relative.split('/').collect();
                for (depth, part) in parts.iter().enumerate().rev() {
                    let stem = if depth + 1 == parts.len() { without_extension(part) } else { part };
                    if let Some(digits) = last_number(stem)? {
                        return number(digits).map(Some);
                    }
                }
                Err("has no number in its name".into())
            }
        }
    }
}

fn without_extension(name: &str) -> &str {
    let name = name.strip_suffix(".index.json").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn last_number(name: &str) -> std::result::Result<Option<&str>, String> {
    let Some(end) = name.rfind(|c: char| c.is_ascii_digit()) else { return Ok(None) };
    let start_of = |end: usize| name[..end].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let start = start_of(end + 1);
    // `step_10_loss0.25` ends in a number that is no step.
    let before = &name[..start];
    if before.ends_with('.') && before[..start - 1].ends_with(|c: char| c.is_ascii_digit()) {
        let whole = start_of(start - 1);
        return Err(format!("ends in the number {}, which is no step", &name[whole..=end]));
    }
    // `1e5` and `1e-5` are one number each, and no step either.
    let exponent = before.strip_suffix(['-', '+']).unwrap_or(before);
    if let Some(mantissa) = exponent.strip_suffix(['e', 'E'])
        && mantissa.ends_with(|c: char| c.is_ascii_digit())
    {
        let whole = mantissa.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        return Err(format!("ends in the number {}, which is no step", &name[whole..=end]));
    }
    Ok(Some(&name[start..=end]))
}

fn number(digits: &str) -> std::result::Result<u64, String> {
    digits
        .parse()
        .ok()
        .filter(|step| *step <= LARGEST_STEP)
        .ok_or_else(|| format!("has the step {digits:?}, the rule is a whole number up to 2^53"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_from_the_last_number() {
        let rule = StepRule::new(None).expect("no pattern");
        for (name, expected) in [
            ("step_10.safetensors", 10),
            ("run3-epoch=2-step=0800.ckpt", 800),
            ("checkpoint-1000/model.safetensors.index.json", 1000),
            ("step_7/pytorch_model.bin", 7),
            ("10.npz", 10),
            ("phase1_epoch5.pt", 5),
            ("stage-e5.pt", 5),
            ("pas\u{e9}10.pt", 10),
        ] {
            assert_eq!(rule.step(name), Ok(Some(expected)), "{name}");
        }
        for (name, expected) in [
            ("model.pt", "no number"),
            ("step_10_loss0.25.pt", "0.25"),
            ("step_1e5.pt", "ends in the number 1e5, which is no step"),
            ("step_1E5/model.safetensors", "number 1E5,"),
            ("step_10_lr2.5e-05.pt", "number 2.5e-05,"),
            ("pas\u{e9}1e5.pt", "number 1e5,"),
            ("1e+5.npz", "number 1e+5,"),
            ("99999999999999999999.pt", "up to 2^53"),
            ("9007199254740993.pt", "up to 2^53"),
        ] {
            assert!(rule.step(name).expect_err(name).contains(expected), "{name}");
        }
    }

    #[test]
    fn a_pattern_takes_its_one_group() {
        let rule = StepRule::new(Some(r"^step(\d+)_loss")).expect("valid");
        assert_eq!(rule.step("step10_loss0.25.pt"), Ok(Some(10)));
        assert_eq!(rule.step("optimizer.pt"), Ok(None));
        assert!(StepRule::new(Some("(")).is_err_and(|problem| problem.contains("no regular expression")));
        assert!(StepRule::new(Some("a")).is_err_and(|problem| problem.contains("has 0 groups")));
        assert!(StepRule::new(Some("(a)(b)")).is_err_and(|problem| problem.contains("has 2 groups")));
        assert!(StepRule::new(Some("(a+)")).expect("valid").step("aa").is_err_and(|p| p.contains("\"aa\"")));
    }
}

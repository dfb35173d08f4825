//! Where a key path stands in the text of a problem file.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// What of a key is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// Its name: a key that should not be there.
    Key,
    /// Its value.
    Value,
}

/// A step of a key path.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A key of a table.
    Name(String),
    /// An element of a list, from 0.
    Element(usize),
}

impl Part {
    /// The key, when the step is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Part::Name(name) => Some(name),
            Part::Element(_) => None,
        }
    }
}

/// The steps of a key path such as `domain.lower[1]`.
pub fn parts(key_path: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in key_path.split('.') {
        let (name, elements) = piece.find('[').map_or((piece, ""), |start| piece.split_at(start));
        parts.push(Part::Name(name.to_string()));
        let numbers = elements.split(['[', ']']).filter(|number| !number.is_empty());
        parts.extend(numbers.filter_map(|number| number.parse().ok()).map(Part::Element));
    }
    parts
}

/// Byte range of a key path in `text`. Where the path ends early (a key that is missing), the name of the last table
/// that is there; `None` when nothing of it is.
pub fn span_of(text: &str, parts: &[Part], spot: Spot) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let (first, rest) = parts.split_first()?;
    let (key, mut value) = document.get_ref().get_key_value(first.name()?)?;
    let mut key_span = key.span();
    let mut is_found = true;
    for part in rest {
        let next = match (part, value.get_ref()) {
            (Part::Name(name), DeValue::Table(table)) => table.get_key_value(name.as_str()).map(|(key, value)| {
                key_span = key.span();
                value
            }),
            (Part::Element(index), DeValue::Array(items)) => items.get(*index).inspect(|item| key_span = item.span()),
            _ => None,
        };
        match next {
            Some(found) => value = found,
            None => {
                is_found = false;
                break;
            }
        }
    }
    // A table written under a header has no span of its own that a reader would recognise.
    let points_at_value =
        spot == Spot::Value && !value.get_ref().is_table() && (is_found || value.get_ref().is_array());
    Some(if points_at_value { value.span() } else { key_span })
}

/// An [`Error::Config`] at a byte range of `text`; without a range the whole file is meant.
pub fn at(origin: String, text: &str, span: Option<Range<usize>>, message: String) -> Error {
    let Some(span) = span else {
        return Error::Config { origin, place: None, excerpt: String::new(), message };
    };
    let start = floor_boundary(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let line = text[..line_start].matches('\n').count() + 1;
    let before = &text[line_start..start];
    let column = before.chars().count() + 1;
    let end = floor_boundary(text, span.end).clamp(start, line_end);
    let marks = text[start..end].trim_end().chars().count().max(1);
    Error::Config {
        origin,
        place: Some((line, column)),
        excerpt: excerpt(line, text[line_start..line_end].trim_end(), before, marks),
        message,
    }
}

/// Lines longer than this are shown around the mark only \[characters\].
const EXCERPT_WIDTH: usize = 100;

/// The line with its number, and the mark below it.
fn excerpt(line: usize, content: &str, before: &str, marks: usize) -> String {
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let column = before.chars().count();
    let skipped = if content.chars().count() > EXCERPT_WIDTH { column.saturating_sub(EXCERPT_WIDTH / 2) } else { 0 };
    let visible: String = content.chars().skip(skipped).take(EXCERPT_WIDTH).map(printable).collect();
    let indent: String =
        before.chars().skip(skipped).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
    let room = EXCERPT_WIDTH.saturating_sub(column - skipped).max(1);
    format!("{gutter} |\n{number} | {visible}\n{gutter} | {indent}{}", "^".repeat(marks.min(room)))
}

/// Control characters would garble a terminal.
fn printable(character: char) -> char {
    if character.is_control() && character != '\t' { '\u{fffd}' } else { character }
}

/// The largest character boundary not beyond `index`.
fn floor_boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// Values longer than this are cut in messages \[characters\].
const VALUE_WIDTH: usize = 80;

/// A value short enough for a message.
pub fn shortened(value: &str) -> String {
    if value.chars().count() <= VALUE_WIDTH {
        return value.to_string();
    }
    let kept: String = value.chars().take(VALUE_WIDTH - 3).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title = 'a'\n[domain]\nlower = [-1.0, 2.0]\n\tcells = [10]\n[initial]\nmean.x = 3\n\
                        inline = { deep = { value = 7 } }\n";

    fn found(path: &str, spot: Spot) -> &'static str {
        span_of(TEXT, &parts(path), spot).map_or("", |span| &TEXT[span])
    }

    #[test]
    fn key_paths_lead_to_their_values() {
        for (path, value) in [
            ("title", "'a'"),
            ("domain.lower", "[-1.0, 2.0]"),
            ("domain.lower[1]", "2.0"),
            ("initial.mean.x", "3"),
            ("initial.inline.deep.value", "7"),
        ] {
            assert_eq!(found(path, Spot::Value), value, "{path}");
        }
    }

    #[test]
    fn key_paths_lead_to_their_names() {
        for (path, name) in [("title", "title"), ("domain", "domain"), ("domain.cells", "cells")] {
            assert_eq!(found(path, Spot::Key), name, "{path}");
        }
    }

    #[test]
    fn a_missing_key_leads_to_its_table() {
        assert_eq!(found("domain.upper", Spot::Value), "domain");
        assert_eq!(found("domain.lower[7]", Spot::Value), "[-1.0, 2.0]");
        assert_eq!(span_of(TEXT, &parts("time.end"), Spot::Value), None);
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "a = 1\nä = 'öö' # é\n";
        let start = text.find("'öö'").unwrap();
        let Error::Config { place, excerpt, .. } = at("f".into(), text, Some(start..start + 6), "m".into()) else {
            panic!("a config error");
        };
        assert_eq!(place, Some((2, 5)));
        assert_eq!(excerpt, "  |\n2 | ä = 'öö' # é\n  |     ^^^^");
    }

    #[test]
    fn the_mark_keeps_tabs_and_long_lines_are_cut() {
        let start = TEXT.find("[10]").unwrap();
        let error = at("f".into(), TEXT, Some(start..start + 4), "m".into()).to_string();
        assert!(error.ends_with("\n4 | \tcells = [10]\n  | \t        ^^^^"), "{error}");
        let long = format!("a = [{}]", "1, ".repeat(1000));
        let error = at("f".into(), &long, Some(1500..1501), "m".into()).to_string();
        assert!(error.lines().all(|line| line.chars().count() < 110), "{error}");
        assert!(error.starts_with("f:1:1501: m"), "{error}");
    }

    #[test]
    fn ends_of_files_and_broken_ranges_do_no_harm() {
        for span in [0..0, 5..900, 900..901] {
            let _ = at("f".into(), "a = ü", Some(span.clone()), "m".into()).to_string();
            let _ = at("f".into(), "", Some(span), "m".into()).to_string();
        }
    }
}

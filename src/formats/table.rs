//! Tables of numbers as text: one row a line, columns apart by commas, semicolons, tabs or spaces, plain or gzip.
//!
//! Lines that are empty or begin with `#` are left out. A first line without any number is a header.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::gzip;
use crate::error::{Error, Result};

/// Most bytes of text that are read: as many as 2 GiB of f64 may need.
const LARGEST_TEXT: u64 = 1 << 29;
/// Most bytes of a line.
const LARGEST_LINE: u64 = 1 << 24;

/// A table of finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names of the columns, when the file has a header.
    pub header: Option<Vec<String>>,
    /// Number of rows, at least one.
    pub rows: usize,
    /// Number of columns, at least one.
    pub columns: usize,
    /// Numbers, row after row.
    pub values: Vec<f64>,
}

/// The table of a file.
///
/// # Errors
/// Names the file, and line and column (from 1) of a field that is no finite number or of a row that has another length than
/// the first one; also when the file is unreadable, too large or has no rows.
pub fn read(path: &Path) -> Result<Table> {
    parse(path, gzip::open(path)?, LARGEST_TEXT)
}

/// The table in bytes that are held in memory; `name` stands for the file in errors.
///
/// # Errors
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Table> {
    let path = Path::new(name);
    parse(path, gzip::unpacked(path, bytes)?, LARGEST_TEXT)
}

fn parse(path: &Path, source: impl Read, limit: u64) -> Result<Table> {
    let damaged = |problem: String| Error::malformed(path, problem);
    let mut table = Table { header: None, rows: 0, columns: 0, values: Vec::new() };
    // One byte more than allowed: a text that uses it up is too long.
    let mut reader = BufReader::new(source.take(limit + 1));
    let (mut text, mut bytes, mut line, mut separator) = (Vec::new(), 0, 0, None);
    loop {
        text.clear();
        let read = reader.by_ref().take(LARGEST_LINE + 1).read_until(b'\n', &mut text);
        bytes += read.map_err(|reason| damaged(format!("cannot be read after line {line} ({reason})")))? as u64;
        line += 1;
        if bytes > limit {
            return Err(damaged(format!("more than {limit} bytes of text; cut it or save it as npz")));
        }
        if text.len() as u64 > LARGEST_LINE {
            return Err(damaged(format!("line {line}: more than {LARGEST_LINE} bytes")));
        }
        if text.is_empty() {
            break;
        }
        let content = if line == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text) } else { &text };
        if content.trim_ascii().is_empty() || content.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        let separator = *separator.get_or_insert_with(|| separator_of(content));
        let record;
        let mut fields: Vec<&[u8]> = if content.contains(&b'"') {
            record = quoted(content, separator).map_err(|reason| damaged(format!("line {line}: {reason}")))?;
            record.iter().map(<[u8]>::trim_ascii).collect()
        } else {
            // A tab or a space at the end of a line separates nothing more than in `trim`.
            content.trim_ascii_end().split(|byte| *byte == separator).map(<[u8]>::trim_ascii).collect()
        };
        if separator == b' ' {
            fields.retain(|field| !field.is_empty());
        }
        if table.columns == 0 {
            table.columns = fields.len();
            if fields.iter().all(|field| number(field).is_none()) {
                table.header = Some(fields.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect());
                continue;
            }
        }
        for (column, field) in fields.iter().enumerate() {
            let value = number(field).ok_or_else(|| {
                let shown: String = String::from_utf8_lossy(field).chars().take(40).collect();
                damaged(format!("line {line}, column {}: {shown:?} is no finite number", column + 1))
            })?;
            table.values.push(value);
        }
        if fields.len() != table.columns {
            let rule = if table.header.is_some() { "the header" } else { "the first row" };
            return Err(damaged(format!("line {line}: {} columns, {rule} has {}", fields.len(), table.columns)));
        }
        table.rows += 1;
    }
    if table.rows == 0 {
        return Err(damaged("it has no row of numbers".into()));
    }
    Ok(table)
}

/// A line with quotation marks; a separator between them is part of a field.
fn quoted(line: &[u8], separator: u8) -> std::result::Result<ByteRecord, csv::Error> {
    let mut record = ByteRecord::new();
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(separator).trim(Trim::All).from_reader(line);
    reader.read_byte_record(&mut record)?;
    Ok(record)
}

/// What stands between the columns of a line.
fn separator_of(line: &[u8]) -> u8 {
    let line = line.trim_ascii();
    *[b'\t', b';', b','].iter().find(|separator| line.contains(separator)).unwrap_or(&b' ')
}

fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Result<Table> {
        from_bytes("some.csv", text.as_bytes())
    }

    #[test]
    fn separators_headers_comments_and_packing_are_recognised() {
        let expected = vec![1.0, -2.5, 3.0, 4e-3];
        for text in [
            "1,-2.5\n3,4e-3\n",
            "1;-2.5\r\n3;4e-3\r\n",
            "1\t-2.5\n3\t4e-3",
            "  1   -2.5\n3 4e-3  \n",
            "# made by hand\n\n1, -2.5\n\n# more\n3 ,4e-3\n\n",
            "x,y\n1,-2.5\n3,4e-3\n",
            "\"the, x\",\"y\"\n\"1\",-2.5\n3,4e-3\n",
            "\u{feff}1,-2.5\n3,4e-3\n",
        ] {
            for table in [of(text), from_bytes("some.csv.gz", &gzip::packed(text.as_bytes()))] {
                let table = table.expect(text);
                assert_eq!((table.rows, table.columns, &table.values), (2, 2, &expected), "{text}");
            }
        }
        assert_eq!(of("x, y\n1,2\n").expect("valid").header, Some(vec!["x".into(), "y".into()]));
    }

    #[test]
    fn mistakes_are_told_by_line_and_column() {
        for (text, expected) in [
            ("", "no row"),
            ("x,y\n", "no row"),
            ("1,2\n3,four\n", "line 2, column 2: \"four\""),
            ("1,2\n3,\n", "line 2, column 2: \"\""),
            ("1\t2\n3\t\n", "line 2: 1 columns"),
            ("1,2\n3,nan\n", "line 2, column 2: \"nan\""),
            ("1,2\n3,1e999\n", "line 2, column 2: \"1e999\""),
            ("1,x\n3,4\n", "line 1, column 2: \"x\""),
            ("1,2\n3\n", "line 2: 1 columns, the first row has 2"),
            ("a,b,c\n3,4\n", "line 2: 2 columns, the header has 3"),
            ("a,b\n# note\n\n1,2\n3,x\n", "line 5, column 2"),
            ("a,b\n# note\n\n1,x\n3,4\n", "line 4, column 2"),
        ] {
            let message = of(text).expect_err(text).to_string();
            assert!(message.contains("some.csv") && message.contains(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn long_texts_are_refused() {
        let text = "1,2\n".repeat(1000);
        let path = Path::new("some.csv");
        assert!(parse(path, text.as_bytes(), 4000).is_ok());
        let message = parse(path, text.as_bytes(), 3999).expect_err("too long").to_string();
        assert!(message.contains("more than 3999 bytes"), "{message}");
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[-0-9.,; \t\n\"#e]{0,100}") {
            let _ = from_bytes("some.csv", &bytes);
            let _ = from_bytes("some.csv", &[&[0x1f, 0x8b, 8, 0][..], &bytes].concat());
            if let Ok(table) = of(&text) {
                prop_assert_eq!(table.values.len(), table.rows * table.columns);
            }
        }
    }
}

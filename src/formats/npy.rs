//! Headers of NumPy's arrays (`.npy`).
//!
//! Eight bytes of magic and version, the length of the header (u16 in version 1, u32 after), then a dictionary of Python with
//! the keys `descr`, `fortran_order` and `shape`, and the elements.

use super::element::ElementType;

/// First bytes of an array.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header that is read; NumPy itself reads 10 000 bytes.
const LONGEST_HEADER: usize = 1 << 16;
/// Most bytes before the elements.
pub(crate) const LONGEST_START: usize = 12 + LONGEST_HEADER;

/// What is known of an array before its elements.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    /// Bytes before the elements.
    pub(crate) length: usize,
    /// Length along each axis.
    pub(crate) shape: Vec<usize>,
    /// First axis fastest.
    pub(crate) is_fortran: bool,
    /// The most significant byte of every element comes first.
    pub(crate) is_big_endian: bool,
    /// Type of the elements, or its description when they are no real numbers.
    pub(crate) element: std::result::Result<ElementType, String>,
}

impl Header {
    /// Number of elements.
    pub(crate) fn count(&self) -> Option<u64> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        self.shape.iter().try_fold(1u64, |count, length| count.checked_mul(*length as u64))
    }

    /// The header at the beginning of `bytes`, which may go on after it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it has no NumPy header")?;
        let short = "its NumPy header is truncated";
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
        let (start, length) = match version[0] {
            1 => (10, rest.first_chunk().map(|length| usize::from(u16::from_le_bytes(*length)))),
            2 | 3 => (12, rest.first_chunk().map(|length| u32::from_le_bytes(*length) as usize)),
            other => return Err(format!("version {other} of NumPy's format is unknown; known are 1 to 3")),
        };
        let length = length.ok_or(short)?;
        if length > LONGEST_HEADER {
            return Err(format!("its NumPy header has {length} bytes, the limit is {LONGEST_HEADER}"));
        }
        let text = bytes.get(start..start + length).ok_or(short)?;
        let text = std::str::from_utf8(text).map_err(|_| "its NumPy header is no text")?;
        let shape = value_of(text, "shape")?;
        let shape = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
        let shape = shape.ok_or("the shape in its NumPy header is no tuple")?;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let shape = lengths
            .map(|length| length.trim_end_matches('L').parse::<usize>())
            .collect::<std::result::Result<Vec<usize>, _>>()
            .map_err(|_| format!("its shape ({shape}) is not readable"))?;
        let order = value_of(text, "fortran_order")?;
        let is_fortran = match (order.starts_with("True"), order.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err("fortran_order in its NumPy header is neither True nor False".into()),
        };
        let (is_big_endian, element) = element_of(value_of(text, "descr")?);
        Ok(Header { length: start + length, shape, is_fortran, is_big_endian, element })
    }
}

/// What follows a key of the dictionary.
fn value_of<'a>(text: &'a str, key: &str) -> std::result::Result<&'a str, String> {
    let place = ["'", "\""].iter().find_map(|quote| {
        let quoted = format!("{quote}{key}{quote}");
        text.find(&quoted).map(|place| place + quoted.len())
    });
    let rest = place.map(|place| text[place..].trim_start());
    let value = rest.and_then(|rest| rest.strip_prefix(':'));
    Ok(value.ok_or_else(|| format!("its NumPy header has no {key}"))?.trim_start())
}

/// Whether it is big-endian, and the type or what stands in its place.
fn element_of(descr: &str) -> (bool, std::result::Result<ElementType, String>) {
    let quote = descr.chars().next().filter(|quote| ['\'', '"'].contains(quote));
    let inside = quote.and_then(|quote| descr[1..].split_once(quote)).map(|(inside, _)| inside);
    let Some(name) = inside else { return (false, Err("a structure".into())) };
    let unknown = || (false, Err(name.chars().take(20).collect()));
    let Some((order, kind)) = name.split_at_checked(1) else { return unknown() };
    let element = match kind {
        "f8" => ElementType::F64,
        "f4" => ElementType::F32,
        "f2" => ElementType::F16,
        "i8" => ElementType::I64,
        "i4" => ElementType::I32,
        "i2" => ElementType::I16,
        "i1" => ElementType::I8,
        "u8" => ElementType::U64,
        "u4" => ElementType::U32,
        "u2" => ElementType::U16,
        "u1" => ElementType::U8,
        "b1" => ElementType::Bool,
        _ => return unknown(),
    };
    match order {
        "<" | ">" => (order == ">", Ok(element)),
        "|" if element.width() == 1 => (false, Ok(element)),
        _ => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(text: &str) -> Vec<u8> {
        [&MAGIC[..], &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
    }

    #[test]
    fn headers_say_type_order_and_shape() {
        let header =
            Header::parse(&framed("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n")).expect("valid");
        assert_eq!((header.element, header.is_fortran), (Ok(ElementType::F32), true));
        assert_eq!((header.shape, header.length), (vec![2, 3], 10 + 59));
        let header = Header::parse(&framed("{'descr': '|u1', 'fortran_order': False, 'shape': (), }")).expect("valid");
        assert_eq!((header.element.clone(), header.count()), (Ok(ElementType::U8), Some(1)));
        let header = Header::parse(&framed("{'descr': '>f2', 'fortran_order': False, 'shape': (1L,)}")).expect("valid");
        assert_eq!((header.element.clone(), header.is_big_endian), (Ok(ElementType::F16), true));
        for (descr, named) in [("'=f4'", "=f4"), ("'<U5'", "<U5"), ("'|O'", "|O"), ("[('a', '<f4')]", "a structure")] {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (7,), }}");
            assert_eq!(Header::parse(&framed(&text)).expect("valid").element, Err(named.to_string()));
        }
    }

    #[test]
    fn wrong_headers_are_refused_with_the_reason() {
        let whole = framed("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }");
        let mut version = whole.clone();
        version[6] = 9;
        let mut long = whole.clone();
        long[6] = 2;
        long[8..12].fill(255);
        let cases = [
            (b"PK".to_vec(), "no NumPy header"),
            (whole[..30].to_vec(), "truncated"),
            (version, "version 9"),
            (long, "the limit is"),
            (framed("{'descr': '<f4', 'shape': (2, 3)}"), "no fortran_order"),
            (framed("{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3)}"), "neither"),
            (framed("{'descr': '<f4', 'fortran_order': True, 'shape': (2, -3)}"), "not readable"),
            (framed("{'descr': '<f4', 'fortran_order': True, 'shape': 3}"), "no tuple"),
        ];
        for (bytes, expected) in cases {
            let problem = Header::parse(&bytes).expect_err(expected);
            assert!(problem.contains(expected), "{problem}");
        }
    }
}

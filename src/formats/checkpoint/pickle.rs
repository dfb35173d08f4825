//! The part of Python's pickle that state dictionaries of PyTorch need, read into plain values.
//!
//! Assumes:   protocols 2 to 5 as torch.save writes them
//! Cost:      linear in the stream; 2^21 operations and 64 MiB at most
//! Fails when the stream names anything but containers, numbers, text and tensors: it is refused by its name, nothing is called
//! Reference: the opcodes of CPython's pickletools

use std::collections::HashMap;

use super::torch::{self, Global};

/// Most bytes of a stream.
pub(super) const LONGEST_STREAM: u64 = 1 << 26;
/// Most operations of a stream.
const MOST_OPERATIONS: usize = 1 << 21;

/// Longest text that is looked at, in bytes: no name in a checkpoint is longer. A stream may recall one text a million times.
pub(super) const LONGEST_NAME: usize = 1000;

/// Number of a value in its [`Values`].
pub(super) type Number = u32;

/// A value. Containers hold numbers of values, so a value that holds itself or is nested a million deep costs nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool,
    Int(i64),
    /// A part of the stream.
    Text(usize, usize),
    Tuple(Vec<Number>),
    List(Vec<Number>),
    Dict(Vec<(Number, Number)>),
    /// A name that may stand in a checkpoint.
    Global(Global),
    /// The elements behind tensors.
    Storage(torch::Storage),
    Tensor(Box<torch::TensorView>),
    /// Something harmless that holds no weights.
    Other,
}

/// All values of a stream.
pub(super) struct Values<'a> {
    stream: &'a [u8],
    values: Vec<Value>,
}

impl<'a> Values<'a> {
    pub(super) fn get(&self, number: Number) -> &Value {
        &self.values[number as usize]
    }

    /// A text of at most [`LONGEST_NAME`] bytes.
    pub(super) fn text(&self, number: Number) -> Option<&'a str> {
        match self.get(number) {
            Value::Text(start, end) if !self.is_long_text(number) => {
                std::str::from_utf8(&self.stream[*start..*end]).ok()
            }
            _ => None,
        }
    }

    /// True for a text that is too long for a name; its bytes are not touched.
    pub(super) fn is_long_text(&self, number: Number) -> bool {
        matches!(self.get(number), Value::Text(start, end) if end - start > LONGEST_NAME)
    }

    pub(super) fn int(&self, number: Number) -> Option<i64> {
        if let Value::Int(value) = self.get(number) { Some(*value) } else { None }
    }

    pub(super) fn tuple(&self, number: Number) -> Option<&[Number]> {
        match self.get(number) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    fn add(&mut self, value: Value) -> Number {
        self.values.push(value);
        // At most one value an operation.
        (self.values.len() - 1) as Number
    }
}

/// The values of a stream and the number of the one that it stands for.
///
/// # Errors
/// Says what is refused or damaged.
pub(super) fn read(stream: &[u8]) -> std::result::Result<(Values<'_>, Number), String> {
    let values = Values { stream, values: Vec::new() };
    let mut machine = Machine { values, place: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    for _ in 0..MOST_OPERATIONS {
        if let Some(root) = machine.operation()? {
            return Ok((machine.values, root));
        }
    }
    Err(format!("data.pkl has more than {MOST_OPERATIONS} operations"))
}

struct Machine<'a> {
    values: Values<'a>,
    place: usize,
    stack: Vec<Number>,
    marks: Vec<usize>,
    memo: HashMap<u64, Number>,
}

type Outcome<T> = std::result::Result<T, String>;

impl<'a> Machine<'a> {
    fn take(&mut self, length: usize) -> Outcome<&'a [u8]> {
        let end = self.place.checked_add(length).filter(|end| *end <= self.values.stream.len());
        let end = end.ok_or("data.pkl is truncated")?;
        let bytes = &self.values.stream[self.place..end];
        self.place = end;
        Ok(bytes)
    }

    fn fixed<const LENGTH: usize>(&mut self) -> Outcome<[u8; LENGTH]> {
        Ok(self.take(LENGTH)?.try_into().expect("as many bytes as asked for"))
    }

    /// A little-endian length of `width` bytes.
    fn length(&mut self, width: usize) -> Outcome<usize> {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| "data.pkl is truncated".to_string())
    }

    fn line(&mut self) -> Outcome<&'a str> {
        let rest = &self.values.stream[self.place..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("data.pkl is truncated")?;
        self.place += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "data.pkl has a name that is no text".into())
    }

    fn push(&mut self, value: Value) {
        let number = self.values.add(value);
        self.stack.push(number);
    }

    fn pop(&mut self) -> Outcome<Number> {
        // What lies below a mark belongs to whoever set it.
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err("data.pkl is damaged: it takes a value that is not there".into());
        }
        Ok(self.stack.pop().expect("not empty"))
    }

    fn top(&self) -> Outcome<Number> {
        self.stack.last().copied().ok_or_else(|| "data.pkl is damaged: it looks at a value that is not there".into())
    }

    fn popped_to_mark(&mut self) -> Outcome<Vec<Number>> {
        let mark = self.marks.pop().ok_or("data.pkl is damaged: a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn text(&mut self, width: usize) -> Outcome<()> {
        let length = self.length(width)?;
        let end = self.take(length).map(|_| self.place)?;
        self.push(Value::Text(end - length, end));
        Ok(())
    }

    fn skipped(&mut self, width: usize) -> Outcome<()> {
        let length = self.length(width)?;
        self.take(length)?;
        self.push(Value::Other);
        Ok(())
    }

    fn long(&mut self, width: usize) -> Outcome<()> {
        let length = self.length(width)?;
        let bytes = self.take(length)?;
        let value = if bytes.len() > 8 {
            Value::Other
        } else {
            let sign = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            let mut word = [if sign { 0xff } else { 0 }; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(word))
        };
        self.push(value);
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Outcome<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Outcome<()> {
        let number =
            *self.memo.get(&key).ok_or_else(|| format!("data.pkl is damaged: it recalls {key}, never kept"))?;
        self.stack.push(number);
        Ok(())
    }

    fn append(&mut self, list: Number, items: Vec<Number>) -> Outcome<()> {
        match &mut self.values.values[list as usize] {
            Value::List(held) => held.extend(items),
            Value::Other => {}
            _ => return Err("data.pkl is damaged: it appends to what is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, dict: Number, items: &[Number]) -> Outcome<()> {
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err("data.pkl is damaged: a key without a value".into());
        };
        match &mut self.values.values[dict as usize] {
            Value::Dict(held) => held.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Value::Other => {}
            _ => return Err("data.pkl is damaged: it sets an item of what is no dictionary".into()),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Outcome<()> {
        let global = Global::find(module, name).ok_or_else(|| {
            let whole: String = format!("{module}.{name}").chars().take(120).collect();
            format!(
                "the global {whole} is not one that a checkpoint needs; nothing was executed: save a state_dict of tensors"
            )
        })?;
        self.push(Value::Global(global));
        Ok(())
    }

    fn call(&mut self) -> Outcome<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Global(global) = *self.values.get(function) else {
            return Err("data.pkl calls what is no function; nothing was executed".into());
        };
        let arguments = self.values.tuple(arguments).ok_or("data.pkl is damaged: arguments that are no tuple")?;
        match torch::call(global, &self.values, arguments)? {
            torch::Made::New(value) => self.push(value),
            torch::Made::Same(number) => self.stack.push(number),
        }
        Ok(())
    }

    /// One operation; the value of the stream at its end.
    fn operation(&mut self) -> Outcome<Option<Number>> {
        let [code] = self.fixed()?;
        match code {
            // Protocol and frames.
            0x80 => match self.fixed()? {
                [2..=5] => {}
                [other] => return Err(format!("data.pkl has protocol {other}; known are 2 to 5")),
            },
            0x95 => drop(self.fixed::<8>()?),
            b'.' => return Ok(Some(self.pop()?)),
            // The stack and the memo.
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.popped_to_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'q' => {
                let [key] = self.fixed()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.fixed()?);
                self.remember(key.into())?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'h' => {
                let [key] = self.fixed()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.fixed()?);
                self.recall(key.into())?;
            }
            // Plain values.
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let value = i32::from_le_bytes(self.fixed()?);
                self.push(Value::Int(value.into()));
            }
            b'K' => {
                let [value] = self.fixed()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.fixed()?);
                self.push(Value::Int(value.into()));
            }
            0x8a => self.long(1)?,
            0x8b => self.long(4)?,
            b'G' => {
                self.fixed::<8>()?;
                self.push(Value::Other);
            }
            b'X' | b'T' => self.text(4)?,
            0x8c | b'U' => self.text(1)?,
            0x8d => self.text(8)?,
            b'C' => self.skipped(1)?,
            b'B' => self.skipped(4)?,
            0x8e | 0x96 => self.skipped(8)?,
            // Containers.
            b']' => self.push(Value::List(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x8f => self.push(Value::Other),
            b'l' => {
                let items = self.popped_to_mark()?;
                self.push(Value::List(items));
            }
            b't' => {
                let items = self.popped_to_mark()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0..code - 0x84 {
                    items.insert(0, self.pop()?);
                }
                self.push(Value::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(self.top()?, vec![item])?;
            }
            b'e' => {
                let items = self.popped_to_mark()?;
                self.append(self.top()?, items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(self.top()?, &[key, value])?;
            }
            b'u' => {
                let items = self.popped_to_mark()?;
                self.set(self.top()?, &items)?;
            }
            0x90 => {
                self.popped_to_mark()?;
                self.top()?;
            }
            // Names and what is made of them.
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let pair = self.values.text(module).zip(self.values.text(name));
                let (module, name) = pair.ok_or("data.pkl is damaged: a global whose name is no text")?;
                self.global(module, name)?;
            }
            b'R' | 0x81 => self.call()?,
            b'b' => {
                // The state of an object that is held already: attributes, no weights.
                self.pop()?;
                self.top()?;
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = torch::storage(&self.values, id)?;
                self.push(Value::Storage(storage));
            }
            other => {
                let at = self.place - 1;
                return Err(format!(
                    "data.pkl has the operation {other:#04x} at byte {at}, which no checkpoint needs; nothing was executed"
                ));
            }
        }
        Ok(None)
    }
}

//! Archives of `torch.save`: a pickle that names tensors, and one entry of elements per storage.
//!
//! Assumes:   the zip format (PyTorch 1.6 and later), little-endian
//! Cost:      linear in the pickle; storages are not read
//! Fails when the pickle asks for anything but tensors in containers, or a tensor reaches beyond its storage

use std::collections::{HashMap, HashSet};

use super::archive::Entry;
use super::pickle::{self, LONGEST_NAME, LONGEST_STREAM, Number, Value, Values};
use super::place::{Bytes, Place, count_of, needed_strides};
use super::source::Source;
use super::{Contents, Tensor};
use crate::formats::element::ElementType;

/// Most axes of a tensor, as PyTorch has it.
const MOST_AXES: usize = 64;
/// Most tensors of a checkpoint.
const MOST_TENSORS: usize = 1 << 17;
/// Most arguments of a call that makes a tensor; PyTorch has eight.
const MOST_ARGUMENTS: usize = 16;
/// Deepest nesting of dictionaries.
const DEEPEST: usize = 32;
/// Most values that are looked at.
const MOST_VISITS: usize = 1 << 21;
/// Most elements of a tensor that repeats the elements of its storage.
const LARGEST_REPEATED: u64 = 1 << 28;
/// Keys under which training scripts keep the weights, the first that holds tensors wins.
const WEIGHTS: [&str; 5] = ["model", "state_dict", "model_state_dict", "weights", "net"];

/// A name in Python that may stand in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    /// `_rebuild_tensor` and `_rebuild_tensor_v2`.
    RebuildTensor,
    /// The same with the type as an argument.
    RebuildTyped,
    RebuildParameter,
    RebuildFromType,
    /// The type of a storage; `None` for bytes.
    Storage(Option<ElementType>),
    Type(ElementType),
    Size,
    /// A class or a type that carries no elements.
    Other,
}

impl Global {
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v3") => Global::RebuildTyped,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Global::RebuildParameter,
            ("torch._tensor", "_rebuild_from_type_v2") => Global::RebuildFromType,
            ("torch", "Size") => Global::Size,
            ("torch", "Tensor" | "device")
            | ("torch.nn.parameter", "Parameter" | "Buffer")
            | ("__builtin__" | "builtins", "set" | "frozenset")
            | ("_codecs", "encode") => Global::Other,
            ("torch.storage", "UntypedStorage") | ("torch", "UntypedStorage") => Global::Storage(None),
            ("torch", name) => match name.strip_suffix("Storage") {
                Some(kind) => Global::Storage(Some(storage_type(kind)?)),
                None => Global::Type(element_type(name)?),
            },
            _ => return None,
        })
    }
}

fn storage_type(kind: &str) -> Option<ElementType> {
    Some(match kind {
        "Double" => ElementType::F64,
        "Float" => ElementType::F32,
        "Half" => ElementType::F16,
        "BFloat16" => ElementType::Bf16,
        "Long" => ElementType::I64,
        "Int" => ElementType::I32,
        "Short" => ElementType::I16,
        "Char" => ElementType::I8,
        "Byte" => ElementType::U8,
        "Bool" => ElementType::Bool,
        _ => return None,
    })
}

fn element_type(name: &str) -> Option<ElementType> {
    Some(match name {
        "float64" => ElementType::F64,
        "float32" => ElementType::F32,
        "float16" => ElementType::F16,
        "bfloat16" => ElementType::Bf16,
        "float8_e4m3fn" => ElementType::F8E4M3,
        "float8_e5m2" => ElementType::F8E5M2,
        "float8_e8m0fnu" => ElementType::F8E8M0,
        "int64" => ElementType::I64,
        "int32" => ElementType::I32,
        "int16" => ElementType::I16,
        "int8" => ElementType::I8,
        "uint64" => ElementType::U64,
        "uint32" => ElementType::U32,
        "uint16" => ElementType::U16,
        "uint8" => ElementType::U8,
        "bool" => ElementType::Bool,
        _ => return None,
    })
}

/// The elements behind tensors: an entry of the archive.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    key: Number,
    /// `None` when it is counted in bytes.
    element: Option<ElementType>,
    count: u64,
}

/// A tensor as the pickle describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TensorView {
    storage: Storage,
    element: ElementType,
    offset: u64,
    shape: Vec<usize>,
    strides: Vec<u64>,
}

/// What a call makes: a new value or one that is held already.
pub(super) enum Made {
    New(Value),
    Same(Number),
}

type Outcome<T> = std::result::Result<T, String>;

/// The storage that a persistent id names.
pub(super) fn storage(values: &Values<'_>, id: Number) -> Outcome<Storage> {
    let refused = "data.pkl has a persistent id that is no storage; nothing was executed";
    let [kind, class, key, _, count] = *values.tuple(id).ok_or(refused)? else { return Err(refused.into()) };
    let Value::Global(Global::Storage(element)) = *values.get(class) else { return Err(refused.into()) };
    let count = values.int(count).and_then(|count| u64::try_from(count).ok()).ok_or(refused)?;
    if values.text(kind) != Some("storage") || values.text(key).is_none() {
        return Err(refused.into());
    }
    Ok(Storage { key, element, count })
}

/// What PyTorch would make of a call; only the few functions of [`Global`] are known.
pub(super) fn call(global: Global, values: &Values<'_>, arguments: &[Number]) -> Outcome<Made> {
    let wrong = || format!("data.pkl is damaged: wrong arguments of {global:?}");
    match global {
        // Filled by later operations.
        Global::OrderedDict if arguments.is_empty() => Ok(Made::New(Value::Dict(Vec::new()))),
        Global::RebuildTensor | Global::RebuildTyped if arguments.len() <= MOST_ARGUMENTS => {
            let [storage, offset, shape, strides, rest @ ..] = arguments else { return Err(wrong()) };
            let Value::Storage(storage) = values.get(*storage) else { return Err(wrong()) };
            let (typed, metadata) = match (global, rest) {
                (Global::RebuildTyped, [_, _, kind, metadata @ ..]) => match *values.get(*kind) {
                    Value::Global(Global::Type(element)) => (Some(element), metadata),
                    _ => return Err(wrong()),
                },
                (Global::RebuildTyped, _) => return Err(wrong()),
                (_, [] | [_] | [_, _]) => (storage.element, &[][..]),
                (_, [_, _, metadata @ ..]) => (storage.element, metadata),
            };
            // Metadata says that the elements are to be negated or conjugated.
            let is_plain = metadata.iter().all(|number| match values.get(*number) {
                Value::None => true,
                Value::Dict(pairs) => pairs.is_empty(),
                _ => false,
            });
            if !is_plain {
                return Err("data.pkl has a tensor with metadata; save tensor.clone()".into());
            }
            let numbers = |number: Number| -> Option<Vec<u64>> {
                let items = values.tuple(number).filter(|items| items.len() <= MOST_AXES)?;
                items.iter().map(|item| values.int(*item).and_then(|value| u64::try_from(value).ok())).collect()
            };
            let offset = values.int(*offset).and_then(|value| u64::try_from(value).ok()).ok_or_else(wrong)?;
            let lengths = numbers(*shape).ok_or_else(wrong)?.into_iter();
            let shape: Option<Vec<usize>> = lengths.map(|length| usize::try_from(length).ok()).collect();
            let (shape, strides) = shape.zip(numbers(*strides)).ok_or_else(wrong)?;
            if shape.len() != strides.len() {
                return Err(wrong());
            }
            let element = typed.ok_or_else(wrong)?;
            let view = TensorView { storage: storage.clone(), element, offset, shape, strides };
            Ok(Made::New(Value::Tensor(Box::new(view))))
        }
        Global::RebuildParameter => {
            let data = *arguments.first().ok_or_else(wrong)?;
            if matches!(values.get(data), Value::Tensor(_)) { Ok(Made::Same(data)) } else { Err(wrong()) }
        }
        Global::RebuildFromType => {
            let [function, _, arguments, ..] = *arguments else { return Err(wrong()) };
            match (*values.get(function)).clone() {
                Value::Global(function) if function != Global::RebuildFromType => {
                    call(function, values, values.tuple(arguments).ok_or_else(wrong)?)
                }
                _ => Err(wrong()),
            }
        }
        Global::Size => Ok(Made::Same(*arguments.first().ok_or_else(wrong)?)),
        Global::Other => Ok(Made::New(Value::Other)),
        _ => Err(wrong()),
    }
}

/// True when an archive is one of `torch.save` and not NumPy's.
pub(super) fn is_torch(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| is_pickle(&entry.name))
}

fn is_pickle(name: &str) -> bool {
    name == "data.pkl" || name.ends_with("/data.pkl")
}

/// The tensors of an archive.
///
/// # Errors
/// Says what is wrong or refused.
pub(super) fn of_archive(source: &dyn Source, entries: &[Entry], file: u32) -> Outcome<Contents> {
    let pickle = entries.iter().find(|entry| is_pickle(&entry.name)).ok_or("it has no data.pkl")?;
    let prefix = pickle.name.strip_suffix("data.pkl").unwrap_or("");
    let by_name: HashMap<&str, &Entry> = entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    if by_name.contains_key(format!("{prefix}constants.pkl").as_str()) {
        return Err("a TorchScript program, not a checkpoint; save model.state_dict()".into());
    }
    if let Some(order) = by_name.get(format!("{prefix}byteorder").as_str()) {
        let order = order.start(source, 16)?;
        if order.trim_ascii() != b"little" {
            let order = String::from_utf8_lossy(&order);
            return Err(format!("its byte order is {order:?}, only little is read; save it on such a machine"));
        }
    }
    if pickle.length > LONGEST_STREAM {
        return Err(format!("data.pkl has {} bytes, the limit is {LONGEST_STREAM}", pickle.length));
    }
    let stream = pickle.start(source, LONGEST_STREAM as usize)?;
    let (values, root) = pickle::read(&stream)?;
    let mut walk = Walk { values: &values, found: Vec::new(), visits: 0, above: HashSet::new() };
    walk.visit(root, "", 0)?;
    let found = walk.found;
    let mut contents = Contents::default();
    let weights = weights_of(&values, root, &found);
    if let Some(part) = weights {
        contents.notes.push(format!("the weights are those under {part:?}; what lies beside them is left out"));
    }
    for (name, view) in found {
        let inside = weights.and_then(|part| name.strip_prefix(part)?.strip_prefix('.'));
        let is_aside = weights.is_some() && inside.is_none();
        let name = inside.unwrap_or(&name).to_string();
        let key = values.text(view.storage.key).unwrap_or("");
        let entry = by_name.get(format!("{prefix}data/{key}").as_str());
        let entry = entry.ok_or_else(|| format!("tensor {name}: its storage data/{key} is missing"))?;
        let place = place_of(view, entry, file).map_err(|problem| format!("tensor {name}: {problem}"))?;
        let shape = view.shape.clone();
        contents.tensors.push(Tensor { name, shape, element: view.element, place, is_aside });
    }
    Ok(contents)
}

fn place_of(view: &TensorView, entry: &Entry, file: u32) -> Outcome<Place> {
    if !entry.is_stored {
        return Err(format!("its storage {} is compressed; torch.save does not do so, write it again", entry.name));
    }
    let width = view.element.width() as u64;
    let held = view.storage.count.checked_mul(view.storage.element.map_or(1, |element| element.width() as u64));
    let held = held.filter(|held| *held <= entry.length).ok_or_else(|| {
        format!("truncated: its storage should hold {} elements but has {} bytes", view.storage.count, entry.length)
    })? / width;
    let shape = &view.shape;
    let count = count_of(shape).ok_or_else(|| format!("its shape {shape:?} overflows"))?;
    // One past the last element that is reached.
    let reach = || {
        shape.iter().zip(&view.strides).try_fold(view.offset.checked_add(1)?, |reach, (length, stride)| {
            reach.checked_add((*length as u64 - 1).checked_mul(*stride)?)
        })
    };
    if count > 0 && reach().is_none_or(|reach| reach > held) {
        return Err(format!(
            "its shape {shape:?} with strides {:?} from element {} reaches beyond the {held} elements of its storage",
            view.strides, view.offset
        ));
    }
    if count > held && count > LARGEST_REPEATED {
        return Err(format!("it repeats {held} elements {count} times in all, the limit is {LARGEST_REPEATED}"));
    }
    let start = if count > 0 { view.offset * width } else { 0 };
    let bytes = Bytes::Stored { offset: entry.offset + start };
    Ok(Place { file, bytes, element: view.element, strides: needed_strides(shape, view.strides.clone()) })
}

/// The key of the dictionary that holds the weights, when there is one and not all is weights.
fn weights_of<'a>(values: &Values<'a>, root: Number, found: &[(String, &TensorView)]) -> Option<&'static str> {
    let Value::Dict(pairs) = values.get(root) else { return None };
    WEIGHTS.into_iter().find(|part| {
        let is_dict = |value: Number| matches!(values.get(value), Value::Dict(_));
        pairs.iter().any(|(key, value)| values.text(*key) == Some(*part) && is_dict(*value))
            && found.iter().any(|(name, _)| name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.')))
    })
}

/// Finds every tensor with the keys that lead to it.
struct Walk<'a, 'b> {
    values: &'b Values<'a>,
    found: Vec<(String, &'b TensorView)>,
    visits: usize,
    /// Containers that hold the present one.
    above: HashSet<Number>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, number: Number, name: &str, depth: usize) -> Outcome<()> {
        self.look(1)?;
        if name.len() > LONGEST_NAME {
            return Err(long_name());
        }
        let values = self.values;
        match values.get(number) {
            Value::Tensor(view) => {
                if self.found.len() == MOST_TENSORS {
                    return Err(format!("data.pkl has more than {MOST_TENSORS} tensors"));
                }
                let name = if name.is_empty() { "tensor" } else { name };
                self.found.push((name.to_string(), view));
            }
            Value::Dict(pairs) => {
                self.enter(number, depth)?;
                // Pairs cost time though their values be replaced.
                self.look(pairs.len())?;
                // As in Python, the last value of a key stays.
                let mut last: HashMap<Key<'_>, Number> = HashMap::new();
                for (key, value) in pairs {
                    // Keys that are neither text nor numbers lead to no weights.
                    let Some(key) = Key::of(values, *key)? else { continue };
                    last.insert(key, *value);
                }
                for (key, value) in pairs {
                    let Some(key) = Key::of(values, *key)? else { continue };
                    if last.get(&key) == Some(value) {
                        last.remove(&key);
                        self.visit(*value, &joined(name, &key), depth + 1)?;
                    }
                }
                self.above.remove(&number);
            }
            Value::List(items) | Value::Tuple(items) => {
                self.enter(number, depth)?;
                for (place, item) in items.iter().enumerate() {
                    self.visit(*item, &joined(name, &Key::Int(place as i64)), depth + 1)?;
                }
                self.above.remove(&number);
            }
            _ => {}
        }
        Ok(())
    }

    fn look(&mut self, count: usize) -> Outcome<()> {
        self.visits += count;
        let is_much = self.visits > MOST_VISITS;
        if is_much { Err(format!("data.pkl leads to more than {MOST_VISITS} values")) } else { Ok(()) }
    }

    fn enter(&mut self, number: Number, depth: usize) -> Outcome<()> {
        if depth >= DEEPEST {
            return Err(format!("data.pkl nests more than {DEEPEST} containers"));
        }
        if self.above.insert(number) { Ok(()) } else { Err("data.pkl has a container that holds itself".into()) }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Text(&'a str),
    Int(i64),
}

impl<'a> Key<'a> {
    fn of(values: &Values<'a>, number: Number) -> Outcome<Option<Self>> {
        if values.is_long_text(number) {
            return Err(long_name());
        }
        Ok(values.text(number).map(Key::Text).or_else(|| values.int(number).map(Key::Int)))
    }
}

fn joined(name: &str, key: &Key<'_>) -> String {
    let dot = if name.is_empty() { "" } else { "." };
    match key {
        Key::Text(key) => format!("{name}{dot}{key}"),
        Key::Int(key) => format!("{name}{dot}{key}"),
    }
}

fn long_name() -> String {
    format!("data.pkl has a name of more than {LONGEST_NAME} bytes")
}

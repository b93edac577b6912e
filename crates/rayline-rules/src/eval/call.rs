//! Calls of functions with values in hand.

use std::borrow::Cow;

use crate::function::{self, JsonKey, TimedHmac, UrlDecode};
use crate::matcher::{Replacement, Wildcard, regex};
use crate::scheme::Function;
use crate::value::Value;

/// What a function gives for its first argument and the others. A missing argument makes the result missing, except
/// that `concat` goes on without it.
pub(super) fn value<'a>(function: Function, first: Value<'a>, rest: &[Value<'a>]) -> Value<'a> {
    if function == Function::Concat {
        return concat(first, rest);
    }
    called(function, first, rest).unwrap_or(Value::Missing)
}

/// Writes what a function makes of a text.
type Write<'w> = dyn Fn(&[u8], &mut Vec<u8>) + 'w;
/// The same, for one that may fail.
type Attempt<'w> = dyn Fn(&[u8], &mut Vec<u8>) -> bool + 'w;

fn called<'a>(function: Function, first: Value<'a>, rest: &[Value<'a>]) -> Option<Value<'a>> {
    let argument = |place: usize| rest.get(place);
    let bytes = |place: usize| argument(place).map(|value| value.bytes());
    let int = |place: usize| argument(place).map(Value::int);
    // an optional argument may be left out, and must not be missing
    let flags = |place: usize| bytes(place).map_or(Some(&b""[..]), |flags| flags);
    let attempted = |write: &Attempt<'_>| {
        let mut out = Vec::new();
        write(first.bytes()?, &mut out).then_some(Value::Bytes(Cow::Owned(out)))
    };
    let written = |write: &Write<'_>| {
        attempted(&|text, out| {
            write(text, out);
            true
        })
    };
    match function {
        Function::Any => Some(Value::Bool(first.into_elements()?.iter().any(Value::is_true))),
        Function::All => Some(Value::Bool(first.into_elements()?.iter().all(Value::is_true))),
        Function::Cidr => address(&first, int(0)??, int(1)??),
        Function::Cidr6 => address(&first, 32, int(0)??),
        // see `concat`
        Function::Concat => None,
        Function::DecodeBase64 => attempted(&function::decode_base64),
        Function::EncodeBase64 => {
            let flags = flags(0)?;
            written(&|text, out| function::encode_base64(text, flags, out))
        }
        Function::EndsWith => Some(Value::Bool(first.bytes()?.ends_with(bytes(0)??))),
        Function::StartsWith => Some(Value::Bool(first.bytes()?.starts_with(bytes(0)??))),
        Function::HasKey => has_key(&first, bytes(0)??),
        Function::HasValue => has_value(&first, argument(0)?).map(Value::Bool),
        Function::IsTimedHmacValidV0 => {
            let message = bytes(0)??;
            let expected = TimedHmac {
                key: first.bytes()?,
                ttl: int(1)??,
                now: int(2)??,
                separator: int(3).map_or(Some(0), |separator| separator)?,
                flags: flags(4)?,
            };
            Some(Value::Bool(function::is_timed_hmac_valid(message, expected)))
        }
        Function::Join => join(&first, bytes(0)??),
        Function::Len => match &first {
            Value::Bytes(bytes) => count(bytes.len()),
            Value::Array(elements) => count(elements.len()),
            Value::Map(entries) => count(entries.len()),
            Value::Missing | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Ip(_) => None,
        },
        Function::LookupJsonInteger => function::lookup_json_integer(first.bytes()?, &json_keys(rest)?).map(Value::Int),
        Function::LookupJsonString => {
            let found = function::lookup_json_string(first.bytes()?, &json_keys(rest)?)?;
            Some(Value::text(found.as_bytes()))
        }
        Function::Lower => written(&function::lower),
        Function::Upper => written(&function::upper),
        Function::RegexReplace => {
            let (regex, replacement) = (regex(bytes(0)??).ok()?, Replacement::new(bytes(1)??).ok()?);
            written(&|text, out| function::regex_replace(text, &regex, &replacement, out))
        }
        Function::RemoveBytes => {
            let removed = bytes(0)??;
            written(&|text, out| function::remove_bytes(text, removed, out))
        }
        Function::RemoveQueryArgs => {
            let names = rest.iter().map(Value::bytes).collect::<Option<Vec<_>>>()?;
            written(&|text, out| function::remove_query_args(text, |name| names.contains(&name), out))
        }
        Function::Sha256 => written(&function::sha256),
        Function::Split => {
            let mut pieces = Vec::new();
            let limit = usize::try_from(int(1)??).ok()?;
            function::split(first.bytes()?, bytes(0)??, limit, |piece| pieces.push(Value::text(piece)));
            Some(Value::Array(pieces))
        }
        Function::Substring => {
            let end = match int(1) {
                Some(end) => Some(end?),
                None => None,
            };
            Some(Value::text(function::substring(first.bytes()?, int(0)??, end)))
        }
        Function::ToString => to_string(&first).map(Value::text),
        Function::UrlDecode => {
            let decode = UrlDecode::new(flags(0)?);
            written(&|text, out| decode.write(text, out))
        }
        Function::UuidV4 => attempted(&function::uuidv4),
        Function::WildcardReplace => {
            let strict = flags(2)?.contains(&b's');
            let (wildcard, replacement) = (Wildcard::new(bytes(0)??, strict).ok()?, Replacement::new(bytes(1)??).ok()?);
            written(&|text, out| function::wildcard_replace(text, &wildcard, &replacement, &mut Vec::new(), out))
        }
    }
}

fn count<'a>(len: usize) -> Option<Value<'a>> {
    i64::try_from(len).ok().map(Value::Int)
}

fn address<'a>(value: &Value<'_>, bits_v4: i64, bits_v6: i64) -> Option<Value<'a>> {
    match value {
        Value::Ip(address) => Some(Value::Ip(function::cidr(*address, bits_v4, bits_v6))),
        Value::Missing
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::Array(_)
        | Value::Map(_) => None,
    }
}

/// Texts to one text, arrays to one array. What is missing adds nothing; if all are missing, so is the result.
fn concat<'a>(first: Value<'a>, rest: &[Value<'a>]) -> Value<'a> {
    let all = std::iter::once(first).chain(rest.iter().cloned());
    all.reduce(|left, right| match (left, right) {
        (Value::Bytes(left), Value::Bytes(right)) => Value::text([&*left, &*right].concat()),
        (Value::Array(mut left), Value::Array(right)) => {
            left.extend(right);
            Value::Array(left)
        }
        (Value::Missing, right) => right,
        (left, _) => left,
    })
    .unwrap_or(Value::Missing)
}

/// Names of header fields are lower case by now, so the key has to be.
fn has_key<'a>(value: &Value<'a>, key: &[u8]) -> Option<Value<'a>> {
    match value {
        Value::Map(entries) => Some(Value::Bool(entries.iter().any(|(name, _)| **name == *key))),
        Value::Missing
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::Ip(_)
        | Value::Array(_) => None,
    }
}

/// Whether a value is in an array, or among the values of a map, their elements included.
fn has_value(collection: &Value<'_>, value: &Value<'_>) -> Option<bool> {
    let is_it = |element: &Value<'_>| element == value || has_value(element, value) == Some(true);
    match collection {
        _ if *value == Value::Missing => None,
        Value::Array(elements) => Some(elements.iter().any(is_it)),
        Value::Map(entries) => Some(entries.iter().any(|(_, element)| is_it(element))),
        Value::Missing | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_) | Value::Ip(_) => None,
    }
}

fn join<'a>(value: &Value<'a>, separator: &[u8]) -> Option<Value<'a>> {
    match value {
        Value::Array(elements) => {
            let texts = elements.iter().map(Value::bytes).collect::<Option<Vec<_>>>()?;
            Some(Value::text(texts.join(separator)))
        }
        Value::Missing
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::Ip(_)
        | Value::Map(_) => None,
    }
}

fn to_string(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Ip(value) => Some(value.to_string()),
        Value::Missing | Value::Float(_) | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => None,
    }
}

fn json_keys<'v>(keys: &'v [Value<'_>]) -> Option<Vec<JsonKey<'v>>> {
    let key = |key: &'v Value<'_>| match key {
        Value::Bytes(name) => Some(JsonKey::Name(name)),
        Value::Int(place) => Some(JsonKey::Place(*place)),
        Value::Missing | Value::Bool(_) | Value::Float(_) | Value::Ip(_) | Value::Array(_) | Value::Map(_) => None,
    };
    keys.iter().map(key).collect()
}

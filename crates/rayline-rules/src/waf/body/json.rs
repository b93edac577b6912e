//! JSON: every key is the name of an argument, every text its value, by a path such as `user.tags.0`.
//!
//! It is read as a stream; no tree is built. Numbers and truth values are not looked at.

use std::fmt;
use std::io::Write as _;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{Body, DEPTH};
use crate::waf::Place;
use crate::waf::detector::Signal;
use crate::waf::inspection::Inspection;

/// Bytes of a path that are kept; what is deeper goes by what is kept.
const PATH_BYTES: usize = 256;

/// Shows every text of the body; what is wrong with it, if it cannot be read. One that was cut is not wrong for that.
pub(super) fn read(body: &Body<'_>, inspection: &mut Inspection<'_, '_>) -> Option<Signal> {
    let mut walk = Walk { inspection, path: Vec::new(), depth: 0, ended: None };
    let mut deserializer = serde_json::Deserializer::from_slice(body.bytes);
    let read = Value(&mut walk).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (walk.ended, read) {
        (Some(Ended::Enough), _) | (None, Ok(())) => None,
        (Some(Ended::TooDeep), _) => Some(Signal::DeepJson),
        (None, Err(error)) if error.is_eof() && body.truncated => None,
        (None, Err(_)) => Some(Signal::MalformedJson),
    }
}

/// Why reading ended before the end.
enum Ended {
    TooDeep,
    /// The inspection wants no more arguments.
    Enough,
}

struct Walk<'w, 'm, 's> {
    inspection: &'w mut Inspection<'m, 's>,
    path: Vec<u8>,
    depth: usize,
    ended: Option<Ended>,
}

impl Walk<'_, '_, '_> {
    fn text(&mut self, text: &[u8]) {
        self.inspection.text(Place::Argument, &self.path, text);
    }

    /// Goes into an array or object.
    fn descend<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > DEPTH {
            self.ended = Some(Ended::TooDeep);
            return Err(E::custom("too deep"));
        }
        Ok(())
    }

    /// The path of an entry; `to` cuts it back afterwards.
    fn enter(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let length = self.path.len();
        if length < PATH_BYTES {
            if length > 0 {
                self.path.push(b'.');
            }
            write(&mut self.path);
            self.path.truncate(PATH_BYTES);
        }
        length
    }

    fn count<E: serde::de::Error>(&mut self, name: &[u8]) -> Result<(), E> {
        if self.inspection.argument_name(name).is_break() {
            self.ended = Some(Ended::Enough);
            return Err(E::custom("too many"));
        }
        Ok(())
    }
}

/// A value at the path that the walk has come to.
struct Value<'v, 'w, 'm, 's>(&'v mut Walk<'w, 'm, 's>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.descend()?;
        for place in 0_usize.. {
            let length = walk.enter(|path| _ = write!(path, "{place}"));
            let entry = entries.next_element_seed(Value(&mut *walk));
            walk.path.truncate(length);
            if entry?.is_none() {
                break;
            }
        }
        walk.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.descend()?;
        let length = walk.path.len();
        while entries.next_key_seed(Key(&mut *walk))?.is_some() {
            entries.next_value_seed(Value(&mut *walk))?;
            walk.path.truncate(length);
        }
        walk.depth -= 1;
        Ok(())
    }
}

/// A key: looked at, and put at the end of the path.
struct Key<'v, 'w, 'm, 's>(&'v mut Walk<'w, 'm, 's>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        self.0.count(key.as_bytes())?;
        self.0.enter(|path| path.extend_from_slice(key.as_bytes()));
        Ok(())
    }
}

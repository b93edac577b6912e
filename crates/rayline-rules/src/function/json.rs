//! `lookup_json_string` and `lookup_json_integer`: a way through a document, read once and never held.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonKey<'a> {
    /// An attribute of an object.
    Name(&'a [u8]),
    /// A place in an array, from 0.
    Place(i64),
}

/// The text at the end of the way; nothing if there is none, or the document is not JSON.
pub(crate) fn lookup_json_string<'t>(document: &'t [u8], keys: &[JsonKey<'_>]) -> Option<Cow<'t, str>> {
    match lookup(document, keys)? {
        Leaf::Text(text) => Some(text),
        Leaf::Int(_) | Leaf::Other => None,
    }
}

/// The whole number at the end of the way; `42.0` is none.
pub(crate) fn lookup_json_integer(document: &[u8], keys: &[JsonKey<'_>]) -> Option<i64> {
    match lookup(document, keys)? {
        Leaf::Int(int) => Some(int),
        Leaf::Text(_) | Leaf::Other => None,
    }
}

fn lookup<'t>(document: &'t [u8], keys: &[JsonKey<'_>]) -> Option<Leaf<'t>> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    let found = Way(keys).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    found
}

/// What stands at the end of the way.
enum Leaf<'t> {
    Text(Cow<'t, str>),
    Int(i64),
    Other,
}

/// The steps still to go.
#[derive(Clone, Copy)]
struct Way<'k>(&'k [JsonKey<'k>]);

impl<'t> DeserializeSeed<'t> for Way<'_> {
    type Value = Option<Leaf<'t>>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Way<'_> {
    /// A value that leads nowhere: the end of the way, or no way at all.
    fn end(self, leaf: Leaf<'t>) -> Option<Leaf<'t>> {
        self.0.is_empty().then_some(leaf)
    }
}

impl<'t> Visitor<'t> for Way<'_> {
    type Value = Option<Leaf<'t>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Other))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.end(i64::try_from(value).map_or(Leaf::Other, Leaf::Int)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Other))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Other))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.end(Leaf::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            while sequence.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Some(Leaf::Other));
        };
        let mut found = None;
        let mut place = 0;
        loop {
            if *step == JsonKey::Place(place) {
                match sequence.next_element_seed(Way(rest))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                }
            } else if sequence.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            place += 1;
        }
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Some(Leaf::Other));
        };
        let mut found = None;
        // of attributes of one name, the last is meant, as most readers of JSON do
        while let Some(is_step) = map.next_key_seed(Is(*step))? {
            if is_step {
                found = map.next_value_seed(Way(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether an attribute's name is the step's.
struct Is<'k>(JsonKey<'k>);

impl<'t> DeserializeSeed<'t> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(self.0 == JsonKey::Name(value.as_bytes()))
    }
}

//! Calls of functions, with texts and arrays in the memory.

use std::io::Write as _;
use std::ops::ControlFlow;

use crate::eval::is_name;
use crate::function::{self, JsonKey, TimedHmac, UrlDecode};
use crate::program::evaluation::Evaluation;
use crate::program::node::{Call, NodeId, Part, Prepared, Span, Text, Val};
use crate::scheme::{Field, Function};

/// The most keys that a look-up in JSON may have; more are no expression that anybody writes.
const JSON_KEYS: usize = 16;

impl Evaluation<'_> {
    /// A call, for each element of its first argument if so marked: those that give nothing are left out.
    pub(super) fn call(&mut self, call: &Call, each: bool) -> Val {
        let first = self.node(call.first);
        if !each {
            return self.called(call, first).unwrap_or(Val::Missing);
        }
        let Some(len) = Self::len(first) else { return Val::Missing };
        let Some(mut results) = self.memory.reserve(len) else { return Val::Missing };
        let mut count = 0;
        for place in 0..len {
            let element = self.element(first, place);
            if let Some(result) = self.called(call, element).filter(|result| *result != Val::Missing) {
                self.memory.fill(results, count, result);
                count += 1;
            }
        }
        results.len = u32::try_from(count).unwrap_or(0);
        Val::Array(results)
    }

    /// What a function gives for its first argument.
    fn called(&mut self, call: &Call, first: Val) -> Option<Val> {
        match call.function {
            Function::Any => {
                Some(Val::Bool((0..Self::len(first)?).any(|it| self.element(first, it) == Val::Bool(true))))
            }
            Function::All => {
                Some(Val::Bool((0..Self::len(first)?).all(|it| self.element(first, it) == Val::Bool(true))))
            }
            Function::Cidr => self.cidr(first, call.rest.first(), call.rest.get(1)),
            Function::Cidr6 => self.cidr(first, None, call.rest.first()),
            Function::Concat => self.concat(first, &call.rest),
            Function::DecodeBase64 => self.attempted(first, function::decode_base64),
            Function::EncodeBase64 => self.with_flags(first, call.rest.first(), |text, flags, out| {
                function::encode_base64(text, flags, out);
            }),
            Function::EndsWith => self.with_text(first, call.rest.first(), <[u8]>::ends_with),
            Function::StartsWith => self.with_text(first, call.rest.first(), <[u8]>::starts_with),
            Function::HasKey => self.has_key(call, first),
            Function::HasValue => self.has_value(call, first),
            Function::IsTimedHmacValidV0 => self.is_timed_hmac_valid(first, &call.rest),
            Function::Join => self.join(first, call.rest.first()?),
            Function::Len => {
                let len = match first {
                    Val::Text(text) => self.bytes(text).len(),
                    first => Self::len(first)?,
                };
                i64::try_from(len).ok().map(Val::Int)
            }
            Function::LookupJsonInteger | Function::LookupJsonString => {
                self.lookup_json(first, &call.rest, call.function == Function::LookupJsonInteger)
            }
            Function::Lower => self.written(first, function::lower),
            Function::Upper => self.written(first, function::upper),
            Function::RegexReplace => match &call.prepared {
                Prepared::Regex(regex, replacement) => {
                    self.written(first, |text, out| function::regex_replace(text, regex, replacement, out))
                }
                _ => None,
            },
            Function::RemoveBytes => self.with_argument(first, call.rest.first()?, function::remove_bytes),
            Function::RemoveQueryArgs => self.remove_query_args(first, &call.rest),
            Function::Sha256 => self.written(first, function::sha256),
            Function::Split => self.split(first, call.rest.first()?, call.rest.get(1)?),
            Function::Substring => self.substring(first, call.rest.first()?, call.rest.get(1)),
            Function::ToString => self.printed(first),
            Function::UrlDecode => match call.prepared {
                Prepared::UrlDecode(decode) => self.written(first, |text, out| decode.write(text, out)),
                _ => self.with_flags(first, call.rest.first(), |text, options, out| {
                    UrlDecode::new(options).write(text, out);
                }),
            },
            Function::UuidV4 => self.attempted(first, function::uuidv4),
            Function::WildcardReplace => match &call.prepared {
                Prepared::Wildcard(wildcard, replacement) => {
                    let mut lower = std::mem::take(&mut self.memory.lower);
                    let value = self.written(first, |text, out| {
                        function::wildcard_replace(text, wildcard, replacement, &mut lower, out);
                    });
                    self.memory.lower = lower;
                    value
                }
                _ => None,
            },
        }
    }

    /// A text made of a text.
    fn written(&mut self, text: Val, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> Option<Val> {
        self.attempted(text, |text, out| {
            write(text, out);
            true
        })
    }

    /// The same, by what may fail.
    fn attempted(&mut self, text: Val, write: impl FnOnce(&[u8], &mut Vec<u8>) -> bool) -> Option<Val> {
        let mut out = std::mem::take(&mut self.memory.scratch);
        out.clear();
        let kept = match self.text_of(text) {
            Some(text) if write(text, &mut out) => self.memory.keep(&out),
            Some(_) | None => None,
        };
        self.memory.scratch = out;
        kept.map(|span| Val::Text(Text::Kept(span)))
    }

    /// A text made of a text and another one.
    fn with_argument(
        &mut self,
        text: Val,
        other: &NodeId,
        write: impl FnOnce(&[u8], &[u8], &mut Vec<u8>),
    ) -> Option<Val> {
        let other = self.node(*other);
        let mut out = std::mem::take(&mut self.memory.scratch);
        out.clear();
        let both = self.text_of(text).zip(self.text_of(other));
        let kept = both.map(|(text, other)| write(text, other, &mut out)).and_then(|()| self.memory.keep(&out));
        self.memory.scratch = out;
        kept.map(|span| Val::Text(Text::Kept(span)))
    }

    /// A text made of a text and of flags, which may be left out.
    fn with_flags(
        &mut self,
        text: Val,
        flags: Option<&NodeId>,
        write: impl FnOnce(&[u8], &[u8], &mut Vec<u8>),
    ) -> Option<Val> {
        match flags {
            Some(flags) => self.with_argument(text, flags, write),
            None => self.written(text, |text, out| write(text, b"", out)),
        }
    }

    fn with_text(&mut self, text: Val, other: Option<&NodeId>, test: impl Fn(&[u8], &[u8]) -> bool) -> Option<Val> {
        let other = self.node(*other?);
        Some(Val::Bool(test(self.text_of(text)?, self.text_of(other)?)))
    }

    fn int(&mut self, node: &NodeId) -> Option<i64> {
        match self.node(*node) {
            Val::Int(value) => Some(value),
            Val::Missing | Val::Bool(_) | Val::Float(_) | Val::Ip(_) | Val::Text(_) | Val::Array(_) | Val::Map(_) => {
                None
            }
        }
    }

    fn cidr(&mut self, first: Val, bits_v4: Option<&NodeId>, bits_v6: Option<&NodeId>) -> Option<Val> {
        let bits_v4 = match bits_v4 {
            Some(bits) => self.int(bits)?,
            None => 32,
        };
        let bits_v6 = self.int(bits_v6?)?;
        match first {
            Val::Ip(address) => Some(Val::Ip(function::cidr(address, bits_v4, bits_v6))),
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Text(_) | Val::Array(_) | Val::Map(_) => {
                None
            }
        }
    }

    /// Texts to one text, arrays to one array; what is missing adds nothing, and the first that is not says which.
    fn concat(&mut self, first: Val, rest: &[NodeId]) -> Option<Val> {
        let mut all = first;
        for node in rest {
            let next = self.node(*node);
            all = match (all, next) {
                (Val::Missing, next) => next,
                (Val::Text(left), Val::Text(right)) => {
                    let mut out = std::mem::take(&mut self.memory.scratch);
                    out.clear();
                    out.extend_from_slice(self.bytes(left));
                    out.extend_from_slice(self.bytes(right));
                    let kept = self.memory.keep(&out);
                    self.memory.scratch = out;
                    Val::Text(Text::Kept(kept?))
                }
                (Val::Array(left), Val::Array(right)) => {
                    let start = self.memory.values.len();
                    for span in [left, right] {
                        let range = span.range();
                        if range.end <= self.memory.values.len() {
                            self.memory.values.extend_from_within(range);
                        }
                    }
                    Val::Array(Span::from(start, self.memory.values.len())?)
                }
                (all, _) => all,
            };
        }
        Some(all)
    }

    fn has_key(&mut self, call: &Call, first: Val) -> Option<Val> {
        if let Prepared::Entry(field, part, key) = &call.prepared {
            return Some(Val::Bool(self.has_entry(*field, *part, key)));
        }
        let key = self.node(*call.rest.first()?);
        let key = self.text_of(key)?;
        match first {
            Val::Map(span) => {
                let mut places = 0..span.range().len() / 2;
                Some(Val::Bool(places.any(|place| self.text_of(self.memory.value(span, place * 2)) == Some(key))))
            }
            Val::Missing | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Ip(_) | Val::Text(_) | Val::Array(_) => {
                None
            }
        }
    }

    /// Whether a text is among the keys or the values of a field's entries.
    fn has_entry(&self, field: Field, part: Part, text: &[u8]) -> bool {
        let mut found = false;
        self.facts.entries(field, &mut |key, value| {
            found = match part {
                Part::Keys => is_name(key, text, false),
                Part::LowerKeys => is_name(key, text, true),
                Part::Values => value == text,
            };
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found
    }

    fn has_value(&mut self, call: &Call, first: Val) -> Option<Val> {
        if let Prepared::Entry(field, part, text) = &call.prepared {
            return Some(Val::Bool(self.has_entry(*field, *part, text)));
        }
        let value = self.node(*call.rest.first()?);
        Self::len(first).filter(|_| value != Val::Missing)?;
        Some(Val::Bool(self.is_among(first, value)))
    }

    /// Whether a value is among the elements of another one, or theirs.
    fn is_among(&self, collection: Val, value: Val) -> bool {
        (0..Self::len(collection).unwrap_or(0)).any(|place| {
            let element = self.element(collection, place);
            let is_same = match (self.text_of(element), self.text_of(value)) {
                (Some(element), Some(value)) => element == value,
                _ => element == value && Self::len(element).is_none(),
            };
            is_same || self.is_among(element, value)
        })
    }

    fn is_timed_hmac_valid(&mut self, key: Val, rest: &[NodeId]) -> Option<Val> {
        let [message, ttl, now, optional @ ..] = rest else { return None };
        let (message, ttl, now) = (self.node(*message), self.int(ttl)?, self.int(now)?);
        let separator = match optional.first() {
            Some(separator) => self.int(separator)?,
            None => 0,
        };
        let flags = optional.get(1).map(|flags| self.node(*flags));
        let flags = match flags {
            Some(flags) => self.text_of(flags)?,
            None => b"",
        };
        let expected = TimedHmac { key: self.text_of(key)?, ttl, now, separator, flags };
        Some(Val::Bool(function::is_timed_hmac_valid(self.text_of(message)?, expected)))
    }

    fn join(&mut self, first: Val, separator: &NodeId) -> Option<Val> {
        let Val::Array(elements) = first else { return None };
        let separator = self.node(*separator);
        let mut out = std::mem::take(&mut self.memory.scratch);
        out.clear();
        let mut write = || {
            let separator = self.text_of(separator)?;
            for place in 0..elements.range().len() {
                if place > 0 {
                    out.extend_from_slice(separator);
                }
                out.extend_from_slice(self.text_of(self.memory.value(elements, place))?);
            }
            Some(())
        };
        let written = write();
        let kept = written.and_then(|()| self.memory.keep(&out));
        self.memory.scratch = out;
        kept.map(|span| Val::Text(Text::Kept(span)))
    }

    fn lookup_json(&mut self, document: Val, rest: &[NodeId], integer: bool) -> Option<Val> {
        let mut keys = [Val::Missing; JSON_KEYS];
        let keys = keys.get_mut(..rest.len())?;
        for (key, node) in keys.iter_mut().zip(rest) {
            *key = self.node(*node);
        }
        let mut steps = [JsonKey::Place(0); JSON_KEYS];
        let steps = steps.get_mut(..rest.len())?;
        for (step, key) in steps.iter_mut().zip(keys) {
            *step = match key {
                Val::Text(text) => JsonKey::Name(self.bytes(*text)),
                Val::Int(place) => JsonKey::Place(*place),
                Val::Missing | Val::Bool(_) | Val::Float(_) | Val::Ip(_) | Val::Array(_) | Val::Map(_) => return None,
            };
        }
        let document = self.text_of(document)?;
        if integer {
            return function::lookup_json_integer(document, steps).map(Val::Int);
        }
        let found = function::lookup_json_string(document, steps)?.into_owned();
        self.memory.keep(found.as_bytes()).map(|span| Val::Text(Text::Kept(span)))
    }

    fn remove_query_args(&mut self, query: Val, names: &[NodeId]) -> Option<Val> {
        let start = self.memory.values.len();
        for name in names {
            let name = self.node(*name);
            self.text_of(name)?;
            self.memory.values.push(name);
        }
        let names = Span::from(start, self.memory.values.len())?;
        let mut out = std::mem::take(&mut self.memory.scratch);
        out.clear();
        let is_removed = |name: &[u8]| {
            (0..names.range().len()).any(|place| self.text_of(self.memory.value(names, place)) == Some(name))
        };
        let written = self.text_of(query).map(|query| function::remove_query_args(query, is_removed, &mut out));
        let kept = written.and_then(|()| self.memory.keep(&out));
        self.memory.scratch = out;
        kept.map(|span| Val::Text(Text::Kept(span)))
    }

    fn split(&mut self, text: Val, separator: &NodeId, limit: &NodeId) -> Option<Val> {
        let limit = usize::try_from(self.int(limit)?).ok()?;
        let separator = self.node(*separator);
        // kept apart from the text that it is part of, which may move as the memory grows
        let text = self.written(text, |text, out| out.extend_from_slice(text))?;
        let Val::Text(Text::Kept(whole)) = text else { return None };
        let mut values = std::mem::take(&mut self.memory.values);
        let start = values.len();
        if let (Some(text), Some(separator)) = (self.text_of(text), self.text_of(separator)) {
            let mut at = usize::try_from(whole.start).unwrap_or(usize::MAX);
            function::split(text, separator, limit, |piece| {
                let span = Span::from(at, at + piece.len()).unwrap_or_default();
                values.push(Val::Text(Text::Kept(span)));
                at += piece.len() + separator.len();
            });
        }
        let pieces = Span::from(start, values.len());
        self.memory.values = values;
        pieces.filter(|pieces| pieces.len > 0).map(Val::Array)
    }

    fn substring(&mut self, text: Val, start: &NodeId, end: Option<&NodeId>) -> Option<Val> {
        let start = self.int(start)?;
        let end = match end {
            Some(end) => Some(self.int(end)?),
            None => None,
        };
        self.written(text, |text, out| out.extend_from_slice(function::substring(text, start, end)))
    }

    fn printed(&mut self, value: Val) -> Option<Val> {
        let mut out = std::mem::take(&mut self.memory.scratch);
        out.clear();
        // writing to a vector cannot fail
        let written = match value {
            Val::Bool(value) => write!(out, "{value}").ok(),
            Val::Int(value) => write!(out, "{value}").ok(),
            Val::Ip(value) => write!(out, "{value}").ok(),
            Val::Missing | Val::Float(_) | Val::Text(_) | Val::Array(_) | Val::Map(_) => None,
        };
        let kept = written.and_then(|()| self.memory.keep(&out));
        self.memory.scratch = out;
        kept.map(|span| Val::Text(Text::Kept(span)))
    }
}

//! A request for tests, with whatever facts a test gives it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::Facts;
use crate::facts::{Each, Fact};
use crate::scheme::Field;

/// The value of a field.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Bool(bool),
    Int(i64),
    Bytes(Vec<u8>),
    Ip(IpAddr),
    Entries(Vec<(Vec<u8>, Vec<u8>)>),
}

/// A request; what it was not given is not known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request(pub(crate) BTreeMap<Field, Known>);

impl Request {
    pub(crate) fn text(mut self, field: Field, text: impl AsRef<[u8]>) -> Self {
        self.0.insert(field, Known::Bytes(text.as_ref().to_vec()));
        self
    }

    pub(crate) fn with(mut self, field: Field, known: Known) -> Self {
        self.0.insert(field, known);
        self
    }

    pub(crate) fn ip(self, address: &str) -> Self {
        self.with(Field::IpSrc, Known::Ip(address.parse().unwrap()))
    }

    pub(crate) fn entry(mut self, field: Field, key: &str, value: &str) -> Self {
        let entries = self.0.entry(field).or_insert_with(|| Known::Entries(Vec::new()));
        if let Known::Entries(entries) = entries {
            entries.push((key.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        self
    }
}

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        match self.0.get(&field) {
            None | Some(Known::Entries(_)) => Fact::Nothing,
            Some(Known::Bool(value)) => Fact::Bool(*value),
            Some(Known::Int(value)) => Fact::Int(*value),
            Some(Known::Bytes(value)) => Fact::Bytes(value),
            Some(Known::Ip(value)) => Fact::Ip(*value),
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        if let Some(Known::Entries(entries)) = self.0.get(&field) {
            let _ = entries.iter().try_for_each(|(key, value)| each(key, value));
        }
    }
}

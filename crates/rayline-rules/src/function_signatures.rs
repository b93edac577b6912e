//! What each function takes and gives: one table, which the checker and the reference page read (Cloudflare Rules
//! language, "Functions").

use std::fmt;

use crate::scheme::{Function, Type};

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Bytes,
    /// A number.
    Int,
    /// An address.
    Ip,
    /// An array of truth values: a comparison over `[*]`.
    Conditions,
    /// An array of texts.
    Texts,
    /// A map of any kind.
    Map,
    /// A text, an array or a map.
    Measurable,
    /// A map or an array of texts, or of arrays of texts.
    Collection,
    /// A text or an array of texts.
    BytesOrTexts,
    /// A text or a number.
    BytesOrInt,
    /// A number, a truth value or an address.
    Printable,
}

impl Kind {
    /// Whether a value of that type may stand here.
    pub fn admits(self, of: Type) -> bool {
        match self {
            Self::Bytes => of == Type::Bytes,
            Self::Int => of == Type::Int,
            Self::Ip => of == Type::Ip,
            Self::Conditions => of == Type::Array(&Type::Bool),
            Self::Texts => of == Type::Array(&Type::Bytes),
            Self::Map => matches!(of, Type::Map(_)),
            Self::Measurable => matches!(of, Type::Bytes | Type::Array(_) | Type::Map(_)),
            Self::Collection => matches!(of, Type::Array(_) | Type::Map(_)),
            Self::BytesOrTexts => matches!(of, Type::Bytes | Type::Array(Type::Bytes)),
            Self::BytesOrInt => matches!(of, Type::Bytes | Type::Int),
            Self::Printable => matches!(of, Type::Int | Type::Bool | Type::Ip),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "a text",
            Self::Int => "a number",
            Self::Ip => "an address",
            Self::Conditions => "a comparison of each element",
            Self::Texts => "an array of texts",
            Self::Map => "a map",
            Self::Measurable => "a text, an array or a map",
            Self::Collection => "an array or a map",
            Self::BytesOrTexts => "a text or an array of texts",
            Self::BytesOrInt => "a text or a number",
            Self::Printable => "a number, a truth value or an address",
        })
    }
}

/// Whether an argument may be written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Written out or not.
    Any,
    /// Not written out: a field, or what a function gives.
    Field,
    /// Written out.
    Literal,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it may be written out.
    pub source: Source,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Always this.
    Always(Type),
    /// What its first argument is.
    AsFirst,
}

/// What a function takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// In order.
    pub parameters: &'static [Parameter],
    /// How many of them there must be.
    pub required: usize,
    /// Whether the last may come again and again.
    pub repeats: bool,
    /// What it gives. Where the first argument is unpacked by `[*]`, an array of that.
    pub gives: Gives,
    /// Whether it stands in values alone, such as the target of a redirect, and never in a rule's expression.
    pub only_in_values: bool,
}

impl Signature {
    /// The parameter at a place, from 0.
    pub fn parameter(&self, place: usize) -> Option<&'static Parameter> {
        let last = || if self.repeats { self.parameters.last() } else { None };
        self.parameters.get(place).or_else(last)
    }
}

const fn any(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, source: Source::Any }
}

const fn field(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, source: Source::Field }
}

const fn literal(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, source: Source::Literal }
}

const BOOL: Gives = Gives::Always(Type::Bool);
const BYTES: Gives = Gives::Always(Type::Bytes);
const INT: Gives = Gives::Always(Type::Int);
const IP: Gives = Gives::Always(Type::Ip);
const TEXTS: Gives = Gives::Always(Type::Array(&Type::Bytes));

/// How a function takes its parameters.
#[derive(Clone, Copy)]
struct Shape {
    /// How many must be there, if not all.
    required: Option<usize>,
    repeats: bool,
    only_in_values: bool,
}

impl Shape {
    const fn of(self, parameters: &'static [Parameter], gives: Gives) -> Signature {
        let required = match self.required {
            Some(required) => required,
            None => parameters.len(),
        };
        Signature { parameters, required, repeats: self.repeats, gives, only_in_values: self.only_in_values }
    }

    /// It stands in values alone.
    const fn in_values(self) -> Self {
        Self { only_in_values: true, ..self }
    }
}

/// All parameters are required.
const PLAIN: Shape = Shape { required: None, repeats: false, only_in_values: false };

/// The last of the parameters may come again and again.
const REPEATING: Shape = Shape { repeats: true, ..PLAIN };

/// So many of the parameters are required.
const fn required(required: usize) -> Shape {
    Shape { required: Some(required), ..PLAIN }
}

macro_rules! functions {
    ($($variant:ident = $name:literal, $doc:literal: $shape:expr, [$($parameter:expr),* $(,)?], $gives:expr;)*) => {
        impl Function {
            /// Every function, by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in an expression.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence on it, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// What it takes and gives.
            pub const fn signature(self) -> Signature {
                match self {
                    $(Self::$variant => {
                        const PARAMETERS: &[Parameter] = &[$($parameter),*];
                        $shape.of(PARAMETERS, $gives)
                    })*
                }
            }
        }
    };
}

functions! {
    All = "all", "Whether each of the truth values is true; true of none.":
        PLAIN, [any("conditions", Kind::Conditions)], BOOL;
    Any = "any", "Whether one of the truth values is true.":
        PLAIN, [any("conditions", Kind::Conditions)], BOOL;
    Cidr = "cidr", "The address of the network that the address is in, with that many bits for IPv4 (1 to 32) and IPv6 (1 to 128).":
        PLAIN, [
            field("address", Kind::Ip),
            literal("ipv4_network_bits", Kind::Int),
            literal("ipv6_network_bits", Kind::Int),
        ], IP;
    Cidr6 = "cidr6", "The same for IPv6; an address of IPv4 stays as it is.":
        PLAIN, [field("address", Kind::Ip), literal("ipv6_network_bits", Kind::Int)], IP;
    Concat = "concat", "The texts, or the arrays, one after the other.":
        REPEATING, [any("value", Kind::BytesOrTexts)], Gives::AsFirst;
    DecodeBase64 = "decode_base64", "What the base64 stands for.":
        PLAIN, [field("source", Kind::Bytes)], BYTES;
    EncodeBase64 = "encode_base64", "Base64, without padding; flags: `u` for the alphabet of URLs, `p` for padding.":
        required(1).in_values(), [any("input", Kind::Bytes), literal("flags", Kind::Bytes)], BYTES;
    EndsWith = "ends_with", "Whether the text ends with the other.":
        PLAIN, [field("source", Kind::Bytes), any("substring", Kind::Bytes)], BOOL;
    HasKey = "has_key", "Whether the map has that key.":
        PLAIN, [field("map", Kind::Map), any("key", Kind::Bytes)], BOOL;
    HasValue = "has_value", "Whether the text is one of the array's, or of the map's.":
        PLAIN, [field("collection", Kind::Collection), any("value", Kind::Bytes)], BOOL;
    IsTimedHmacValidV0 = "is_timed_hmac_valid_v0", "Whether the text ends with a time and a signature that are right for what stands before, no older than `ttl` seconds; flag: `s` for the alphabet of URLs.":
        required(4), [
            literal("key", Kind::Bytes),
            field("message_mac", Kind::Bytes),
            literal("ttl", Kind::Int),
            any("current_time_stamp", Kind::Int),
            literal("length_of_separator", Kind::Int),
            literal("flags", Kind::Bytes),
        ], BOOL;
    Join = "join", "The texts in one, with the separator between them.":
        PLAIN, [field("items", Kind::Texts), any("separator", Kind::Bytes)], BYTES;
    Len = "len", "How many bytes a text, or how many entries an array or a map has.":
        PLAIN, [field("value", Kind::Measurable)], INT;
    LookupJsonInteger = "lookup_json_integer", "The whole number in a JSON text that keys, and places in arrays, lead to.":
        REPEATING, [any("field", Kind::Bytes), any("key", Kind::BytesOrInt)], INT;
    LookupJsonString = "lookup_json_string", "The text in a JSON text that keys, and places in arrays, lead to.":
        REPEATING, [any("field", Kind::Bytes), any("key", Kind::BytesOrInt)], BYTES;
    Lower = "lower", "The text with ASCII capitals made small.":
        PLAIN, [any("text", Kind::Bytes)], BYTES;
    RegexReplace = "regex_replace", "The text with the first match of the regular expression replaced; `${1}` stands for what a group matched, `$$` for a dollar sign.":
        PLAIN.in_values(), [
            any("source", Kind::Bytes),
            literal("regular_expression", Kind::Bytes),
            literal("replacement", Kind::Bytes),
        ], BYTES;
    RemoveBytes = "remove_bytes", "The text without any of these bytes.":
        PLAIN, [any("text", Kind::Bytes), any("bytes", Kind::Bytes)], BYTES;
    RemoveQueryArgs = "remove_query_args", "The query without the arguments of these names.":
        REPEATING.in_values(), [field("field", Kind::Bytes), any("query_param", Kind::Bytes)], BYTES;
    Sha256 = "sha256", "The 32 bytes of SHA-256.":
        PLAIN.in_values(), [any("input", Kind::Bytes)], BYTES;
    Split = "split", "The parts between the separators, at most `limit` (1 to 128): the last has what is left.":
        PLAIN, [field("input", Kind::Bytes), literal("separator", Kind::Bytes), literal("limit", Kind::Int)], TEXTS;
    StartsWith = "starts_with", "Whether the text starts with the other.":
        PLAIN, [field("source", Kind::Bytes), any("substring", Kind::Bytes)], BOOL;
    Substring = "substring", "The bytes from `start` up to, not including, `end`; what is negative counts from the end.":
        required(2), [field("field", Kind::Bytes), any("start", Kind::Int), any("end", Kind::Int)], BYTES;
    ToString = "to_string", "As a text.":
        PLAIN.in_values(), [field("value", Kind::Printable)], BYTES;
    Upper = "upper", "The text with small ASCII letters made capitals.":
        PLAIN, [any("text", Kind::Bytes)], BYTES;
    UrlDecode = "url_decode", "The text with `%20` and `+` decoded; options: `r` until nothing is left to decode, `u` for `%u2601` too.":
        required(1), [any("source", Kind::Bytes), literal("options", Kind::Bytes)], BYTES;
    UuidV4 = "uuidv4", "A UUID of version 4 made of random bytes, as of `cf.random_seed`.":
        PLAIN.in_values(), [field("source", Kind::Bytes)], BYTES;
    WildcardReplace = "wildcard_replace", "What the replacement says, if the whole text matches the wildcard; `${1}` stands for what a star stood for, as short as can be; flag: `s` to tell capitals from small letters.":
        required(3).in_values(), [
            field("source", Kind::Bytes),
            literal("wildcard_pattern", Kind::Bytes),
            literal("replacement", Kind::Bytes),
            literal("flags", Kind::Bytes),
        ], BYTES;
}

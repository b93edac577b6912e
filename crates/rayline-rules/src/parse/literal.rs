//! What stands behind an operator: read as what stands before it asks for.

use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};

use ipnet::IpNet;

use crate::ast::{ExprKind, IpMember, Literal, Operator, Set};
use crate::list::ListKind;
use crate::matcher::{Wildcard, regex};
use crate::names;
use crate::problem::ExprProblem;
use crate::scheme::{Field, Function, Type};

use super::{Parser, Typed, check, lexer};

impl Parser<'_> {
    /// The right side of a comparison. `left` can be compared that way, the operator stands at `span`.
    pub(super) fn operand(
        &mut self,
        left: &Typed,
        operator: Operator,
        span: Range<usize>,
    ) -> Result<Literal, ExprProblem> {
        match operator {
            Operator::Matches => {
                let Some((text, place)) = self.reader.text_literal(lexer::regex_escapes)? else {
                    return Err(self.no_literal(Type::Bytes, &span));
                };
                regex(&text).map_err(|problem| {
                    let of_letters = problem.contains("Unicode");
                    let problem = ExprProblem::new(self.fault(&text, place), problem);
                    match of_letters {
                        true => problem.hint("it is held against bytes; `(?u)` in front asks for Unicode"),
                        false => problem,
                    }
                })?;
                Ok(Literal::Bytes(text.into()))
            }
            Operator::Wildcard | Operator::StrictWildcard => {
                let Some((text, place)) = self.reader.text_literal(lexer::basic_escapes)? else {
                    return Err(self.no_literal(Type::Bytes, &span));
                };
                Wildcard::new(&text, true)
                    .map_err(|problem| ExprProblem::new(place, problem).hint("`matches` knows regular expressions"))?;
                Ok(Literal::Bytes(text.into()))
            }
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::Contains
            | Operator::BitwiseAnd => self.literal(left.of, &span),
        }
    }

    /// Where a regular expression goes wrong; all of it where that is not told, or where escapes move its places.
    fn fault(&self, pattern: &[u8], place: Range<usize>) -> Range<usize> {
        let pattern = std::str::from_utf8(pattern).unwrap_or_default();
        let told = match regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern) {
            Err(regex_syntax::Error::Parse(error)) => Some(*error.span()),
            Err(regex_syntax::Error::Translate(error)) => Some(*error.span()),
            _ => None,
        };
        let begins = self.reader.text(&place).find(pattern).map(|offset| place.start + offset);
        match (told, begins) {
            (Some(told), Some(begins)) if !told.is_empty() => begins + told.start.offset..begins + told.end.offset,
            _ => place,
        }
    }

    /// A literal of that type; `before` is the place of the operator that asks for it.
    fn literal(&mut self, of: Type, before: &Range<usize>) -> Result<Literal, ExprProblem> {
        let read = match of {
            Type::Bool => self.truth().map(|(truth, _)| truth),
            Type::Int => self.integer()?.map(|(number, _)| Literal::Int(number)),
            Type::Bytes => self.bytes()?.map(|bytes| Literal::Bytes(bytes.into())),
            Type::Ip => match self.reader.address() {
                Some((written, span)) => Some(Literal::Ip(single_address(written, &span)?)),
                None => None,
            },
            Type::Float | Type::Array(_) | Type::Map(_) => None,
        };
        read.ok_or_else(|| self.no_literal(of, before))
    }

    fn integer(&mut self) -> Result<Option<(i64, Range<usize>)>, ExprProblem> {
        match self.reader.number() {
            Some((written, span)) => number(written, &span).map(|number| Some((number, span))),
            None => Ok(None),
        }
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, ExprProblem> {
        match self.reader.text_literal(lexer::basic_escapes)? {
            Some((text, _)) => Ok(Some(text)),
            None => Ok(self.reader.bytes().map(|(bytes, _)| bytes)),
        }
    }

    /// What follows is no literal of that type.
    fn no_literal(&self, of: Type, before: &Range<usize>) -> ExprProblem {
        let span = self.reader.next_span();
        let written = self.reader.text(&span).to_owned();
        let operator = self.reader.text(before);
        if written.is_empty() {
            return ExprProblem::new(before.clone(), format!("nothing follows `{operator}`")).hint(example(of));
        }
        let problem = ExprProblem::new(span, format!("{of} is expected behind `{operator}`"));
        match (of, written.as_str()) {
            (Type::Bytes, "'") => problem.hint("texts stand between double quotes"),
            (Type::Bytes, "{") => problem.hint("a set stands behind `in`"),
            (_, "$") => problem.hint("write `in $name` for a list"),
            (_, "=") => problem.hint("write `==` or `eq`"),
            _ if Field::named(&written).is_some() || Function::named(&written).is_some() => {
                problem.hint("what stands there is written out: a field cannot be compared with a field")
            }
            (Type::Bytes, _) if written.chars().any(char::is_alphanumeric) => {
                problem.hint(format!("write it between double quotes: `\"{written}\"`"))
            }
            (Type::Int | Type::Ip, "\"") => problem.hint("leave out the quotes"),
            _ => problem.hint(example(of)),
        }
    }

    /// `in` and what stands behind it; `span` is its place.
    pub(super) fn membership(&mut self, value: Typed, span: Range<usize>) -> Result<Typed, ExprProblem> {
        check::searchable(&value, &span, self.reader.text(&value.span()))?;
        if let Some((name, place)) = self.reader.list() {
            self.list(&value, name, place)?;
            let list = name.into();
            return Ok(self.compared(value, |value| ExprKind::InList { value, list }));
        }
        let Some(opened) = self.reader.sign("{") else {
            return Err(self.no_set(value.of, span));
        };
        let set = self.set(value.of, &opened)?;
        Ok(self.compared(value, |value| ExprKind::In { value, set }))
    }

    /// Neither a set nor a list follows `in`, which stands at `span`.
    fn no_set(&mut self, of: Type, span: Range<usize>) -> ExprProblem {
        let next = self.reader.next_span();
        if next.is_empty() {
            return ExprProblem::new(span, "nothing follows `in`")
                .hint(format!("write `in {{{}}}`, or `in $name` for a list", sample(of)));
        }
        match self.reader.address().filter(|_| of == Type::Ip) {
            Some((written, place)) => ExprProblem::new(place, "a set or a list is expected behind `in`")
                .hint(format!("write `in {{{written}}}`")),
            None => ExprProblem::new(next, "a set or a list is expected behind `in`")
                .hint(format!("write `in {{{}}}`, or `in $name` for a list", sample(of))),
        }
    }

    /// The members up to the closing brace.
    fn set(&mut self, of: Type, opened: &Range<usize>) -> Result<Set, ExprProblem> {
        match of {
            Type::Int => self.members(of, opened, Self::int_member).map(Set::Int),
            Type::Ip => self.members(of, opened, Self::ip_member).map(Set::Ip),
            Type::Bytes | Type::Bool | Type::Float | Type::Array(_) | Type::Map(_) => {
                self.members(of, opened, |parser| Ok(parser.bytes()?.map(Vec::into_boxed_slice))).map(Set::Bytes)
            }
        }
    }

    fn members<T>(
        &mut self,
        of: Type,
        opened: &Range<usize>,
        member: impl Fn(&mut Self) -> Result<Option<T>, ExprProblem>,
    ) -> Result<Vec<T>, ExprProblem> {
        let mut members = Vec::new();
        while let Some(member) = member(self)? {
            members.push(member);
        }
        let next = self.reader.next_span();
        let written = self.reader.text(&next).to_owned();
        match self.reader.sign("}") {
            Some(closed) if members.is_empty() => {
                Err(ExprProblem::new(opened.start..closed.end, "the set is empty").hint("write at least one member"))
            }
            Some(_) => Ok(members),
            None if written.is_empty() => {
                Err(ExprProblem::new(opened.clone(), "this set is not closed").hint("end it with `}`"))
            }
            None => {
                let problem = ExprProblem::new(next, format!("`{written}` is no member of this set"));
                Err(match (of, written.as_str()) {
                    (_, ",") => problem.hint("members stand side by side, without commas"),
                    (Type::Int | Type::Ip, "\"") => problem.hint(format!("each is {of}: leave out the quotes")),
                    (Type::Bytes, _) if written.chars().any(char::is_alphanumeric) => {
                        problem.hint(format!("write it between double quotes: `\"{written}\"`"))
                    }
                    _ => problem.hint(format!("each is {of}, as in `{{{}}}`", sample(of))),
                })
            }
        }
    }

    fn int_member(&mut self) -> Result<Option<RangeInclusive<i64>>, ExprProblem> {
        let Some((first, span)) = self.integer()? else {
            return Ok(None);
        };
        if self.reader.sign("..").is_none() {
            return Ok(Some(first..=first));
        }
        let Some((last, end)) = self.integer()? else {
            let range = span.start..self.reader.end();
            return Err(ExprProblem::new(range, "the range has no end").hint("write both ends, as in `8000..8999`"));
        };
        match first <= last {
            true => Ok(Some(first..=last)),
            false => Err(ExprProblem::new(span.start..end.end, "the range runs backwards")
                .hint(format!("write `{last}..{first}`"))),
        }
    }

    fn ip_member(&mut self) -> Result<Option<IpMember>, ExprProblem> {
        let Some((written, span)) = self.reader.address() else {
            return Ok(None);
        };
        if let Some((first, last)) = written.split_once("..") {
            let middle = span.start + first.len();
            let first = address(first, &(span.start..middle))?;
            let last = address(last, &(middle + 2..span.end))?;
            return match first.is_ipv4() == last.is_ipv4() {
                true if first <= last => Ok(Some(IpMember::Range(first, last))),
                true => {
                    Err(ExprProblem::new(span, "the range runs backwards").hint(format!("write `{last}..{first}`")))
                }
                false => Err(ExprProblem::new(span, "the range goes from one family of addresses to the other")
                    .hint("write one range for IPv4, one for IPv6")),
            };
        }
        let Some((host, prefix)) = written.split_once('/') else {
            return Ok(Some(IpMember::Network(IpNet::from(address(written, &span)?))));
        };
        let slash = span.start + host.len();
        let host = address(host, &(span.start..slash))?;
        let network = prefix.parse().ok().and_then(|prefix| IpNet::new(host, prefix).ok());
        let Some(network) = network else {
            let most = if host.is_ipv4() { 32 } else { 128 };
            return Err(ExprProblem::new(slash..span.end, format!("`/{prefix}` is no prefix length"))
                .hint(format!("it is a number from 0 to {most}")));
        };
        match network.network() == host {
            true => Ok(Some(IpMember::Network(network))),
            false => Err(ExprProblem::new(span, "the address has bits beyond the prefix")
                .hint(format!("write `{}`, or the address alone", network.trunc()))),
        }
    }

    /// Whether there is such a list, and whether it holds what the value is.
    fn list(&self, value: &Typed, name: &str, span: Range<usize>) -> Result<(), ExprProblem> {
        if name.is_empty() {
            return Err(ExprProblem::new(span, "the list has no name").hint("write `in $name`"));
        }
        let Some(list) = self.lists.get(name) else {
            let problem = ExprProblem::new(span, format!("there is no list `${name}`"));
            return Err(match names::nearest(name, self.lists.names()) {
                Some(near) => problem.hint(format!("did you mean `${near}`?")),
                None => problem.hint(format!("define it: `[[list]]` with `name = \"{name}\"`")),
            });
        };
        let (holds, asks) = match list.kind() {
            ListKind::Ip => ("addresses", Type::Ip),
            ListKind::Hostname => ("host names", Type::Bytes),
            ListKind::Asn => ("network numbers", Type::Int),
            ListKind::String => ("texts", Type::Bytes),
        };
        match value.of == asks {
            true => Ok(()),
            false => {
                let written = self.reader.text(&value.span());
                Err(ExprProblem::new(span, format!("`${name}` holds {holds}, and `{written}` is {}", value.of)).hint(
                    match value.of {
                        Type::Ip => "use a list of addresses",
                        Type::Int => "use a list of network numbers, or a set such as `{80 443}`",
                        _ => "use a list of host names or of texts",
                    },
                ))
            }
        }
    }
}

/// A number as written: decimal, `0x1f`, or octal behind a `0`, as Cloudflare's engine reads them.
pub(super) fn number(written: &str, span: &Range<usize>) -> Result<i64, ExprProblem> {
    let (sign, digits) = written.strip_prefix('-').map_or(("", written), |digits| ("-", digits));
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).map_err(|_| {
        let problem = ExprProblem::new(span.clone(), format!("`{written}` is no number"));
        match (radix, digits.chars().all(|digit| digit.is_digit(radix)) && !digits.is_empty()) {
            (_, true) => problem.hint("a number takes at most 64 bits"),
            (8, false) => problem.hint("behind a leading `0` it is octal"),
            _ => problem.hint("it has digits alone; texts stand between double quotes"),
        }
    })
}

fn address(written: &str, span: &Range<usize>) -> Result<IpAddr, ExprProblem> {
    written.parse().map_err(|_| {
        ExprProblem::new(span.clone(), format!("`{written}` is no address")).hint("write `192.0.2.1` or `2001:db8::1`")
    })
}

/// An address that stands alone.
fn single_address(written: &str, span: &Range<usize>) -> Result<IpAddr, ExprProblem> {
    match written.contains('/') || written.contains("..") {
        true => Err(ExprProblem::new(span.clone(), "one address is expected, not a network or a range")
            .hint(format!("write `in {{{written}}}`"))),
        false => address(written, span),
    }
}

/// How a literal of a type is written.
fn example(of: Type) -> &'static str {
    match of {
        Type::Bool => "write `true` or `false`",
        Type::Int => "write digits, as in `443`",
        Type::Bytes => "write a text between double quotes",
        Type::Ip => "write an address, as in `192.0.2.1`",
        Type::Float | Type::Array(_) | Type::Map(_) => "it cannot be written out",
    }
}

/// What a set of a type is made of.
fn sample(of: Type) -> &'static str {
    match of {
        Type::Int => "80 443 8000..8999",
        Type::Ip => "192.0.2.0/24 2001:db8::/32",
        Type::Bytes | Type::Bool | Type::Float | Type::Array(_) | Type::Map(_) => "\"a\" \"b\"",
    }
}

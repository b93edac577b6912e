//! An expression as text: what is read back from it is the same expression.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{Expr, ExprKind, Index, IpMember, Literal, Operator, Set};

/// How tightly what is printed holds together; what holds less needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    Or,
    Xor,
    And,
    Alone,
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(literal) => write!(f, "{literal}"),
            ExprKind::Field(field) => f.write_str(field.name()),
            ExprKind::Index { base, index } => write!(f, "{base}{index}"),
            ExprKind::Call { function, arguments } => {
                write!(f, "{}(", function.name())?;
                between(f, arguments, ", ", |f, argument| write!(f, "{argument}"))?;
                f.write_char(')')
            }
            ExprKind::Compare { left, operator, right } => {
                write!(f, "{left} {operator} ")?;
                match (operator, right) {
                    (Operator::Matches, Literal::Bytes(bytes)) => raw(f, &String::from_utf8_lossy(bytes)),
                    _ => write!(f, "{right}"),
                }
            }
            ExprKind::In { value, set } => write!(f, "{value} in {{{set}}}"),
            ExprKind::InList { value, list } => write!(f, "{value} in ${list}"),
            ExprKind::Not(of) => {
                f.write_str("not ")?;
                part(f, of, Hold::And)
            }
            ExprKind::And(parts) => between(f, parts, " and ", |f, each| part(f, each, Hold::And)),
            ExprKind::Xor(parts) => between(f, parts, " xor ", |f, each| part(f, each, Hold::Xor)),
            ExprKind::Or(parts) => between(f, parts, " or ", |f, each| part(f, each, Hold::Or)),
        }
    }
}

/// A part of something that holds its parts together like that.
fn part(f: &mut Formatter<'_>, expr: &Expr, within: Hold) -> fmt::Result {
    let hold = match expr.kind {
        ExprKind::Or(_) => Hold::Or,
        ExprKind::Xor(_) => Hold::Xor,
        ExprKind::And(_) => Hold::And,
        ExprKind::Literal(_)
        | ExprKind::Field(_)
        | ExprKind::Index { .. }
        | ExprKind::Call { .. }
        | ExprKind::Compare { .. }
        | ExprKind::In { .. }
        | ExprKind::InList { .. }
        | ExprKind::Not(_) => Hold::Alone,
    };
    match hold > within {
        true => write!(f, "{expr}"),
        false => write!(f, "({expr})"),
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Less => "lt",
            Self::LessEqual => "le",
            Self::Greater => "gt",
            Self::GreaterEqual => "ge",
            Self::Contains => "contains",
            Self::Matches => "matches",
            Self::Wildcard => "wildcard",
            Self::StrictWildcard => "strict wildcard",
            Self::BitwiseAnd => "&",
        })
    }
}

impl Display for Index {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => write!(f, "[{place}]"),
            Self::Key(key) => {
                f.write_char('[')?;
                quoted(f, key.as_bytes())?;
                f.write_char(']')
            }
            Self::Each => f.write_str("[*]"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => quoted(f, bytes),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

impl Display for Set {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(ranges) => between(f, ranges, " ", |f, range| match range.start() == range.end() {
                true => write!(f, "{}", range.start()),
                false => write!(f, "{}..{}", range.start(), range.end()),
            }),
            Self::Bytes(texts) => between(f, texts, " ", |f, text| quoted(f, text)),
            Self::Ip(members) => between(f, members, " ", |f, member| match member {
                IpMember::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                    write!(f, "{}", network.addr())
                }
                IpMember::Network(network) => write!(f, "{network}"),
                IpMember::Range(first, last) => write!(f, "{first}..{last}"),
            }),
        }
    }
}

/// Several things and what stands between them.
fn between<T>(
    f: &mut Formatter<'_>,
    parts: &[T],
    separator: &str,
    print: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        print(f, part)?;
    }
    Ok(())
}

/// A text between quotes. What is no text, or would not be seen, is escaped.
fn quoted(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                control if control.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    f.write_char('"')
}

/// A raw text, with as many `#` as it takes. Regular expressions have escapes of their own.
fn raw(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let hashes = text.split('"').skip(1).map(|after| after.len() - after.trim_start_matches('#').len() + 1).max();
    let fence = "#".repeat(hashes.unwrap_or(0));
    write!(f, "r{fence}\"{text}\"{fence}")
}

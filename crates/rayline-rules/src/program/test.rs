//! A comparison with what it is compared with made ready.

use std::collections::HashSet;
use std::net::IpAddr;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::ast::{IpMember, Literal, Operator, Set};
use crate::automaton::{Hosts, Literals};
use crate::list::{List, ListItems};
use crate::matcher::{Wildcard, regex};
use crate::radix::{Radix, networks};

type Texts = HashSet<Box<[u8]>, foldhash::fast::FixedState>;

/// A comparison that one value at a time is held to.
#[derive(Debug)]
pub(super) enum Test {
    /// Nothing satisfies it.
    Never,
    Bool(Operator, bool),
    Int(Operator, i64),
    Ip(Operator, IpAddr),
    /// An operator of order.
    Bytes(Operator, Box<[u8]>),
    Contains(Box<Finder<'static>>),
    Matches(Box<Regex>),
    Wildcard(Box<Wildcard>),
    /// Ranges in order, none touching the next.
    Ints(Box<[(i64, i64)]>),
    Texts(Texts),
    Hosts(Box<Hosts>),
    Addresses(Box<Radix>),
}

/// The number by which a test of its own knows its literals.
const ONE: u32 = 0;

impl Test {
    /// `eq "…"` and the like.
    pub(super) fn compare(operator: Operator, literal: &Literal) -> Self {
        match literal {
            Literal::Bool(value) => Self::Bool(operator, *value),
            Literal::Int(value) => Self::Int(operator, *value),
            Literal::Ip(value) => Self::Ip(operator, *value),
            Literal::Bytes(value) => match operator {
                Operator::Contains => Self::Contains(Box::new(Finder::new(value).into_owned())),
                Operator::Matches => regex(value).map_or(Self::Never, |regex| Self::Matches(Box::new(regex))),
                Operator::Wildcard => Self::wildcard(value, false),
                Operator::StrictWildcard => Self::wildcard(value, true),
                Operator::Equal
                | Operator::NotEqual
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::BitwiseAnd => Self::Bytes(operator, value.clone()),
            },
        }
    }

    fn wildcard(pattern: &[u8], strict: bool) -> Self {
        Wildcard::new(pattern, strict).map_or(Self::Never, |wildcard| Self::Wildcard(Box::new(wildcard)))
    }

    /// `in {…}`.
    pub(super) fn is_in(set: &Set) -> Self {
        match set {
            Set::Int(ranges) => Self::ints(ranges.iter().map(|range| (*range.start(), *range.end())).collect()),
            Set::Bytes(texts) => Self::Texts(texts.iter().cloned().collect()),
            Set::Ip(members) => Self::addresses(members),
        }
    }

    /// `in $list`.
    pub(super) fn is_in_list(list: &List) -> Self {
        match &list.items {
            ListItems::Ip(items) => {
                Self::Addresses(Box::new(Radix::new(items.iter().map(|network| (network.trunc(), ONE)))))
            }
            ListItems::Asn(numbers) => {
                Self::ints(numbers.iter().map(|number| (i64::from(*number), i64::from(*number))).collect())
            }
            ListItems::String(texts) => Self::Texts(texts.iter().map(|text| text.as_bytes().into()).collect()),
            ListItems::Hostname(hosts) => {
                let mut literals = Literals::default();
                hosts.iter().for_each(|host| literals.add(host.as_bytes(), ONE));
                Self::Hosts(Box::new(Hosts::new(literals)))
            }
        }
    }

    fn addresses(members: &[IpMember]) -> Self {
        let networks = members.iter().flat_map(networks).map(|network| (network, ONE));
        Self::Addresses(Box::new(Radix::new(networks)))
    }

    fn ints(mut ranges: Vec<(i64, i64)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::new();
        for (first, last) in ranges {
            match apart.last_mut().filter(|(_, end)| first <= end.saturating_add(1)) {
                Some((_, end)) => *end = last.max(*end),
                None => apart.push((first, last)),
            }
        }
        Self::Ints(apart.into())
    }

    /// Whether a truth value satisfies it.
    pub(super) fn of_bool(&self, value: bool) -> bool {
        matches!(self, Self::Bool(operator, other) if operator.holds(value.cmp(other)))
    }

    /// Whether a number does.
    pub(super) fn of_int(&self, value: i64) -> bool {
        match self {
            Self::Int(Operator::BitwiseAnd, other) => value & other != 0,
            Self::Int(operator, other) => operator.holds(value.cmp(other)),
            Self::Ints(ranges) => {
                let begun = ranges.partition_point(|(first, _)| *first <= value);
                begun.checked_sub(1).and_then(|place| ranges.get(place)).is_some_and(|(_, last)| value <= *last)
            }
            Self::Never
            | Self::Bool(..)
            | Self::Ip(..)
            | Self::Bytes(..)
            | Self::Contains(_)
            | Self::Matches(_)
            | Self::Wildcard(_)
            | Self::Texts(_)
            | Self::Hosts(_)
            | Self::Addresses(_) => false,
        }
    }

    /// Whether a number with a fraction does.
    pub(super) fn of_float(&self, value: f64) -> bool {
        matches!(self, Self::Int(operator, other) if operator.holds_for_fractions(value, *other))
    }

    /// Whether an address does.
    pub(super) fn of_ip(&self, value: IpAddr) -> bool {
        match self {
            Self::Ip(operator, other) => operator.holds_for_addresses(value, *other),
            Self::Addresses(radix) => {
                let mut found = false;
                radix.sets_of(value, |_| found = true);
                found
            }
            Self::Never
            | Self::Bool(..)
            | Self::Int(..)
            | Self::Bytes(..)
            | Self::Contains(_)
            | Self::Matches(_)
            | Self::Wildcard(_)
            | Self::Ints(_)
            | Self::Texts(_)
            | Self::Hosts(_) => false,
        }
    }

    /// Whether a text does. `lower` is for the text in lower case, where that is asked for.
    pub(super) fn of_bytes(&self, value: &[u8], lower: &mut Vec<u8>) -> bool {
        match self {
            Self::Bytes(operator, other) => operator.holds(value.cmp(other)),
            Self::Contains(finder) => finder.find(value).is_some(),
            Self::Matches(regex) => regex.is_match(value),
            Self::Wildcard(wildcard) => wildcard.is_match(value, lower),
            Self::Texts(texts) => texts.contains(value),
            Self::Hosts(hosts) => {
                lower.clear();
                lower.extend(value.iter().map(u8::to_ascii_lowercase));
                let mut found = false;
                hosts.of(lower, |_| found = true);
                found
            }
            Self::Never | Self::Bool(..) | Self::Int(..) | Self::Ip(..) | Self::Ints(_) | Self::Addresses(_) => false,
        }
    }

    /// How much it takes, roughly, to order those that must all hold.
    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Never
            | Self::Bool(..)
            | Self::Int(..)
            | Self::Ip(..)
            | Self::Bytes(..)
            | Self::Ints(_)
            | Self::Texts(_) => 1,
            Self::Addresses(_) | Self::Hosts(_) => 2,
            Self::Contains(_) => 3,
            Self::Wildcard(_) => 4,
            Self::Matches(_) => 6,
        }
    }
}

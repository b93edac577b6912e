//! From expressions to nodes: what says the same is one node, what is known beforehand is worked out, what must all hold
//! is put in order of its cost, and what an index can answer is left to that.

use std::collections::HashMap;

use crate::ast::{Expr, ExprKind, Index, Literal, Operator, Set};
use crate::automaton::Side;
use crate::eval::{Derived, Evaluator, derived, has_header_names, ignores_case, is_each, is_truths};
use crate::facts::{Each, Fact};
use crate::function::UrlDecode;
use crate::list::List;
use crate::matcher::{Replacement, Wildcard, regex};
use crate::program::index::{Indexes, Kind, Question};
use crate::program::literal::required;
use crate::program::node::{AtomId, Call, Logic, Node, NodeId, Op, Part, Prepared, Text, Val};
use crate::program::prepare::{literal, parts};
use crate::program::test::Test;
use crate::scheme::{Field, Function, Type};
use crate::value::Value;
use crate::{Facts, Lists};

/// Nodes while they are made.
#[derive(Debug)]
pub(super) struct Compiler<'l> {
    lists: &'l Lists,
    nodes: Vec<Op>,
    /// How many name a node.
    uses: Vec<u32>,
    known: HashMap<Key, NodeId>,
    texts: Vec<Box<[u8]>>,
    pub(super) indexes: Indexes,
}

/// Nodes that are made.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) nodes: Box<[Node]>,
    /// How many places in the memory they have.
    pub(super) slots: usize,
    /// Texts written out.
    pub(super) texts: Box<[Box<[u8]>]>,
    pub(super) indexes: Indexes,
}

/// What makes a node the same as another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Literal(Literal),
    Field(Field),
    Values(Field, Box<str>),
    Index(NodeId, Index, bool),
    Call(Function, NodeId, Box<[NodeId]>, bool),
    Compare(NodeId, Operator, Literal, bool),
    In(NodeId, Set, bool),
    InList(NodeId, Box<str>, bool),
    Listed(NodeId, Box<str>, bool),
    Atom(AtomId),
    Not(NodeId, bool),
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
    Xor(Box<[NodeId]>),
    Zip(Logic, Box<[NodeId]>),
}

/// A test of a value, as an expression says it.
#[derive(Clone, Copy)]
enum Said<'e> {
    Compare(Operator, &'e Literal),
    In(&'e Set),
    InList(&'e List),
    Affix(Side, &'e [u8]),
}

impl<'l> Compiler<'l> {
    pub(super) fn new(lists: &'l Lists) -> Self {
        Self {
            lists,
            nodes: Vec::new(),
            uses: Vec::new(),
            known: HashMap::new(),
            texts: Vec::new(),
            indexes: Indexes::default(),
        }
    }

    /// Gives what it made, with places in the memory for what is worth keeping.
    pub(super) fn build(self) -> Compiled {
        let mut slots = 0;
        let nodes = self.nodes.into_iter().zip(self.uses).map(|(op, uses)| {
            let keeps = match &op {
                Op::Literal(_) | Op::Fact(_) | Op::Atom(_) => false,
                Op::Extension(_)
                | Op::Entries(..)
                | Op::Map(_)
                | Op::AtKey(..)
                | Op::Index { .. }
                | Op::Call { .. } => true,
                Op::Test { .. } | Op::Not { .. } | Op::And(_) | Op::Or(_) | Op::Xor(_) | Op::Zip(..) => uses > 1,
            };
            let slot = keeps.then(|| {
                slots += 1;
                slots - 1
            });
            Node { op, slot }
        });
        let nodes = nodes.collect();
        Compiled { nodes, slots: usize::try_from(slots).unwrap_or(0), texts: self.texts.into(), indexes: self.indexes }
    }

    pub(super) fn op(&self, node: NodeId) -> Option<&Op> {
        self.nodes.get(usize::try_from(node.0).ok()?)
    }

    fn node(&mut self, key: Key, op: impl FnOnce(&mut Self) -> Op) -> NodeId {
        if let Some(known) = self.known.get(&key).copied() {
            if let Some(uses) = usize::try_from(known.0).ok().and_then(|place| self.uses.get_mut(place)) {
                *uses += 1;
            }
            return known;
        }
        let op = op(self);
        let place = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(op);
        self.uses.push(1);
        self.known.insert(key, place);
        place
    }

    fn literal(&mut self, literal: &Literal) -> NodeId {
        self.node(Key::Literal(literal.clone()), |this| {
            Op::Literal(match literal {
                Literal::Bool(value) => Val::Bool(*value),
                Literal::Int(value) => Val::Int(*value),
                Literal::Ip(value) => Val::Ip(*value),
                Literal::Bytes(text) => {
                    this.texts.push(text.clone());
                    Val::Text(Text::Const(u32::try_from(this.texts.len() - 1).unwrap_or(u32::MAX)))
                }
            })
        })
    }

    fn bool(&mut self, value: bool) -> NodeId {
        self.literal(&Literal::Bool(value))
    }

    /// An expression whose value is asked for.
    pub(super) fn value(&mut self, expr: &Expr) -> NodeId {
        if let Some(known) = self.known_beforehand(expr) {
            return self.literal(&known);
        }
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Field(field) => self.field(*field),
            ExprKind::Index { base, index } => self.index(base, index),
            ExprKind::Call { function, arguments } => self.call(*function, arguments),
            ExprKind::Compare { .. } | ExprKind::In { .. } | ExprKind::InList { .. } => {
                self.tested(expr).unwrap_or_else(|| self.bool(false))
            }
            ExprKind::Not(inner) => self.opposite(inner),
            ExprKind::And(items) => self.combined(Logic::And, items),
            ExprKind::Or(items) => self.combined(Logic::Or, items),
            ExprKind::Xor(items) => self.combined(Logic::Xor, items),
        }
    }

    /// An expression of which only whether it is true is asked.
    pub(super) fn truth(&mut self, expr: &Expr) -> NodeId {
        if let ExprKind::Call { function, arguments } = &expr.kind {
            let said = match (function, arguments.as_slice()) {
                (Function::Any, [inner]) => said(inner, self.lists).filter(|(value, _)| is_each(value)),
                _ => said(expr, self.lists).filter(|(value, _)| !is_each(value)),
            };
            if let Some((value, said)) = said {
                let any = *function == Function::Any;
                let value = self.value(value);
                if let Some(asked) = self.asked(value, any, said) {
                    return asked;
                }
                if any {
                    let whole = self.value(expr);
                    return self.guarded(value, any, said, whole);
                }
            }
        }
        self.value(expr)
    }

    /// Leaves a test to an index, if one can answer it.
    fn asked(&mut self, value: NodeId, any: bool, said: Said<'_>) -> Option<NodeId> {
        // a list may be long: its items are looked at once
        let listed = match said {
            Said::InList(list) => Some(Key::Listed(value, list.name.clone(), any)),
            Said::Compare(..) | Said::In(_) | Said::Affix(..) => None,
        };
        if let Some(known) = listed.as_ref().and_then(|key| self.known.get(key)) {
            return Some(*known);
        }
        let atom = self.indexes.add(value, any, question(said)?);
        let node = self.atom(atom);
        if let Some(key) = listed {
            self.known.insert(key, node);
        }
        Some(node)
    }

    fn atom(&mut self, atom: AtomId) -> NodeId {
        self.node(Key::Atom(atom), |_| Op::Atom(atom))
    }

    /// What an expression without fields is worth.
    fn known_beforehand(&self, expr: &Expr) -> Option<Literal> {
        fn has_field(expr: &Expr) -> bool {
            matches!(expr.kind, ExprKind::Field(_)) || parts(expr).iter().any(has_field)
        }
        if matches!(expr.kind, ExprKind::Literal(_)) || has_field(expr) {
            return None;
        }
        match Evaluator::new(&NoFacts, self.lists).value(expr) {
            Value::Bool(value) => Some(Literal::Bool(value)),
            Value::Int(value) => Some(Literal::Int(value)),
            Value::Ip(value) => Some(Literal::Ip(value)),
            Value::Bytes(text) => Some(Literal::Bytes(text.into_owned().into())),
            Value::Missing | Value::Float(_) | Value::Array(_) | Value::Map(_) => None,
        }
    }

    fn field(&mut self, field: Field) -> NodeId {
        self.node(Key::Field(field), |_| match derived(field) {
            Some(Derived::Extension(path)) => Op::Extension(path),
            Some(Derived::Names(map)) => {
                Op::Entries(map, if has_header_names(map) { Part::LowerKeys } else { Part::Keys })
            }
            Some(Derived::Values(map)) => Op::Entries(map, Part::Values),
            None => match field.of_type() {
                Type::Array(_) => Op::Entries(field, Part::Values),
                Type::Map(_) => Op::Map(field),
                Type::Bool | Type::Int | Type::Float | Type::Bytes | Type::Ip => Op::Fact(field),
            },
        })
    }

    fn index(&mut self, base: &Expr, index: &Index) -> NodeId {
        if let (Some(field), Index::Key(key)) = (map(base), index) {
            return self.node(Key::Values(field, key.clone()), |_| Op::AtKey(field, key.as_bytes().into()));
        }
        let (each, ignores_case) = (is_each(base), ignores_case(base));
        let base = self.value(base);
        self.node(Key::Index(base, index.clone(), each), |_| Op::Index {
            base,
            index: index.clone(),
            each,
            ignores_case,
        })
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> NodeId {
        let Some((first_expr, rest_exprs)) = arguments.split_first() else { return self.bool(false) };
        let each = is_each(first_expr) && !matches!(function, Function::Any | Function::All);
        let prepared = prepared(function, first_expr, rest_exprs);
        // what is looked for among the entries of a map needs no map
        let first = match prepared {
            Prepared::Entry(..) => self.bool(false),
            _ => self.value(first_expr),
        };
        let rest: Box<[NodeId]> = rest_exprs.iter().map(|argument| self.value(argument)).collect();
        if let Prepared::Entry(field, part, text) = prepared {
            let field_node = self.field(field);
            let key = Key::Call(function, field_node, rest.clone(), each);
            let prepared = Prepared::Entry(field, part, text);
            return self.node(key, |_| Op::Call { call: Call { function, first, rest, prepared }, each });
        }
        let key = Key::Call(function, first, rest.clone(), each);
        self.node(key, |_| Op::Call { call: Call { function, first, rest, prepared }, each })
    }

    /// A comparison.
    fn tested(&mut self, expr: &Expr) -> Option<NodeId> {
        let (value_expr, said) = said(expr, self.lists)?;
        let each = is_each(value_expr);
        let value = self.value(value_expr);
        if let Some(asked) = (!each).then(|| self.asked(value, false, said)).flatten() {
            return Some(asked);
        }
        let (key, test): (Key, Box<dyn FnOnce() -> Test + '_>) = match said {
            Said::Compare(operator, literal) => (
                Key::Compare(value, operator, literal.clone(), each),
                Box::new(move || Test::compare(operator, literal)),
            ),
            Said::In(set) => (Key::In(value, set.clone(), each), Box::new(|| Test::is_in(set))),
            Said::InList(list) => (Key::InList(value, list.name.clone(), each), Box::new(|| Test::is_in_list(list))),
            // a call, which gives an array where it is not asked by an index
            Said::Affix(..) => return None,
        };
        let node = self.node(key, |_| Op::Test { value, test: test(), each });
        Some(if each { node } else { self.guarded(value, false, said, node) })
    }

    /// Puts before a pattern what an index can say more cheaply: whether a literal is there that it cannot match without.
    fn guarded(&mut self, value: NodeId, any: bool, said: Said<'_>, node: NodeId) -> NodeId {
        let Said::Compare(operator, Literal::Bytes(pattern)) = said else { return node };
        let wildcard = |strict| {
            let wildcard = Wildcard::new(pattern, strict).ok()?;
            let longest = wildcard.longest_literal();
            (longest.len() > 2).then(|| (vec![longest.to_vec()], !strict))
        };
        let needed = match operator {
            Operator::Matches => required(pattern).map(|it| (it.literals, it.ignores_case)),
            Operator::Wildcard => wildcard(false),
            Operator::StrictWildcard => wildcard(true),
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::Contains
            | Operator::BitwiseAnd => None,
        };
        let Some((literals, ignores_case)) = needed else { return node };
        let literals = literals.into_iter().map(Vec::into_boxed_slice);
        let Some(question) = Question::texts(Kind::Substring { ignores_case }, literals) else { return node };
        let atom = self.indexes.add(value, any, question);
        let atom = self.atom(atom);
        self.node(Key::And([atom, node].into()), |_| Op::And([atom, node].into()))
    }

    fn opposite(&mut self, inner: &Expr) -> NodeId {
        if is_truths(inner) {
            let inner = self.value(inner);
            return self.node(Key::Not(inner, true), |_| Op::Not { inner, each: true });
        }
        let inner = self.truth(inner);
        self.not(inner)
    }

    fn combined(&mut self, logic: Logic, items: &[Expr]) -> NodeId {
        if items.first().is_some_and(is_truths) {
            let items: Box<[NodeId]> = items.iter().map(|item| self.value(item)).collect();
            return self.node(Key::Zip(logic, items.clone()), |_| Op::Zip(logic, items));
        }
        let items: Vec<NodeId> = items.iter().map(|item| self.truth(item)).collect();
        match logic {
            Logic::And => self.all(items, true),
            Logic::Or => self.all(items, false),
            Logic::Xor => self.xor(items),
        }
    }

    fn not(&mut self, inner: NodeId) -> NodeId {
        match self.op(inner) {
            Some(Op::Literal(Val::Bool(value))) => {
                let value = !*value;
                self.bool(value)
            }
            Some(Op::Not { inner: twice, each: false }) if self.is_bool(*twice) => *twice,
            _ => self.node(Key::Not(inner, false), |_| Op::Not { inner, each: false }),
        }
    }

    /// All of them, or with `and` false one of them: those within are taken out, those known beforehand left out, the
    /// cheap ones come first.
    fn all(&mut self, items: Vec<NodeId>, and: bool) -> NodeId {
        let mut flat = Vec::new();
        for item in items {
            match self.op(item) {
                Some(Op::Literal(Val::Bool(value))) if *value == and => {}
                Some(Op::Literal(Val::Bool(value))) => {
                    let value = *value;
                    return self.bool(value);
                }
                Some(Op::And(inner)) if and => flat.extend_from_slice(inner),
                Some(Op::Or(inner)) if !and => flat.extend_from_slice(inner),
                _ => flat.push(item),
            }
        }
        let mut seen = Vec::new();
        flat.retain(|item| {
            let is_new = !seen.contains(item);
            seen.push(*item);
            is_new
        });
        flat.sort_by_key(|item| self.cost(*item));
        match flat.as_slice() {
            [] => self.bool(and),
            [one] if self.is_bool(*one) => *one,
            _ => {
                let items: Box<[NodeId]> = flat.into();
                let key = if and { Key::And(items.clone()) } else { Key::Or(items.clone()) };
                self.node(key, |_| if and { Op::And(items) } else { Op::Or(items) })
            }
        }
    }

    fn xor(&mut self, items: Vec<NodeId>) -> NodeId {
        let mut odd = false;
        let mut rest = items;
        rest.retain(|item| match self.op(*item) {
            Some(Op::Literal(Val::Bool(value))) => {
                odd ^= value;
                false
            }
            _ => true,
        });
        let items: Box<[NodeId]> = rest.into();
        let xor = self.node(Key::Xor(items.clone()), |_| Op::Xor(items));
        if odd { self.not(xor) } else { xor }
    }

    /// Whether it is worth `true` or `false`, never missing.
    fn is_bool(&self, node: NodeId) -> bool {
        self.op(node).is_some_and(|op| match op {
            Op::Literal(value) => matches!(value, Val::Bool(_)),
            Op::Test { each, .. } | Op::Not { each, .. } => !each,
            Op::Atom(_) | Op::And(_) | Op::Or(_) | Op::Xor(_) => true,
            Op::Fact(_)
            | Op::Extension(_)
            | Op::Entries(..)
            | Op::Map(_)
            | Op::AtKey(..)
            | Op::Index { .. }
            | Op::Call { .. }
            | Op::Zip(..) => false,
        })
    }

    /// How much a node takes, roughly.
    fn cost(&self, node: NodeId) -> u8 {
        let most = |items: &[NodeId]| items.iter().map(|item| self.cost(*item)).max().unwrap_or(0);
        self.op(node).map_or(0, |op| match op {
            Op::Literal(_) | Op::Fact(_) => 0,
            Op::Extension(_) | Op::Entries(..) | Op::Map(_) | Op::AtKey(..) => 2,
            Op::Index { base, .. } => self.cost(*base),
            Op::Call { call, .. } => call.cost().saturating_add(self.cost(call.first)).saturating_add(most(&call.rest)),
            Op::Test { value, test, .. } => test.cost().saturating_add(self.cost(*value)),
            Op::Atom(atom) => self.indexes.kind(*atom).map_or(0, Kind::cost),
            Op::Not { inner, .. } => self.cost(*inner),
            Op::And(items) | Op::Or(items) | Op::Xor(items) | Op::Zip(_, items) => most(items),
        })
    }
}

impl Call {
    fn cost(&self) -> u8 {
        match self.function {
            Function::IsTimedHmacValidV0 | Function::Sha256 => 20,
            Function::LookupJsonInteger | Function::LookupJsonString | Function::RegexReplace => 10,
            Function::WildcardReplace | Function::DecodeBase64 | Function::EncodeBase64 | Function::UrlDecode => 6,
            _ => 3,
        }
    }
}

/// The map that an expression is, if it is a field.
fn map(expr: &Expr) -> Option<Field> {
    match expr.kind {
        ExprKind::Field(field) => Some(field).filter(|field| matches!(field.of_type(), Type::Map(_))),
        _ => None,
    }
}

/// The value and the test of a comparison.
fn said<'e>(expr: &'e Expr, lists: &'e Lists) -> Option<(&'e Expr, Said<'e>)> {
    match &expr.kind {
        ExprKind::Compare { left, operator, right } => Some((left, Said::Compare(*operator, right))),
        ExprKind::In { value, set } => Some((value, Said::In(set))),
        ExprKind::InList { value, list } => Some((value, Said::InList(lists.get(list)?))),
        ExprKind::Call { function, arguments } => {
            let side = match function {
                Function::StartsWith => Side::Start,
                Function::EndsWith => Side::End,
                _ => return None,
            };
            let [value, text] = arguments.as_slice() else { return None };
            Some((value, Said::Affix(side, literal(text)?)))
        }
        _ => None,
    }
}

fn question(said: Said<'_>) -> Option<Question> {
    match said {
        Said::Compare(operator, literal) => Question::compare(operator, literal),
        Said::In(set) => Question::is_in(set),
        Said::InList(list) => Question::is_in_list(list),
        Said::Affix(side, text) => Question::texts(Kind::Affix(side), [text.into()].into_iter()),
    }
}

/// Makes ready what is written out among the arguments of a call.
fn prepared(function: Function, first: &Expr, rest: &[Expr]) -> Prepared {
    let text = |place: usize| rest.get(place).and_then(literal);
    let ready = || {
        Some(match function {
            Function::RegexReplace => {
                Prepared::Regex(Box::new(regex(text(0)?).ok()?), Replacement::new(text(1)?).ok()?)
            }
            Function::WildcardReplace => {
                let strict = match rest.get(2) {
                    None => false,
                    Some(flags) => literal(flags)?.contains(&b's'),
                };
                let wildcard = Wildcard::new(text(0)?, strict).ok()?;
                Prepared::Wildcard(Box::new(wildcard), Replacement::new(text(1)?).ok()?)
            }
            Function::UrlDecode => match rest.first() {
                None => Prepared::UrlDecode(UrlDecode::new(b"")),
                Some(options) => Prepared::UrlDecode(UrlDecode::new(literal(options)?)),
            },
            Function::HasKey => {
                let part = if ignores_case(first) { Part::LowerKeys } else { Part::Keys };
                Prepared::Entry(map(first)?, part, text(0)?.into())
            }
            Function::HasValue => Prepared::Entry(map(first)?, Part::Values, text(0)?.into()),
            _ => return None,
        })
    };
    ready().unwrap_or(Prepared::Nothing)
}

/// A request of which nothing is known.
struct NoFacts;

impl Facts for NoFacts {
    fn fact(&self, _: Field) -> Fact<'_> {
        Fact::Nothing
    }

    fn entries(&self, _: Field, _: &mut Each<'_>) {}
}

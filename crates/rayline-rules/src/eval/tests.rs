//! The meaning of what is missing, of `[*]` and of lists, in rows from the documentation ("Values", "Operators",
//! "Lists").

use crate::ast::{Expr, ExprKind, Index, Literal, Operator, Set};
use crate::eval::Evaluator;
use crate::program::{Memory, ProgramBuilder};
use crate::sample::{Known, Request};
use crate::scheme::{Field, Function};
use crate::{List, ListItems, Lists};

fn expr(kind: ExprKind) -> Expr {
    Expr { span: 0..0, kind }
}

fn header(name: &str) -> Expr {
    expr(ExprKind::Index { base: Box::new(expr(ExprKind::Field(Field::Headers))), index: Index::Key(name.into()) })
}

fn argument(name: &str) -> Expr {
    expr(ExprKind::Index { base: Box::new(expr(ExprKind::Field(Field::UriArgs))), index: Index::Key(name.into()) })
}

fn at(base: Expr, index: Index) -> Expr {
    expr(ExprKind::Index { base: Box::new(base), index })
}

fn compare(left: Expr, operator: Operator, right: Literal) -> Expr {
    expr(ExprKind::Compare { left: Box::new(left), operator, right })
}

fn text(text: &str) -> Literal {
    Literal::Bytes(text.as_bytes().into())
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    expr(ExprKind::Call { function, arguments })
}

fn not(inner: Expr) -> Expr {
    expr(ExprKind::Not(Box::new(inner)))
}

fn lists() -> Lists {
    let mut lists = Lists::default();
    let hosts = ["example.com", "*.example.org"].map(Into::into).to_vec();
    lists.insert(List { name: "hosts".into(), items: ListItems::Hostname(hosts) });
    let office = ["192.0.2.0/24", "2001:db8::/32"].map(|it| it.parse().unwrap()).to_vec();
    lists.insert(List { name: "office".into(), items: ListItems::Ip(office) });
    lists
}

fn request() -> Request {
    Request::default()
        .text(Field::HttpHost, "WWW.example.org")
        .text(Field::UriPath, "/articles/Index.HTML")
        .ip("192.0.2.9")
        .with(Field::TimestampSec, Known::Int(6))
        .entry(Field::Headers, "Accept", "application/json")
        .entry(Field::Headers, "X-Two", "one")
        .entry(Field::Headers, "x-two", "two")
        .entry(Field::UriArgs, "filter", "waf")
        .entry(Field::UriArgs, "filter", "botm")
        .entry(Field::UriArgs, "filter", "cdn")
}

/// What the plain evaluator and a program both say.
fn holds(condition: &Expr) -> bool {
    let (lists, request) = (lists(), request());
    let plain = Evaluator::new(&request, &lists).is_true(condition);
    let mut builder = ProgramBuilder::new(&lists);
    let place = builder.condition_of(condition).unwrap();
    let (program, mut memory) = (builder.build(), Memory::default());
    assert_eq!(program.begin(&request, &mut memory).is_true(place), plain);
    plain
}

#[test]
fn nothing_holds_of_a_missing_value() {
    let missing = || at(header("x-missing"), Index::Place(0));
    for operator in [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::GreaterEqual, Operator::Contains] {
        assert!(!holds(&compare(missing(), operator, text(""))), "{operator:?}");
        assert!(holds(&not(compare(missing(), operator, text("")))), "{operator:?}");
    }
    let len = |argument: Expr| call(Function::Len, vec![argument]);
    let at_least_none = |value| compare(value, Operator::GreaterEqual, Literal::Int(0));
    assert!(holds(&at_least_none(len(argument("filter")))));
    assert!(!holds(&at_least_none(len(argument("order")))));
    assert!(!holds(&compare(at(argument("filter"), Index::Place(3)), Operator::NotEqual, text("waf"))));
}

#[test]
fn each_value_is_compared() {
    let each = |base| at(base, Index::Each);
    let accept = |value: &str| compare(each(header("accept")), Operator::Equal, text(value));
    assert!(holds(&call(Function::Any, vec![accept("application/json")])));
    assert!(!holds(&call(Function::Any, vec![accept("text/plain")])));
    let lens = || each(call(Function::Len, vec![each(argument("filter"))]));
    let in_set = |value| expr(ExprKind::In { value: Box::new(value), set: Set::Int(vec![3..=3, 4..=4]) });
    assert!(holds(&call(Function::All, vec![in_set(lens())])));
    assert!(!holds(&call(Function::All, vec![not(in_set(lens()))])));
    // of no value at all, everything holds, and nothing of any
    let none = || compare(each(header("x-missing")), Operator::Equal, text("x"));
    assert!(holds(&call(Function::All, vec![none()])));
    assert!(!holds(&call(Function::Any, vec![none()])));
}

#[test]
fn names_of_header_fields_are_the_same_in_any_case() {
    for name in ["x-two", "X-TWO"] {
        assert!(holds(&compare(at(header(name), Index::Place(1)), Operator::Equal, text("two"))), "{name}");
        let has =
            call(Function::HasKey, vec![expr(ExprKind::Field(Field::Headers)), expr(ExprKind::Literal(text(name)))]);
        assert!(holds(&has), "{name}");
    }
    assert!(!holds(&compare(at(argument("Filter"), Index::Place(0)), Operator::Equal, text("waf"))));
    let names = || at(expr(ExprKind::Field(Field::HeadersNames)), Index::Place(1));
    assert!(holds(&compare(names(), Operator::Equal, text("x-two"))));
}

#[test]
fn texts_mind_their_case_and_wildcards_do_not() {
    let path = || expr(ExprKind::Field(Field::UriPath));
    let rows = [
        (Operator::Contains, "/articles/", true),
        (Operator::Contains, "/Articles/", false),
        (Operator::Matches, "^/articles/", true),
        (Operator::Matches, "index", false),
        (Operator::Matches, "(?i)index", true),
        (Operator::Wildcard, "/articles/*.html", true),
        (Operator::Wildcard, "/articles/*.htm", false),
        (Operator::StrictWildcard, "/articles/*.html", false),
        (Operator::StrictWildcard, "/articles/*.HTML", true),
        (Operator::Less, "/b", true),
    ];
    for (operator, right, expected) in rows {
        assert_eq!(holds(&compare(path(), operator, text(right))), expected, "{operator:?} {right}");
    }
    let extension = expr(ExprKind::Field(Field::UriPathExtension));
    assert!(holds(&compare(extension, Operator::Equal, text("html"))));
}

#[test]
fn lists_hold_networks_and_hosts_below_a_name() {
    let listed =
        |field, list: &str| expr(ExprKind::InList { value: Box::new(expr(ExprKind::Field(field))), list: list.into() });
    assert!(holds(&listed(Field::HttpHost, "hosts")));
    assert!(holds(&listed(Field::IpSrc, "office")));
    assert!(!holds(&listed(Field::UriPath, "hosts")));
}

#[test]
fn numbers_have_bits() {
    let now = || expr(ExprKind::Field(Field::TimestampSec));
    assert!(holds(&compare(now(), Operator::BitwiseAnd, Literal::Int(0b100))));
    assert!(!holds(&compare(now(), Operator::BitwiseAnd, Literal::Int(0b1001))));
}

//! Programs are worth what their expressions are, whatever those say and whatever the request is.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::ast::{ExprKind, Index, IpMember, Literal, Operator, Set};
use crate::eval::Evaluator;
use crate::sample::{Known, Request};
use crate::scheme::{Field, Function};
use crate::value::Value;
use crate::{List, ListItems};

fn expr(kind: ExprKind) -> Expr {
    Expr { span: 0..0, kind }
}

fn field(field: Field) -> Expr {
    expr(ExprKind::Field(field))
}

fn index(base: Expr, index: Index) -> Expr {
    expr(ExprKind::Index { base: Box::new(base), index })
}

fn each(base: Expr) -> Expr {
    index(base, Index::Each)
}

fn text(text: &str) -> Literal {
    Literal::Bytes(text.as_bytes().into())
}

fn literal(literal: Literal) -> Expr {
    expr(ExprKind::Literal(literal))
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    expr(ExprKind::Call { function, arguments })
}

fn lists() -> Lists {
    let mut lists = Lists::default();
    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).into()).collect();
    let all = [
        (
            "ips",
            ListItems::Ip(vec![
                "10.0.0.0/8".parse().unwrap(),
                "10.1.0.0/16".parse().unwrap(),
                "fe80::/10".parse().unwrap(),
            ]),
        ),
        ("hosts", ListItems::Hostname(texts(&["a.b", "*.b", "*.a.b"]))),
        ("asns", ListItems::Asn(vec![1, 2, 65_000])),
        ("texts", ListItems::String(texts(&["a", "ab", "b.a"]))),
    ];
    for (name, items) in all {
        lists.insert(List { name: name.into(), items });
    }
    lists
}

/// Short texts of few letters, so that they meet.
fn letters() -> impl Strategy<Value = String> {
    "[abAB./%*&=+-]{0,6}"
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        letters().prop_map(|it| regex_syntax::escape(&it)),
        Just("^a".to_owned()),
        Just("(?i)ab+".to_owned()),
        Just("(ab|ba)".to_owned()),
        Just("a.b$".to_owned()),
        Just("[ab]{2,3}".to_owned()),
    ]
}

fn wildcard() -> impl Strategy<Value = String> {
    prop_oneof![Just("*a*b"), Just("ab*"), Just("*.a"), Just("A*B*a"), Just(r"\*a*"), Just("ab"), Just("*bab*")]
        .prop_map(str::to_owned)
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u8..3, 0u8..3).prop_map(|(b, d)| IpAddr::from([10, b, 0, d])),
        (0u16..3).prop_map(|last| IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, last])),
    ]
}

fn ints() -> impl Strategy<Value = i64> {
    -2i64..6
}

/// A text-valued expression.
fn texts() -> impl Strategy<Value = Expr> {
    let map = prop_oneof![Just(Field::Headers), Just(Field::UriArgs)];
    let leaf = prop_oneof![
        4 => prop_oneof![Just(Field::HttpHost), Just(Field::UriPath), Just(Field::HttpUserAgent)].prop_map(field),
        1 => Just(field(Field::UriPathExtension)),
        1 => letters().prop_map(|it| literal(text(&it))),
        2 => (map, "[aAb]", 0u32..3).prop_map(|(map, key, place)| {
            index(index(field(map), Index::Key(key.into())), Index::Place(place))
        }),
        1 => (0u32..3).prop_map(|place| index(field(Field::HeadersNames), Index::Place(place))),
        1 => Just(call(Function::ToString, vec![field(Field::IpSrc)])),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| call(Function::Lower, vec![it])),
            inner.clone().prop_map(|it| call(Function::Upper, vec![it])),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| call(Function::Concat, vec![left, right])),
            (inner.clone(), prop_oneof![Just(""), Just("r"), Just("ur")])
                .prop_map(|(it, options)| call(Function::UrlDecode, vec![it, literal(text(options))])),
            (inner.clone(), ints(), ints()).prop_map(|(it, start, end)| {
                call(Function::Substring, vec![it, literal(Literal::Int(start)), literal(Literal::Int(end))])
            }),
            (inner.clone(), letters())
                .prop_map(|(it, bytes)| call(Function::RemoveBytes, vec![it, literal(text(&bytes))])),
            (inner.clone(), wildcard()).prop_map(|(it, pattern)| {
                call(Function::WildcardReplace, vec![it, literal(text(&pattern)), literal(text("<${1}|$2>"))])
            }),
            (inner.clone(), pattern()).prop_map(|(it, pattern)| {
                call(Function::RegexReplace, vec![it, literal(text(&pattern)), literal(text("<${0}>"))])
            }),
            (inner.clone(), letters())
                .prop_map(|(it, name)| call(Function::RemoveQueryArgs, vec![it, literal(text(&name))])),
            (inner, 1i64..4).prop_map(|(it, limit)| {
                let pieces = call(Function::Split, vec![it, literal(text(".")), literal(Literal::Int(limit))]);
                call(Function::Join, vec![pieces, literal(text("-"))])
            }),
        ]
    })
}

/// An array of texts.
fn arrays() -> impl Strategy<Value = Expr> {
    prop_oneof![
        Just(field(Field::HeadersNames)),
        Just(field(Field::UriArgsValues)),
        "[aAb]".prop_map(|key| index(field(Field::Headers), Index::Key(key.into()))),
        Just(index(each(field(Field::Headers)), Index::Each)),
        Just(index(each(field(Field::UriArgs)), Index::Place(0))),
        "[aAb]".prop_map(|key| call(Function::Lower, vec![each(index(field(Field::UriArgs), Index::Key(key.into())))])),
        texts().prop_map(|it| call(Function::Split, vec![it, literal(text("a")), literal(Literal::Int(3))])),
        Just(call(Function::Concat, vec![field(Field::HeadersValues), field(Field::UriArgsNames)])),
    ]
}

/// A comparison of a text, or of each of an array's.
fn compared(value: Expr) -> impl Strategy<Value = Expr> {
    let order = prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::Less),
        Just(Operator::GreaterEqual),
        Just(Operator::Contains),
    ];
    let comparison = prop_oneof![
        4 => (order, letters()),
        2 => (Just(Operator::Matches), pattern()),
        1 => (Just(Operator::Wildcard), wildcard()),
        1 => (Just(Operator::StrictWildcard), wildcard()),
    ];
    let left = Box::new(value);
    prop_oneof![
        4 => comparison.prop_map({
            let left = left.clone();
            move |(operator, right)| ExprKind::Compare { left: left.clone(), operator, right: text(&right) }
        }),
        1 => prop::collection::vec(letters(), 0..4).prop_map({
            let value = left.clone();
            move |members| {
                let set = Set::Bytes(members.iter().map(|it| it.as_bytes().into()).collect());
                ExprKind::In { value: value.clone(), set }
            }
        }),
        1 => prop_oneof![Just("hosts"), Just("texts")].prop_map({
            let value = left.clone();
            move |list| ExprKind::InList { value: value.clone(), list: list.into() }
        }),
        1 => (letters(), any::<bool>()).prop_map(move |(other, start)| ExprKind::Call {
            function: if start { Function::StartsWith } else { Function::EndsWith },
            arguments: vec![*left.clone(), literal(text(&other))],
        }),
    ]
    .prop_map(expr)
}

fn numbers() -> impl Strategy<Value = Expr> {
    let value = prop_oneof![
        Just(field(Field::TimestampSec)),
        texts().prop_map(|it| call(Function::Len, vec![it])),
        arrays().prop_map(|it| call(Function::Len, vec![it])),
        Just(call(Function::Len, vec![field(Field::UriArgs)])),
    ];
    let order = prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::LessEqual),
        Just(Operator::Greater),
        Just(Operator::BitwiseAnd),
    ];
    (value, order, ints(), any::<bool>()).prop_map(|(value, operator, int, set)| {
        let value = Box::new(value);
        expr(if set {
            ExprKind::In { value, set: Set::Int(vec![int..=int + 1, 3..=3, 2..=int]) }
        } else {
            ExprKind::Compare { left: value, operator, right: Literal::Int(int) }
        })
    })
}

fn addresses() -> impl Strategy<Value = Expr> {
    let value = prop_oneof![
        Just(field(Field::IpSrc)),
        (0i64..33).prop_map(|bits| {
            call(Function::Cidr, vec![field(Field::IpSrc), literal(Literal::Int(bits)), literal(Literal::Int(64))])
        }),
    ];
    let test = prop_oneof![
        (address(), any::<bool>())
            .prop_map(|(it, equal)| { Err(Some((if equal { Operator::Equal } else { Operator::NotEqual }, it))) }),
        prop::collection::vec((address(), address(), 0u8..=32), 0..3).prop_map(|members| {
            let member = |(first, last, len): (IpAddr, IpAddr, u8)| match len % 2 {
                0 => IpMember::Network(ipnet::IpNet::new(first, len).unwrap()),
                _ => IpMember::Range(first, last),
            };
            Ok(members.into_iter().map(member).collect::<Vec<_>>())
        }),
        Just(Err(None)),
    ];
    (value, test).prop_map(|(value, test)| {
        let value = Box::new(value);
        expr(match test {
            Ok(members) => ExprKind::In { value, set: Set::Ip(members) },
            Err(Some((operator, address))) => ExprKind::Compare { left: value, operator, right: Literal::Ip(address) },
            Err(None) => ExprKind::InList { value, list: "ips".into() },
        })
    })
}

/// An array of truth values.
fn truths() -> impl Strategy<Value = Expr> {
    let leaf = arrays().prop_flat_map(|it| compared(each(it)));
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| expr(ExprKind::Not(Box::new(it)))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| expr(ExprKind::And(vec![left, right]))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| expr(ExprKind::Or(vec![left, right]))),
            (inner.clone(), inner).prop_map(|(left, right)| expr(ExprKind::Xor(vec![left, right]))),
        ]
    })
}

/// A condition.
fn conditions() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        6 => texts().prop_flat_map(compared),
        2 => numbers(),
        2 => addresses(),
        1 => Just(field(Field::Ssl)),
        1 => any::<bool>().prop_map(|it| literal(Literal::Bool(it))),
        3 => (truths(), any::<bool>()).prop_map(|(it, any)| {
            call(if any { Function::Any } else { Function::All }, vec![it])
        }),
        1 => ("[aAbB]", any::<bool>()).prop_map(|(key, headers)| {
            call(Function::HasKey, vec![field(if headers { Field::Headers } else { Field::UriArgs }), literal(text(&key))])
        }),
        1 => (letters(), any::<bool>()).prop_map(|(it, headers)| {
            let field = field(if headers { Field::HeadersValues } else { Field::UriArgs });
            call(Function::HasValue, vec![field, literal(text(&it))])
        }),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let items = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|it| expr(ExprKind::Not(Box::new(it)))),
            items.clone().prop_map(|it| expr(ExprKind::And(it))),
            items.clone().prop_map(|it| expr(ExprKind::Or(it))),
            items.prop_map(|it| expr(ExprKind::Xor(it))),
        ]
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let entries = || prop::collection::vec(("[aAb]", letters()), 0..5);
    let texts = prop::collection::vec(prop::option::weighted(0.8, letters()), 3);
    (texts, entries(), entries(), prop::option::of(address()), any::<bool>(), ints()).prop_map(
        |(texts, headers, arguments, address, ssl, now)| {
            let bytes = |entries: Vec<(String, String)>| {
                Known::Entries(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
            };
            let fields = [Field::HttpHost, Field::UriPath, Field::HttpUserAgent];
            let mut request = Request::default()
                .with(Field::Headers, bytes(headers))
                .with(Field::UriArgs, bytes(arguments))
                .with(Field::Ssl, Known::Bool(ssl))
                .with(Field::TimestampSec, Known::Int(now));
            for (field, text) in fields.into_iter().zip(texts) {
                request = text.into_iter().fold(request, |request, text| request.text(field, text));
            }
            address.into_iter().fold(request, |request, address| request.with(Field::IpSrc, Known::Ip(address)))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_program_says_what_its_expressions_say(
        exprs in prop::collection::vec(conditions(), 1..6),
        values in prop::collection::vec(texts(), 0..3),
        requests in prop::collection::vec(requests(), 1..4),
    ) {
        let lists = lists();
        let mut builder = ProgramBuilder::new(&lists);
        let conditions: Vec<Condition> = exprs.iter().map(|it| builder.condition_of(it).unwrap()).collect();
        let dynamics: Vec<Dynamic> = values.iter().map(|it| builder.dynamic_of(it).unwrap()).collect();
        let sequence = builder.sequence(&conditions);
        let backward: Vec<Condition> = conditions.iter().rev().copied().collect();
        let backward = builder.sequence(&backward);
        let program = builder.build();
        let mut memory = Memory::default();
        for request in &requests {
            let plain = Evaluator::new(request, &lists);
            let expected: Vec<bool> = exprs.iter().map(|it| plain.is_true(it)).collect();
            let mut evaluation = program.begin(request, &mut memory);
            let mut found = Vec::new();
            let mut at = 0;
            while let Some(place) = evaluation.next_true(sequence, at) {
                found.push(place);
                at = place + 1;
            }
            let holding = expected.iter().enumerate().filter(|(_, holds)| **holds).map(|(place, _)| place);
            prop_assert_eq!(&found, &holding.collect::<Vec<_>>(), "of {:?}", &expected);
            let last = expected.iter().rev().position(|holds| *holds);
            prop_assert_eq!(evaluation.next_true(backward, 0), last);
            for (condition, expected) in conditions.iter().zip(&expected) {
                prop_assert_eq!(evaluation.is_true(*condition), *expected);
            }
            for (dynamic, expr) in dynamics.iter().zip(&values) {
                let expected = match plain.value(expr) {
                    Value::Bytes(text) => Some(text.into_owned()),
                    _ => None,
                };
                prop_assert_eq!(evaluation.text(*dynamic).map(|it| it.into_owned()), expected);
            }
        }
    }
}

/// Sizes at which anything that takes more than time in proportion would not end while somebody waits.
#[test]
fn long_requests_take_time_in_proportion() {
    let mut lists = lists();
    let below = (0..200).map(|place| format!("*.{}b", "a.".repeat(place)).into()).collect();
    lists.insert(List { name: "below".into(), items: ListItems::Hostname(below) });
    let mut request = Request::default()
        .text(Field::HttpHost, "a.".repeat(1 << 17))
        .text(Field::UriPath, format!("%{}", "25".repeat(1 << 17)))
        .text(Field::UriQuery, "a".repeat(1 << 17));
    for place in 0..100_000 {
        request = request.entry(Field::UriArgs, &format!("{}", place % 50_000), "value");
    }
    let rows = [
        ("http.host in $below", false),
        (r#"url_decode(http.request.uri.path, "r") eq "%""#, true),
        (r#"http.request.uri.query wildcard "*a*a*a*a*a*ab""#, false),
        (r#"http.request.uri.query matches "(a+)+b""#, false),
        (r#"http.request.uri.query matches "(a|a|aa)*$""#, true),
        (
            r#"http.request.uri.query contains "aaaaaaaaaaaaaaab" or http.request.uri.query contains "aaaaaaaaaab""#,
            false,
        ),
        ("len(http.request.uri.args) eq 50000", true),
        (r#"all(http.request.uri.args[*][*] eq "value")"#, true),
        (r#"any(http.request.uri.args["49999"][*] eq "value")"#, true),
    ];
    let mut builder = ProgramBuilder::new(&lists);
    let conditions = rows.map(|(text, _)| builder.condition(text, Stage::Request).unwrap());
    let (program, mut memory) = (builder.build(), Memory::default());
    let mut evaluation = program.begin(&request, &mut memory);
    for ((text, expected), condition) in rows.into_iter().zip(conditions) {
        assert_eq!(evaluation.is_true(condition), expected, "{text}");
    }
}

#[test]
fn what_is_the_same_is_worked_out_once() {
    let lists = lists();
    let mut builder = ProgramBuilder::new(&lists);
    let texts = [
        r#"lower(http.user_agent) contains "bot" and ssl"#,
        r#"ssl and true and lower(http.user_agent) contains "bot""#,
        r#"not not (ssl and lower(http.user_agent) contains "bot")"#,
    ];
    let [first, others @ ..] = texts.map(|text| builder.condition(text, Stage::Request).unwrap());
    assert_eq!(others, [first; 2]);
    assert_eq!(builder.condition("false and ssl", Stage::Request), builder.condition("not true", Stage::Request));
}

#[test]
fn a_text_is_wanted_where_a_text_is_made() {
    let lists = Lists::default();
    let mut builder = ProgramBuilder::new(&lists);
    let problem = builder.dynamic("len(http.host)", Stage::Request).unwrap_err();
    assert_eq!(problem.to_string(), "this is a number, and a text is wanted; use `to_string(…)`");
    let missing = builder.dynamic(r#"http.request.headers["x-missing"][0]"#, Stage::Request).unwrap();
    let joined = builder.dynamic(r#"concat("https://", http.host, "/")"#, Stage::Request).unwrap();
    let (program, mut memory) = (builder.build(), Memory::default());
    let request = Request::default().text(Field::HttpHost, "a.test");
    let mut evaluation = program.begin(&request, &mut memory);
    assert_eq!(evaluation.text(missing), None);
    assert_eq!(evaluation.text(joined).as_deref(), Some(&b"https://a.test/"[..]));
}

#[test]
fn what_changed_is_seen_once_the_rest_is_forgotten() {
    struct Changing(std::cell::Cell<bool>);
    impl Facts for Changing {
        fn fact(&self, _: Field) -> crate::facts::Fact<'_> {
            crate::facts::Fact::Bytes(if self.0.get() { b"/new" } else { b"/old" })
        }
        fn entries(&self, _: Field, _: &mut crate::facts::Each<'_>) {}
    }
    let lists = Lists::default();
    let mut builder = ProgramBuilder::new(&lists);
    let conditions = ["/old", "/new"]
        .map(|path| builder.condition(&format!("http.request.uri.path eq \"{path}\""), Stage::Request).unwrap());
    let sequence = builder.sequence(&conditions);
    let (program, mut memory, request) = (builder.build(), Memory::default(), Changing(false.into()));
    let mut evaluation = program.begin(&request, &mut memory);
    assert_eq!(evaluation.next_true(sequence, 0), Some(0));
    request.0.set(true);
    evaluation.forget();
    assert_eq!(evaluation.next_true(sequence, 1), Some(1));
    assert_eq!(evaluation.next_true(sequence, 2), None);
}

#[test]
fn of_many_conditions_those_that_hold_are_found_in_order() {
    let lists = Lists::default();
    let mut builder = ProgramBuilder::new(&lists);
    // every 50th is one that no index answers
    let condition = |n: usize| match n % 50 {
        0 => format!("len(http.request.uri.path) eq {}", n / 50),
        _ => format!("http.request.uri.path in {{\"/{n}\" \"/{}\"}}", n + 100),
    };
    let conditions: Vec<_> = (0..300).map(|n| builder.condition(&condition(n), Stage::Request).unwrap()).collect();
    let (whole, none) = (builder.sequence(&conditions), builder.sequence(&[]));
    let (program, mut memory) = (builder.build(), Memory::default());
    for (path, expected) in [("/170", &[70, 170, 200][..]), ("/7", &[7, 100]), ("/399", &[200, 299]), ("/", &[50])] {
        let request = Request::default().text(Field::UriPath, path);
        let mut evaluation = program.begin(&request, &mut memory);
        let mut at = 0;
        let found = std::iter::from_fn(|| {
            let place = evaluation.next_true(whole, at)?;
            at = place + 1;
            Some(place)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{path}");
        assert_eq!(evaluation.next_true(whole, usize::MAX), None);
        assert_eq!(evaluation.next_true(none, 0), None);
    }
}

#[test]
fn a_program_says_what_it_needs() {
    let lists = Lists::default();
    let rows = [
        ("ssl", Stage::Request, Needs::default()),
        (r#"any(http.request.body.form.names[*] eq "a")"#, Stage::Body, Needs { body: true, response: false }),
        ("http.response.code eq 500", Stage::Response, Needs { body: false, response: true }),
    ];
    for (text, stage, needs) in rows {
        let mut builder = ProgramBuilder::new(&lists);
        builder.condition(text, stage).unwrap();
        assert_eq!(builder.build().needs(), needs, "{text}");
    }
}

//! What holds of every expression and of every text: printing and reading are each other's inverse, a problem has a place
//! within the text, and nothing panics.

use ipnet::IpNet;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as Any, select};
use rayline_rules::ast::{Expr, ExprKind, Index, IpMember, Literal, Operator, Set};
use rayline_rules::scheme::Function;
use rayline_rules::{ExprProblem, Field, Stage, Type, parse, parse_value};

use crate::expressions::lists;

fn expr(kind: ExprKind) -> Expr {
    Expr { span: 0..0, kind }
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    expr(ExprKind::Call { function, arguments })
}

fn index(base: Expr, index: Index) -> Expr {
    expr(ExprKind::Index { base: Box::new(base), index })
}

/// A field of a type that is known at every stage.
fn field(of: Type) -> impl Strategy<Value = Expr> {
    let fields: Vec<Field> =
        Field::ALL.iter().copied().filter(|field| field.of_type() == of && field.stage() == Stage::Request).collect();
    select(fields).prop_map(|field| expr(ExprKind::Field(field)))
}

fn bytes() -> impl Strategy<Value = Box<[u8]>> {
    prop_oneof![
        vec(any::<u8>(), 0..12),
        "\\PC{0,8}".prop_map(String::into_bytes),
        r##"["\\#ra-c$]{0,8}"##.prop_map(String::into_bytes)
    ]
    .prop_map(Vec::into_boxed_slice)
}

fn key() -> impl Strategy<Value = Index> {
    prop_oneof!["[a-z-]{1,12}", r#"[\x00-\x1f"\\é]{0,4}"#].prop_map(|key| Index::Key(key.into()))
}

fn literal_text() -> impl Strategy<Value = Expr> {
    bytes().prop_map(|bytes| expr(ExprKind::Literal(Literal::Bytes(bytes))))
}

fn map() -> impl Strategy<Value = Expr> {
    field(Type::Map(&Type::Array(&Type::Bytes)))
}

fn texts() -> impl Strategy<Value = Expr> {
    prop_oneof![
        field(Type::Array(&Type::Bytes)),
        (map(), key()).prop_map(|(map, key)| index(map, key)),
        text().prop_map(|text| {
            let argument = |literal| expr(ExprKind::Literal(literal));
            call(
                Function::Split,
                vec![text, argument(Literal::Bytes(b",".as_slice().into())), argument(Literal::Int(9))],
            )
        }),
    ]
}

fn text() -> BoxedStrategy<Expr> {
    let plain = prop_oneof![
        field(Type::Bytes),
        (map(), key(), any::<u32>()).prop_map(|(map, key, place)| index(index(map, key), Index::Place(place))),
    ];
    plain
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|text| call(Function::Lower, vec![text])),
                vec(prop_oneof![inner.clone(), literal_text()], 1..4).prop_map(|texts| call(Function::Concat, texts)),
                (inner, any::<i64>()).prop_map(|(text, start)| {
                    call(Function::Substring, vec![text, expr(ExprKind::Literal(Literal::Int(start)))])
                }),
            ]
        })
        .boxed()
}

fn number() -> impl Strategy<Value = Expr> {
    prop_oneof![field(Type::Int), text().prop_map(|text| call(Function::Len, vec![text]))]
}

fn regex() -> impl Strategy<Value = Box<[u8]>> {
    let is_one = |text: &String| regex::bytes::RegexBuilder::new(text).unicode(false).build().is_ok();
    prop_oneof!["[a-c.\"#é/]{0,9}", r##"\[[a-c"#]{1,4}\]"##, r##"(\\d|\\"|"#|\\\\){1,5}"##]
        .prop_filter("a regular expression", is_one)
        .prop_map(|text| text.into_bytes().into())
}

fn comparison_of_text(left: impl Strategy<Value = Expr>) -> impl Strategy<Value = Expr> {
    let plain = select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessEqual,
        Operator::Greater,
        Operator::GreaterEqual,
        Operator::Contains,
    ]);
    let wildcard = r"([a-c]\*|\\\\\*|[a-c.]){0,6}".prop_map(|text| text.into_bytes().into_boxed_slice());
    let right = prop_oneof![
        (plain, bytes()),
        (Just(Operator::Matches), regex()),
        (select(vec![Operator::Wildcard, Operator::StrictWildcard]), wildcard),
    ];
    (left, right).prop_map(|(left, (operator, right))| {
        expr(ExprKind::Compare { left: Box::new(left), operator, right: Literal::Bytes(right) })
    })
}

fn members() -> impl Strategy<Value = IpMember> {
    let network = prop_oneof![
        (any::<[u8; 4]>(), 0..=32_u8).prop_map(|(address, prefix)| (address.into(), prefix)),
        (any::<[u8; 16]>(), 0..=128_u8).prop_map(|(address, prefix)| (address.into(), prefix)),
    ]
    .prop_map(|(address, prefix)| IpMember::Network(IpNet::new_assert(address, prefix).trunc()));
    let range = prop_oneof![
        any::<[[u8; 4]; 2]>().prop_map(|ends| ends.map(std::net::IpAddr::from)),
        any::<[[u8; 16]; 2]>().prop_map(|ends| ends.map(std::net::IpAddr::from)),
    ]
    .prop_map(|[one, other]| IpMember::Range(one.min(other), one.max(other)));
    prop_oneof![network, range]
}

/// A comparison, or what else is true or false and has no parts that are.
fn leaf() -> impl Strategy<Value = Expr> {
    let of_number = (number(), any::<i64>(), any::<Any>()).prop_map(|(left, right, which)| {
        let operators =
            [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::GreaterEqual, Operator::BitwiseAnd];
        let right = Literal::Int(right);
        expr(ExprKind::Compare { left: Box::new(left), operator: *which.get(&operators), right })
    });
    let of_address = (field(Type::Ip), any::<std::net::IpAddr>()).prop_map(|(left, right)| {
        expr(ExprKind::Compare { left: Box::new(left), operator: Operator::NotEqual, right: Literal::Ip(right) })
    });
    let truth = (field(Type::Bool), any::<bool>(), any::<bool>()).prop_map(|(field, compared, right)| match compared {
        true => {
            let right = Literal::Bool(right);
            expr(ExprKind::Compare { left: Box::new(field), operator: Operator::Equal, right })
        }
        false => field,
    });
    let numbers = (number(), vec(any::<(i64, i64)>(), 1..4)).prop_map(|(value, ends)| {
        let ranges = ends.into_iter().map(|(one, other)| one.min(other)..=one.max(other));
        expr(ExprKind::In { value: Box::new(value), set: Set::Int(ranges.collect()) })
    });
    let addresses = (field(Type::Ip), vec(members(), 1..5))
        .prop_map(|(value, members)| expr(ExprKind::In { value: Box::new(value), set: Set::Ip(members) }));
    let of_texts = (text(), vec(bytes(), 1..4))
        .prop_map(|(value, members)| expr(ExprKind::In { value: Box::new(value), set: Set::Bytes(members) }));
    let in_list = prop_oneof![(text(), select(vec!["shops", "paths"])), (field(Type::Ip), Just("office"))]
        .prop_map(|(value, list)| expr(ExprKind::InList { value: Box::new(value), list: list.into() }));
    let calls = prop_oneof![
        (text(), literal_text()).prop_map(|(text, literal)| call(Function::StartsWith, vec![text, literal])),
        (map(), literal_text()).prop_map(|(map, key)| call(Function::HasKey, vec![map, key])),
        (of_each(), any::<bool>())
            .prop_map(|(each, all)| call(if all { Function::All } else { Function::Any }, vec![each])),
        any::<bool>().prop_map(|truth| expr(ExprKind::Literal(Literal::Bool(truth)))),
    ];
    prop_oneof![comparison_of_text(text()), of_number, of_address, truth, numbers, addresses, of_texts, in_list, calls]
}

/// What is true or false of each element.
fn of_each() -> impl Strategy<Value = Expr> {
    let each = texts().prop_map(|texts| index(texts, Index::Each));
    let mapped = each.prop_flat_map(|each| {
        prop_oneof![Just(each.clone()), Just(index(call(Function::Lower, vec![each]), Index::Each))]
    });
    combined(comparison_of_text(mapped))
}

/// Conditions joined by every operator.
fn combined(leaf: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = Expr> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| expr(ExprKind::Not(Box::new(inner)))),
            (vec(inner, 2..4), select(vec![ExprKind::And as fn(_) -> _, ExprKind::Xor, ExprKind::Or]))
                .prop_map(|(parts, combine)| expr(combine(parts))),
        ]
    })
}

/// A problem's place lies within the text, between characters, and it says something.
fn check(text: &str, problem: &ExprProblem) {
    assert!(text.get(problem.span.clone()).is_some(), "{text:?}: {problem:?}");
    assert!(!problem.message.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
}

/// Parts of the language, for texts that are nearly expressions.
fn soup() -> impl Strategy<Value = String> {
    let parts = vec![
        "http.host",
        "ssl",
        "ip.src",
        "cf.edge.server_port",
        "http.request.headers",
        "[\"x\"]",
        "[*]",
        "[0]",
        "[",
        "]",
        "eq",
        "!=",
        "in",
        "contains",
        "matches",
        "~",
        "wildcard",
        "strict",
        "&",
        "and",
        "||",
        "xor",
        "not",
        "!",
        "(",
        ")",
        "{",
        "}",
        "$office",
        "$",
        "any(",
        "len(",
        "lower(",
        "concat(",
        "split(",
        ",",
        "\"a\"",
        "\"",
        "\\",
        "r#\"",
        "\"#",
        "443",
        "0x1f",
        "..",
        "-1",
        "192.0.2.1",
        "192.0.2.0/24",
        "2001:db8::1",
        "61:62",
        "true",
        " ",
        "\n",
        "é",
        "\u{0}",
    ];
    vec((select(parts), prop_oneof![Just(" "), Just("")]), 0..24)
        .prop_map(|parts| parts.into_iter().flat_map(|(part, space)| [part, space]).collect())
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(expr in combined(leaf())) {
        let printed = expr.to_string();
        let read = parse(&printed, Stage::Body, &lists());
        prop_assert_eq!(read.as_ref(), Ok(&expr), "{}", printed);
        prop_assert_eq!(read.map(|read| read.to_string()), Ok(printed));
    }

    #[test]
    fn a_value_that_is_printed_reads_the_same(expr in prop_oneof![text(), number(), texts(), map(), literal_text()]) {
        let printed = expr.to_string();
        prop_assert_eq!(parse_value(&printed, Stage::Body, &lists()).map(|(read, _)| read), Ok(expr), "{}", printed);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), "[ -~]{0,80}", soup()]) {
        let lists = lists();
        match parse(&text, Stage::Response, &lists) {
            Ok(expr) => prop_assert_eq!(parse(&expr.to_string(), Stage::Response, &lists), Ok(expr)),
            Err(problem) => check(&text, &problem),
        }
        match parse_value(&text, Stage::Request, &lists) {
            Ok((expr, of)) => prop_assert_eq!(parse_value(&expr.to_string(), Stage::Request, &lists), Ok((expr, of))),
            Err(problem) => check(&text, &problem),
        }
    }

    #[test]
    fn no_expression_that_is_cut_or_changed_makes_it_panic(
        row in any::<Any>(), at in any::<Any>(), other in any::<char>(), cut in any::<bool>(),
    ) {
        let rows: Vec<&str> = include_str!("expressions.txt").lines().collect();
        let row: Vec<char> = row.get(&rows).chars().collect();
        prop_assume!(!row.is_empty());
        let at = at.index(row.len());
        let text: String = match cut {
            true => row[..at].iter().collect(),
            false => row.iter().enumerate().map(|(place, char)| if place == at { other } else { *char }).collect(),
        };
        if let Err(problem) = parse(&text, Stage::Response, &lists()) {
            check(&text, &problem);
        }
    }
}

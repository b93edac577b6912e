//! What is said of each part of an expression.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use expect_test::{Expect, expect};
use rayline_rules::facts::{Each, Fact};
use rayline_rules::{Facts, Field, Stage, Term, explain, parse};

use crate::expressions::lists;

/// A request to a shop.
pub(crate) struct Request;

impl Facts for Request {
    fn fact(&self, field: Field) -> Fact<'_> {
        match field {
            Field::HttpHost => Fact::Bytes(b"shop.example"),
            Field::UriPath => Fact::Bytes(b"/Cart"),
            Field::HttpUserAgent => Fact::Bytes(b"a\x1b[2J\xff"),
            Field::IpSrc => Fact::Ip([192, 0, 2, 1].into()),
            Field::CfEdgeServerPort => Fact::Int(443),
            Field::Ssl => Fact::Bool(true),
            _ => Fact::Nothing,
        }
    }

    fn entries(&self, field: Field, each: &mut Each<'_>) {
        let fields: &[(&[u8], &[u8])] = match field {
            Field::Headers => &[(b"Accept", b"text/html"), (b"Accept", b"*/*"), (b"X-N", b"1")],
            Field::AcceptedLanguages => &[(b"".as_slice(), b"de".as_slice()); 30],
            _ => &[],
        };
        for (key, value) in fields {
            if each(key, value) == ControlFlow::Break(()) {
                return;
            }
        }
    }
}

fn draw(term: &Term, depth: usize, page: &mut String) {
    let value = if term.reached { term.value.to_string() } else { "not reached".to_owned() };
    let _ = writeln!(page, "{:depth$}{} = {value}", "", term.text);
    term.parts.iter().for_each(|part| draw(part, depth + 2, page));
}

fn check(text: &str, expected: &Expect) {
    let lists = lists();
    let mut page = String::new();
    match parse(text, Stage::Body, &lists) {
        Ok(expr) => draw(&explain(&expr, &Request, &lists), 0, &mut page),
        Err(problem) => page.push_str(&problem.to_string()),
    }
    expected.assert_eq(&page);
}

#[test]
fn each_part_has_its_value() {
    check(
        "http.host eq \"shop.example\" and lower(http.request.uri.path) contains \"/cart\"",
        &expect![[r#"
            http.host eq "shop.example" and lower(http.request.uri.path) contains "/cart" = true
              http.host eq "shop.example" = true
                http.host = "shop.example"
              lower(http.request.uri.path) contains "/cart" = true
                lower(http.request.uri.path) = "/cart"
                  http.request.uri.path = "/Cart"
        "#]],
    );
}

#[test]
fn what_is_decided_already_is_not_reached() {
    check(
        "(not ssl and http.host eq \"a\") or cf.edge.server_port in {443} or ip.src in $office xor ssl",
        &expect![[r#"
            not ssl and http.host eq "a" or cf.edge.server_port in {443} or ip.src in $office xor ssl = true
              not ssl and http.host eq "a" = false
                not ssl = false
                  ssl = true
                http.host eq "a" = not reached
              cf.edge.server_port in {443} = true
                cf.edge.server_port = 443
              ip.src in $office xor ssl = not reached
        "#]],
    );
}

#[test]
fn elements_are_shown_each() {
    check(
        "any(lower(http.request.headers[\"accept\"][*])[*] contains \"html\") xor http.request.headers[\"x-m\"][0] ne \"1\"",
        &expect![[r#"
            any(lower(http.request.headers["accept"][*])[*] contains "html") xor http.request.headers["x-m"][0] ne "1" = true
              any(lower(http.request.headers["accept"][*])[*] contains "html") = true
                lower(http.request.headers["accept"][*])[*] contains "html" = [true,false]
                  lower(http.request.headers["accept"][*])[*] = ["text/html","*/*"]
                    lower(http.request.headers["accept"][*]) = ["text/html","*/*"]
                      http.request.headers["accept"][*] = ["text/html","*/*"]
              http.request.headers["x-m"][0] ne "1" = false
                http.request.headers["x-m"][0] = null
        "#]],
    );
}

#[test]
fn what_is_hostile_or_long_is_shown_so_that_it_does_no_harm() {
    check(
        "http.user_agent eq \"a\" or len(http.request.accepted_languages) eq 30",
        &expect![[r#"
            http.user_agent eq "a" or len(http.request.accepted_languages) eq 30 = true
              http.user_agent eq "a" = false
                http.user_agent = "a\u001b[2J�"
              len(http.request.accepted_languages) eq 30 = true
                len(http.request.accepted_languages) = 30
                  http.request.accepted_languages = ["de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","de","… and 6 more"]
        "#]],
    );
}

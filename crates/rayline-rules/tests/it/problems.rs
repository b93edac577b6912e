//! What is wrong with an expression: each problem with its mark under the place, as a person sees it.

use std::fmt::Write as _;

use expect_test::expect_file;
use rayline_rules::parse::{MAX_CHARACTERS, MAX_DEPTH};
use rayline_rules::{ExprProblem, Lists, Stage, parse, parse_value};

use crate::expressions::lists;

/// The text, a mark under the place, what is wrong and what to do.
fn drawn(text: &str, problem: &ExprProblem) -> String {
    let columns = |text: &str| text.chars().count();
    let before = columns(&text[..problem.span.start]);
    let marked = columns(&text[problem.span.clone()]).max(1);
    let mut drawn = format!("{text}\n{:before$}{} {}\n", "", "^".repeat(marked), problem.message);
    if let Some(hint) = &problem.hint {
        let _ = writeln!(drawn, "{:before$}help: {hint}", "");
    }
    drawn
}

/// Rules' expressions in phases before the body is read.
const RULES: &[&str] = &[
    // names
    "http.hots eq \"a\"",
    "http.request.uri.paht eq \"/\"",
    "http_host eq \"a\"",
    "entirely.unknown eq \"a\"",
    "tcp.dstport in {80}",
    "lower eq \"a\"",
    "lowr(http.host) eq \"a\"",
    "md5(http.host) eq \"a\"",
    "bit_slice(http.host, 0, 1) eq 1",
    "http.host(\"a\")",
    // what this edge does not know, or not yet
    "ip.src.city eq \"London\"",
    "cf.client.bot",
    "cf.threat_score gt 10",
    "cf.bot_management.score lt 30",
    "cf.bot_management.ja3_hash eq \"x\"",
    "cf.waf.score lt 20",
    "http.request.body.raw contains \"x\"",
    "http.response.code eq 500",
    "ssl and http.response.headers[\"server\"][0] eq \"x\"",
    "rayline.verdict.party eq \"origin\"",
    // types
    "http.host",
    "http.request.headers",
    "http.request.headers.names",
    "http.request.headers.names[*]",
    "cf.edge.server_port",
    "ip.src",
    "not http.host",
    "ssl and http.host",
    "http.host or ssl",
    "http.host eq 1",
    "http.host eq example.com",
    "http.host eq 'example.com'",
    "http.host eq http.referer",
    "http.host eq",
    "http.host in",
    "http.host eq ip.src",
    "\"a\" eq http.host",
    "\"a\" in http.request.headers.names",
    "http.host eq \"a\" or \"b\"",
    "cf.edge.server_port eq \"443\"",
    "cf.edge.server_port contains 4",
    "cf.edge.server_port matches \"4\"",
    "cf.edge.server_port eq 4a",
    "cf.edge.server_port eq 089",
    "cf.edge.server_port eq 99999999999999999999",
    "ip.src eq \"192.0.2.1\"",
    "ip.src eq 192.0.2.0/24",
    "ip.src eq 192.0.2.256",
    "ip.src gt 192.0.2.1",
    "ip.src contains \"192\"",
    "ip.src in 192.0.2.0/24",
    "ssl eq 1",
    "ssl gt true",
    "ssl in {true}",
    "http.host & 1",
    "http.request.headers[\"x\"] eq \"a\"",
    "http.request.headers eq \"a\"",
    "http.request.headers.names eq \"a\"",
    "http.request.headers[\"x\"][0]",
    // elements
    "http.request.headers.names[*] eq \"x\"",
    "any(http.request.headers.names[*] eq \"x\") and http.request.headers.names[*] eq \"y\"",
    "any(ssl and http.request.headers.names[*] eq \"y\")",
    "any(http.request.headers.names)",
    "any(http.request.headers.names[*])",
    "any(http.host eq \"a\")",
    "any(starts_with(http.request.headers[\"x\"][*], \"a\")[*])",
    "len(http.request.headers.names[*]) gt 3",
    "lower(http.request.headers.names) eq \"a\"",
    "lower(http.request.headers[\"x\"]) eq \"a\"",
    "starts_with(http.host, http.request.headers.names[*])",
    "join(http.request.headers.names[*], \",\") eq \"a\"",
    "http.host[0] eq \"a\"",
    "http.host[*] eq \"a\"",
    "http.request.headers[0] eq \"a\"",
    "http.request.headers.names[\"x\"] eq \"a\"",
    "http.request.headers[x] eq \"a\"",
    "http.request.headers[] eq \"a\"",
    "http.request.headers[\"x\" eq \"a\"",
    "http.request.headers[\"x\", 0] eq \"a\"",
    "http.request.headers.names[-1] eq \"a\"",
    "any(split(http.request.headers[\"x\"][*], \",\", 3)[*] eq \"a\")",
    // functions
    "starts_with(http.host)",
    "starts_with(http.host, \"a\", \"b\")",
    "starts_with(\"abc\", \"a\")",
    "starts_with(cf.edge.server_port, \"4\")",
    "len() gt 1",
    "len(ssl) gt 1",
    "len(http.host, http.host) gt 1",
    "cidr(ip.src, 33, 64) eq 192.0.2.0",
    "cidr(ip.src, 24) eq 192.0.2.0",
    "cidr(192.0.2.1, 24, 64) eq 192.0.2.0",
    "split(http.host, \"\", 3)[0] eq \"a\"",
    "split(http.host, \".\", 129)[0] eq \"a\"",
    "split(http.host, http.referer, 3)[0] eq \"a\"",
    "url_decode(http.host, \"x\") eq \"a\"",
    "concat(http.host, http.request.headers.names) eq \"a\"",
    "concat(cf.edge.server_port, \"a\") eq \"a\"",
    "has_key(http.request.headers.names, \"x\")",
    "is_timed_hmac_valid_v0(http.host, http.request.uri, 100, http.request.timestamp.sec)",
    "is_timed_hmac_valid_v0(\"k\", http.request.uri, 0, http.request.timestamp.sec)",
    "regex_replace(http.host, \"a\", \"b\") eq \"b\"",
    "to_string(cf.edge.server_port) eq \"443\"",
    "starts_with(http.host, \"a\"",
    "starts_with(http.host \"a\")",
    "starts_with(http.host; \"a\")",
    // operators
    "http.host = \"a\"",
    "http.host === \"a\"",
    "http.host EQ \"a\"",
    "http.host equals \"a\"",
    "http.host is \"a\"",
    "http.host like \"a%\"",
    "http.host starts_with \"a\"",
    "http.request.uri.path ends_with \".html\"",
    "http.host not contains \"a\"",
    "http.host !contains \"a\"",
    "http.host contain \"a\"",
    "http.host strict \"a\"",
    "http.host eq \"a\" AND ssl",
    "http.host eq \"a\" ssl",
    "http.host eq \"a\" & ssl",
    "http.host eq \"a\" | ssl",
    "ssl ssl",
    "ssl and",
    "and ssl",
    "ssl and and ssl",
    "ssl or (ssl",
    "ssl)",
    "()",
    "not",
    "(ssl) (ssl)",
    "(http.host) eq \"a\"",
    "ssl # why",
    "# all\nssl",
    "ssl, ssl",
    "$office",
    "{1 2}",
    "\"a\"",
    "42",
    "",
    "   ",
    "é",
    "http.host eq \"é\" ü",
    // sets and lists
    "http.host in {}",
    "http.host in {\"a\", \"b\"}",
    "http.host in {a b}",
    "http.host in {\"a\" 1}",
    "http.host in {\"a\"",
    "http.host in \"a\"",
    "http.host in [\"a\"]",
    "cf.edge.server_port in {80, 443}",
    "cf.edge.server_port in {\"80\"}",
    "cf.edge.server_port in {443..80}",
    "cf.edge.server_port in {80..}",
    "ip.src in {192.0.2.1/24}",
    "ip.src in {192.0.2.0/33}",
    "ip.src in {192.0.2.9..192.0.2.1}",
    "ip.src in {192.0.2.9..2001:db8::1}",
    "ip.src in {\"192.0.2.1\"}",
    "ip.src in {192.0.2.1, 192.0.2.2}",
    "ip.src in {example.com}",
    "ip.src in $offices",
    "ip.src in $nothing_like_it",
    "ip.src in $",
    "ip.src in $shops",
    "http.host in $office",
    "cf.edge.server_port in $office",
    "ip.src eq $office",
    // texts and patterns
    "http.host eq \"a",
    "http.host eq \"a\\",
    "http.host eq r\"a",
    "http.host eq r##\"a\"#",
    "http.host eq \"a\\d\"",
    "http.host eq \"\\xg0\"",
    "http.host eq \"\\9\"",
    "http.host eq \"\\é\"",
    "http.host matches \"(\"",
    "http.host matches r\"a{2000}{2000}\"",
    "http.host matches \"a|b(\"",
    "http.host matches r#\"é[z-a]\"#",
    "http.host matches \"\\\"(?<é\"",
    "http.host matches \"\\p{L}\"",
    "http.host matches \"a(?=b)\"",
    "http.host matches \"a",
    "http.host matches \"[\"",
    "http.host matches 61:62",
    "http.host wildcard \"**\"",
    "http.host wildcard \"a\\\\b\"",
    "http.host wildcard \"*a*a*a*a*a*a*a*a*\"",
    "http.host wildcard 61:62",
    "http.host eq 61:6",
];

/// Expressions with a value.
const VALUES: &[&str] = &[
    "",
    "http.hots",
    "http.request.headers.names[*]",
    "len(http.request.headers.names[*])[*]",
    "concat(\"/a\" http.host)",
    "/fixed",
    "regex_replace(http.host, \"(\", \"b\")",
    "regex_replace(http.host, http.referer, \"b\")",
    "regex_replace(http.host, \"a\", \"${1}${1}${1}${1}${1}${1}${1}${1}${1}\")",
    "regex_replace(regex_replace(http.host, \"a\", \"b\"), \"a\", \"b\")",
    "concat(regex_replace(http.host, \"a\", \"b\"), regex_replace(http.host, \"a\", \"b\"))",
    "regex_replace(lower(wildcard_replace(http.host, \"*\", \"b\")), \"a\", \"b\")",
    "wildcard_replace(http.host, \"**\", \"b\")",
    "wildcard_replace(http.host, \"*\", \"b\", \"i\")",
    "wildcard_replace(\"a\", \"*\", \"b\")",
    "remove_query_args(http.request.uri, \"a\")",
    "to_string(http.host)",
    "encode_base64(\"a\", \"x\")",
    "http.response.code",
];

#[test]
fn the_number_of_a_network_takes_a_table_of_them() {
    for (rule, name) in [("ip.src.asnum eq 64496", "ip.src.asnum"), ("ip.geoip.asnum in {64496}", "ip.geoip.asnum")] {
        let problem = parse(rule, Stage::Request, &Lists::default()).unwrap_err();
        assert_eq!(problem.message, format!("`{name}` is not known: this edge has no table of networks"));
        assert_eq!(&rule[problem.span], name);
        assert!(problem.hint.is_some_and(|hint| hint.contains("`asn_table`")));
        assert!(parse(rule, Stage::Request, &lists()).is_ok());
    }
}

#[test]
fn each_problem_has_its_place_and_says_what_to_do() {
    let lists = lists();
    let mut page = String::new();
    for rule in RULES {
        let problem = parse(rule, Stage::Request, &lists).expect_err(rule);
        let _ = writeln!(page, "{}", drawn(rule, &problem));
    }
    page.push_str("Values:\n\n");
    for value in VALUES {
        let problem = parse_value(value, Stage::Request, &lists).expect_err(value);
        let _ = writeln!(page, "{}", drawn(value, &problem));
    }
    expect_file!["problems.txt"].assert_eq(&page);
}

#[test]
fn length_is_bounded() {
    let condition = |characters: usize| format!("http.host eq \"{}\"", "é".repeat(characters - 15));
    let read = |text: &str| parse(text, Stage::Request, &Lists::default());
    assert!(read(&condition(MAX_CHARACTERS)).is_ok());
    let text = condition(MAX_CHARACTERS + 1);
    let problem = read(&text).expect_err("one too many");
    assert_eq!((problem.span.len(), problem.span.end), (1, text.len()));
    assert_eq!(problem.message, "the expression is longer than 4096 characters");
}

#[test]
fn depth_is_bounded() {
    let read = |text: &str| parse(text, Stage::Request, &Lists::default());
    for (open, close) in [("(", ")"), ("not ", ""), ("!", ""), ("((", "))")] {
        let levels = open.matches(['(', 'n', '!']).count().max(1);
        let nested = |depth: usize| format!("{}ssl{}", open.repeat(depth / levels), close.repeat(depth / levels));
        let expr = read(&nested(MAX_DEPTH)).expect(open);
        assert_eq!(read(&expr.to_string()).as_ref(), Ok(&expr), "{open}");
        let problem = read(&nested(MAX_DEPTH + levels)).expect_err(open);
        assert_eq!(problem.message, "this is nested more than 48 levels deep");
    }
    let calls = |depth: usize| format!("{}http.host{} eq \"a\"", "lower(".repeat(depth), ")".repeat(depth));
    assert!(read(&calls(MAX_DEPTH)).is_ok());
    assert!(read(&calls(MAX_DEPTH + 1)).is_err());
    // far beyond what a stack would bear
    for text in ["(".repeat(4096), "!".repeat(4096), "lower(".repeat(600), "x[0]".repeat(1000), "a[".repeat(2000)] {
        assert!(read(&text).is_err());
    }
}

//! `Accept` and the form that it gets.

use proptest::prelude::*;
use rayline_verdict::surface::Format::{self, Html, Json, Markdown, ProblemJson, Text};

#[test]
fn rows() {
    let rows: &[(&str, Format)] = &[
        // The documented ones.
        ("application/json", Json),
        ("application/problem+json", ProblemJson),
        ("text/markdown", Markdown),
        ("text/*", Markdown),
        ("text/html", Html),
        ("*/*", Html),
        ("", Html),
        // Ours.
        ("text/plain", Text),
        ("application/*", Json),
        // Real clients: a browser, axios, fetch for images, a problem-aware client.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", Html),
        ("application/json, text/plain, */*", Json),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", Html),
        ("application/problem+json, application/json;q=0.9", ProblemJson),
        // Weights, and the first of equals.
        ("text/html;q=0.5, application/json", Json),
        ("text/html;q=0.5, application/json;q=0.5", Html),
        ("application/json;q=0.5, text/html;q=0.5", Json),
        ("text/html;q=0.998, text/markdown;q=0.999", Markdown),
        ("*/*, application/json", Html),
        ("text/html;level=1;q=0.3, text/plain;q=0.4", Text),
        ("text/html;a=\"x,y;q=0.1\";q=0.9, application/json;q=0.5", Html),
        ("TEXT/HTML;Q=0.1 , Application/JSON ; q=0.2", Json),
        // What is refused by name is not chosen by a wildcard, and a wildcard speaks for what has no name.
        ("text/html;q=0, */*", Json),
        ("text/html;q=0.1, */*", Json),
        ("text/markdown;q=0, text/*", Text),
        ("text/*;q=0.1, */*", Json),
        ("text/*;q=0, application/*;q=0, */*", Html),
        // Nothing that is made here, or nothing that can be read.
        ("image/png", Html),
        ("text/html;q=0", Html),
        ("application/json;q=0", Html),
        ("application/json;q=1.001", Html),
        ("application/json;q=-1, text/markdown;q=0.001", Markdown),
        ("application/json;q=0.1234, text/markdown;q=0.1", Markdown),
        ("application/json;q=", Html),
        (",,;;q=1,/,*", Html),
        ("text/html;\"", Html),
    ];
    for (accept, expected) in rows {
        assert_eq!(Format::negotiate(Some(accept.as_bytes())), *expected, "{accept}");
    }
    assert_eq!(Format::negotiate(None), Html);
}

#[test]
fn reads_no_more_than_64_ranges() {
    let many = "image/png,".repeat(64);
    assert_eq!(Format::negotiate(Some(format!("{many}application/json").as_bytes())), Html);
    let fewer = "image/png,".repeat(63);
    assert_eq!(Format::negotiate(Some(format!("{fewer}application/json").as_bytes())), Json);
}

proptest! {
    #[test]
    fn any_bytes_get_a_form(accept in proptest::collection::vec(any::<u8>(), 0..300)) {
        Format::negotiate(Some(&accept));
    }

    #[test]
    fn likely_bytes_get_a_form(accept in "([a-z*/;=q0-9.,\" \\\\]|text/|json|;q=){0,60}") {
        Format::negotiate(Some(accept.as_bytes()));
    }
}

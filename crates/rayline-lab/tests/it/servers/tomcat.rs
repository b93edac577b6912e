//! Tomcat: what its own errors look like, and bodies both ways.

use rayline_lab::servers::Tomcat;

use super::bodies::{LENGTH, uploaded};
use super::scene::{edge, fine, passed, started};

const PAGES: [(&str, &str); 3] = [
    ("good.jsp", "hello <%= request.getHeader(\"CF-Ray\") %>"),
    ("broken.jsp", "<% if (true) throw new RuntimeException(\"broken\"); %>"),
    (
        "count.jsp",
        "<%@ page trimDirectiveWhitespaces=\"true\" %><% long count = 0; byte[] piece = new byte[65536]; int n;
         while ((n = request.getInputStream().read(piece)) > 0) count += n; out.print(count); %>",
    ),
];

#[test]
fn pages_and_errors_and_uploads_are_its_own() {
    let Some(tomcat) = started(Tomcat::start(&PAGES)) else { return };
    let edge = edge(&tomcat, "");
    let (reply, _) = fine(edge.curl("/good.jsp"), 200);
    assert_eq!(reply.text().trim(), format!("hello {}", reply.field("cf-ray").unwrap()));
    let (reply, _) = fine(edge.curl("/missing"), 404);
    assert!(reply.text().contains("Apache Tomcat"), "{}", reply.text());
    let (reply, _) = passed(edge.curl("/broken.jsp"), 500);
    assert!(reply.text().contains("RuntimeException"), "{}", reply.text());
    assert_eq!(uploaded(&edge, edge.curl("/count.jsp")).trim(), LENGTH.to_string());
}

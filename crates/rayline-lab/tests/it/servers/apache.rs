//! Apache httpd: kept connections, chunks, compression, and PHP by FastCGI.

use rayline_lab::servers::{Apache, PhpFpm, Place};

use super::scene::{edge, fine, passed, started};

fn documents(place: &Place) -> std::io::Result<()> {
    std::fs::write(place.folder().join("documents/index.html"), "hello from Apache\n".repeat(1000))
}

#[test]
fn kept_connections_and_chunks_come_through() {
    // Compressed as it is sent, so that its length is not known before.
    let Some(apache) = started(Apache::start("SetOutputFilter DEFLATE", documents)) else { return };
    let edge = edge(&apache, "");
    let page = "hello from Apache\n".repeat(1000);
    for round in 0..3 {
        let (reply, record) = fine(edge.curl("/").arg("--compressed"), 200);
        assert_eq!(reply.text(), page);
        assert_eq!(reply.field("content-encoding"), Some("gzip"));
        assert_eq!(record["OriginConnectionReused"], round > 0, "{record:#}");
        let joined = format!("200 {}", reply.field("cf-ray").unwrap());
        assert!(apache.file("access.log").contains(&joined), "{joined}\n{}", apache.file("access.log"));
    }
    fine(edge.curl("/missing"), 404);
}

#[test]
fn php_by_fastcgi_fails_as_php_and_as_apache() {
    let scripts = [("good.php", "<?php echo 'hello';"), ("fatal.php", "<?php not_a_function();")];
    let Some(mut php) = started(PhpFpm::start(1, &scripts)) else { return };
    let to_php = format!("ProxyPassMatch \"^/(.*[.]php)$\" \"fcgi://{}{}/$1\"", php.http(), php.folder().display());
    let Some(apache) = started(Apache::start(&to_php, documents)) else { return };
    let edge = edge(&apache, "");
    assert_eq!(fine(edge.curl("/good.php"), 200).0.text(), "hello");
    passed(edge.curl("/fatal.php"), 500);
    php.stop().unwrap();
    let (reply, _) = passed(edge.curl("/good.php"), 503);
    assert!(reply.text().contains("Service Unavailable"), "{}", reply.text());
}

//! nginx by itself: files, and what an owner tells it to answer.

use rayline_lab::servers::Nginx;

use super::scene::{blamed, edge, fine, passed, started};

#[test]
fn files_come_through_with_their_ray_in_the_servers_log() {
    let place = |place: &rayline_lab::servers::Place| place.write("index.html", "hello from nginx\n").map(drop);
    let server = "server { listen @HTTP@; root @FOLDER@; }";
    let Some(nginx) = started(Nginx::start_with(server, place)) else { return };
    let edge = edge(&nginx, "");
    let (reply, record) = fine(edge.curl("/"), 200);
    assert_eq!(reply.text(), "hello from nginx\n");
    let joined = format!("200 {}", reply.field("cf-ray").unwrap());
    assert!(nginx.file("access.log").contains(&joined), "{joined}\n{}", nginx.file("access.log"));
    assert_eq!(record["OriginPort"], nginx.http().port());
    fine(edge.curl("/missing"), 404);
}

#[test]
fn maintenance_passes_with_its_retry_after() {
    let server =
        "server { listen @HTTP@; location / { add_header Retry-After 120 always; return 503 'back at noon'; } }";
    let Some(nginx) = started(Nginx::start(server)) else { return };
    let (reply, _) = passed(edge(&nginx, "").curl("/"), 503);
    assert_eq!((reply.field("retry-after"), reply.text().as_str()), (Some("120"), "back at noon"));
}

#[test]
fn closing_without_an_answer_is_the_origins() {
    let Some(nginx) = started(Nginx::start("server { listen @HTTP@; return 444; }")) else { return };
    let edge = edge(&nginx, "");
    let (_, record) = blamed(edge.curl("/"), 520, "origin.wait.closed_empty");
    assert_eq!(record["OriginResponseStatus"], 0);
}

#[test]
fn cookies_too_large_for_nginx_and_those_too_large_for_the_edge_are_told_apart() {
    let Some(nginx) = started(Nginx::start("server { listen @HTTP@; return 200 'hello'; }")) else { return };
    let edge = edge(&nginx, "");
    let cookie = |length: usize| format!("Cookie: session={}", "c".repeat(length));
    fine(edge.curl("/").header(cookie(4 << 10)), 200);
    let (reply, _) = fine(edge.curl("/").header(cookie(40 << 10)), 400);
    assert!(reply.text().contains("Request Header Or Cookie Too Large"), "{}", reply.text());
    let request = edge.curl("/").header(cookie(80 << 10)).header(cookie(80 << 10));
    let (_, record) = blamed(request, 431, "visitor.request.header_too_large");
    assert_eq!(record["OriginResponseStatus"], 0, "{record:#}");
}

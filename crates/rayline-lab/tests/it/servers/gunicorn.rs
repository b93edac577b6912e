//! Gunicorn, whose arbiter aborts workers that take too long.

use rayline_lab::servers::Gunicorn;

use super::scene::{blamed, edge, fine, passed, started};

const APP: &str = "
import time

def app(environ, start):
    path = environ['PATH_INFO']
    if path == '/slow':
        time.sleep(60)
    if path == '/broken':
        raise RuntimeError('broken')
    start('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello ', environ['HTTP_CF_RAY'].encode()]
";

#[test]
fn an_aborted_worker_is_the_origins_and_the_next_one_serves() {
    let Some(gunicorn) = started(Gunicorn::start(APP, &["--workers", "1", "--timeout", "1"])) else { return };
    let edge = edge(&gunicorn, "");
    let (reply, _) = fine(edge.curl("/"), 200);
    assert_eq!(reply.text(), format!("hello {}", reply.field("cf-ray").unwrap()));
    let (_, record) = blamed(edge.curl("/slow"), 520, "origin.wait.closed_empty");
    assert_eq!(record["VerdictReached"], "maybe", "{record:#}");
    assert!(gunicorn.file("error.log").contains("WORKER TIMEOUT"), "{}", gunicorn.file("error.log"));
    fine(edge.curl("/"), 200);
    passed(edge.curl("/broken"), 500);
}

//! Long bodies in both directions, and parts of one, through each server.

use rayline_lab::program::{Curl, Rayline};
use rayline_lab::servers::{Apache, Gunicorn, Nginx, Node, PhpFpm, Place};

use super::scene::{edge, fine, started};

/// How long a long body is: more than any buffer on the way, sockets' included.
pub(super) const LENGTH: usize = 16 << 20;

/// A body in which every part is different.
pub(super) fn long_body() -> Vec<u8> {
    (0u32..).flat_map(u32::to_be_bytes).take(LENGTH).collect()
}

/// What the server says of a long body that is sent with this request.
#[track_caller]
pub(super) fn uploaded(edge: &Rayline, request: Curl<'_>) -> String {
    let file = edge.folder().join("upload");
    std::fs::write(&file, long_body()).unwrap();
    let request = request.arg("--request").arg("POST").arg("--upload-file").arg(file.to_string_lossy());
    let (reply, record) = fine(request, 200);
    assert_eq!(record["ClientRequestBodyBytes"], LENGTH, "{record:#}");
    reply.text()
}

/// A long body comes down as it is.
#[track_caller]
pub(super) fn downloads(request: Curl<'_>) {
    let (reply, _) = fine(request, 200);
    assert!(reply.body == long_body(), "{} bytes of {LENGTH}", reply.body.len());
}

#[test]
fn through_nginx() {
    let place = |place: &Place| std::fs::write(place.folder().join("long"), long_body());
    let server = "server { listen @HTTP@; root @FOLDER@; client_max_body_size 0;
                  location /small { client_max_body_size 1m; dav_methods PUT; }
                  location /put { dav_methods PUT; } }";
    let Some(nginx) = started(Nginx::start_with(server, place)) else { return };
    let edge = edge(&nginx, "");
    downloads(edge.curl("/long"));
    let (reply, _) = fine(edge.curl("/long").arg("--range").arg("1000-1999"), 206);
    assert_eq!(reply.body, long_body()[1000..2000]);
    assert_eq!(reply.field("content-range"), Some(format!("bytes 1000-1999/{LENGTH}").as_str()));
    fine(edge.curl("/long").arg("--range").arg(format!("{LENGTH}-")), 416);

    let upload = edge.folder().join("upload");
    std::fs::write(&upload, long_body()).unwrap();
    let send = |path| edge.curl(path).arg("--upload-file").arg(upload.to_string_lossy());
    fine(send("/put"), 201);
    assert!(std::fs::read(nginx.folder().join("put")).unwrap() == long_body());
    // Answered when the head has come; whoever sends the rest all the same must still see the answer.
    fine(send("/small"), 413);
}

#[test]
fn through_node() {
    let app = r#"
require('http').createServer((request, response) => {
  if (request.url == '/long') return require('fs').createReadStream('@FOLDER@/long').pipe(response);
  let count = 0;
  request.on('data', piece => count += piece.length).on('end', () => response.end(String(count)));
}).listen(@HTTP_PORT@, '127.0.0.1');
"#;
    let place = |place: &Place| std::fs::write(place.folder().join("long"), long_body());
    let Some(node) = started(Node::start_with(app, place)) else { return };
    let edge = edge(&node, "");
    downloads(edge.curl("/long"));
    assert_eq!(uploaded(&edge, edge.curl("/count")), LENGTH.to_string());
    downloads(edge.curl("/long").http2());
    assert_eq!(uploaded(&edge, edge.curl("/count").http2()), LENGTH.to_string());
}

#[test]
fn through_gunicorn() {
    let app = "
def app(environ, start):
    start('200 OK', [])
    if environ['REQUEST_METHOD'] == 'GET':
        return [body()]
    return [str(sum(len(piece) for piece in iter(lambda: environ['wsgi.input'].read(65536), b''))).encode()]

def body():
    import array, sys
    numbers = array.array('I', range(@COUNT@))
    if sys.byteorder == 'little':
        numbers.byteswap()
    return numbers.tobytes()
";
    let Some(gunicorn) = started(Gunicorn::start(&app.replace("@COUNT@", &(LENGTH / 4).to_string()), &[])) else {
        return;
    };
    let edge = edge(&gunicorn, "");
    downloads(edge.curl("/long"));
    assert_eq!(uploaded(&edge, edge.curl("/count")), LENGTH.to_string());
}

#[test]
fn through_apache_and_php() {
    let count = "<?php $input = fopen('php://input', 'r'); $count = 0;
                 while (!feof($input)) $count += strlen(fread($input, 65536)); echo $count;";
    let Some(php) = started(PhpFpm::start(1, &[("count.php", count)])) else { return };
    let to_php = format!("ProxyPassMatch \"^/(.*[.]php)$\" \"fcgi://{}{}/$1\"", php.http(), php.folder().display());
    let documents = |place: &Place| std::fs::write(place.folder().join("documents/long"), long_body());
    let Some(apache) = started(Apache::start(&to_php, documents)) else { return };
    let edge = edge(&apache, "");
    downloads(edge.curl("/long"));
    let (reply, _) = fine(edge.curl("/long").arg("--range").arg("-10"), 206);
    assert_eq!(reply.body, long_body()[LENGTH - 10..]);
    assert_eq!(uploaded(&edge, edge.curl("/count.php")), LENGTH.to_string());
}

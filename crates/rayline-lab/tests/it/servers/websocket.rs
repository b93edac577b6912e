//! WebSockets between a real client and a real server: messages both ways, ends with their reasons, and failures.

use std::process::{Command, Stdio};

use rayline_lab::program::{HOST, Rayline};
use rayline_lab::servers::python::{Python, interpreter, program};
use rayline_lab::servers::{Nginx, Node};
use serde_json::{Value, json};

use super::scene::{edge, fine, nth_record, setup, started};

/// The server: echoes, and closes or dies when it is told to.
const SERVER: &str = r#"
import asyncio, os, websockets

async def serve(socket):
    async for message in socket:
        if message == 'close':
            await socket.close(4001, 'as you wish')
        elif message == 'die':
            os._exit(1)
        else:
            await socket.send(message)

async def main():
    host, port = '@HTTP@'.split(':')
    async with websockets.serve(serve, host, int(port), max_size=None):
        await asyncio.Future()

asyncio.run(main())
"#;

/// The client: plays the scene that its arguments name and prints what came of it as JSON.
const CLIENT: &str = r#"
import asyncio, json, ssl, sys, websockets

scheme, host, port, root, scene = sys.argv[1:6]

async def play(socket):
    if scene == 'talk':
        for length in (0, 1, 125, 126, 65535, 65536, 3 << 20):
            for message in (b'\xff' * length, 'y' * length):
                await socket.send(message)
                assert await socket.recv() == message
        await (await socket.ping(b'are you there'))
    elif scene in ('close', 'die'):
        await socket.send(scene)
    await socket.wait_closed() if scene != 'talk' else await socket.close(1000, 'bye')
    return [socket.close_code, socket.close_reason]

async def main():
    context = ssl.create_default_context(cafile=root) if scheme == 'wss' else None
    try:
        url = f'{scheme}://{host}:{port}/chat'
        async with websockets.connect(url, host='127.0.0.1', port=int(port), ssl=context, max_size=None,
                                      proxy=None, ping_interval=None) as socket:
            return {'closed': await asyncio.wait_for(play(socket), 30)}
    except websockets.InvalidStatus as refused:
        return {'status': refused.response.status_code}

print(json.dumps(asyncio.run(main())))
"#;

/// Plays a scene through the edge; what the client says of it.
#[track_caller]
fn play(edge: &Rayline, scheme: &str, scene: &str) -> Value {
    let address = if scheme == "wss" { edge.https() } else { edge.http() }.unwrap();
    let mut command = Command::new(program());
    command.args(["-c", CLIENT, scheme, HOST, &address.port().to_string()]).arg(edge.root()).arg(scene);
    let output = command.stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn messages_and_ends_come_through_as_they_are() {
    let Some(server) = started(Python::start("websockets", SERVER)) else { return };
    let edge = edge(&server, "");
    for scheme in ["ws", "wss"] {
        assert_eq!(play(&edge, scheme, "talk"), json!({ "closed": [1000, "bye"] }));
        assert_eq!(play(&edge, scheme, "close"), json!({ "closed": [4001, "as you wish"] }));
    }
    for count in 1..=4 {
        let record = nth_record(&edge, count);
        assert_eq!(record["EdgeResponseStatus"], 101, "{record:#}");
        assert_eq!(record["OriginResponseStatus"], 101, "{record:#}");
        assert_eq!(record.get("VerdictCode"), None, "{record:#}");
    }
}

#[test]
fn nginx_in_between_changes_nothing() {
    let Some(server) = started(Python::start("websockets", SERVER)) else { return };
    let block = format!(
        "server {{ listen @HTTP@; location / {{ proxy_pass http://{}; proxy_http_version 1.1;
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }}",
        server.http()
    );
    let Some(nginx) = started(Nginx::start(&block)) else { return };
    let edge = edge(&nginx, "");
    assert_eq!(play(&edge, "wss", "talk"), json!({ "closed": [1000, "bye"] }));
    assert_eq!(play(&edge, "ws", "close"), json!({ "closed": [4001, "as you wish"] }));
}

#[test]
fn a_server_that_dies_ends_the_socket_without_a_close() {
    let Some(server) = started(Python::start("websockets", SERVER)) else { return };
    let edge = edge(&server, "");
    assert_eq!(play(&edge, "ws", "die")["closed"][0], 1006);
    let record = nth_record(&edge, 1);
    assert_eq!(record["EdgeResponseStatus"], 101, "{record:#}");
}

#[test]
fn silence_for_longer_than_the_limit_ends_the_socket() {
    let Some(server) = started(Python::start("websockets", SERVER)) else { return };
    let edge = setup(&server, "").limits("websocket_idle_timeout = \"1s\"").start().unwrap();
    assert_eq!(play(&edge, "ws", "wait")["closed"][0], 1006);
    let record = nth_record(&edge, 1);
    assert!(record["VerdictCode"].as_str().unwrap().contains("idle"), "{record:#}");
}

#[test]
fn a_server_that_knows_no_websockets_answers_for_itself() {
    let Some(node) = started(Node::start(super::node::APP)) else { return };
    let Some(_) = started(interpreter("websockets")) else { return };
    let ours = edge(&node, "");
    assert_eq!(play(&ours, "ws", "talk"), json!({ "status": 404 }));
    fine(ours.curl("/right"), 200);
}

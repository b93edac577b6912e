//! gRPC from a real client to a real server, all four kinds of call, and what the client is told when the server fails.

use std::process::{Command, Stdio};

use rayline_lab::program::{HOST, Rayline, Setup};
use rayline_lab::servers::Nginx;
use rayline_lab::servers::python::{Python, program};
use serde_json::{Value, json};

use super::scene::started;

/// The server: messages are bytes, so that no schema has to be compiled.
const SERVER: &str = r#"
import concurrent.futures, grpc, time

def hello(request, context):
    context.send_initial_metadata([('x-early', 'head')])
    context.set_trailing_metadata([('x-late', 'trailer')])
    return b'hello ' + request

def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()

def total(requests, context):
    return str(sum(len(request) for request in requests)).encode()

def echo(requests, context):
    for request in requests:
        yield request

def refuse(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, 'not today: ü')

def sleep(request, context):
    time.sleep(float(request))
    return b'awake'

unary, many, collect, both = (grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler,
                              grpc.stream_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler)
service = grpc.method_handlers_generic_handler('lab.Lab', {
    'Hello': unary(hello), 'Refuse': unary(refuse), 'Sleep': unary(sleep),
    'Count': many(count), 'Total': collect(total), 'Echo': both(echo)})
server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((service,))
server.add_insecure_port('@HTTP@')
server.start()
server.wait_for_termination()
"#;

/// The client: makes the calls that its arguments name, one after the other, and prints what came of each as a line of JSON.
const CLIENT: &str = r#"
import grpc, json, queue, sys

address, root, host = sys.argv[1:4]
credentials = grpc.ssl_channel_credentials(open(root, 'rb').read())
options = [('grpc.ssl_target_name_override', host), ('grpc.default_authority', host), ('grpc.enable_retries', 0),
           ('grpc.enable_http_proxy', 0)]
channel = grpc.secure_channel(address, credentials, options)

def ping_pong(call, count):
    # The next message is not sent before the answer to the one before has come.
    messages = queue.Queue()
    answers = call(iter(messages.get, None), timeout=30)
    for number in range(count):
        messages.put(str(number).encode())
        assert next(answers) == str(number).encode()
    messages.put(None)
    assert list(answers) == []
    return 'ping pong', answers

def make(name, argument):
    path = '/lab.Lab/' + name
    if name == 'Count':
        answers = channel.unary_stream(path)(argument.encode(), timeout=30)
        return len(list(answers)), answers
    if name == 'Total':
        pieces = (b'x' * 65536 for _ in range(int(argument)))
        total, ended = channel.stream_unary(path).with_call(pieces, timeout=30)
        return int(total), ended
    if name == 'Echo':
        return ping_pong(channel.stream_stream(path), int(argument))
    timeout = 0.5 if name == 'Sleep' else 30
    answer, ended = channel.unary_unary(path).with_call(argument.encode(), timeout=timeout)
    return answer.decode(), ended

for name, argument in zip(sys.argv[4::2], sys.argv[5::2]):
    try:
        (result, ended), failure = make(name, argument), None
    except grpc.RpcError as error:
        result, ended, failure = None, error, [error.code().name, error.details()]
    metadata = [*(ended.initial_metadata() or ()), *(ended.trailing_metadata() or ())]
    metadata = {key: value for key, value in metadata if isinstance(value, str)}
    print(json.dumps({'result': result, 'failure': failure, 'metadata': metadata}))
"#;

/// Makes calls through the edge; what the client says of each.
#[track_caller]
fn calls<const COUNT: usize>(edge: &Rayline, calls: [[&str; 2]; COUNT]) -> [Value; COUNT] {
    let mut command = Command::new(program());
    command.args(["-c", CLIENT, &edge.https().unwrap().to_string()]).arg(edge.root()).arg(HOST);
    let output = command.args(calls.concat()).env("GRPC_VERBOSITY", "NONE").stdin(Stdio::null()).output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let results: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    results.try_into().unwrap_or_else(|_| panic!("{lines}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The edge's line of the log on this call.
#[track_caller]
fn record(edge: &Rayline, call: &Value) -> Value {
    let ray = call["metadata"]["cf-ray"].as_str().unwrap_or_else(|| panic!("no Ray ID in {call:#}"));
    edge.record(ray.split('-').next().unwrap()).unwrap()
}

/// The edge in front of a server that speaks plain gRPC.
#[track_caller]
fn edge_before(server: &Python, settings: &str) -> Rayline {
    let settings = format!("ssl = \"flexible\"\n{settings}");
    Setup::new().server("threads = 1").origin(server.http(), server.https(), &settings).start().unwrap()
}

/// Every kind of call goes through, with metadata, messages and ends as they are.
#[track_caller]
fn all_kinds_of_calls(edge: &Rayline) {
    let [hello, count, total, echo, refuse, missing] = calls(
        edge,
        [["Hello", "you"], ["Count", "1000"], ["Total", "64"], ["Echo", "20"], ["Refuse", ""], ["Missing", ""]],
    );
    assert_eq!((&hello["result"], &hello["failure"]), (&json!("hello you"), &Value::Null), "{hello:#}");
    assert_eq!((&hello["metadata"]["x-early"], &hello["metadata"]["x-late"]), (&json!("head"), &json!("trailer")));
    assert_eq!(count["result"], 1000, "{count:#}");
    assert_eq!(total["result"], 64 * 65536, "{total:#}");
    assert_eq!(echo["result"], "ping pong", "{echo:#}");
    assert_eq!(refuse["failure"], json!(["FAILED_PRECONDITION", "not today: ü"]), "{refuse:#}");
    assert_eq!(missing["failure"][0], "UNIMPLEMENTED", "{missing:#}");
    // The answers of an application, errors included, are no failures of anybody's.
    for call in [hello, count, total, echo, refuse, missing] {
        assert_eq!(record(edge, &call).get("VerdictCode"), None, "{call:#}");
    }
}

#[test]
fn every_kind_of_call_reaches_a_grpc_server() {
    let Some(server) = started(Python::start("grpc", SERVER)) else { return };
    all_kinds_of_calls(&edge_before(&server, ""));
}

#[test]
fn every_kind_of_call_reaches_a_grpc_server_behind_nginx() {
    let Some(server) = started(Python::start("grpc", SERVER)) else { return };
    let block = format!(
        "server {{ listen @HTTP@ http2; client_max_body_size 0; location / {{ grpc_pass grpc://{}; }} }}",
        server.http()
    );
    let Some(nginx) = started(Nginx::start(&block)) else { return };
    let setup = Setup::new().server("threads = 1").origin(nginx.http(), nginx.https(), "ssl = \"flexible\"");
    all_kinds_of_calls(&setup.start().unwrap());
}

#[test]
fn a_client_is_told_what_failed_in_its_own_terms() {
    let Some(server) = started(Python::start("grpc", SERVER)) else { return };
    let edge = edge_before(&server, "proxy_read_timeout = 1");
    let [late] = calls(&edge, [["Sleep", "20"]]);
    assert_eq!(late["failure"][0], "DEADLINE_EXCEEDED", "{late:#}");
    server.pause().unwrap();
    let [frozen] = calls(&edge, [["Hello", "you"]]);
    assert_eq!(frozen["failure"][0], "UNAVAILABLE", "{frozen:#}");
    assert_eq!(record(&edge, &frozen)["VerdictCode"], "origin.wait.timed_out");
    drop(server);
    let [gone] = calls(&edge, [["Hello", "you"]]);
    assert_eq!(gone["failure"][0], "UNAVAILABLE", "{gone:#}");
    assert_eq!(record(&edge, &gone)["VerdictCode"], "origin.connect.refused");
}

//! The client: what it sends, what it takes, and how it says that there was no answer.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use rayline_push::client::{Client, Failure, Limits, Step, roots_in_pem};
use rayline_testkit::{Authority, Flaw, Reserved};

use crate::receiver::{Play, Receiver};

fn patient() -> Limits {
    Limits { body_bytes: 64, ..Limits::default() }
}

/// Limits for tests in which nothing is to come.
fn hasty() -> Limits {
    let soon = Duration::from_millis(300);
    Limits { connect: soon, tls: soon, response: soon, ..patient() }
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(url).header("authorization", "Bearer s3cret").body(Bytes::from_static(b"hello")).unwrap()
}

/// Sends requests one after the other with one client.
fn send_all(client: &Client, requests: Vec<Request<Bytes>>) -> Vec<Result<Response<Bytes>, Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut outcomes = Vec::new();
        for request in requests {
            outcomes.push(client.send(request).await);
        }
        outcomes
    })
}

fn send(limits: Limits, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    send_all(&Client::new(&[], limits).unwrap(), vec![request]).pop().unwrap()
}

#[test]
fn requests_share_a_connection_and_answers_come_back() {
    let receiver = Receiver::start(|nth, _| {
        Play::Answer(if nth == 0 { 201 } else { 503 }, vec![("x-a", "b".to_owned())], "fine".to_owned())
    });
    let client = Client::new(&[], patient()).unwrap();
    let mut second = post(&receiver.url("/two"));
    *second.method_mut() = http::Method::PUT;
    let answers = send_all(&client, vec![post(&receiver.url("/one?a=b")), second]);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!((answers[0].status().as_u16(), &**answers[0].body()), (201, &b"fine"[..]));
    assert_eq!((answers[1].status().as_u16(), answers[1].headers()["x-a"].to_str().unwrap()), (503, "b"));
    let seen = receiver.seen();
    assert_eq!(
        seen.iter().map(|seen| (seen.method.as_str(), seen.uri.to_string(), seen.connection)).collect::<Vec<_>>(),
        [("POST", "/one?a=b".to_owned(), 0), ("PUT", "/two".to_owned(), 0)]
    );
    assert_eq!(
        (seen[0].header("host"), seen[0].header("content-length"), &*seen[0].body),
        (&*receiver.addr.to_string(), "5", &b"hello"[..])
    );
}

#[test]
fn no_redirect_is_followed() {
    let receiver =
        Receiver::start(|_, _| Play::Answer(302, vec![("location", "/elsewhere".to_owned())], String::new()));
    assert_eq!(send(patient(), post(&receiver.url("/"))).unwrap().status().as_u16(), 302);
    assert_eq!(receiver.seen().len(), 1);
}

#[test]
fn a_body_is_taken_up_to_its_limit() {
    let receiver = Receiver::start(|_, _| Play::Answer(200, Vec::new(), "x".repeat(100_000)));
    let client = Client::new(&[], patient()).unwrap();
    let answers = send_all(&client, vec![post(&receiver.url("/")), post(&receiver.url("/"))]);
    assert!(answers.into_iter().all(|answer| answer.unwrap().body().len() == 64));
    // the rest of the first body is still on the first connection
    assert_eq!(receiver.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_kept_connection_that_is_closed_is_replaced_once() {
    let receiver = Receiver::start(|nth, _| if nth == 1 { Play::Close } else { Play::status(200) });
    let client = Client::new(&[], patient()).unwrap();
    let answers = send_all(&client, vec![post(&receiver.url("/")), post(&receiver.url("/"))]);
    assert!(answers.into_iter().all(|answer| answer.unwrap().status().as_u16() == 200));
    assert_eq!(receiver.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn each_way_to_get_no_answer_is_told_apart_and_names_no_secret() {
    let refusing = Reserved::new().unwrap();
    let closing = Receiver::start(|_, _| Play::Close);
    let stalling = Receiver::start(|_, _| Play::Stall);
    let cutting = Receiver::start(|_, _| Play::Cut);
    // connections are accepted by the kernel, and nobody speaks on them
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (limits, address, step, late) in [
        // a label may have 63 characters: this name is refused before anybody is asked
        (patient(), format!("http://{}.example", "a".repeat(64)), Step::Resolve, false),
        (patient(), format!("http://{}", refusing.addr()), Step::Connect, false),
        (patient(), closing.url(""), Step::Response, false),
        (hasty(), stalling.url(""), Step::Response, true),
        (patient(), cutting.url(""), Step::Response, false),
        (hasty(), format!("https://{}", silent.local_addr().unwrap()), Step::Tls, true),
        (patient(), format!("https://{}", closing.addr), Step::Tls, false),
        (patient(), "ftp://127.0.0.1".to_owned(), Step::Address, false),
    ] {
        let failure = send(limits, post(&format!("{address}/s3cret?token=s3cret"))).unwrap_err();
        assert_eq!((failure.step(), failure.is_late()), (step, late), "{failure}");
        assert!(!format!("{failure} {failure:?}").contains("s3cret"), "{failure}");
    }
}

#[test]
fn certificates_are_judged_by_the_given_roots() {
    let authority = Authority::new("Push").unwrap();
    let ok = |_: usize, _: &crate::receiver::Seen| Play::status(204);
    let good = Receiver::start_tls(&authority.issue(Flaw::None, &["127.0.0.1", "localhost"]).unwrap(), ok);
    let expired = Receiver::start_tls(&authority.issue(Flaw::Expired, &["127.0.0.1"]).unwrap(), ok);
    let trusting = Client::new(&roots_in_pem(authority.root_pem().as_bytes()).unwrap(), patient()).unwrap();
    let at = |receiver: &Receiver, host: &str| post(&format!("https://{host}:{}/", receiver.addr.port()));
    let outcomes = send_all(&trusting, vec![at(&good, "127.0.0.1"), at(&good, "localhost"), at(&expired, "127.0.0.1")]);
    assert_eq!(outcomes[0].as_ref().unwrap().status().as_u16(), 204);
    assert_eq!(outcomes[1].as_ref().unwrap().status().as_u16(), 204);
    assert_eq!(outcomes[2].as_ref().unwrap_err().step(), Step::Tls);
    let failure = send(patient(), at(&good, "127.0.0.1")).unwrap_err();
    assert!(failure.to_string().contains("the TLS handshake failed: invalid peer certificate"), "{failure}");
    assert!(roots_in_pem(b"no certificate").is_err());
}

//! The laws over generated messages: legal ones, legal ones with a defect, and bare bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Pieces that attackers and broken peers are made of.
const SHARDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"\x0b",
    b"\x80",
    b"\xff",
    b"#",
    b"*",
    b"%",
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b=c HTTP/1.1\r\n",
    b"HEAD * HTTP/1.0\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"GET http://a/b HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 404\r\n",
    b"HTTP/1.1 101 \r\n",
    b"HTTP/1.1 204 No\r\n",
    b"HTTP/2.0",
    b"Host: a\r\n",
    b"Host: a:80\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"transfer-encoding:\tChunked \r\n",
    b"Connection: close, upgrade\r\n",
    b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"x: y\r\n",
    b"a:\r\n",
    b" folded\r\n",
    b"no colon\r\n",
    b"sp : x\r\n",
    b"\r\n\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"5;a=b\r\nhello\r\n",
    b"5;a=\"\\\"\"\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nx: y\r\n\r\n",
    b"0\r\nHost: y\r\n\r\n",
    b"0x5\r\n",
    b"5 \r\n",
    b"ffffffffffffffff\r\n",
    b"00000000000000005\r\n",
];

fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop_oneof![
        12 => select(SHARDS).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(shard, 0..12).prop_map(|shards| shards.concat())
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}"
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    let value = vec(prop_oneof![9 => 0x20_u8..0x7f, 1 => Just(b'\t'), 1 => 0x80_u8..], 0..20);
    (token(), "[ \t]{0,2}", value)
        .prop_map(|(name, space, value)| [b"x-", name.as_bytes(), b":", space.as_bytes(), &value, b"\r\n"].concat())
}

fn chunked() -> impl Strategy<Value = Vec<u8>> {
    let chunk = (vec(any::<u8>(), 1..20), select(vec!["", ";a", ";a=b", " ; a = \"b;\\\"\""]));
    (vec(chunk, 0..4), vec(field(), 0..3)).prop_map(|(chunks, trailers)| {
        let mut out = Vec::new();
        for (data, extension) in chunks {
            out.extend(format!("{:X}{extension}\r\n", data.len()).bytes());
            out.extend(data);
            out.extend(b"\r\n");
        }
        out.extend(b"0\r\n");
        out.extend(trailers.concat());
        out.extend(b"\r\n");
        out
    })
}

/// The fields that frame a body, and the body.
fn framed() -> impl Strategy<Value = (String, Vec<u8>)> {
    prop_oneof![
        Just((String::new(), Vec::new())),
        vec(any::<u8>(), 0..40).prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body)),
        chunked().prop_map(|body| ("Transfer-Encoding: chunked\r\n".to_owned(), body)),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    (token(), "/[a-z?=%|]{0,9}", vec(field(), 0..5), framed()).prop_filter_map(
        "this method has its own form",
        |(method, target, fields, (framing, body))| {
            let line = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{framing}");
            (method != "CONNECT").then(|| [line.as_bytes(), &fields.concat(), b"\r\n", &body].concat())
        },
    )
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    (200_u16..600, "( [a-zA-Z ]{0,9})?", vec(field(), 0..5), framed()).prop_map(
        |(status, reason, fields, (framing, body))| {
            let line = format!("HTTP/1.1 {status}{reason}\r\n{framing}");
            [line.as_bytes(), &fields.concat(), b"\r\n", &body].concat()
        },
    )
}

/// The message with one byte replaced, removed or doubled.
fn hurt(message: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![select(b"\r\n\0 \t:;,\x7f\x80".as_slice()), any::<u8>()];
    (message, any::<Index>(), byte, 0..3).prop_map(|(mut message, at, byte, how)| {
        if !message.is_empty() {
            let at = at.index(message.len());
            match how {
                0 => message[at] = byte,
                1 => drop(message.remove(at)),
                _ => message.insert(at, byte),
            }
        }
        message
    })
}

fn lengths() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![1]), vec(1_u8..30, 1..5)]
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(TIGHT), Just(Limits::default())]
}

fn kind() -> impl Strategy<Value = RequestKind> {
    select(vec![RequestKind::Other, RequestKind::Head, RequestKind::Connect])
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        1 => Just(Framing::None),
        1 => (0..40_u64).prop_map(Framing::Length),
        4 => Just(Framing::Chunked),
        1 => Just(Framing::Close)
    ]
}

fn anything(message: impl Strategy<Value = Vec<u8>> + Clone + 'static) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(message.clone(), 0..4).prop_map(|all| all.concat()), hurt(message), shards()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn requests_keep_the_laws(limits in limits(), bytes in anything(request().boxed()), lengths in lengths()) {
        requests(limits, &bytes, &lengths);
    }

    #[test]
    fn responses_keep_the_laws(
        limits in limits(),
        kind in kind(),
        bytes in anything(response().boxed()),
        lengths in lengths(),
    ) {
        responses(limits, kind, &bytes, &lengths);
    }

    #[test]
    fn bodies_keep_the_laws(
        limits in limits(),
        framing in framing(),
        bytes in anything(chunked().boxed()),
        lengths in lengths(),
    ) {
        body(framing, limits, &bytes, &lengths);
    }

    #[test]
    fn the_writer_keeps_the_laws(
        first in prop_oneof![shards(), token().prop_map(String::into_bytes)],
        second in shards(),
        status in 0..1000_u16,
    ) {
        writer(&first, &second, status);
    }

    #[test]
    fn pipelined_requests_come_out_in_order(bodies in vec((framed(), "/[a-z]{1,9}"), 1..6), lengths in lengths()) {
        let mut bytes = Vec::new();
        for ((framing, body), target) in &bodies {
            bytes.extend(format!("POST {target} HTTP/1.1\r\nHost: a\r\n{framing}\r\n").bytes());
            bytes.extend(body);
        }
        let events = requests(Limits::default(), &bytes, &lengths);
        let targets = events.iter().filter_map(|event| match event {
            Event::Request(head) => Some(head.target()),
            _ => None,
        });
        prop_assert!(targets.eq(bodies.iter().map(|(_, target)| target.as_str())));
        prop_assert_eq!(events.last(), Some(&Event::Rest(Vec::new())));
        let plain = bodies.iter().filter(|((framing, _), _)| framing.starts_with("Content")).map(|((_, body), _)| body);
        let got = events.windows(2).filter_map(|pair| match pair {
            [Event::Request(head), Event::Body(body)] if matches!(head.framing(), Framing::Length(_)) => Some(body),
            _ => None,
        });
        prop_assert!(got.eq(plain));
    }

    #[test]
    fn legal_messages_are_accepted(request in request(), response in response()) {
        let events = requests(Limits::default(), &request, &[7]);
        prop_assert_eq!(events.last(), Some(&Event::Rest(Vec::new())));
        let events = responses(Limits::default(), RequestKind::Other, &response, &[7]);
        let begins = matches!(events.first(), Some(Event::Response(_)));
        prop_assert!(begins);
    }
}

//! Visitors that send frames for their own sake, or to have work done for nothing: their connection ends, once, and
//! nobody else notices.

use rayline_testkit::Script;
use rayline_testkit::http2::{Code, Frame, Heard, Visitor, encode, setting};
use serde_json::Value;

use super::serving::{fields, visitor};
use crate::scene::{HOST, Scene};

/// Frames sent at most: far more than any budget.
const MOST: usize = 12_000;
/// Frames sent in one go.
const BATCH: usize = 200;

/// Floods one connection of a scene with what `make` gives for each number, while another is served. The record.
async fn flooded(scene: &Scene, flooder: &mut Visitor, mut make: impl FnMut(usize) -> Vec<Frame>) -> Value {
    let mut neighbour = visitor(scene).await;
    let mut sent = 0;
    while sent < MOST {
        let frames: Vec<Frame> = (sent..sent + BATCH).flat_map(&mut make).collect();
        sent += frames.len();
        // It fails once the edge has closed, which is what this is about.
        if flooder.send_all(&frames).await.is_err() {
            break;
        }
        let served = neighbour.request("GET", "/neighbour", HOST).await.expect("an answer");
        assert_eq!(served.status(), Some(200), "the neighbour is served meanwhile");
    }
    let heard = flooder.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(heard, Heard::GoAway { code: Code::ENHANCE_YOUR_CALM, .. }), "{heard:?}");
    assert!(matches!(flooder.until(|_| false).await, Heard::Closed(_)));
    assert_eq!(neighbour.request("GET", "/neighbour", HOST).await.unwrap().status(), Some(200));
    let is_flood = |record: &Value| record["VerdictCode"] == "visitor.request.http2_flood";
    let record = scene.record_where(is_flood).await;
    assert_eq!(scene.records().iter().filter(|record| is_flood(record)).count(), 1, "recorded once");
    let error = &record["VerdictEvidence"]["http2_error"];
    assert_eq!((&error["frame"], &error["name"]), (&"GOAWAY".into(), &"ENHANCE_YOUR_CALM".into()), "{record:#}");
    record
}

/// The same with one frame again and again. It must be blamed on its kind, long before all were sent.
async fn repeated(kind: &str, frame: Frame) {
    let scene = Scene::with(Script::ok()).start();
    let mut flooder = visitor(&scene).await;
    let record = flooded(&scene, &mut flooder, |_| vec![frame.clone()]).await;
    let frames = &record["VerdictEvidence"]["http2_frames"];
    assert_eq!(frames["kind"], kind, "{record:#}");
    let (count, limit) = (frames["count"].as_u64().unwrap(), frames["limit"].as_u64().unwrap());
    // Beside a few frames of other kinds, and what came in the same read.
    assert!(count > limit * 9 / 10 && count < limit + 2000, "{record:#}");
}

#[tokio::test]
async fn pings() {
    repeated("PING", Frame::ping(*b"pingping")).await;
}

#[tokio::test]
async fn settings() {
    repeated("SETTINGS", Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 65_535)])).await;
}

#[tokio::test]
async fn priorities() {
    repeated("PRIORITY", Frame::priority(1, 0, 16)).await;
}

#[tokio::test]
async fn window_updates() {
    repeated("WINDOW_UPDATE", Frame::window_update(0, 1)).await;
}

#[tokio::test]
async fn frames_of_no_known_kind() {
    repeated("unknown", Frame::new(0xbe, 0, 0, "")).await;
}

#[tokio::test]
async fn empty_data() {
    let scene = Scene::with(Script::ok()).start();
    let mut flooder = visitor(&scene).await;
    let stream = flooder.open(&fields("POST", "/", &[]), false).await.unwrap();
    flooded(&scene, &mut flooder, |_| vec![Frame::data(stream, "", false)]).await;
}

#[tokio::test]
async fn continuations_without_end() {
    let scene = Scene::with(Script::ok()).start();
    let mut flooder = visitor(&scene).await;
    let block = encode(fields("GET", "/", &[]));
    flooder.send(&Frame::new(0x1, 0x1, 1, block)).await.unwrap();
    let record = flooded(&scene, &mut flooder, |_| vec![Frame::continuation(1, "", false)]).await;
    assert_eq!(record["VerdictEvidence"]["http2_frames"]["kind"], "CONTINUATION", "{record:#}");
}

#[tokio::test]
async fn requests_that_are_cancelled_at_once() {
    let scene = Scene::with(Script::ok()).start();
    let mut flooder = visitor(&scene).await;
    let block = encode(fields("GET", "/cancelled", &[]));
    let mut stream = 1;
    flooded(&scene, &mut flooder, |_| {
        let frames = vec![Frame::new(0x1, 0x5, stream, block.clone()), Frame::rst_stream(stream, Code::CANCEL)];
        stream += 2;
        frames
    })
    .await;
    let cancelled = |record: &&Value| record["ClientRequestURI"] == "/cancelled";
    let records = scene.records();
    let cancelled: Vec<&Value> = records.iter().filter(cancelled).collect();
    assert!(cancelled.len() < 1000, "{} requests were taken", cancelled.len());
    assert!(cancelled.iter().all(|record| record["VerdictCode"] == "visitor.reply.gone"), "{cancelled:#?}");
    // The neighbour's connection, and perhaps one that was opened before the first reset was read.
    let connections = scene.origin.as_ref().unwrap().connections();
    assert!(connections <= 3, "{connections} connections to the origin for requests that nobody wants");
}

#[tokio::test]
async fn streams_that_have_to_be_reset() {
    let scene = Scene::with(Script::stall_before_head()).start();
    let mut flooder = visitor(&scene).await;
    let mut stream = 1;
    let block = encode(fields("GET", "/made-to-reset", &[]));
    for _ in 0..MOST / 2 {
        // A window beyond its bounds has the stream reset (RFC 9113 section 6.9.1), and the request worked on for nothing.
        let frames = [Frame::new(0x1, 0x5, stream, block.clone()), Frame::window_update(stream, i32::MAX as u32)];
        stream += 2;
        if flooder.send_all(&frames).await.is_err() {
            break;
        }
    }
    let heard = flooder.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(heard, Heard::GoAway { code: Code::ENHANCE_YOUR_CALM, .. }), "{heard:?}");
    scene.record_where(|record| record["VerdictCode"] == "visitor.request.http2_flood").await;
    let origin = scene.origin.as_ref().unwrap();
    origin.until(|counts| counts.open == 0).await.expect("nothing of it is worked on any more");
    assert!(origin.connections() < 400, "{} connections to the origin", origin.connections());
}

#[tokio::test]
async fn windows_that_open_byte_by_byte() {
    let scene = Scene::with(Script::ok_length(300_000)).start();
    let mut flooder = Visitor::from(scene.visitor().await).without_windows();
    flooder.greet(&[(setting::INITIAL_WINDOW_SIZE, 0)]).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(flooder.open(&fields("GET", "/tiny", &[]), true).await.unwrap());
    }
    flooded(&scene, &mut flooder, |number| vec![Frame::window_update(streams[number % streams.len()], 1)]).await;
    let tiny = scene.record_where(|record| record["ClientRequestURI"] == "/tiny").await;
    assert_eq!(tiny["VerdictCode"], "visitor.reply.gone", "{tiny:#}");
}

#[tokio::test]
async fn a_bomb_of_compressed_fields() {
    let scene = Scene::with(Script::ok()).start();
    let mut neighbour = visitor(&scene).await;
    let mut flooder = visitor(&scene).await;
    // A field of 4000 bytes, kept in the table (RFC 7541 section 6.2.1), and then named 16,000 times.
    let mut block = vec![0x82, 0x86, 0x84, 0x41, 9];
    block.extend_from_slice(HOST.as_bytes());
    block.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    block.extend_from_slice(&[b'y'; 4000]);
    block.extend_from_slice(&vec![0xbe; 12_000]);
    flooder.send(&Frame::new(0x1, 0x5, 1, block)).await.unwrap();
    let heard = flooder.until(|heard| matches!(heard, Heard::GoAway { .. })).await;
    assert!(matches!(heard, Heard::GoAway { code: Code::ENHANCE_YOUR_CALM, .. }), "{heard:?}");
    let record = scene.record_where(|record| record["VerdictCode"] == "visitor.request.http2_flood").await;
    assert_eq!(record["VerdictEvidence"]["http2_error"]["debug"], "header_list_way_too_large", "{record:#}");
    assert_eq!(neighbour.request("GET", "/", HOST).await.unwrap().status(), Some(200));
    assert_eq!(scene.origin.as_ref().unwrap().requests(), 1, "only the neighbour's");
}

#[tokio::test]
async fn a_busy_client_is_no_flood() {
    // Every second request is cancelled, and every kilobyte is acknowledged, for far more than a budget.
    let scene = Scene::with(Script::ok_length(40_000)).start();
    let mut client = visitor(&scene).await;
    for _ in 0..300 {
        let kept = client.open(&fields("GET", "/kept", &[]), true).await.unwrap();
        let cancelled = client.open(&fields("GET", "/cancelled", &[]), true).await.unwrap();
        client.send(&Frame::rst_stream(cancelled, Code::CANCEL)).await.unwrap();
        assert_eq!(client.read_response(kept).await.body.len(), 40_000);
    }
    assert_eq!(client.request("GET", "/kept", HOST).await.unwrap().status(), Some(200));
}

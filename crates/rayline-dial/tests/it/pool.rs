use std::sync::Arc;
use std::time::{Duration, Instant};

use rayline_dial::{Connection, Dialer, Identity, Key, Pool, PoolLimits, Tls, TrustSettings};
use rayline_testkit::{Authority, Flaw, Issued, Origin, Script};
use rayline_verdict::{Evidence, Fact};

use crate::kit::{NAME, connected, dialer, exchange};

fn key(origin: &Origin, tls: Tls) -> Key {
    let server_name = if tls == Tls::Off { Arc::default() } else { Arc::from(NAME) };
    Key { address: origin.addr(), tls, server_name, identity: None, generation: 0 }
}

/// Waits until the origin's FIN has arrived at this machine's kernel.
async fn hear(connection: &Connection) {
    let closed = async {
        while connection.tcp_state().unwrap().state != "CLOSE_WAIT" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
}

/// A connection that served a request, to the end of its answer.
async fn served(dialer: &Dialer, origin: &Origin, tls: Tls) -> Connection {
    let mut connection = connected(dialer, origin, tls).await;
    exchange(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn the_last_one_put_back_is_the_first_one_taken() {
    let origin = Origin::start(Script::no_content()).unwrap();
    let (dialer, mut pool, key) = (dialer(), Pool::new(PoolLimits::default(), 0), key(&origin, Tls::Off));
    assert!(pool.take(&key, Instant::now()).is_none());
    let start = Instant::now();
    for age in 0..3_u64 {
        let connection = served(&dialer, &origin, Tls::Off).await;
        pool.put(&key, connection, start + Duration::from_secs(age));
    }
    assert_eq!(pool.len(), 3);
    let now = start + Duration::from_secs(10);
    for idle_ms in [8_000, 9_000, 10_000] {
        let mut connection = pool.take(&key, now).unwrap();
        assert!(connection.is_reused());
        assert_eq!(connection.request_bytes(), (0, 0), "what was sent for earlier requests does not count");
        let mut evidence = Evidence::default();
        connection.testify(&mut evidence);
        assert!(
            evidence.facts().iter().any(|fact| matches!(
                fact,
                Fact::Connection { served: 1, idle_ms: idle, .. } if *idle == idle_ms
            )),
            "{evidence:?}"
        );
        exchange(&mut connection).await.unwrap();
    }
    assert!(pool.is_empty());
    assert_eq!(origin.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_the_origin_closed_is_passed_over() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let over_tls = Script::close_idle().over_tls(rayline_testkit::Tls::new(&good));
    for (script, tls) in [(Script::close_idle(), Tls::Off), (over_tls, Tls::Full)] {
        let origin = Origin::start(script).unwrap();
        let (mut pool, key) = (Pool::new(PoolLimits::default(), 0), key(&origin, tls));
        let mut connection = connected(&dialer(), &origin, tls).await;
        // Read the answer with its body, and nothing of the end.
        let answer = exchange(&mut connection).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        hear(&connection).await;
        pool.put(&key, connection, Instant::now());
        // Rested long enough to be asked by a system call.
        assert!(pool.take(&key, Instant::now() + Duration::from_secs(1)).is_none(), "{tls:?}");
        assert!(pool.is_empty());
    }
}

#[tokio::test]
async fn a_connection_with_bytes_that_nobody_asked_for_is_passed_over() {
    let origin = Origin::start(Script::extra_bytes()).unwrap();
    let (mut pool, key) = (Pool::new(PoolLimits::default(), 0), key(&origin, Tls::Off));
    let mut connection = connected(&dialer(), &origin, Tls::Off).await;
    tokio::io::AsyncWriteExt::write_all(&mut connection, crate::kit::GET).await.unwrap();
    let mut head = [0; 38 + 3];
    tokio::io::AsyncReadExt::read_exact(&mut connection, &mut head).await.unwrap();
    assert!(head.ends_with(b"ok\n"));
    pool.put(&key, connection, Instant::now());
    assert!(pool.take(&key, Instant::now()).is_none());
}

#[tokio::test]
async fn session_tickets_are_no_bytes_that_nobody_asked_for() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let origin = Origin::start(Script::no_content().over_tls(rayline_testkit::Tls::new(&good))).unwrap();
    let (mut pool, key) = (Pool::new(PoolLimits::default(), 0), key(&origin, Tls::Full));
    // Never read from: the tickets that follow the handshake wait on the socket.
    let connection = connected(&dialer(), &origin, Tls::Full).await;
    pool.put(&key, connection, Instant::now());
    let mut connection = pool.take(&key, Instant::now() + Duration::from_secs(1)).unwrap();
    assert!(exchange(&mut connection).await.unwrap().starts_with(b"HTTP/1.1 204"));
}

#[tokio::test]
async fn what_is_too_old_is_neither_taken_nor_kept() {
    let origin = Origin::start(Script::no_content()).unwrap();
    let limits = PoolLimits { idle: Duration::from_secs(900), ..PoolLimits::default() };
    let (dialer, mut pool, key) = (dialer(), Pool::new(limits, 0), key(&origin, Tls::Off));
    let start = Instant::now();
    pool.put(&key, served(&dialer, &origin, Tls::Off).await, start);
    pool.put(&key, served(&dialer, &origin, Tls::Off).await, start + Duration::from_secs(60));
    pool.sweep(start + Duration::from_secs(901));
    assert_eq!(pool.len(), 1);
    assert!(pool.take(&key, start + Duration::from_secs(961)).is_none());
    assert!(pool.is_empty());
}

#[tokio::test]
async fn sweeping_drops_the_dead() {
    let origin = Origin::start(Script::close_idle()).unwrap();
    let (mut pool, key) = (Pool::new(PoolLimits::default(), 0), key(&origin, Tls::Off));
    let connection = served(&dialer(), &origin, Tls::Off).await;
    hear(&connection).await;
    pool.put(&key, connection, Instant::now());
    pool.sweep(Instant::now());
    assert!(pool.is_empty());
}

#[tokio::test]
async fn the_limits_hold() {
    let (one, other) = (Origin::start(Script::no_content()).unwrap(), Origin::start(Script::no_content()).unwrap());
    let limits = PoolLimits { per_key: 2, total: 3, ..PoolLimits::default() };
    let (dialer, mut pool) = (dialer(), Pool::new(limits, 0));
    let mut now = Instant::now();
    for (origin, idle) in [(&one, 1), (&one, 2), (&one, 2), (&other, 3), (&other, 3)] {
        now += Duration::from_millis(1);
        pool.put(&key(origin, Tls::Off), served(&dialer, origin, Tls::Off).await, now);
        assert_eq!(pool.len(), idle);
    }
    // A full shelf closed its oldest, and the full pool the oldest of all.
    assert!(pool.take(&key(&one, Tls::Off), now).is_some());
    assert!(pool.take(&key(&one, Tls::Off), now).is_none());
    pool.forget(&key(&other, Tls::Off));
    assert!(pool.is_empty());
    assert!(pool.take(&key(&other, Tls::Off), now).is_none());
}

#[tokio::test]
async fn other_trust_settings_end_what_was_made_under_the_old() {
    let origin = Origin::start(Script::no_content()).unwrap();
    let (old, mut pool, key) = (dialer(), Pool::new(PoolLimits::default(), 0), key(&origin, Tls::Off));
    let now = Instant::now();
    pool.put(&key, served(&old, &origin, Tls::Off).await, now);
    let under_way = served(&old, &origin, Tls::Off).await;
    pool.renew(PoolLimits::default(), &[0]);
    assert_eq!(pool.len(), 1, "the same settings end nothing");
    pool.renew(PoolLimits::default(), &[1]);
    assert!(pool.is_empty());
    pool.put(&key, under_way, now);
    assert!(pool.is_empty(), "a connection that was out meanwhile is not kept either");
    let new = Dialer::new(TrustSettings { generation: 1, ..TrustSettings::default() }).unwrap();
    let new_key = Key { generation: 1, ..key.clone() };
    pool.put(&new_key, served(&new, &origin, Tls::Off).await, now);
    assert_eq!(pool.len(), 1);
    pool.renew(PoolLimits::default(), &[0, 1]);
    pool.put(&key, served(&old, &origin, Tls::Off).await, now);
    assert_eq!(pool.len(), 2, "two plans at once may trust differently");
    for key in [&key, &new_key] {
        assert_eq!(pool.take(key, now).map(|connection| connection.generation()), Some(key.generation));
        assert!(pool.take(key, now).is_none(), "and neither takes the other's");
    }
}

#[tokio::test]
async fn a_connection_made_with_one_identity_is_for_no_other() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let origin = Origin::start(Script::no_content().over_tls(rayline_testkit::Tls::new(&good))).unwrap();
    let identity = |client: &Issued| Identity::new(client.chain().to_vec(), client.key()).unwrap().into();
    let (one, other) = (authority.issue_client("one.test").unwrap(), authority.issue_client("other.test").unwrap());
    let of = |client| Key { identity: Some(identity(client)), ..key(&origin, Tls::Full) };
    let (mut pool, now) = (Pool::new(PoolLimits::default(), 0), Instant::now());
    pool.put(&of(&one), served(&dialer(), &origin, Tls::Full).await, now);
    assert!(pool.take(&of(&other), now).is_none());
    assert!(pool.take(&key(&origin, Tls::Full), now).is_none());
    assert!(pool.take(&of(&one), now).is_some(), "the same certificate, read again, is the same identity");
}

#[tokio::test]
async fn a_name_or_a_mode_of_its_own_is_a_key_of_its_own() {
    let origin = Origin::start(Script::no_content()).unwrap();
    let (mut pool, now) = (Pool::new(PoolLimits::default(), 0), Instant::now());
    pool.put(&key(&origin, Tls::Off), served(&dialer(), &origin, Tls::Off).await, now);
    assert!(pool.take(&key(&origin, Tls::Full), now).is_none());
    assert!(pool.take(&Key { server_name: "x.test".into(), ..key(&origin, Tls::Off) }, now).is_none());
    assert!(pool.take(&key(&origin, Tls::Off), now).is_some());
}

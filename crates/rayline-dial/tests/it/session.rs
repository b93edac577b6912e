use rayline_dial::{Break, Connection, Dialer, SessionFault, Tls, TrustSettings, session_fault};
use rayline_testkit::{Authority, Flaw, Origin, Script, Step, Versions};
use rayline_verdict::Fact;
use rayline_verdict::evidence::End;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::kit::{GET, NAME, connected, dialer, exchange};

fn find<'a>(fault: &'a SessionFault, key: &str) -> &'a Fact {
    fault.evidence.facts().iter().find(|fact| fact.key() == key).unwrap_or_else(|| panic!("{:?}", fault.evidence))
}

/// Sends a request and reads to the end, or to the error.
async fn read_out(connection: &mut Connection) -> std::io::Result<usize> {
    connection.write_all(GET).await?;
    connection.flush().await?;
    connection.read_to_end(&mut Vec::new()).await
}

#[tokio::test]
async fn a_reset_is_told_with_what_the_connection_knows() {
    let origin = Origin::start(Script::reset_after_request()).unwrap();
    let mut connection = connected(&dialer(), &origin, Tls::Off).await;
    let error = read_out(&mut connection).await.unwrap_err();
    let fault = session_fault(&connection, &error);
    assert_eq!(fault.how, Break::Reset);
    assert_eq!(find(&fault, "errno"), &Fact::Errno { number: libc::ECONNRESET, name: "ECONNRESET" });
    assert_eq!(find(&fault, "origin_address"), &Fact::OriginAddress(origin.addr()));
    assert_eq!(find(&fault, "bytes_sent"), &Fact::BytesSent(GET.len() as u64));
    assert_eq!(find(&fault, "bytes_received"), &Fact::BytesReceived(0));
    assert!(matches!(find(&fault, "connection"), Fact::Connection { served: 0, idle_ms: 0, .. }));
    let Fact::Tcp(tcp) = find(&fault, "tcp") else { unreachable!() };
    assert_eq!(tcp.state, "CLOSE");
}

#[tokio::test]
async fn a_client_certificate_is_refused_after_the_handshake_of_tls_1_3() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let origin = Origin::start(Script::client_certificate_required(&good, &authority, Versions::Tls13)).unwrap();
    let mut connection = connected(&dialer(), &origin, Tls::Full).await;
    let error = connection.read_to_end(&mut Vec::new()).await.unwrap_err();
    let fault = session_fault(&connection, &error);
    assert_eq!(fault.how, Break::ClientCertificateRefused);
    let alert = Fact::TlsAlert { name: "certificate_required".to_owned(), number: 116, sent_by: End::Theirs };
    assert_eq!(find(&fault, "tls_alert"), &alert);
    assert_eq!(find(&fault, "ssl_mode"), &Fact::SslMode("full"));
}

#[tokio::test]
async fn an_end_without_close_notify_is_no_end() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let origin = Origin::start(Script::cut_without_close_notify(&good)).unwrap();
    let dialer =
        Dialer::new(TrustSettings { extra_roots: vec![authority.root_der()], ..TrustSettings::default() }).unwrap();
    let mut connection = connected(&dialer, &origin, Tls::Strict).await;
    let error = read_out(&mut connection).await.unwrap_err();
    assert_eq!(session_fault(&connection, &error).how, Break::Closed);
}

#[tokio::test]
async fn an_origin_that_does_not_read_shows_in_the_windows() {
    let origin = Origin::start(Script::never_read()).unwrap();
    let mut connection = connected(&dialer(), &origin, Tls::Off).await;
    let flood = vec![b'x'; 1 << 20];
    // Fill both kernels' buffers: the write that then waits is the sign.
    let stuck = async {
        loop {
            connection.write_all(&flood).await.unwrap();
        }
    };
    let waited: Result<(), _> = tokio::time::timeout(std::time::Duration::from_millis(500), stuck).await;
    assert!(waited.is_err());
    let state = connection.tcp_state().unwrap();
    assert_eq!(state.state, "ESTABLISHED");
    assert!(state.unsent_bytes > 0, "{state:?}");
    assert!(state.peer_window < 1 << 20, "{state:?}");
}

#[tokio::test]
async fn vectored_writes_reach_the_origin_over_tls_too() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    for (script, tls) in [(Script::echo_body(), Tls::Off), (Script::certificate(&good), Tls::Full)] {
        let origin = Origin::start(script).unwrap();
        let mut connection = connected(&dialer(), &origin, tls).await;
        assert!(connection.is_write_vectored());
        let head = b"POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 4\r\n\r\n";
        let written =
            connection.write_vectored(&[std::io::IoSlice::new(head), std::io::IoSlice::new(b"body")]).await.unwrap();
        assert_eq!(written, head.len() + 4);
        connection.flush().await.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
}

#[tokio::test]
async fn bytes_that_do_not_decrypt_break_the_session() {
    let authority = Authority::new("Test").unwrap();
    let good = authority.issue(Flaw::None, &[NAME]).unwrap();
    let origin = Origin::start(Script::tls12_only(&good)).unwrap();
    // A relay that spoils what the origin says after the handshake.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (relay, upstream) = (listener.local_addr().unwrap(), origin.addr());
    let spoil = tokio::spawn(async move {
        let (mut edge, _) = listener.accept().await.unwrap();
        let mut origin = tokio::net::TcpStream::connect(upstream).await.unwrap();
        let (mut from_edge, mut to_edge) = edge.split();
        let (mut from_origin, mut to_origin) = origin.split();
        let up = async {
            let _ended = tokio::io::copy(&mut from_edge, &mut to_origin).await;
        };
        let down = async {
            let mut record = vec![0; 5];
            while from_origin.read_exact(&mut record[..5]).await.is_ok() {
                let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
                record.resize(5 + length, 0);
                from_origin.read_exact(&mut record[5..]).await.unwrap();
                // Application data: flip a bit of the tag.
                if record[0] == 23 {
                    *record.last_mut().unwrap() ^= 1;
                }
                to_edge.write_all(&record).await.unwrap();
            }
        };
        tokio::join!(up, down);
    });
    let mut attempts = Vec::new();
    let target = crate::kit::target(std::slice::from_ref(&relay), Tls::Full);
    let mut connection = dialer().dial(&target, &crate::kit::PATIENCE, &mut attempts).await.unwrap();
    let error = exchange(&mut connection).await.unwrap_err();
    let fault = session_fault(&connection, &error);
    assert_eq!(fault.how, Break::TlsBroken);
    assert!(matches!(find(&fault, "tls_error"), Fact::TlsError(_)));
    drop(connection);
    spoil.await.unwrap();
}

#[tokio::test]
async fn a_script_of_ones_own_may_close_before_the_request() {
    let origin = Origin::start(Script::new("greet", "speaks first", [Step::send("hello"), Step::Hold])).unwrap();
    let mut connection = connected(&dialer(), &origin, Tls::Off).await;
    let mut greeting = [0; 5];
    connection.read_exact(&mut greeting).await.unwrap();
    assert_eq!(connection.request_bytes(), (0, 5));
}

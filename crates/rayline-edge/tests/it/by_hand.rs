//! One end of a connection, played step by step by the test itself: a visitor or an origin whose next move depends on
//! what the other side has seen.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The longest a move of the other side may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
pub(crate) struct ByHand {
    pub(crate) stream: TcpStream,
    /// What has been read and not been taken.
    pub(crate) buffer: Vec<u8>,
}

/// A listener for an origin, and where it is.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

impl ByHand {
    /// Connects as a visitor.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("the edge accepts"))
    }

    /// Takes the next connection as an origin.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let accepted = timeout(PATIENCE, listener.accept()).await.expect("the edge connects");
        Self::over(accepted.expect("a connection").0)
    }

    /// A connection that stands.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("an option of the socket");
        Self { stream, buffer: Vec::new() }
    }

    /// Sends these bytes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        sent.expect("the other side reads").expect("it is still there");
    }

    /// Everything up to and with `end`. What comes behind it stays for the next call.
    #[track_caller]
    pub(crate) fn until<'a>(&'a mut self, end: &'a str) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            loop {
                if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end.as_bytes()) {
                    let rest = self.buffer.split_off(at + end.len());
                    let taken = std::mem::replace(&mut self.buffer, rest);
                    return String::from_utf8_lossy(&taken).into_owned();
                }
                let count = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
                let seen = String::from_utf8_lossy(&self.buffer);
                let count = count.unwrap_or_else(|_| panic!("{caller}: no {end:?} comes behind {seen:?}"));
                let count = count.unwrap_or_else(|error| panic!("{caller}: {error} behind {seen:?}"));
                assert_ne!(count, 0, "{caller}: it closed without {end:?} behind {seen:?}");
            }
        }
    }

    /// A head with its empty line.
    #[track_caller]
    pub(crate) fn head(&mut self) -> impl Future<Output = String> + '_ {
        self.until("\r\n\r\n")
    }

    /// Everything until the other side closes.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut self.buffer)).await;
        read.expect("the other side closes").expect("it closes in good order");
        self.buffer
    }
}

//! The demo's WebSocket server (RFC 6455): sends every message back. It knows neither extensions nor subprotocols, takes
//! frames below 64 KiB, and does not put fragments together: each goes back as it came.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What every server adds to a key (§1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Of a request's header, in bytes.
const MOST: u64 = 64 * 1024;

/// The second nibble of a frame's first byte (§5.2).
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// A running server. It ends when dropped.
pub(super) struct Echo {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Echo {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that leaves is nobody's loss.
                tokio::spawn(async move { serve(BufStream::new(stream)).await });
            }
        });
        Ok(Self { addr, task })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: BufStream<TcpStream>) -> io::Result<()> {
    let answer = match key(&mut stream).await? {
        Some(key) => format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept(&key)
        ),
        None => "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
                 Content-Type: text/plain\r\nContent-Length: 27\r\n\r\nthis is a WebSocket server\n"
            .to_owned(),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    while answer.starts_with("HTTP/1.1 101") && echo(&mut stream).await? {}
    stream.shutdown().await
}

/// Reads the request's header, and the key in it if it asks for a WebSocket.
async fn key(stream: &mut BufStream<TcpStream>) -> io::Result<Option<String>> {
    let mut lines = stream.take(MOST).lines();
    let mut key = None;
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            key = Some(value.trim().to_owned());
        }
    }
    Ok(key)
}

/// The answer to a key (§4.2.2).
fn accept(key: &str) -> String {
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), GUID].concat()))
}

/// Sends one frame back (§5.2). False after the last.
async fn echo(stream: &mut BufStream<TcpStream>) -> io::Result<bool> {
    let [first, second] = [stream.read_u8().await?, stream.read_u8().await?];
    let short = second & 0x7f;
    // Clients mask whatever they send (§5.1); one that does not is no client. 127 announces a length of eight bytes.
    if second & 0x80 == 0 || short == 127 {
        return Ok(false);
    }
    let length = if short == 126 { stream.read_u16().await? } else { u16::from(short) };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await?;
    let mut payload = Vec::new();
    stream.take(length.into()).read_to_end(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    let kind = first & 0x0f;
    match kind {
        PING => stream.write_u8(first & 0xf0 | PONG).await?,
        PONG => return Ok(true),
        _ => stream.write_u8(first).await?,
    }
    stream.write_u8(short).await?;
    if short == 126 {
        stream.write_u16(length).await?;
    }
    stream.write_all(&payload).await?;
    stream.flush().await?;
    Ok(kind != CLOSE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_of_the_rfc_has_its_answer() {
        assert_eq!(super::accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

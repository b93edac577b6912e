//! UDP sockets that hear when nobody listens at a name server's address.
//!
//! The resolver library binds its sockets and does not connect them, so the kernel has nobody to tell of an ICMP error:
//! a name server that is not there would look like one that is silent. And the runtime wakes no reader for an error alone.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioRuntimeProvider, TokioTime};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;

/// The library's tokio runtime, with connected UDP sockets.
#[derive(Clone, Default)]
pub(crate) struct Connected {
    tokio: TokioRuntimeProvider,
    /// The errno that a socket met last; 0 for none yet.
    last_error: Arc<AtomicI32>,
}

impl Connected {
    /// The error that a socket met last: the library does not always hand it on.
    pub(crate) fn last_error(&self) -> Option<io::Error> {
        match self.last_error.load(Ordering::Relaxed) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }
}

impl RuntimeProvider for Connected {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = TokioTime;
    type Udp = Socket;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        self.tokio.connect_tcp(server, local, timeout)
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Udp>>>> {
        let last_error = Arc::clone(&self.last_error);
        Box::pin(async move {
            let udp = UdpSocket::bind(local).await?;
            let connected = udp.connect(server).await;
            let socket = Socket { udp, last_error };
            socket.note(connected)?;
            Ok(socket)
        })
    }
}

/// A UDP socket that is connected to one name server.
pub(crate) struct Socket {
    udp: UdpSocket,
    last_error: Arc<AtomicI32>,
}

impl Socket {
    fn note<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.inspect_err(|error| {
            self.last_error.store(error.raw_os_error().unwrap_or_default(), Ordering::Relaxed);
        })
    }

    async fn receive(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let ready = self.udp.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error() {
                return match self.udp.take_error()? {
                    Some(error) => Err(error),
                    // Somebody else took it: the runtime would report it again and again.
                    None => self.udp.recv_from(buf).await,
                };
            }
            match self.udp.try_recv_from(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }
}

impl DnsUdpSocket for Socket {
    type Time = TokioTime;

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buf = ReadBuf::new(buf);
        let from = ready!(self.udp.poll_recv_from(cx, &mut buf))?;
        Poll::Ready(Ok((buf.filled().len(), from)))
    }

    fn recv_from<'socket, 'buf, 'both>(
        &'socket self,
        buf: &'buf mut [u8],
    ) -> Pin<Box<dyn Future<Output = io::Result<(usize, SocketAddr)>> + Send + 'both>>
    where
        'socket: 'both,
        'buf: 'both,
        Self: 'both,
    {
        Box::pin(async move { self.note(self.receive(buf).await) })
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, bytes: &[u8], server: SocketAddr) -> Poll<io::Result<usize>> {
        let sent = ready!(self.udp.poll_send_to(cx, bytes, server));
        Poll::Ready(self.note(sent))
    }
}

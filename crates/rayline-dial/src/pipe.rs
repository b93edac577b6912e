//! A pipe between two sockets: bytes that nobody has to look at go from one to the other inside the kernel, which hands
//! the memory they are in on and copies nothing (splice(2)).
//!
//! Only Linux has that; elsewhere there is no pipe to be had, as where the system gives none of the size.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use rustix::io::ioctl_fionread;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// How much memory a pipe can hold on to, by the kernel's count. Whoever is not root has 64 MiB in all pipes together
/// (`pipe-user-pages-soft` in proc(5)), and gets none of this size beyond that.
const SIZE: usize = 512 * 1024;

/// With less than that waiting in a socket, to copy it is as cheap.
const WORTHWHILE: u64 = 64 * 1024;

/// A pipe, and how much is in it.
#[derive(Debug)]
pub struct Pipe {
    output: OwnedFd,
    input: OwnedFd,
    held: usize,
    drained: u64,
}

impl Pipe {
    /// A pipe of half a megabyte, if the system gives one.
    pub fn open() -> Option<Self> {
        let (output, input) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        fcntl_setpipe_size(&input, SIZE).ok()?;
        Some(Self { output, input, held: 0, drained: 0 })
    }

    /// Bytes in it.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Bytes that have left it for a socket since it was opened.
    pub fn drained(&self) -> u64 {
        self.drained
    }

    /// Takes what waits in a socket into the empty pipe, all but its last `left` bytes and `most` at the most. 0 where that
    /// is not worth it: it is to be read as usual, and there everything that may be wrong is met.
    pub(crate) fn fill(&mut self, from: &TcpStream, most: u64, left: u64) -> usize {
        let waiting = ioctl_fionread(from).unwrap_or(0).min(most);
        if self.held > 0 || waiting < WORTHWHILE {
            return 0;
        }
        let wanted = usize::try_from(waiting.saturating_sub(left)).unwrap_or(usize::MAX);
        while self.held < wanted {
            // Past the runtime, which would take a full pipe for an empty socket.
            match splice(from, None, &self.input, None, wanted - self.held, SpliceFlags::NONBLOCK | SpliceFlags::MOVE) {
                Ok(count @ 1..) => self.held += count,
                // It is full, or what is wrong with the socket shows when it is read.
                Ok(0) | Err(_) => break,
            }
        }
        self.held
    }

    /// Writes what it holds into a socket, behind which more will be written at once.
    ///
    /// # Errors
    /// The socket's; one that takes nothing is `WriteZero`.
    pub fn poll_drain(&mut self, into: &TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.held > 0 {
            ready!(into.poll_write_ready(cx))?;
            let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE | SpliceFlags::MORE;
            let moved = into.try_io(Interest::WRITABLE, || {
                splice(&self.output, None, into, None, self.held, flags).map_err(io::Error::from)
            });
            match moved {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.held = self.held.saturating_sub(count);
                    self.drained += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::{Duration, Instant};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// Both ends of a connection; the first one has room for what is sent here.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(200_000).unwrap();
        let (near, far) = tokio::join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    async fn until_waiting(socket: &TcpStream, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while ioctl_fionread(socket).unwrap() < count {
            assert!(Instant::now() < deadline, "{} of {count} bytes came", ioctl_fionread(socket).unwrap());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What waits is taken but for its end, handed on as it is, and the end is read as usual.
    #[tokio::test]
    async fn all_but_the_last_bytes_go_through() {
        let content: Vec<u8> = (0..150_000_u32).map(|at| (at ^ (at >> 8)).to_le_bytes()[0]).collect();
        let (mut from, mut origin) = connection().await;
        let (mut visitor, into) = connection().await;
        let mut pipe = Pipe::open().unwrap();
        origin.write_all(&content).await.unwrap();
        until_waiting(&from, 150_000).await;

        let taken = pipe.fill(&from, 140_000, 32);
        assert_eq!((taken, pipe.held()), (139_968, 139_968));
        assert_eq!(pipe.fill(&from, 10_032, 32), 0, "too little to be worth it");
        poll_fn(|cx| pipe.poll_drain(&into, cx)).await.unwrap();
        assert_eq!((pipe.held(), pipe.drained()), (0, 139_968));
        let mut through = vec![0; taken];
        visitor.read_exact(&mut through).await.unwrap();
        let mut rest = vec![0; content.len() - taken];
        from.read_exact(&mut rest).await.unwrap();
        assert!([through, rest].concat() == content, "the same bytes in the same order");
    }

    /// An end and an error are for whoever reads.
    #[tokio::test]
    async fn nothing_is_taken_where_nothing_waits() {
        let (mut from, origin) = connection().await;
        let mut pipe = Pipe::open().unwrap();
        assert_eq!(pipe.fill(&from, u64::MAX, 0), 0);
        drop(origin);
        from.readable().await.unwrap();
        assert_eq!(pipe.fill(&from, u64::MAX, 0), 0);
        assert_eq!(from.read(&mut [0]).await.unwrap(), 0);
    }
}

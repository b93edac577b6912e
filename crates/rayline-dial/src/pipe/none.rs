//! No pipe between sockets: what stands in for one where the system has no splice(2).

use std::io;
use std::task::{Context, Poll};

use tokio::net::TcpStream;

/// What cannot be had here.
#[derive(Debug)]
pub enum Pipe {}

impl Pipe {
    /// None.
    pub fn open() -> Option<Self> {
        None
    }

    /// Bytes in it.
    pub fn held(&self) -> usize {
        match *self {}
    }

    /// Bytes that have left it for a socket since it was opened.
    pub fn drained(&self) -> u64 {
        match *self {}
    }

    pub(crate) fn fill(&mut self, _: &TcpStream, _: u64, _: u64) -> usize {
        match *self {}
    }

    /// Writes what it holds into a socket.
    ///
    /// # Errors
    /// None: nobody has one.
    pub fn poll_drain(&mut self, _: &TcpStream, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

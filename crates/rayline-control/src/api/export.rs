//! `GET /api/export`: the requests of a span as a file. It is sent while it is written, so it may be of any length; who reads
//! slowly makes the store wait, and takes no more memory for it.

use std::io::{self, Write};

use axum::body::Body;
use axum::extract::{Query as Pairs, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{Stream, unfold};
use rayline_store::{Format, export};
use tokio::sync::mpsc::{Receiver, Sender};

use super::Shared;
use super::insight::{Asked, scope};
use crate::envelope::Failure;
use crate::facts::{Unanswered, source};

/// Bytes that are sent at once.
const PIECE: usize = 64 * 1024;
/// Pieces that may wait for who reads.
const WAITING: usize = 4;

/// A part of the file, or why it ends before its end.
type Piece = io::Result<Bytes>;

/// `GET /api/export?format=ndjson|csv|parquet`
pub(super) async fn ask(State(shared): State<Shared>, Pairs(pairs): Asked) -> Response {
    let scope = match scope(&pairs, &["format"]) {
        Ok(scope) => scope,
        Err(answer) => return *answer,
    };
    let Some(format) = Format::named(scope.own("format").unwrap_or("ndjson")) else {
        return Failure::Invalid.answer(["`format` is `ndjson`, `csv` or `parquet`"]);
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(WAITING);
    let begun = shared.desk.send(move |store| {
        let mut pieces = Pieces { sender, gathered: BytesMut::with_capacity(PIECE) };
        let written = export(source(store), scope.span, &scope.filters, format, &mut pieces);
        if let Err(error) = written.and_then(|_| pieces.pass_on()) {
            // Who asked may have gone, and then does not want to know.
            let _ = pieces.sender.blocking_send(Err(error));
        }
    });
    if let Err(why) = begun.await {
        return why.answer();
    }
    // What goes wrong at once is still an answer of its own.
    let first = match receiver.recv().await.transpose() {
        Ok(first) => first,
        Err(error) => return Unanswered::from(error).answer(),
    };
    let name = format!("attachment; filename=\"requests.{}\"", format.name());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(pieces(first, receiver))).into_response()
}

fn pieces(first: Option<Bytes>, receiver: Receiver<Piece>) -> impl Stream<Item = Piece> {
    unfold((first, receiver), |(first, mut receiver)| async move {
        let next = match first {
            Some(first) => Ok(first),
            None => receiver.recv().await?,
        };
        Some((next, (None, receiver)))
    })
}

/// Where the file is written to.
struct Pieces {
    sender: Sender<Piece>,
    gathered: BytesMut,
}

impl Pieces {
    /// Waits until there is room for what has been gathered.
    fn pass_on(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let piece = self.gathered.split().freeze();
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.get(..PIECE).unwrap_or(bytes);
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PIECE {
            self.pass_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! How much a peer lets us send (RFC 9113 sections 5.2 and 6.9).

use std::collections::HashMap;

use super::frame::{INITIAL_WINDOW, setting};

/// The windows for what we send on one connection, in bytes. They may be negative (section 6.9.2).
#[derive(Debug)]
pub(super) struct Windows {
    initial: i64,
    connection: i64,
    streams: HashMap<u32, i64>,
}

impl Windows {
    pub(super) fn new() -> Self {
        let initial = INITIAL_WINDOW.into();
        Self { initial, connection: initial, streams: HashMap::new() }
    }

    /// What may be sent on this stream now.
    pub(super) fn left(&self, stream: u32) -> usize {
        let stream = self.streams.get(&stream).copied().unwrap_or(self.initial);
        usize::try_from(self.connection.min(stream)).unwrap_or(0)
    }

    pub(super) fn take(&mut self, stream: u32, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.connection = self.connection.saturating_sub(bytes);
        let window = self.streams.entry(stream).or_insert(self.initial);
        *window = window.saturating_sub(bytes);
    }

    /// WINDOW_UPDATE, with 0 for the connection.
    pub(super) fn give(&mut self, stream: u32, increment: u32) {
        let window = match stream {
            0 => &mut self.connection,
            stream => self.streams.entry(stream).or_insert(self.initial),
        };
        *window = window.saturating_add(increment.into());
    }

    /// SETTINGS: a new initial size moves the windows of the streams, but not the connection's.
    pub(super) fn apply(&mut self, settings: &[(u16, u32)]) {
        for (_, value) in settings.iter().filter(|(identifier, _)| *identifier == setting::INITIAL_WINDOW_SIZE) {
            let change = i64::from(*value).saturating_sub(self.initial);
            self.initial = (*value).into();
            for window in self.streams.values_mut() {
                *window = window.saturating_add(change);
            }
        }
    }

    pub(super) fn forget(&mut self, stream: u32) {
        self.streams.remove(&stream);
    }
}

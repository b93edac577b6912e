//! Notices that the configuration file has changed, however an editor or a deployment replaces it.

use std::io;
use std::path::Path;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Quiet time after the last change before it is read: writers write in pieces.
const SETTLE: Duration = Duration::from_millis(200);

/// A watched file.
pub(crate) struct Watch {
    /// Watches as long as it lives.
    _watcher: RecommendedWatcher,
    events: UnboundedReceiver<()>,
    path: std::path::PathBuf,
    /// What is running.
    content: Vec<u8>,
    /// The file may have changed between its reading and the start of the watch.
    unchecked: bool,
}

impl Watch {
    /// Watches `path`, whose content when it was read was `running`. It is the folder that is watched, because replacing
    /// a file by renaming another over it is no change of the file.
    pub(crate) fn start(path: &Path, running: &str) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let (sender, events) = unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the file, as we do ourselves, is an event too.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // Nobody listens any more: the edge is stopping.
                let _ = sender.send(());
            }
        })
        .map_err(io::Error::other)?;
        watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
        Ok(Self { _watcher: watcher, events, path, content: running.as_bytes().to_vec(), unchecked: true })
    }

    /// Returns when the file's content is another than before. A file that is gone is waited for.
    pub(crate) async fn changed(&mut self) {
        while std::mem::take(&mut self.unchecked) || self.events.recv().await.is_some() {
            loop {
                tokio::time::sleep(SETTLE).await;
                if self.events.try_recv().is_err() {
                    break;
                }
                while self.events.try_recv().is_ok() {}
            }
            if let Ok(content) = std::fs::read(&self.path)
                && content != self.content
            {
                self.content = content;
                return;
            }
        }
        std::future::pending().await
    }
}

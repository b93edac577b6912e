//! The records of a Rayline edge in front: from its admin server as they are made, or from its request log.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use rayline_diagnose::edge::Records;
use serde_json::Value;
use tokio::sync::Notify;

use crate::tail::admin::{Admin, Tail, Trouble};

/// Records of a running edge that are kept to be found.
const KEPT: usize = 4096;
/// How far back in a request log a record is looked for, in bytes.
const LOOKED_BACK: u64 = 256 * 1024 * 1024;
/// How often a log is read again for a record that is still to come.
const PAUSE: Duration = Duration::from_millis(100);

/// What a running edge records from now on.
pub(crate) struct Live {
    tail: RefCell<Option<Tail>>,
    kept: RefCell<VecDeque<Value>>,
    fresh: Notify,
}

impl Live {
    /// Begins to listen.
    ///
    /// # Errors
    /// The edge cannot be asked.
    pub(crate) async fn open(admin: &Admin) -> Result<Self, Trouble> {
        let tail = admin.tail("").await?;
        Ok(Self { tail: RefCell::new(Some(tail)), kept: RefCell::default(), fresh: Notify::new() })
    }

    /// Listens until the edge ends it. To be run beside what asks for records.
    pub(crate) async fn listen(&self) {
        let Some(mut tail) = self.tail.take() else { return };
        let keep = |line: &[u8]| {
            if let Ok(record @ Value::Object(_)) = serde_json::from_slice(line) {
                let mut kept = self.kept.borrow_mut();
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back(record);
                self.fresh.notify_waiters();
            }
        };
        while tail.next(keep).await {}
    }

    fn kept(&self, ray: &str) -> Option<Value> {
        self.kept.borrow().iter().find(|record| is_of(record, ray)).cloned()
    }
}

impl Records for Live {
    fn find<'a>(&'a self, ray: &'a str) -> Pin<Box<dyn Future<Output = Result<Value, String>> + 'a>> {
        Box::pin(async move {
            loop {
                let fresh = self.fresh.notified();
                if let Some(record) = self.kept(ray) {
                    return Ok(record);
                }
                fresh.await;
            }
        })
    }
}

/// A request log.
pub(crate) struct Logged(pub(crate) PathBuf);

impl Records for Logged {
    fn find<'a>(&'a self, ray: &'a str) -> Pin<Box<dyn Future<Output = Result<Value, String>> + 'a>> {
        Box::pin(async move {
            loop {
                match find_in(&self.0, ray) {
                    Ok(Some(record)) => return Ok(record),
                    Ok(None) => tokio::time::sleep(PAUSE).await,
                    Err(error) => return Err(format!("cannot read `{}`: {error}", self.0.display())),
                }
            }
        })
    }
}

/// The last record of this Ray ID in a request log, not further back than [`LOOKED_BACK`].
///
/// # Errors
/// The file cannot be read.
pub(crate) fn find_in(path: &Path, ray: &str) -> io::Result<Option<Value>> {
    let mut file = super::files::open_regular(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_BACK)))?;
    let mut bytes = Vec::new();
    file.take(LOOKED_BACK).read_to_end(&mut bytes)?;
    let quoted = format!("\"{ray}\"");
    let lines = bytes.rsplit(|byte| *byte == b'\n');
    let mut with_ray = lines.filter(|line| memchr::memmem::find(line, quoted.as_bytes()).is_some());
    Ok(with_ray.find_map(|line| serde_json::from_slice(line).ok().filter(|record| is_of(record, ray))))
}

fn is_of(record: &Value, ray: &str) -> bool {
    record.get("RayID").and_then(Value::as_str).is_some_and(|id| id.eq_ignore_ascii_case(ray))
}

//! The admin server over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of this crate is tests, their shared functions included: one that cannot go on should stop"
)]

mod access;
mod browser;
mod calls;
mod chromium;
mod login;
mod pages;
#[path = "../../../rayline-observe/tests/it/records.rs"]
mod records;
mod shelf;
mod stand_ins;
mod tail;
mod versions;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rayline_control::{Control, Edge, Seats, Token};
use rayline_observe::{Lane, Observer, Options, Target};
use serde_json::{Value, json};

/// An edge that can say little, whose first reload is of another file, whose second is of the same, and whose third fails.
struct Small {
    plan: AtomicU64,
    same: AtomicBool,
}

impl Edge for Small {
    fn plan_version(&self) -> u64 {
        self.plan.load(Ordering::Relaxed)
    }

    fn reload(&self) -> Result<u64, Vec<String>> {
        match self.plan.load(Ordering::Relaxed) {
            1 => {
                self.plan.store(2, Ordering::Relaxed);
                Ok(2)
            }
            // the file says the same as before
            2 if !self.same.swap(true, Ordering::Relaxed) => Ok(2),
            _ => Err(vec!["unknown key `zzl`".to_owned(), "there is no zone".to_owned()]),
        }
    }

    fn status(&self) -> Value {
        json!({ "zones": ["shop.example"], "connections": { "visitors": 3 } })
    }
}

/// A running admin server on a free port, and what it needs.
struct Running {
    control: Control,
    observer: Observer,
    lane: Mutex<Lane>,
    token: Token,
    viewer: Token,
    shelf: Arc<shelf::Shelf>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// With all that it can ask.
    fn start() -> Self {
        let shelf = Arc::new(shelf::Shelf::default());
        let seats = Seats { store: Some(Arc::clone(&shelf) as _), ..stand_ins::seats() };
        Self::with(shelf, seats)
    }

    fn with(shelf: Arc<shelf::Shelf>, seats: Seats) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.token");
        let options = Options { log: Target::Off, lanes: 1, lane_capacity: 4096 };
        let (observer, mut lanes) = Observer::start(options).unwrap();
        let edge = Arc::new(Small { plan: AtomicU64::new(1), same: AtomicBool::new(false) });
        let control =
            Control::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &path, observer.clone(), edge, seats).unwrap();
        let token = Token::read(&path).unwrap();
        let viewer = Token::read(&path.with_file_name("viewer.token")).unwrap();
        Self { control, observer, lane: Mutex::new(lanes.remove(0)), token, viewer, shelf, _folder: folder }
    }

    /// The answer to a request with the token.
    fn call(&self, method: &str, path: &str) -> wire::Answer {
        wire::ask(self.control.addr(), method, path, &[("Host", "localhost"), ("Authorization", &self.bearer())])
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.as_str())
    }
}

//! The analytics store where the configuration puts it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rayline_config::Plan;
use rayline_store::{Options, Store};

use crate::output;

/// The folder in `data_dir`.
pub(crate) const FOLDER: &str = "store";

/// Opens the store that a plan asks for. One that cannot be opened is said, and the edge serves without it.
pub(crate) fn open(plan: &Plan) -> Option<Store> {
    let wanted = plan.sight.store.as_ref()?;
    let options = Options {
        folder: plan.server.data_dir.join(FOLDER),
        requests_age: wanted.requests_age,
        counts_age: wanted.counts_age,
        max_bytes: wanted.max_bytes,
        mask_addresses: wanted.mask_addresses,
        mask_queries: wanted.mask_queries,
    };
    match private(&options.folder).and_then(|()| Store::open(options)) {
        Ok(store) => Some(store),
        Err(error) => {
            output::say(&format!("nothing is stored, and the dashboard shows no requests: {}", reason(&error)));
            None
        }
    }
}

/// The store of an edge that does not run, or of one that does: to be read only.
///
/// # Errors
/// If there is none, or it cannot be read.
pub(crate) fn read(data_dir: &Path) -> io::Result<Store> {
    Store::read(&data_dir.join(FOLDER))
}

/// Makes a folder whose files are nobody else's business: they hold what visitors asked for.
pub(super) fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(folder)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock => "another edge writes to the same store: give each its own `data_dir`".to_owned(),
        _ => format!("the store cannot be opened: {error}"),
    }
}

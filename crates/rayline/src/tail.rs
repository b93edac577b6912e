//! `rayline tail`: requests as they are answered, from a running edge or from a request log.

pub(crate) mod admin;
mod file;
mod lines;
pub(crate) mod printer;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayline_config::compile;

use crate::cli::{ADMIN, AdminUrl, Global, TailArgs};
use crate::config_file;
use crate::output::{self, Exit};
use crate::tail::admin::{Admin, Trouble};
use crate::tail::printer::Printer;

/// Where an edge that was started without a configuration keeps its token.
const DATA_DIR: &str = "rayline-data";

pub(crate) fn run(args: &TailArgs, global: &Global) -> io::Result<Exit> {
    let printer = Printer::new(global);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = follow(args, printer) => outcome,
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| Exit::Fine),
        }
    });
    // a read that waits on a pipe ends with the process
    runtime.shutdown_background();
    outcome
}

async fn follow(args: &TailArgs, printer: Printer) -> io::Result<Exit> {
    let filter = args.filter();
    if let Some(path) = args.file.clone() {
        let follow = !args.no_follow;
        let read = move || file::read(&path, follow, &filter, printer);
        return tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?.map(|()| Exit::Fine);
    }
    let admin = match find_admin(args.config.as_deref(), args.admin) {
        Ok(admin) => admin,
        Err(Trouble { message, hint }) => {
            output::fail(&message, hint.as_deref());
            return Ok(Exit::CouldNotRun);
        }
    };
    admin.follow(&filter.to_query(), printer).await
}

/// The admin server of the configuration, of `--admin`, or of an edge that runs without either.
pub(crate) fn find_admin(config: Option<&Path>, admin: Option<AdminUrl>) -> Result<Admin, Trouble> {
    let is_named = config.is_some();
    let config = config_file::find(config);
    let (mut addr, mut data_dir) = (Some(ADMIN), PathBuf::from(DATA_DIR));
    // with an address and a token of their own nobody needs a configuration
    let needed = is_named || admin.is_none() || Admin::token_in_environment().is_none();
    if let Some(path) = config.filter(|_| needed) {
        (addr, data_dir) = of_config(&path)?;
    }
    match admin.map(|admin| admin.0).or(addr) {
        Some(addr) => Ok(Admin::new(addr, data_dir.join("admin.token"))),
        None => Err(Trouble {
            message: "the configuration opens no admin server".to_owned(),
            hint: Some(format!("add `admin = \"{ADMIN}\"` under `[server]`, and restart the edge")),
        }),
    }
}

fn of_config(path: &Path) -> Result<(Option<std::net::SocketAddr>, PathBuf), Trouble> {
    let source = config_file::read(path).map_err(|error| Trouble { message: error.to_string(), hint: None })?;
    match compile(&source, SystemTime::now()) {
        (Some(plan), _problems) => Ok((plan.server.admin, plan.server.data_dir)),
        (None, _problems) => Err(Trouble {
            message: format!("`{}` has errors, so the edge cannot be found by it", source.name),
            hint: Some(format!(
                "see `rayline check {}`, or give `--admin http://{ADMIN}` and RAYLINE_TOKEN",
                source.name
            )),
        }),
    }
}

//! The origin's machine: its disk, its memory, its files.

use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::is_root;
use crate::servers::Node;

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("disk_full", "the disk is full that uploads go to", disk, STATUS)
        .because(&["host.disk_full"], "ENOSPC")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("files_used_up", "the application may open no more files", files, STATUS)
        .because(&["host.too_many_files"], "EMFILE")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("out_of_memory", "the kernel ended the application for want of memory", memory, "origin.connect.refused")
        .because(&["host.out_of_memory"], "Killed process")
        .seen(&[rayline(521).origin().logs(), nginx(502).origin().logs()]),
];

/// A handler that awaits this, and answers 500 when it fails.
fn awaiting(lines: &str, what: &str) -> Result<Node, Unbuilt> {
    let script = format!(
        "const fs = require('fs').promises;
require('http').createServer(async (request, response) => {{
  try {{ await {what}; response.end('Welcome'); }} catch (error) {{
    console.error(error);
    response.statusCode = 500;
    response.end('Internal Server Error');
  }}
}}).listen(@HTTP_PORT@, '127.0.0.1');\n"
    );
    Ok(Node::start_behind(lines, &script, |_| Ok(()))?)
}

fn running(node: Node) -> Site {
    Site::at(node.http()).log(node.folder().join("printed.log")).keeping(node)
}

/// A file system of 64 KB, in a mount namespace that nobody else sees.
fn disk() -> Result<Site, Unbuilt> {
    if crate::clinic::shell("unshare --mount --propagation private mount -t tmpfs none /mnt").is_err() {
        return Err(Unbuilt::Missing("this user may mount nothing".to_owned()));
    }
    let lines = "mkdir -p @FOLDER@/uploads
exec unshare --mount --propagation private sh -ec '
  mount -t tmpfs -o size=64k none @FOLDER@/uploads; exec \"$@\"' sh \"$@\"";
    Ok(running(awaiting(lines, "fs.writeFile('@FOLDER@/uploads/photo.jpg', 'x'.repeat(200000))")?))
}

fn files() -> Result<Site, Unbuilt> {
    let opening = "Promise.allSettled([...Array(100)].map(() => fs.open('@FOLDER@/app.js'))).then(async (all) => {
    for (const one of all) await one.value?.close();
    throw all.find((one) => one.reason).reason;
  })";
    Ok(running(awaiting("ulimit -n 40", opening)?))
}

/// A memory cgroup of its own, gone with it.
#[derive(Debug)]
struct Cgroup(std::path::PathBuf);

impl Cgroup {
    /// Where groups of the first version are, which most kernels still have.
    fn new() -> Result<Self, Unbuilt> {
        let (old, new) = (std::path::Path::new("/sys/fs/cgroup/memory"), std::path::Path::new("/sys/fs/cgroup"));
        let name = format!("rayline-lab-{}", crate::process::free_port()?);
        let (group, limit) =
            if old.is_dir() { (old.join(name), "memory.limit_in_bytes") } else { (new.join(name), "memory.max") };
        let made = std::fs::create_dir(&group).and_then(|()| std::fs::write(group.join(limit), "67108864"));
        made.map_err(|error| Unbuilt::Missing(format!("no memory cgroup: {error}")))?;
        Ok(Self(group))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // It is empty once its processes are reaped.
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn memory() -> Result<Site, Unbuilt> {
    if !is_root() {
        return Err(Unbuilt::Missing("only root limits memory and reads the kernel's log".to_owned()));
    }
    let group = Cgroup::new()?;
    let lines = format!("echo $$ > {}/cgroup.procs", group.0.display());
    let taking = "new Promise(() => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)); })";
    let mut node = awaiting(&lines, taking)?;
    let visit = format!("curl --silent --noproxy '*' --max-time 20 http://{}/ || true", node.http());
    crate::clinic::shell(&visit)?;
    node.process_mut().wait(std::time::Duration::from_secs(20))?;
    let kernel = crate::clinic::shell(&format!(
        "dmesg -T | grep -A 60 -F 'oom' | tail -n 60 | grep -F '{}'",
        node.process().id()
    ));
    let kernel = kernel.map_err(|error| Unbuilt::Missing(format!("the kernel's log cannot be read: {error}")))?;
    let log = node.folder().join("kernel.log");
    std::fs::write(&log, kernel)?;
    Ok(running(node).log(log).keeping(group))
}

//! Logs that somebody else collected from what servers print: Docker's files, and the journal.

use std::path::Path;

use super::applications;
use super::php::FATAL;
use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Collector, Nginx, PhpFpm, Pool, Unstarted};

const STATUS: &str = "origin.wait.error_status";

pub(super) const CASES: &[Case] = &[
    Case::new("docker_nginx", "the application behind nginx is stopped, and Docker has nginx's log", refused, STATUS)
        .because(&["server.upstream_refused"], "connect() failed (111")
        .seen(&[rayline(502).origin().logs(), nginx(502).origin().logs()]),
    Case::new("docker_php", "a PHP script fails, and nginx has its message, and Docker nginx's log", php, STATUS)
        .because(&["app.php_fatal"], "PHP Fatal error")
        .seen(&[rayline(500).origin().logs(), nginx(500).logs()]),
    Case::new("docker_node", "a Node application fails, and Docker has its log", node, STATUS)
        .because(&["app.exception"], "TypeError")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("docker_python", "a Python application fails, and Docker has its log", docker_python, STATUS)
        .because(&["app.exception"], "KeyError: 'price'")
        .seen(&[rayline(500).origin().logs()]),
    Case::new("journal_json", "a Python application fails, and the journal has its log", journal_json, STATUS)
        .because(&["app.exception"], "KeyError: 'price'")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new(
        "journal_text",
        "a Python application fails, and a copy of the journal has its log",
        journal_text,
        STATUS,
    )
    .because(&["app.exception"], "KeyError: 'price'")
    .seen(&[rayline(500).origin().logs(), nginx(500).logs()]),
];

/// As in nginx's own image, where the error log is the standard error, and the visitors' log the standard output.
fn nginx_in_docker(content: &str) -> Result<Site, Unbuilt> {
    let nginx = Nginx::start(&format!(
        "server {{ listen @HTTP@; access_log @FOLDER@/visitors.log combined; location / {{ {content} }} }}"
    ))?;
    let docker = Collector::docker(&nginx.folder().join("visitors.log"), &nginx.folder().join("error.log"))?;
    Ok(Site::at(nginx.http()).log(docker.file()).keeping(docker).keeping(nginx))
}

fn refused() -> Result<Site, Unbuilt> {
    nginx_in_docker(&format!("proxy_pass http://127.0.0.1:{};", free_port()?))
}

/// PHP has no log of its own: its messages go to nginx by FastCGI.
fn php() -> Result<Site, Unbuilt> {
    let scripts = [("cart.php", FATAL)];
    let php = PhpFpm::start_pool(&Pool { children: 1, lines: "", extensions: &[], own_log: false, scripts: &scripts })?;
    Ok(nginx_in_docker(&php.for_nginx())?.asked("/cart.php").keeping(php))
}

/// The site with what a collector makes of its logs in their stead.
fn collected(mut site: Site, collect: impl Fn(&Path) -> Result<Collector, Unstarted>) -> Result<Site, Unbuilt> {
    for log in std::mem::take(&mut site.logs) {
        let collector = collect(&log)?;
        site = site.log(collector.file()).keeping(collector);
    }
    Ok(site)
}

/// All of it is the standard error.
fn docker(site: Site) -> Result<Site, Unbuilt> {
    collected(site, |log| Ok(Collector::docker(&log.with_file_name("nothing.log"), log)?))
}

fn node() -> Result<Site, Unbuilt> {
    docker(applications::caught()?)
}

fn docker_python() -> Result<Site, Unbuilt> {
    docker(applications::exception()?)
}

fn journal_json() -> Result<Site, Unbuilt> {
    collected(applications::exception()?, |log| Collector::journal("gunicorn", log, "json"))
}

/// What `journalctl -u shop > journal.log` leaves, which has no year and no zone.
fn journal_text() -> Result<Site, Unbuilt> {
    collected(applications::exception()?, |log| Collector::journal("gunicorn", log, "short"))
}

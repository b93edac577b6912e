//! Redis behind PHP and Python: stopped, full, closed to this user, without a place to save.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::php::script;
use super::postgres::behind_nginx;
use crate::clinic::case::{Case, Unbuilt, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::{Process, free_port};
use crate::servers::{Gunicorn, Redis, gunicorn};

const STATUS: &str = "origin.wait.error_status";
/// The extension for Redis, and what that needs.
const EXTENSIONS: &[&str] = &["igbinary", "redis"];

pub(super) const CASES: &[Case] = &[
    Case::new("redis_stopped", "Redis is stopped, and PHP needs it", stopped, STATUS)
        .because(&["cache.refused"], "RedisException")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("redis_stopped_python", "Redis is stopped, and Python needs it", stopped_python, STATUS)
        .because(&["cache.refused"], "redis.exceptions.ConnectionError")
        .seen(&[rayline(500).origin().logs(), nginx(500).logs()]),
    Case::new("redis_full", "Redis has no memory left, and may forget nothing", full, STATUS)
        .because(&["cache.full"], "OOM command not allowed")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("redis_password", "Redis asks for a password that the application does not send", password, STATUS)
        .because(&["cache.refused"], "NOAUTH Authentication required")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("redis_clients", "Redis has as many clients as it may", clients, STATUS)
        .because(&["cache.refused"], "max number of clients reached")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("redis_unsaved", "Redis cannot save its data, and takes no more", unsaved, STATUS)
        .because(&["cache.full"], "MISCONF")
        .seen(&[rayline(500).origin().logs(), nginx(500).origin().logs()]),
    Case::new("redis_replica", "the application writes to a Redis that only copies another", replica, STATUS)
        .because(&["cache.full"], "READONLY")
        .seen(&[nginx(500).origin().logs()]),
];

/// PHP that does this with an open `$cache`.
fn shop(redis: Redis, then: &str) -> Result<Site, Unbuilt> {
    let text = connected(redis.http().port(), then);
    Ok(script(&text, "", EXTENSIONS)?.log(redis.folder().join("printed.log")).keeping(redis))
}

fn connected(port: u16, then: &str) -> String {
    format!("<?php\n$cache = new Redis();\n$cache->connect('127.0.0.1', {port});\n{then}\necho 'Welcome';\n")
}

fn stopped() -> Result<Site, Unbuilt> {
    script(&connected(free_port()?, ""), "", EXTENSIONS)
}

/// A WSGI application that does this with `cache`, in Gunicorn behind nginx.
fn python(port: u16, then: &str) -> Result<Site, Unbuilt> {
    gunicorn::needs("redis", "python3-redis")?;
    let source = format!(
        "import redis

cache = redis.Redis(host='127.0.0.1', port={port})

def app(environ, start_response):
    {then}
    start_response('200 OK', [('Content-Type', 'text/html'), ('Content-Length', '7')])
    return [b'Welcome']
"
    );
    behind_nginx(Gunicorn::start(&source, &["--workers", "2"])?)
}

fn stopped_python() -> Result<Site, Unbuilt> {
    python(free_port()?, "cache.incr('visits')")
}

fn full() -> Result<Site, Unbuilt> {
    let redis = Redis::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"])?;
    shop(redis, "for ($i = 0; $i < 100; $i++) { $cache->rPush('basket', str_repeat('x', 100000)); }")
}

fn password() -> Result<Site, Unbuilt> {
    shop(Redis::start(&["--requirepass", "secret"])?, "$cache->incr('visits');")
}

/// One client holds the only place there is, once whoever waited for Redis to listen has left it.
fn clients() -> Result<Site, Unbuilt> {
    let mut redis = Redis::start(&["--maxclients", "1"])?;
    let at = redis.http();
    let hold = || {
        let (mut client, mut answer) = (TcpStream::connect(at).ok()?, [0; 5]);
        client.write_all(b"PING\r\n").ok()?;
        client.read_exact(&mut answer).ok()?;
        (answer == *b"+PONG").then_some(client)
    };
    let held = redis.process_mut().until("lets nobody in", |_| hold())?;
    let port = redis.http().port();
    // Whoever looks at a pooled connection first is told by its client library that it is "not ready", and no more.
    let ask = "connection = cache.connection_pool.make_connection(); connection.connect(); connection.read_response()";
    let site = python(port, ask)?.log(redis.folder().join("printed.log"));
    Ok(site.keeping(redis).keeping(held))
}

/// The folder that it saves to is gone, and it has tried.
fn unsaved() -> Result<Site, Unbuilt> {
    let mut redis = Redis::start(&["--save", "3600 1"])?;
    std::fs::remove_dir(redis.folder().join("data"))?;
    TcpStream::connect(redis.http())?.write_all(b"SET basket 1\r\nBGSAVE\r\n")?;
    let tried = |redis: &Process| redis.printed().contains("Background saving error").then_some(());
    redis.process_mut().until("saves its data", tried)?;
    shop(redis, "$cache->incr('visits');")
}

fn replica() -> Result<Site, Unbuilt> {
    let redis = Redis::start(&["--replicaof", "127.0.0.1", &free_port()?.to_string()])?;
    shop(redis, "$cache->set('basket', '1');")
}

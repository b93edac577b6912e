//! `rayline import nginx`: what nginx answers, and what the edge answers on the configuration that it became.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rayline_lab::process::run;
use rayline_lab::program::{Rayline, Setup, rayline};
use rayline_lab::servers::{Nginx, or_skip};
use tempfile::TempDir;

/// Tells what it was asked.
const ORIGIN: &str = "server { listen @HTTP@; add_header X-Origin yes always; location /missing { return 404 'no'; }
    location / { return 200 '$request_method $request_uri host=$http_host site=$http_x_site api=$http_x_api'; } }";

/// What nginx was before an edge took its place, and which answers are compared: method, host, path, fields.
struct Site {
    block: &'static str,
    visits: &'static [(&'static str, &'static str, &'static str, &'static [&'static str])],
    /// What is not translated, by the beginning of the directive.
    left: &'static [&'static str],
}

/// Header fields that are compared beside status and body.
const FIELDS: [&str; 5] = ["location", "cache-control", "x-frame-options", "x-static", "x-origin"];

/// A shop: an application behind an upstream, static files, an API, a closed area, old addresses.
const SHOP: Site = Site {
    block: r#"
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
upstream app { server @ORIGIN@; keepalive 8; }
gzip on;
client_max_body_size 20m;
proxy_read_timeout 90s;
server { listen @HTTP@; server_name www.shop.example; return 301 $scheme://shop.example$request_uri; }
server {
    listen @HTTP@;
    server_name shop.example;
    add_header X-Frame-Options SAMEORIGIN always;
    proxy_set_header Host $host;
    proxy_set_header X-Site main;
    if ($http_user_agent ~* (badbot|scraper)) { return 403; }
    if ($request_method !~ ^(GET|HEAD|POST)$) { return 405; }
    rewrite ^/old/(.*)$ /new/$1 permanent;
    rewrite ^/feed$ http://feeds.example/all redirect;
    location / { proxy_pass http://app; }
    location = /health { return 404 "no such page"; }
    location /api/ {
        proxy_pass http://app/v1/;
        proxy_set_header Host $host;
        proxy_set_header X-Api yes;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }
    location ~* \.(css|js|png)$ { expires 30d; add_header X-Static yes; proxy_pass http://app; }
    location ~ /\.(?!well-known) { deny all; }
    location ^~ /admin/ { allow 192.0.2.0/24; deny all; proxy_pass http://app; }
    location /local/ { allow 127.0.0.0/8; deny all; proxy_pass http://app; }
    location /moved { return 302 http://elsewhere.example/here$is_args$args; }
    location /legacy/ { include proxy_params; proxy_pass http://app; }
}
"#,
    visits: &[
        ("GET", "www.shop.example", "/cart?a=1", &[]),
        ("GET", "shop.example", "/", &[]),
        ("GET", "shop.example", "/cart?a=1&b=%20", &[]),
        ("GET", "shop.example", "/missing", &[]),
        ("HEAD", "shop.example", "/", &[]),
        ("DELETE", "shop.example", "/", &[]),
        ("GET", "shop.example", "/", &["User-Agent: ScraperBot/1"]),
        ("GET", "shop.example", "/old/a/b?c=d", &[]),
        ("GET", "shop.example", "/feed?x=1", &[]),
        ("GET", "shop.example", "/feeds", &[]),
        ("GET", "shop.example", "/health", &[]),
        ("GET", "shop.example", "/healthy", &[]),
        ("GET", "shop.example", "/api/users?id=7", &[]),
        ("GET", "shop.example", "/site.css", &[]),
        ("GET", "shop.example", "/api/logo.PNG", &[]),
        ("GET", "shop.example", "/.git/config", &[]),
        ("GET", "shop.example", "/.well-known/security.txt", &[]),
        ("GET", "shop.example", "/admin/", &[]),
        ("GET", "shop.example", "/admin/x.css", &[]),
        ("GET", "shop.example", "/local/x", &[]),
        ("GET", "shop.example", "/moved?to=1", &[]),
        ("GET", "shop.example", "/moved", &[]),
        ("GET", "shop.example", "/legacy/x", &[]),
    ],
    left: &[],
};

/// A blog as WordPress is set up, of which the edge can take only a part.
const BLOG: Site = Site {
    block: r#"
server {
    listen @HTTP@;
    server_name blog.example *.blog.example;
    if ($host ~ ^www\.) { return 301 http://blog.example$request_uri; }
    location = /xmlrpc.php { deny all; }
    location = /favicon.ico { log_not_found off; access_log off; proxy_pass http://@ORIGIN@; }
    location ~* /(?:uploads|files)/.*\.php$ { deny all; }
    location / { proxy_pass http://@ORIGIN@; proxy_set_header Host $http_host; proxy_http_version 1.1; proxy_buffering off; }
    location ~ \.php$ { proxy_pass http://@ORIGIN@; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; }
    rewrite ^/([0-9]+)/?$ /post/$1 last;
}
"#,
    visits: &[
        ("GET", "blog.example", "/", &[]),
        ("GET", "www.blog.example", "/a?b", &[]),
        ("GET", "de.blog.example", "/a?b", &[]),
        ("GET", "blog.example", "/xmlrpc.php", &[]),
        ("GET", "blog.example", "/favicon.ico", &[]),
        ("GET", "blog.example", "/wp-content/uploads/x.php", &[]),
        ("POST", "blog.example", "/wp-login.php", &[]),
        ("GET", "blog.example", "/123/", &[]),
        ("GET", "blog.example", "/123/x", &[]),
    ],
    left: &["proxy_set_header X-Real-IP"],
};

/// One answer, as far as it is compared.
fn answer(at: SocketAddr, (method, host, path, fields): (&str, &str, &str, &[&str])) -> String {
    let mut command = Command::new("curl");
    command.args(["--disable", "--silent", "--noproxy", "*", "--max-time", "60", "--include", "--path-as-is"]);
    command.arg(if method == "HEAD" { "--head" } else { "--request" });
    if method != "HEAD" {
        command.arg(method);
    }
    for field in fields.iter().copied().chain([format!("Host: {host}").as_str()]) {
        command.args(["--header", field]);
    }
    let said = run(command.arg(format!("http://{at}{path}")).stdin(Stdio::null())).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    let field = |name: &&str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            // where nothing else is said, a redirect stays where the visitor is
            let value = [format!("http://{host}:{}", at.port()), format!("http://{host}")]
                .iter()
                .find_map(|here| value.strip_prefix(here.as_str()).filter(|rest| rest.starts_with('/')))
                .unwrap_or(value);
            found.eq_ignore_ascii_case(name).then(|| format!("{name}: {value}"))
        })
    };
    let fields: Vec<String> = FIELDS.iter().filter_map(field).collect();
    if status.starts_with('4') && !fields.iter().any(|field| field.starts_with("x-origin")) {
        // an error page of one's own, which each has as it likes
        return status.to_owned();
    }
    let body = if body.contains("host=") { body } else { "" };
    format!("{status} {} {body}", fields.join(", "))
}

/// The configuration that it became, and what it did not.
fn imported(block: &str) -> (String, Vec<String>) {
    let folder = TempDir::with_prefix("rayline-lab-").unwrap();
    let file = folder.path().join("site.conf");
    std::fs::write(&file, block).unwrap();
    let output = Command::new(rayline(false).unwrap()).args(["import", "nginx", "--json"]).arg(&file).output().unwrap();
    let import: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let left = import["untranslated"].as_array().unwrap();
    let left = left.iter().map(|left| left["what"].as_str().unwrap().to_owned()).collect();
    (import["toml"].as_str().unwrap().to_owned(), left)
}

fn compare(site: &Site) {
    let Some(origin) = or_skip(Nginx::start(ORIGIN)).unwrap() else { return };
    let block = site.block.replace("@ORIGIN@", &origin.http().to_string());
    let params = |place: &rayline_lab::servers::Place| place.write("proxy_params", "proxy_set_header Host $http_host;");
    let Some(before) = or_skip(Nginx::start_with(&block, |place| params(place).map(drop))).unwrap() else { return };
    let (toml, left) = imported(&block.replace("@HTTP@", "127.0.0.1:0"));
    let edge: Rayline = Setup::new().written(&toml).start().unwrap_or_else(|error| panic!("{error}\n{toml}"));
    let at = edge.http().unwrap();
    for visit in site.visits {
        assert_eq!(answer(at, *visit), answer(before.http(), *visit), "{visit:?}\n{toml}");
    }
    let expected: Vec<&str> = site.left.to_vec();
    assert_eq!(left.len(), expected.len(), "{left:?}");
    assert!(left.iter().zip(&expected).all(|(left, expected)| left.starts_with(expected)), "{left:?}");
}

#[test]
fn a_shop_is_served_as_nginx_served_it() {
    compare(&SHOP);
}

#[test]
fn a_blog_is_served_as_nginx_served_it() {
    compare(&BLOG);
}

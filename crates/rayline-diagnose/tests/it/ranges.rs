//! Lines for firewalls and web servers, judged by the programs that they are for.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use ipnet::IpNet;
use rayline_diagnose::ranges::{EDGES, Format, print};

/// Every network that is known: one list that is as large as lists get.
fn all() -> Vec<IpNet> {
    EDGES.iter().flat_map(|edge| edge.nets()).collect()
}

/// Runs a program over `input`; `None`, and a word about it, if it is not here or may not do its work here.
fn run(program: &str, arguments: &[&str], works_with: Option<&str>, input: &str) -> Option<Result<(), String>> {
    let run = |input: &str| {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        // It may have given up before it has read everything: its status says so.
        let _ = child.stdin.take()?.write_all(input.as_bytes());
        let done = child.wait_with_output().ok()?;
        Some(if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) })
    };
    if works_with.is_some_and(|input| !matches!(run(input), Some(Ok(())))) {
        eprintln!("skipped: `{program}` may not do its work here");
        return None;
    }
    let done = run(input);
    if done.is_none() {
        eprintln!("skipped: `{program}` is not installed");
    }
    done
}

#[test]
fn nft_takes_its_lines() {
    let text = print(&all(), Format::Nft, &[443, 8443], None);
    assert!(text.contains("tcp dport { 443, 8443 } accept"));
    if let Some(done) = run("nft", &["-c", "-f", "-"], Some("add table inet rayline_test\n"), &text) {
        assert_eq!(done, Ok(()));
    }
}

#[test]
fn iptables_takes_its_lines() {
    let text = print(&all(), Format::Iptables, &[], None);
    for program in ["iptables", "ip6tables"] {
        let mine = text.lines().filter_map(|line| line.strip_prefix(program)?.strip_prefix(' '));
        let rules: String = mine.flat_map(|line| [line, "\n"]).collect();
        assert!(rules.contains("--dports 80,443"));
        let restore = format!("{program}-restore");
        let input = format!("*filter\n{rules}COMMIT\n");
        if let Some(done) = run(&restore, &["--test", "--noflush"], Some("*filter\nCOMMIT\n"), &input) {
            assert_eq!(done, Ok(()), "{restore}");
        }
    }
}

#[test]
fn nginx_takes_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    for header in [None, Some("CF-Connecting-IP"), Some("X-Forwarded-For")] {
        let lines = print(&all(), Format::Nginx, &[], header);
        let file = folder.path().join("nginx.conf");
        let path = folder.path().display();
        let text = format!(
            "pid {path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {path}/1;\n\
             proxy_temp_path {path}/2;\nfastcgi_temp_path {path}/3;\nuwsgi_temp_path {path}/4;\nscgi_temp_path {path}/5;\n{lines}}}\n"
        );
        fs::write(&file, text).unwrap();
        if let Some(done) = run("nginx", &["-t", "-q", "-c", file.to_str().unwrap()], None, "") {
            assert_eq!(done, Ok(()), "{header:?}");
        }
    }
}

#[test]
fn apache_takes_its_lines() {
    const MODULES: &str = "/usr/lib/apache2/modules";
    let folder = tempfile::tempdir().unwrap();
    for header in [None, Some("CF-Connecting-IP")] {
        let lines = print(&all(), Format::Apache, &[], header);
        let lines = if header.is_none() { format!("<Location \"/\">\n{lines}</Location>\n") } else { lines };
        let file = folder.path().join("apache.conf");
        let modules = ["mpm_event", "authz_core", "authz_host", "remoteip"];
        let load: String =
            modules.iter().map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")).collect();
        let path = folder.path().display();
        fs::write(
            &file,
            format!("ServerRoot {path}\nServerName test\nListen 127.0.0.1:1\nErrorLog {path}/log\n{load}{lines}"),
        )
        .unwrap();
        if !std::path::Path::new(MODULES).is_dir() {
            eprintln!("skipped: `apache2` is not installed");
            return;
        }
        if let Some(done) = run("apache2", &["-t", "-f", file.to_str().unwrap()], None, "") {
            assert_eq!(done, Ok(()), "{header:?}");
        }
    }
}

#[test]
fn each_form_is_what_it_is_said_to_be() {
    let nets: Vec<IpNet> = ["192.0.2.0/24", "2001:db8::/32"].map(|net| net.parse().unwrap()).to_vec();
    let said = |format, header| print(&nets, format, &[443], header);
    assert_eq!(said(Format::Plain, None), "192.0.2.0/24\n2001:db8::/32\n");
    assert_eq!(
        said(Format::Json, Some("CF-Connecting-IP")),
        "{\"nets\":[\"192.0.2.0/24\",\"2001:db8::/32\"],\"ports\":[443],\"real_ip_header\":\"CF-Connecting-IP\"}\n"
    );
    assert_eq!(said(Format::Nginx, None), "allow 192.0.2.0/24;\nallow 2001:db8::/32;\ndeny all;\n");
    assert_eq!(
        said(Format::Apache, Some("CF-Connecting-IP")),
        "RemoteIPHeader CF-Connecting-IP\nRemoteIPTrustedProxy 192.0.2.0/24\nRemoteIPTrustedProxy 2001:db8::/32\n"
    );
    assert!(said(Format::Ufw, None).starts_with("ufw allow proto tcp from 192.0.2.0/24 to any port 443\n"));
    assert_eq!(Format::ALL.map(Format::name), ["ufw", "nft", "iptables", "nginx", "apache", "plain", "json"]);
}

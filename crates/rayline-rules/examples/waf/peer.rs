//! Another program that does the same: nginx with libmodsecurity and the Core Rule Set, as Debian has them.
//!
//! Its worker's processor time for a request with the rules, less that for one without, is what the rules take. It serves
//! itself through a second server, for the rules run before a request is handed on only.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::request::Request;

const PROGRAM: &str = "/usr/sbin/nginx";
const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
const RULES: &str = "/usr/share/modsecurity-crs/rules";
const SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";

/// Processor time that a body is measured for, at least.
const WINDOW: Duration = Duration::from_millis(500);

/// How long it may take to begin, and to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// As Debian's recommended configuration has it, but for limits of the body, which are as ours or above, and that nothing
/// is blocked or written down: every rule runs on every request.
const ENGINE: &str = "SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 1048576
SecRequestBodyNoFilesLimit 1048576
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit 4096
SecResponseBodyAccess Off
SecAuditEngine Off
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
SecRule REQUEST_HEADERS:Content-Type \"^application/json\" \\
    \"id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON\"
";

/// The other program, running.
#[derive(Debug)]
pub(crate) struct Peer {
    nginx: Child,
    folder: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.nginx.kill();
        _ = self.nginx.wait();
        _ = fs::remove_dir_all(&self.folder);
    }
}

impl Peer {
    /// Starts it. `None` if it is not installed.
    pub(crate) fn start() -> io::Result<Option<Self>> {
        if [PROGRAM, MODULE, RULES, SETUP].iter().any(|path| !Path::new(path).exists()) {
            return Ok(None);
        }
        let folder = std::env::temp_dir().join(format!("rayline-waf-peer-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let shown = folder.display();
        fs::write(folder.join("rules.conf"), format!("{ENGINE}Include {SETUP}\nInclude {RULES}/*.conf\n"))?;
        let server = "keepalive_requests 1000000; keepalive_timeout 1h; client_body_buffer_size 1m;";
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {shown}/{name};"))
            .concat();
        fs::write(
            folder.join("nginx.conf"),
            format!(
                "load_module {MODULE};\ndaemon off;\nmaster_process off;\npid {shown}/pid;\nerror_log {shown}/error.log crit;\n\
                 events {{}}\nhttp {{\naccess_log off;\n{temporary}\n{server}\n\
                 server {{ listen unix:{shown}/end.sock; location / {{ return 204; }} }}\n\
                 server {{ listen unix:{shown}/with.sock; modsecurity on; modsecurity_rules_file {shown}/rules.conf;\n\
                 location / {{ proxy_pass http://unix:{shown}/end.sock; }} }}\n\
                 server {{ listen unix:{shown}/without.sock;\n\
                 location / {{ proxy_pass http://unix:{shown}/end.sock; }} }}\n}}\n"
            ),
        )?;
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"));
        let nginx = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut peer = Self { nginx, folder };
        let start = Instant::now();
        while peer.connect("without").is_err() {
            let said = || fs::read_to_string(peer.folder.join("error.log")).unwrap_or_default();
            if peer.nginx.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("nginx with ModSecurity does not start: {}", said())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(peer))
    }

    fn connect(&self, server: &str) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(self.folder.join(format!("{server}.sock")))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// What the rules take for a request.
    pub(crate) fn takes(&self, request: &Request) -> io::Result<Duration> {
        let [with, without] = ["with", "without"].map(|server| self.spends(server, &written(request)));
        Ok(with?.saturating_sub(without?))
    }

    /// Processor time for a request at one of the servers, all of it.
    fn spends(&self, server: &str, request: &[u8]) -> io::Result<Duration> {
        let mut stream = self.connect(server)?;
        exchange(&mut stream, request)?;
        let start = self.processor_time()?;
        let mut rounds = 0;
        loop {
            exchange(&mut stream, request)?;
            rounds += 1;
            let spent = self.processor_time()?.saturating_sub(start);
            if spent > WINDOW {
                return Ok(spent / rounds);
            }
        }
    }

    /// What it has had of a processor since it began.
    fn processor_time(&self) -> io::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.nginx.id()))?;
        let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
        nanoseconds.map(Duration::from_nanos).ok_or_else(|| io::Error::other("the kernel tells no processor time"))
    }
}

/// Sends a request and waits for the answer, which has no body.
fn exchange(stream: &mut UnixStream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request)?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Err(io::Error::other("nginx with ModSecurity hung up")),
            length => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    match answer.starts_with(b"HTTP/1.1 204") {
        true => Ok(()),
        false => Err(io::Error::other(format!("nginx answers {}", String::from_utf8_lossy(&answer)))),
    }
}

/// The request as it goes over the wire.
fn written(request: &Request) -> Vec<u8> {
    let mut bytes = [request.method.as_slice(), b" ", &request.target, b" HTTP/1.1\r\n"].concat();
    for (name, value) in &request.headers {
        bytes.extend([name.as_slice(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", request.body.len()).bytes());
    bytes.extend(&request.body);
    bytes
}

//! A web server in a namespace: nginx, with a page, a large file, and room for uploads.

use std::io;
use std::path::Path;

use super::{Namespace, Unavailable, Web};

/// How large `/big` is, in bytes.
pub const BIG: u64 = 8 << 20;

/// Uploads go to a server behind, so that nginx reads them to their end before they are answered.
const SERVERS: &str = r#"
    server {
        listen 80;
        listen [::]:80;
        listen 443;
        root @FOLDER@;
        location = / { return 200 "hello from the origin\n"; }
        location = /upload { proxy_pass http://127.0.0.1:81; }
        location /products/ { return 200 "hello from the origin\n"; }
    }
    server { listen 127.0.0.1:81; return 200 "read\n"; }
"#;

/// A running nginx, at port 80 of all addresses of its namespace. (What listens at port 443 speaks no TLS: it is for those
/// who do not come so far.)
#[derive(Debug)]
pub struct Origin(Web);

impl Origin {
    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// [`Unavailable::Missing`]: it is not installed.
    pub fn start(namespace: &Namespace) -> Result<Self, Unavailable> {
        let big = |folder: &Path| std::fs::File::create(folder.join("big"))?.set_len(BIG);
        Ok(Self(Web::start_with(&namespace.behind(), SERVERS, big)?))
    }

    /// Stops it where it is: its kernel goes on answering for it.
    ///
    /// # Errors
    /// It is gone.
    pub fn pause(&self) -> io::Result<()> {
        self.0.process().signal_all("STOP")
    }

    /// Where its `error.log` is.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }
}

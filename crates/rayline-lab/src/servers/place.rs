//! The folder and the ports that one server has for itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::free_port;

/// A folder and two ports of 127.0.0.1.
///
/// Workers of a server that root started are other users and may read the folder. It is removed with its content when
/// this is dropped.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    http: u16,
    https: u16,
}

impl Place {
    /// Makes one.
    ///
    /// # Errors
    /// The folder cannot be made, or no port is free.
    pub fn new() -> io::Result<Self> {
        let folder = TempDir::with_prefix("rayline-lab-")?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder, http: free_port()?, https: free_port()? })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address for plain HTTP.
    pub fn http(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http).into()
    }

    /// The address for TLS.
    pub fn https(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.https).into()
    }

    /// The text with `@FOLDER@`, `@HTTP@` and `@HTTPS@` (`127.0.0.1:port`), and `@HTTP_PORT@` and `@HTTPS_PORT@`
    /// replaced by what they are here.
    pub fn fill(&self, text: &str) -> String {
        text.replace("@FOLDER@", &self.folder().to_string_lossy())
            .replace("@HTTP@", &self.http().to_string())
            .replace("@HTTPS@", &self.https().to_string())
            .replace("@HTTP_PORT@", &self.http.to_string())
            .replace("@HTTPS_PORT@", &self.https.to_string())
    }

    /// Writes a file with the text as [`Place::fill`] makes it, and returns its path.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, self.fill(text))?;
        Ok(path)
    }
}

//! `rayline origin-ca`: certificates for origins, of a CA that the edge alone trusts.
//!
//! No server is asked and none is changed: the files are written, and the lines that install them printed.

mod authority;
mod names;
mod request;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayline_diagnose::fingerprint;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize, SubjectPublicKeyInfo};
use serde_json::{Value, json};

use self::authority::{Authority, Leaf};
use self::names::Names;
use self::request::Request;
use crate::cli::Global;
use crate::cli::tls::{KeyType, OriginCaArgs, OriginCaCommand, OriginCaIssueArgs};
use crate::config_file;
use crate::output::{self, BOLD, DIM, Exit, styled};

/// Where an edge that was started without a configuration keeps its data.
const DATA_DIR: &str = "rayline-data";

/// Why nothing was issued, and what may help.
struct Trouble {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Trouble {
    fn usage(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: hint.map(str::to_owned) }
    }

    fn cannot(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self { exit: Exit::CouldNotRun, message: message.into(), hint: hint.map(str::to_owned) }
    }

    /// A file that cannot be read or written.
    fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => Some("run this as the user that runs the edge"),
            _ => None,
        };
        Self::cannot(format!("cannot {doing} `{}`: {error}", path.display()), hint)
    }
}

pub(crate) fn run(args: &OriginCaArgs, global: &Global) -> io::Result<Exit> {
    let outcome = data_dir(args).and_then(|data_dir| match &args.command {
        OriginCaCommand::Issue(args) => issue(&data_dir, args).map(Done::Issued),
        OriginCaCommand::Root => Authority::open(&data_dir)
            .and_then(|authority| authority.ok_or_else(|| none_yet(&data_dir)))
            .map(|authority| Done::Root(Box::new(authority))),
    });
    let done = match outcome {
        Ok(done) => done,
        Err(Trouble { exit, message, hint }) => {
            output::fail(&message, hint.as_deref());
            return Ok(exit);
        }
    };
    let mut out = output::stdout();
    match (done, global.json) {
        (Done::Issued(issued), true) => print_json(&mut out, &issued.to_json())?,
        (Done::Issued(issued), false) => issued.print(&mut out)?,
        (Done::Root(authority), true) => {
            print_json(&mut out, &authority.to_json_with_pem())?;
        }
        (Done::Root(authority), false) => write!(out, "{}", authority.root_pem())?,
    }
    Ok(Exit::Fine)
}

enum Done {
    Issued(Box<Issued>),
    Root(Box<Authority>),
}

fn none_yet(data_dir: &Path) -> Trouble {
    Trouble::cannot(
        format!("there is no Origin CA in `{}` yet", data_dir.display()),
        Some("`rayline origin-ca issue --hostname NAME` makes one; `--data-dir` or `--config` say where it is"),
    )
}

fn print_json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

/// The edge's data directory: the one named, else the configuration's, else that of an edge without one.
fn data_dir(args: &OriginCaArgs) -> Result<PathBuf, Trouble> {
    if let Some(named) = &args.data_dir {
        return Ok(named.clone());
    }
    let Some(path) = config_file::find(args.config.as_deref()) else { return Ok(PathBuf::from(DATA_DIR)) };
    let source = config_file::read(&path).map_err(|error| Trouble::cannot(error.to_string(), None))?;
    match rayline_config::compile(&source, SystemTime::now()) {
        (Some(plan), _) => Ok(plan.server.data_dir),
        (None, _) => Err(Trouble::cannot(
            format!("`{}` has errors, so it does not say where the data directory is", source.name),
            Some("`--data-dir DIR` says so without it; `rayline check` shows the errors"),
        )),
    }
}

/// A certificate, and where it lies.
struct Issued {
    leaf: Leaf,
    names: Names,
    certificate: PathBuf,
    /// `None` for a request from elsewhere, where the key has stayed.
    key: Option<PathBuf>,
    key_type: String,
    days: u32,
    authority: Authority,
    made: bool,
}

fn issue(data_dir: &Path, args: &OriginCaIssueArgs) -> Result<Box<Issued>, Trouble> {
    // All that the command line says is looked at before the first file is written.
    let request = args.csr.as_deref().map(Request::read).transpose()?;
    let names = match &request {
        Some(request) if args.hostnames.is_empty() => request.names()?,
        Some(_) | None => Names::new(&args.hostnames)?,
    };
    let stem = names.first().replace('*', "wildcard");
    let certificate = args.out.join(format!("{stem}.pem"));
    let key_file = request.is_none().then(|| args.out.join(format!("{stem}.key")));
    let files = [Some(&certificate), key_file.as_ref()];
    if let Some(path) = files.into_iter().flatten().find(|path| path.exists() && !args.force) {
        let message = format!("`{}` is there already, and may be in use", path.display());
        return Err(Trouble::cannot(message, Some("write elsewhere with `--out DIR`, or replace it with `--force`")));
    }
    let (authority, made) = Authority::open_or_make(data_dir)?;
    let (public, key, key_type) = match &request {
        Some(request) => (request.public_key()?, None, request.key_type()),
        None => {
            let key = generate(args.key_type)?;
            let public = SubjectPublicKeyInfo::from_der(&key.subject_public_key_info());
            let public = public.map_err(|error| Trouble::cannot(error.to_string(), None))?;
            (public, Some(key), args.key_type.in_words().to_owned())
        }
    };
    let leaf = authority.issue(&public, &names, args.days)?;
    std::fs::create_dir_all(&args.out).map_err(|error| Trouble::file("make", &args.out, &error))?;
    if let (Some(key), Some(path)) = (&key, &key_file) {
        write_secret(path, &key.serialize_pem(), args.force)?;
    }
    write_over(&certificate, &leaf.pem)?;
    let key = key_file.map(|path| absolute(&path));
    let certificate = absolute(&certificate);
    Ok(Box::new(Issued { leaf, names, certificate, key, key_type, days: args.days, authority, made }))
}

fn generate(key_type: KeyType) -> Result<KeyPair, Trouble> {
    let key = match key_type {
        KeyType::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyType::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    };
    key.map_err(|error| Trouble::cannot(format!("cannot make a key: {error}"), None))
}

/// Writes a file that nobody else may read, whatever its mode was before.
fn write_secret(path: &Path, text: &str, replace: bool) -> Result<(), Trouble> {
    let cannot = |error: io::Error| Trouble::file("write", path, &error);
    if replace {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot(error)),
            Ok(()) | Err(_) => {}
        }
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)
}

/// Writes a file whole or not at all.
fn write_over(path: &Path, text: &str) -> Result<(), Trouble> {
    let fresh = path.with_extension("pem.new");
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(|error| Trouble::file("write", path, &error))
}

/// As servers' configurations want it.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Issued {
    fn to_json(&self) -> Value {
        json!({
            "certificate": self.certificate.display().to_string(),
            "private_key": self.key.as_ref().map(|key| key.display().to_string()),
            "key_type": self.key_type,
            "names": self.names.as_slice(),
            "not_before": authority::rfc3339(self.leaf.not_before),
            "not_after": authority::rfc3339(self.leaf.not_after),
            "days": self.days,
            "serial": self.leaf.serial,
            "sha256": fingerprint(&self.leaf.der),
            "ca": self.authority.to_json(),
            "ca_created": self.made,
        })
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let (certificate, root) = (self.certificate.display(), self.authority.root_file().display());
        let mut row = |name: &str, value: &str| writeln!(out, "{}{}", styled(BOLD, format_args!("{name:<13}")), value);
        row("certificate", &certificate.to_string())?;
        match &self.key {
            Some(key) => row("key", &format!("{} ({}, mode 0600)", key.display(), self.key_type))?,
            None => row("key", &format!("where the request was made ({})", self.key_type))?,
        }
        row("names", &self.names.as_slice().join(", "))?;
        let (from, to) = (self.leaf.not_before.date(), self.leaf.not_after.date());
        row("valid", &format!("{from} to {to} ({} days)", self.days))?;
        row("sha256", &fingerprint(&self.leaf.der))?;
        row("issued by", &format!("{}{root}", if self.made { "a new Origin CA, " } else { "" }))?;
        let key = self.key.as_ref().map_or_else(|| "/path/to/its.key".to_owned(), |key| key.display().to_string());
        writeln!(out, "\n{}", styled(BOLD, "nginx"))?;
        writeln!(out, "    ssl_certificate     {certificate};\n    ssl_certificate_key {key};")?;
        writeln!(out, "\n{}", styled(BOLD, "Apache"))?;
        writeln!(out, "    SSLEngine on\n    SSLCertificateFile    \"{certificate}\"")?;
        writeln!(out, "    SSLCertificateKeyFile \"{key}\"\n")?;
        let advice = "An edge with this data directory trusts it by itself once it is reloaded (SIGHUP). Others need the CA's\n\
                      root in `origin_ca`: `rayline origin-ca root` prints it. Browsers that come past the edge do not trust it.";
        writeln!(out, "{}", styled(DIM, advice))?;
        let host = self.names.first().replacen('*', "www", 1);
        writeln!(out, "\nTo see that it works:  rayline tls ADDRESS --host {host} --ca {root}")
    }
}

//! `rayline import`: a configuration of others as one of this edge. What translates, and how, is for `rayline-config`.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rayline_config::{ImportFrom, ImportText, import};

use crate::cli::Global;
use crate::cli::check::{ImportArgs, ImportKind};
use crate::output::{self, Exit};

/// The longest text that is read, in bytes.
const LONGEST: u64 = 64 << 20;

pub(crate) fn run(args: &ImportArgs, global: &Global) -> io::Result<Exit> {
    let texts = read(args)?;
    let base = if args.path.is_dir() { args.path.clone() } else { folder_of(&args.path) };
    let import = import(from(args.from), &texts, base);
    let mut out = output::stdout();
    if global.json {
        let whole = serde_json::json!({ "toml": import.toml, "untranslated": import.untranslated });
        serde_json::to_writer_pretty(&mut out, &whole)?;
        writeln!(out)?;
    } else {
        // a configuration is data: only what would reach a terminal as a command is not in it, as TOML escapes it
        write!(out, "{}", import.toml)?;
        for left in &import.untranslated {
            let (place, what, why) =
                (output::escaped(&left.place), output::escaped(&left.what), output::escaped(&left.why));
            output::say(&format!("{place}: {what}: {why}"));
        }
    }
    Ok(if import.untranslated.is_empty() { Exit::Fine } else { Exit::Fault })
}

fn from(kind: ImportKind) -> ImportFrom {
    match kind {
        ImportKind::Cloudflare => ImportFrom::Cloudflare,
        ImportKind::Terraform => ImportFrom::Terraform,
        ImportKind::Nginx => ImportFrom::Nginx,
        ImportKind::Caddy => ImportFrom::Caddy,
    }
}

/// Whether a file of that name in a folder is one of those to translate.
fn is_meant(kind: ImportKind, path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match kind {
        ImportKind::Cloudflare => extension == Some("json"),
        ImportKind::Terraform => extension == Some("tf"),
        ImportKind::Nginx => extension == Some("conf"),
        ImportKind::Caddy => path.file_name().is_some_and(|name| name == "Caddyfile") || extension == Some("caddyfile"),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// The texts that a path stands for, those of a folder in the order of their names.
fn read(args: &ImportArgs) -> io::Result<Vec<ImportText>> {
    let failed = |path: &Path, error: &io::Error| {
        io::Error::new(error.kind(), format!("cannot read `{}`: {error}", path.display().to_string().escape_debug()))
    };
    let mut paths = vec![args.path.clone()];
    if args.path.is_dir() {
        let entries = std::fs::read_dir(&args.path).map_err(|error| failed(&args.path, &error))?;
        paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| is_meant(args.from, path));
        paths.sort();
        if paths.is_empty() {
            let name = args.path.display().to_string();
            return Err(io::Error::other(format!("there is nothing to translate in `{}`", name.escape_debug())));
        }
    }
    paths.iter().map(|path| read_one(path).map_err(|error| failed(path, &error))).collect()
}

fn read_one(path: &Path) -> io::Result<ImportText> {
    let mut text = String::new();
    if path == Path::new("-") {
        io::stdin().take(LONGEST + 1).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    }
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other(format!("it is longer than {LONGEST} bytes")));
    }
    Ok(ImportText { name: path.display().to_string(), text })
}

//! The command lines of what reads a configuration and runs nothing: `rayline check` and `rayline import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration; `-` reads standard input
    #[arg(value_name = "FILE", default_value = "rayline.toml")]
    pub(crate) file: PathBuf,
}

/// Translate a configuration of Cloudflare, nginx or Caddy
#[derive(Debug, Args)]
#[command(
    long_about = "Translate a configuration of others into one of this edge. The result goes to standard output and compiles; \
                  what has no counterpart is listed on standard error, each with its place and the reason. Exits with 1 if \
                  there is any of it.\n\n\
                  A folder stands for all files in it: `.json` of `cloudflare` (answers of its API), `.tf` of `terraform`, \
                  `.conf` of `nginx`, `Caddyfile` of `caddy`.\n\n\
                  --json prints {toml, untranslated: [{place, what, why}]}.",
    after_help = "Examples:\n  \
                  rayline import cloudflare export/ > rayline.toml\n  \
                  rayline import terraform infrastructure/ > rayline.toml\n  \
                  rayline import nginx /etc/nginx/sites-enabled/shop.conf > rayline.toml\n  \
                  rayline import caddy /etc/caddy/Caddyfile | rayline check -"
)]
pub(crate) struct ImportArgs {
    /// Whose configuration it is
    #[arg(value_name = "FROM")]
    pub(crate) from: ImportKind,
    /// A file, or a folder of them; `-` reads standard input
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

/// What can be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportKind {
    /// Answers of Cloudflare's API, as JSON
    Cloudflare,
    /// Terraform, with resources of Cloudflare's provider
    Terraform,
    /// nginx
    Nginx,
    /// A Caddyfile
    Caddy,
}

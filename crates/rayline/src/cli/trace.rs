//! The command line of `rayline trace`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The request: a URL, or a file with a JSON object; `-` is standard input
    #[arg(value_name = "URL|FILE")]
    pub(crate) request: String,
    /// The configuration [default: ./rayline.toml, /etc/rayline/rayline.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Show rules that did not match too, each with what its expression is worth part by part
    #[arg(long)]
    pub(crate) all: bool,
}

//! The command lines of `rayline tls` and `rayline origin-ca`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::tls::Patience;

#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    /// The origin: a host name or an address, with a port if TLS is not on 443
    #[arg(value_name = "HOST|ADDR[:PORT]")]
    pub(crate) target: rayline_diagnose::Target,
    /// The host name to ask for, where it is not the origin's
    #[arg(long, value_name = "NAME", value_parser = rayline_diagnose::target::host_name)]
    pub(crate) host: Option<String>,
    /// The origin's port for plain HTTP
    #[arg(long, value_name = "PORT", default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) http_port: u16,
    /// Trust the CAs in this file (PEM) too; several times
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Show this certificate (PEM, with its chain) to an origin that asks for one, as under an authenticated origin pull;
    /// what comes without it is said too
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The key of --client-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// How long each step may take
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(crate) timeout: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct OriginCaArgs {
    /// The edge's data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The configuration that names the data directory
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "data_dir")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: OriginCaCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OriginCaCommand {
    /// Issue a certificate, for a new key or for a certificate request
    #[command(
        long_about = "Issue a certificate, for a new key or for a certificate request, and print the lines that install it. A \
                      certificate has at most 200 names, which are host names or `*.` and a host name; no addresses.\n\n\
                      --json prints {certificate, private_key, key_type, names, not_before, not_after, days, serial, sha256, \
                      ca: {certificate, not_before, not_after, sha256}, ca_created}.",
        after_help = "Examples:\n  \
                      rayline origin-ca issue --hostname shop.example --hostname '*.shop.example'\n  \
                      rayline origin-ca issue --csr shop.csr --days 90 --out /etc/nginx/tls"
    )]
    Issue(OriginCaIssueArgs),

    /// Print the CA's own certificate, for edges with another data directory
    #[command(
        long_about = "Print the CA's own certificate as PEM, for `origin_ca` of edges with another data directory.\n\n\
                      --json prints {certificate, not_before, not_after, sha256, pem}.",
        after_help = "Examples:\n  rayline origin-ca root > origin-ca.pem"
    )]
    Root,
}

#[derive(Debug, Args)]
pub(crate) struct OriginCaIssueArgs {
    /// A name to certify, `shop.example` or `*.shop.example`; several times [default: those of --csr]
    #[arg(long = "hostname", value_name = "NAME", required_unless_present = "csr")]
    pub(crate) hostnames: Vec<String>,
    /// Certify the key of this certificate request (PEM) instead of a new one
    #[arg(long, value_name = "FILE", conflicts_with = "key_type")]
    pub(crate) csr: Option<PathBuf>,
    /// The kind of the new key: ECDSA P-256, or RSA with 2048 bits
    #[arg(long, value_enum, value_name = "KIND", default_value_t = KeyType::Ecdsa)]
    pub(crate) key_type: KeyType,
    /// How long it is valid: 7, 30, 90, 365, 730, 1095 or 5475 days
    #[arg(long, value_name = "DAYS", default_value = "5475", value_parser = validity)]
    pub(crate) days: u32,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// The kind of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyType {
    Ecdsa,
    Rsa,
}

impl KeyType {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Ecdsa => "ECDSA P-256",
            Self::Rsa => "RSA 2048 bits",
        }
    }
}

/// The times that Cloudflare's Origin CA knows (`requested_validity`).
fn validity(text: &str) -> Result<u32, String> {
    const DAYS: [u32; 7] = [7, 30, 90, 365, 730, 1095, 5475];
    let days = text.parse().ok().filter(|days| DAYS.contains(days));
    days.ok_or_else(|| "choose 7, 30, 90, 365, 730, 1095 or 5475 days".to_owned())
}

//! The command line of `rayline bisect`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::TypedValueParser as _;
use rayline_verdict::RayId;

use super::AdminUrl;
use super::diagnose::{Field, SiteUrl, method};
use crate::tls::Patience;

#[derive(Debug, Args)]
pub(crate) struct BisectArgs {
    /// What fails: a URL (without a scheme, `https://`), or the Ray ID of a request that the edge keeps
    #[arg(value_name = "URL|RAY")]
    pub(crate) what: What,
    /// The edge's configuration, which names its admin server
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The admin server of the running edge, on this machine; its token is in RAYLINE_TOKEN, or found by --config
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<AdminUrl>,
    /// Where to send the copies, rather than to the edge's own listener for the URL's scheme
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) edge: Option<SocketAddr>,
    /// Send this field too; several times
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<Field>,
    /// The method; one that may change something needs --unsafe
    #[arg(long, value_name = "METHOD", default_value = "GET", value_parser = method)]
    pub(crate) method: String,
    /// Allow a method that may change something, such as POST
    #[arg(long = "unsafe")]
    pub(crate) is_unsafe: bool,
    /// The status of a good answer; without it every status below 400 is good
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub(crate) expect: Option<u16>,
    /// How many copies are sent at most
    #[arg(long, value_name = "N", default_value_t = 400,
          value_parser = clap::value_parser!(u64).range(2..=100_000).map(|tries| usize::try_from(tries).unwrap_or(400)))]
    pub(crate) tries: usize,
    /// Look for the first version of the configuration that fails too; where no rule is to blame that is done anyway
    #[arg(long)]
    pub(crate) versions: bool,
    /// How long a copy may take
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) timeout: Patience,
}

/// What fails, as a person writes it.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Url(SiteUrl),
    Ray(RayId),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ray) = text.parse() {
            return Ok(Self::Ray(ray));
        }
        if !text.contains(['.', ':', '/']) {
            return Err("it is neither a URL nor a Ray ID, which has 16 hexadecimal digits".to_owned());
        }
        text.parse().map(Self::Url)
    }
}

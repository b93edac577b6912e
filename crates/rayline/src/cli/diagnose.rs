//! The command line of the diagnosis: `diagnose` and its side commands.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, ValueEnum};
use rayline_diagnose::case::{Origin, Resolve};
use rayline_diagnose::ranges::Format;

use super::AdminUrl;
use crate::tls::Patience;

#[derive(Debug, Args)]
pub(crate) struct DiagnoseArgs {
    /// What fails; without a scheme, `https://`. With --har alone it may be left out
    #[arg(value_name = "URL", required_unless_present = "har", value_parser = Unrepeated::<SiteUrl>::new())]
    pub(crate) url: Option<SiteUrl>,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Find out how much load the origin of --origin takes, up to N requests at once [default: 64]; GET or HEAD only; asks
    /// before it begins. With --watch a lighter one at each round
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "64", requires = "origin",
          value_parser = clap::value_parser!(u32).range(1..=256), help_heading = "Load and time")]
    pub(crate) load: Option<u32>,
    /// Ask so many times per second, whether or not those before are answered; it begins with an eighth
    #[arg(long, value_name = "N", requires = "load", value_parser = clap::value_parser!(u32).range(1..=2000),
          help_heading = "Load and time")]
    pub(crate) load_rate: Option<u32>,
    /// Do not ask before --load
    #[arg(long, requires = "load", help_heading = "Load and time")]
    pub(crate) yes: bool,
    /// Repeat every TIME [default: 30s], and say when the verdict changes; Ctrl-C ends it with the last verdict's exit code
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30s", requires = "url",
          conflicts_with_all = ["report", "har", "ticket"], help_heading = "Load and time")]
    pub(crate) watch: Option<Patience>,
}

/// What a person knows of the site.
#[derive(Debug, Args)]
#[command(next_help_heading = "What you know of the site")]
pub(crate) struct KnownArgs {
    /// Where the site's own server is: ADDR, ADDR:PORT, http(s)://ADDR:PORT; several times
    #[arg(long, value_name = "ADDR", requires = "url", value_parser = Unrepeated::<Origin>::new())]
    pub(crate) origin: Vec<Origin>,
    /// The origin's logs: files and folders; several times
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "url")]
    pub(crate) logs: Vec<PathBuf>,
    /// This machine is the origin: look at its listeners, firewall, disk, memory and logs too
    #[arg(long, requires = "url")]
    pub(crate) here: bool,
    /// The configuration of the Rayline edge in front: origin, request log and admin server are taken from it
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) config: Option<PathBuf>,
    /// The admin server of the Rayline edge in front, on this machine; its token is in RAYLINE_TOKEN, or found by --config
    #[arg(long, value_name = "URL", requires = "url")]
    pub(crate) admin: Option<AdminUrl>,
    /// Where a name leads instead of what DNS says, as with curl: HOST:PORT:ADDR; several times
    #[arg(long, value_name = "HOST:PORT:ADDR", requires = "url")]
    pub(crate) resolve: Vec<Resolve>,
    /// Ask this name server instead of the system's; several times
    #[arg(long, value_name = "ADDR[:PORT]", requires = "url")]
    pub(crate) name_server: Vec<NameServer>,
}

/// How the site is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to ask")]
pub(crate) struct AskingArgs {
    /// Send this field too; several times
    #[arg(long, value_name = "NAME: VALUE", requires = "url", value_parser = Unrepeated::<Field>::new())]
    pub(crate) header: Vec<Field>,
    /// The method; one that may change something needs --unsafe
    #[arg(long, value_name = "METHOD", requires = "url", default_value = "GET", value_parser = method)]
    pub(crate) method: String,
    /// Allow a method that may change something, such as POST
    #[arg(long = "unsafe", requires = "url")]
    pub(crate) is_unsafe: bool,
    /// Trust the CAs in this file (PEM) too; several times
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca: Vec<PathBuf>,
    /// How long each step may take, unless it looks for a longer limit
    #[arg(long, value_name = "TIME", requires = "url", default_value = "5s")]
    pub(crate) timeout: Patience,
    /// How often the site is asked at least; more where it fails now and then
    #[arg(long, value_name = "N", requires = "url", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) samples: u32,
}

/// Where the diagnosis goes beside the screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "What comes out")]
pub(crate) struct OutputArgs {
    /// Write a report into this file, `.html` or `.md`
    #[arg(long, value_name = "FILE", requires = "url", value_parser = report_file)]
    pub(crate) report: Option<PathBuf>,
    /// With a URL: write what was asked and answered as HAR, through the edge, and past it beside it (`.direct.har`). Without:
    /// read this HAR of a browser, and say what failed in it
    #[arg(long, value_name = "FILE")]
    pub(crate) har: Option<PathBuf>,
    /// Print a message for that side's support, ready to paste; with --json it is the member `ticket`
    #[arg(long, value_enum, value_name = "SIDE", requires = "url")]
    pub(crate) ticket: Option<Side>,
    /// Show cookies, tokens and query values in reports, HAR and ticket
    #[arg(long, requires = "url")]
    pub(crate) unmask: bool,
}

/// Whose support a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// Whoever runs the site's server.
    Hosting,
    /// Whoever runs the edge.
    Edge,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Files and folders; none: this machine's usual places
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only what was written within this time, such as `15m`, `2h` or `3d`
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Ago>,
}

#[derive(Debug, Args)]
pub(crate) struct RayArgs {
    /// The Ray ID from the error page: 16 hex digits, with or without `-COLO`
    #[arg(value_name = "ID")]
    pub(crate) ray: rayline_verdict::RayId,
    /// The edge's configuration, which names its admin server and its request log
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The admin server of the running edge, on this machine; its token is in RAYLINE_TOKEN, or found by --config
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<AdminUrl>,
    /// The edge's request log, instead of the configuration's
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) file: Option<PathBuf>,
    /// The origin's logs: files and folders; several times
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) logs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The origin: ADDR, ADDR:PORT, http(s)://ADDR:PORT
    #[arg(value_name = "ADDR", value_parser = Unrepeated::<Origin>::new())]
    pub(crate) origin: Origin,
    /// The host name to ask for, where it is not the origin's
    #[arg(long, value_name = "NAME", value_parser = rayline_diagnose::target::host_name)]
    pub(crate) host: Option<String>,
    /// The path to ask for
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) path: String,
    /// Trust the CAs in this file (PEM) too; several times
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// How long each step may take, unless it looks for a longer limit
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(crate) timeout: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct IpsArgs {
    /// The edge; none: those that are known
    #[arg(value_name = "EDGE", conflicts_with = "config")]
    pub(crate) edge: Option<String>,
    /// The configuration of a Rayline edge, in place of a known one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// For what the lines are [default: plain]
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The ports that a firewall opens [default: 80 and 443], with ufw, nft and iptables; several times
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Vec<u16>,
    /// Lines that let nobody else in, in place of those that take the visitor's address from the edge's field (nginx, apache)
    #[arg(long)]
    pub(crate) only: bool,
}

/// The formats by their names.
fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|name| {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.unwrap_or(Format::Plain)
    })
}

/// Reads a value that may hold a secret: what is wrong with it is said without repeating it.
#[derive(Debug)]
pub(crate) struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Unrepeated<T> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

// not derived: that would ask the same of what is read
impl<T> Clone for Unrepeated<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err: std::fmt::Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<T, clap::Error> {
        let read = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        read.and_then(|text| text.parse().map_err(|why: T::Err| why.to_string())).map_err(|why| {
            let name = argument.map(|argument| format!(" for '{argument}'")).unwrap_or_default();
            clap::Error::raw(ErrorKind::ValueValidation, format!("invalid value{name}: {why}\n")).with_cmd(command)
        })
    }
}

/// Schemes whose URLs have no `//`, so that they look like a host with a port, or like a user with a password.
const NO_SITES: [&str; 6] = ["about", "data", "file", "javascript", "mailto", "tel"];

/// A site as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteUrl(pub(crate) rayline_diagnose::Url);

impl FromStr for SiteUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once(':')
            && NO_SITES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
            && !rest.starts_with(|first: char| first.is_ascii_digit())
        {
            return Err(format!("a site is asked by `http` or `https`, not by `{}`", scheme.to_ascii_lowercase()));
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = rayline_diagnose::Url::parse(&whole).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a site is asked by `http` or `https`, not by `{}`", url.scheme()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err("the URL has no host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password out of the URL; `--header 'Authorization: …'` sends them".to_owned());
        }
        Ok(Self(url))
    }
}

/// A name server: an address, with a port if that is not 53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameServer(pub(crate) std::net::SocketAddr);

impl FromStr for NameServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let target: rayline_diagnose::Target = text.parse()?;
        let ip = target.address().ok_or("a name server is an address")?;
        Ok(Self(std::net::SocketAddr::new(ip, target.port.unwrap_or(53))))
    }
}

/// A field as a person writes it: `Name: value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field(pub(crate) String, pub(crate) String);

impl FromStr for Field {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("write `Name: value`")?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("the field's name must be a token: letters, digits, `-`");
        }
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err("the field's value must be one line without control characters");
        }
        Ok(Self(name.to_owned(), value.trim().to_owned()))
    }
}

/// A time back from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ago(pub(crate) std::time::Duration);

impl FromStr for Ago {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "write a time such as `90s`, `15m`, `2h` or `3d`";
        let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(WANTED)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(WANTED),
        };
        let count: u64 = digits.parse().map_err(|_| WANTED)?;
        count.checked_mul(seconds).map(std::time::Duration::from_secs).map(Self).ok_or(WANTED)
    }
}

/// A method's name (RFC 9110 section 9.1).
pub(super) fn method(text: &str) -> Result<String, String> {
    let is_good =
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    is_good.then(|| text.to_ascii_uppercase()).ok_or_else(|| "a method is a word such as `GET`".to_owned())
}

fn report_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm" | "md") => Ok(path),
        Some(_) | None => Err("the file's name must end in `.html` or `.md`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_url_with_or_without_its_scheme() {
        for (text, url) in [
            ("shop.example/cart?a=1", "https://shop.example/cart?a=1"),
            ("http://shop.example:8080", "http://shop.example:8080/"),
            ("localhost:8080/x", "https://localhost:8080/x"),
            ("https://[::1]/", "https://[::1]/"),
            ("münchen.example", "https://xn--mnchen-3ya.example/"),
        ] {
            assert_eq!(text.parse::<SiteUrl>().unwrap().0.as_str(), url, "{text}");
        }
        for text in ["", "ftp://shop.example", "https://", "https://a:b@shop.example/", "https://a b/", "mailto://x@y"]
        {
            assert!(text.parse::<SiteUrl>().is_err(), "{text}");
        }
        for (text, why) in [
            ("mailto:a@b", "not by `mailto`"),
            ("Mailto:a@b", "not by `mailto`"),
            ("tel:+49", "not by `tel`"),
            ("me:s3cret@shop.example", "leave user and password out"),
        ] {
            let said = text.parse::<SiteUrl>().unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert_eq!("data:8080/x".parse::<SiteUrl>().unwrap().0.as_str(), "https://data:8080/x");
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let parser = Unrepeated::<SiteUrl>::new();
        let error = parser.parse_ref(&clap::Command::new("x"), None, "http://u:s3cret@shop.example:1".as_ref());
        let said = error.unwrap_err().to_string();
        assert!(said.contains("leave user and password out") && !said.contains("s3cret"), "{said}");
    }

    #[test]
    fn a_field_is_one_line_with_a_name() {
        assert_eq!("Cookie: a=b".parse(), Ok(Field("Cookie".to_owned(), "a=b".to_owned())));
        for text in ["", "Cookie", ": x", "a b: c", "X: a\r\nY: b", "X:\0"] {
            assert!(text.parse::<Field>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_time_back_has_a_unit() {
        assert_eq!("15m".parse(), Ok(Ago(std::time::Duration::from_secs(900))));
        for text in ["", "m", "15", "1w", "-1m", "99999999999999999999d", "ä"] {
            assert!(text.parse::<Ago>().is_err(), "{text}");
        }
    }
}

//! The command line: every command, option and help text. What a command does stands in the file of its name.

pub(crate) mod bisect;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod diagnose;
pub(crate) mod maintenance;
pub(crate) mod rules;
pub(crate) mod tls;
pub(crate) mod trace;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;
use rayline_observe::{CodeFilter, StatusFilter, TailFilter, Target};
use rayline_verdict::Party;

use bisect::BisectArgs;
use check::{CheckArgs, ImportArgs};
use config::ConfigArgs;
use diagnose::{DiagnoseArgs, IpsArgs, LogsArgs, ProbeArgs, RayArgs};
use maintenance::MaintenanceArgs;
use rules::RulesArgs;
use tls::{OriginCaArgs, TlsArgs};
use trace::TraceArgs;

/// Where the admin server listens unless told otherwise.
pub(crate) const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// A self-hosted edge that says of every failed request whose fault it is.
#[derive(Debug, Parser)]
#[command(
    name = "rayline",
    version,
    arg_required_else_help = true,
    long_about = "A self-hosted edge (reverse proxy) with Cloudflare's semantics that says of every failed request whose \
                  fault it is, how it knows, and what to do.\n\n\
                  Exit codes: 0 fine, 1 a check failed or a fault was found, 2 the command line is wrong, 3 could not run.",
    after_help = "Examples:\n  \
                  rayline demo                                   see every failure explained, on this machine alone\n  \
                  rayline serve --zone shop.example --origin http://127.0.0.1:3000\n  \
                  rayline explain 522\n  \
                  rayline diagnose https://shop.example/cart     whose fault a failing site is, behind any edge or none\n\n\
                  `rayline COMMAND --help` has more."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print JSON instead of text, where there is data to print
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours; `auto` asks the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an edge in front of broken origins, to see every failure explained
    #[command(
        long_about = "Run an edge in front of a row of origins, each broken in one way, all on loopback. Prints the address of \
                      a page that lists them. Needs no root, no network and no configuration, and leaves nothing behind.",
        after_help = "Examples:\n  \
                      rayline demo\n  \
                      rayline demo --listen 127.0.0.1:9000\n  \
                      curl -i http://refused.demo.localhost:8080/       (while it runs)"
    )]
    Demo(DemoArgs),

    /// Run the edge
    #[command(
        long_about = "Run the edge: from a configuration file, or for one zone described in the command line. Without either, \
                      `rayline.toml` here or `/etc/rayline/rayline.toml` is used.\n\n\
                      SIGHUP, or a change of the file, reads it again without dropping a connection; a file with errors changes \
                      nothing. SIGUSR1 opens the request log anew. SIGTERM and Ctrl-C let the requests that are under way finish.",
        after_help = "Examples:\n  \
                      rayline serve --zone shop.example --origin http://127.0.0.1:3000\n  \
                      rayline serve --zone shop.example --origin https://10.0.0.7 --listen 0.0.0.0:80\n  \
                      rayline serve --config /etc/rayline/rayline.toml"
    )]
    Serve(ServeArgs),

    /// Check a configuration without running it
    #[command(
        long_about = "Read a configuration and show every problem at once, each with its line, a mark under the place and a hint. \
                      Exits with 1 if there is an error; warnings alone are fine.\n\n\
                      --json prints an array of {severity, message, path, file, start, end, hint}.",
        after_help = "Examples:\n  \
                      rayline check\n  \
                      rayline check /etc/rayline/rayline.toml\n  \
                      generate-config | rayline check -\n  \
                      rayline check --json rayline.toml | jq '.[].message'"
    )]
    Check(CheckArgs),

    Import(ImportArgs),

    Config(ConfigArgs),

    Maintenance(MaintenanceArgs),

    /// Explain an error: what happened, who can fix it, how we know, what to do
    #[command(
        long_about = "Explain an error by the number on its page (522, 1016), by its code (origin.connect.refused) or by a part of \
                      it (refused, expired). Without an argument, list every code.\n\n\
                      --json prints {code, party, phase, number, title, sentence, certainty, rivals, reached, retry, proxy_error, \
                      fix, page}: one object if one code fits, else an array of them.",
        after_help = "Examples:\n  \
                      rayline explain\n  \
                      rayline explain 522\n  \
                      rayline explain origin.connect.refused\n  \
                      rayline explain expired\n  \
                      rayline explain --json 1016 | jq -r '.[].fix[]'"
    )]
    Explain(ExplainArgs),

    /// Follow requests as they are answered, and whose fault it is when one fails
    #[command(
        long_about = "Follow the requests of a running edge, one line each; a failed one has a second line with its verdict. All \
                      filters must fit.\n\n\
                      The edge is found by its configuration: --config, else `rayline.toml` here or `/etc/rayline/rayline.toml`, \
                      else 127.0.0.1:8787. The token is RAYLINE_TOKEN, or `admin.token` in the edge's data directory. \
                      With --file, the lines of a request log are read instead, from its beginning; no edge is needed.\n\n\
                      --json prints the request log's own lines.",
        after_help = "Examples:\n  \
                      rayline tail\n  \
                      rayline tail --failures\n  \
                      rayline tail --party origin --status 5xx --zone shop.example\n  \
                      rayline tail --code origin.origin_tls.\n  \
                      rayline tail --json --failures | jq .VerdictEvidence\n  \
                      rayline tail --file requests.ndjson --no-follow --status 524"
    )]
    Tail(TailArgs),

    /// Find the culprit of a failing site: any site, behind any edge or none
    #[command(
        long_about = "Find the culprit of a failing site, behind any edge (Cloudflare, Fastly, CloudFront, nginx, Rayline, …) or \
                      none: whose fault it is, how sure that is, the evidence, what to do, and what to hand to whom.\n\n\
                      It asks the site as a visitor would, a few times; with --origin the same past the edge, and what differs; \
                      with --logs or --here it reads what the origin's logs say about the very request; with --admin or --config \
                      what the Rayline edge in front recorded, and, unless the origin fails by itself, which of the zone's rules \
                      make the request fail: copies of it go without some, as `rayline bisect` does it. The more it is given, the surer it is; it says what would help.\n\n\
                      It only reads: GET unless told otherwise, few requests, named `Rayline-Diagnose` in User-Agent, and nobody \
                      else is asked but name servers, and the revocation lists that the origin's certificates name. What is made to be handed on (--report, --har, --ticket) has no cookies, \
                      tokens and query values in it.\n\n\
                      Exits with 0 if nothing fails, 1 if a fault was found, 3 if nothing could be asked, or nothing tells whose \
                      fault it is. Ctrl-C ends it with what was found so far.\n\n\
                      --json prints {url, started_at, took_ms, outcome, edge_seen, summary, verdict: {code, party, phase, status, \
                      certainty, rivals, reached, summary, hop, cause, evidence, clues, remedies, attempts, next}, hypotheses: [{code, \
                      cause, likelihood, sentence, for, against, decide}], next, probes: [{name, ok, took_ms, said, facts, \
                      verdict}]}, and with --ticket the member ticket, a text, unless nothing fails.",
        after_help = "Examples:\n  \
                      rayline diagnose https://shop.example/cart\n  \
                      rayline diagnose https://shop.example/cart --origin 192.0.2.7\n  \
                      rayline diagnose https://shop.example/cart --origin 127.0.0.1 --here          on the origin itself\n  \
                      rayline diagnose shop.example --origin http://10.0.0.7:8080 --logs /var/log/nginx ./php-fpm.log\n  \
                      rayline diagnose shop.example --config /etc/rayline/rayline.toml              behind a Rayline edge\n  \
                      rayline diagnose shop.example --origin 192.0.2.7 --ticket hosting\n  \
                      rayline diagnose --har from-the-browser.har"
    )]
    Diagnose(Box<DiagnoseArgs>),

    /// Everything known of one request: the edge's record, and the origin's log lines
    #[command(
        long_about = "Show everything known of one request by the Ray ID on its error page: the edge's record, as the running \
                      edge keeps it, else from its request log, and with --logs the lines of the origin's logs that belong to it, found by Ray ID, else by time, \
                      method and path.\n\n\
                      --json prints {ray_id, record, logs}.",
        after_help = "Examples:\n  \
                      rayline ray 230b030023ae2822-LHR\n  \
                      rayline ray 230b030023ae2822 --file requests.ndjson --logs /var/log/nginx"
    )]
    Ray(RayArgs),

    /// Read a server's logs, and name what is wrong in them
    #[command(
        long_about = "Read a server's logs, and name what is wrong: worker pool exhausted, PHP fatal error with file and line, \
                      database gone, disk full and the like, grouped and counted. Known are the logs of nginx, Apache, PHP-FPM, \
                      PHP, Caddy, HAProxy, Node and pm2, Gunicorn, uWSGI, Tomcat, MySQL, PostgreSQL, Redis, systemd, Docker and \
                      the kernel; compressed and rotated ones too. They are read as a stream, and only read.\n\n\
                      Exits with 1 if something is wrong, 0 if nothing is, 3 if nothing could be read.\n\n\
                      --json prints {named: [{name, summary, source, line, file, line_number, place, count, likelihood}], joined, \
                      files, skew_seconds, format_hint}.",
        after_help = "Examples:\n  \
                      rayline logs /var/log/nginx /var/log/php8.2-fpm.log\n  \
                      rayline logs --since 15m\n  \
                      rayline logs error.log.2.gz --json | jq '.named[] | [.name, .count]'"
    )]
    Logs(LogsArgs),

    /// Look at an origin alone: what it answers, its TLS, the way there
    #[command(
        long_about = "Look at an origin alone, as an edge would come to it: what it answers over HTTP/1.1 and HTTP/2, what each SSL \
                      mode would make of it, DNS, TCP and the path there.\n\n\
                      Exits and prints --json as `rayline diagnose`.",
        after_help = "Examples:\n  \
                      rayline probe 192.0.2.7 --host shop.example\n  \
                      rayline probe http://10.0.0.7:8080 --host shop.example --path /cart"
    )]
    Probe(ProbeArgs),

    /// Print an edge's address ranges as firewall or real-IP lines
    #[command(
        long_about = "Print the address ranges that an edge connects from, as lines that let it in, or that have a server believe \
                      the visitor's address in its requests. The lists are shipped with the program, with their date. For a \
                      Rayline edge they are the addresses of its configuration's listeners, or of this machine where those \
                      listen on all.\n\n\
                      --json prints {edge, source, dated, ranges}.",
        after_help = "Examples:\n  \
                      rayline ips                                    which edges are known\n  \
                      rayline ips cloudflare --format nft\n  \
                      rayline ips cloudflare --format nginx > /etc/nginx/conf.d/real-ip.conf\n  \
                      rayline ips --config /etc/rayline/rayline.toml --format ufw"
    )]
    Ips(IpsArgs),

    /// See what each SSL mode would make of an origin, and what its TLS is like
    #[command(
        long_about = "See what each SSL mode (off, flexible, full, strict, origin_pull) would make of an origin: works, a redirect \
                      loop, or the error page that visitors would get, and why. Then what the origin presents and speaks: \
                      certificate, names, dates, revocation, TLS versions and ciphers, SNI, ALPN, HTTP/2.\n\n\
                      It asks the origin for `/` a few times and opens some short connections; nobody else is asked but the \
                      name servers, and for the revocation lists that its certificates name those who keep them, by HTTP. The hosts file counts. Trusted are the public CAs, this machine's or those of \
                      SSL_CERT_FILE, and --ca.\n\n\
                      Exits with 0 if `strict` works, nothing is revoked, and HTTP/2, where it is agreed on, is spoken; with 1 \
                      otherwise.\n\n\
                      --json prints {target, name, addresses, fine, verdict, modes: [{mode, works, visitor_https, visitor_http}], \
                      chain: [{subject, issuer, names, not_before, not_after, key, self_issued, sha256}], stapled, \
                      revocation: [{subject, list, outcome, until, since, reason, why}], system_only, versions: [{version, \
                      offered, ciphers, complete, why}], without_name: {outcome, certificate, why}, without_client: {outcome, \
                      status, location, verdict}, alpn, http2, findings: [{fault, text}]}; a visit is {outcome, status, \
                      location, redirected, verdict}.",
        after_help = "Examples:\n  \
                      rayline tls shop.example\n  \
                      rayline tls 192.0.2.7 --host shop.example\n  \
                      rayline tls 10.0.0.7:8443 --host shop.example --http-port 8080 --ca origin-ca.pem\n  \
                      rayline tls 192.0.2.7 --host shop.example --client-cert pull.pem --client-key pull.key\n  \
                      rayline tls shop.example --json | jq -r '.modes[] | [.mode, .visitor_https.outcome] | @tsv'"
    )]
    Tls(TlsArgs),

    /// Issue certificates for origins, of a CA that the edge alone trusts
    #[command(
        long_about = "Issue certificates for origins, of a CA that the edge alone trusts. The CA is made on first use, in \
                      `origin-ca` of the edge's data directory; the edge trusts it there by itself under `ssl = \"strict\"`.\n\n\
                      The data directory is that of --data-dir, else of the configuration: --config, else `rayline.toml` \
                      here or `/etc/rayline/rayline.toml`; else `rayline-data`.",
        after_help = "Examples:\n  \
                      rayline origin-ca issue --hostname shop.example --hostname '*.shop.example' --out /etc/nginx/tls\n  \
                      rayline origin-ca issue --csr shop.csr --days 90\n  \
                      rayline origin-ca root > origin-ca.pem"
    )]
    OriginCa(OriginCaArgs),

    /// Try expressions of the rules language, and see what they can ask for
    #[command(
        long_about = "Try expressions of the rules language, which is Cloudflare's, and see what they can ask for.\n\n\
                      `rayline rules COMMAND --help` has more.",
        after_help = "Examples:\n  \
                      rayline rules test 'http.host eq \"shop.example\"' --request https://shop.example/cart\n  \
                      rayline rules fields"
    )]
    Rules(RulesArgs),

    /// Find the rules that make a request fail, by copies of it that go without some
    #[command(
        long_about = "Find the rules that make a request fail. Copies of it are sent to the running edge, each with some of the zone's \
                      rules switched off for this copy alone, until the smallest set is known that causes the failure: one rule, \
                      several that each do, or several that do together. Where none is to blame, that is said, and the versions \
                      of the configuration are tried: the first that fails, and what it changed.\n\n\
                      What visitors get is the same as ever: a copy bears a field that the edge has signed for it, which is good \
                      for a minute and never passed on to an origin. The edge's admin server signs; its token is RAYLINE_TOKEN, \
                      or is found by --config. GET and HEAD alone are sent unless --unsafe is given: origins see every copy.\n\n\
                      --json prints {url, method, baseline: {status, code, ray_id}, parts, tries, found, culprits: [{parts: [{id, \
                      group, description, action, expression, place}], without}], versions}; `found` is no_failure, without_rules, \
                      culprits or unfinished.\n\n\
                      Exits with 1 if the guilty rules or the guilty version were found, 0 if the request does not fail, 3 if \
                      that cannot be told.",
        after_help = "Examples:\n  \
                      rayline bisect https://shop.example/cart\n  \
                      rayline bisect 230b030023ae2822 --config /etc/rayline/rayline.toml\n  \
                      rayline bisect https://shop.example/ --expect 200 --versions\n  \
                      rayline bisect https://shop.example/ --json | jq -r '.culprits[].parts[].id'"
    )]
    Bisect(Box<BisectArgs>),

    /// Run a request through its zone's rules on paper, and see what each of them does
    #[command(
        long_about = "Run a request through every phase of its zone's rules, as the edge would, and see which rules match, what \
                      each changes, before and after, and how it ends. Nothing is sent: rate limits count nothing, and phases of \
                      answers run only where the description has an answer.\n\n\
                      The request is a URL, for a plain GET, or a file (`-` is standard input) with a JSON object, as \
                      `rayline rules test` takes it.\n\n\
                      --json prints {zone, steps: [{phase, rule, description, expression, action, reached, changes: [{what, \
                      before, after}], managed_rules, why}], outcome, changed}; `reached` is matched, ended, not_matched, skipped \
                      or disabled; `why` is there with --all.\n\n\
                      Exits with 1 if a rule cannot do what it says, 0 otherwise, 3 if there is no configuration, or no zone for \
                      the host.",
        after_help = "Examples:\n  \
                      rayline trace https://shop.example/blog/1\n  \
                      rayline trace https://shop.example/admin --all --config rayline.toml\n  \
                      rayline trace request.json --json | jq '.steps[] | [.phase, .rule, .reached]'"
    )]
    Trace(TraceArgs),

    /// Show the version, the target, and what this build can do
    #[command(
        long_about = "Show the version, the target, and what this build can do.\n\n--json prints {version, target, features}.",
        after_help = "Examples:\n  rayline version\n  rayline version --json"
    )]
    Version,

    /// Print a completion script for a shell
    #[command(
        long_about = "Print a script that completes rayline's commands and options in a shell.",
        after_help = "Examples:\n  \
                      rayline completions bash > ~/.local/share/bash-completion/completions/rayline\n  \
                      rayline completions zsh > ~/.zfunc/_rayline\n  \
                      rayline completions fish > ~/.config/fish/completions/rayline.fish"
    )]
    Completions(CompletionsArgs),

    /// Print the manual page
    #[command(
        long_about = "Print the manual page, or write one per command into a folder.",
        after_help = "Examples:\n  rayline man | man -l -\n  rayline man --dir /usr/local/share/man/man1"
    )]
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where visitors connect [default: 127.0.0.1:8080, or a free port if that is taken]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the admin server listens [default: 127.0.0.1:8787, or a free port if that is taken]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", conflicts_with = "zone")]
    pub(crate) config: Option<PathBuf>,
    /// Serve one zone without a configuration; every host name is served
    #[arg(long, value_name = "NAME", requires = "origin")]
    pub(crate) zone: Option<String>,
    /// The zone's origin: http:// means `ssl = "flexible"`, https:// means `"origin_pull"` (always TLS, checked)
    #[arg(long, value_name = "URL", requires = "zone")]
    pub(crate) origin: Option<String>,
    /// Where visitors connect, with --zone
    #[arg(long, value_name = "ADDR", requires = "zone", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the admin server listens, whatever the configuration says
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<SocketAddr>,
    /// Where the request log goes, whatever the configuration says: a file, `stdout` or `off`
    #[arg(long, value_name = "FILE|stdout|off")]
    pub(crate) log: Option<LogArg>,
}

/// A request log's destination as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogArg(pub(crate) Target);

impl FromStr for LogArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("name a file, `stdout` or `off`".to_owned()),
            "stdout" => Ok(Self(Target::Stdout)),
            "off" => Ok(Self(Target::Off)),
            path => Ok(Self(Target::File(PathBuf::from(path)))),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A number, a code, or a part of a code's name
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The configuration of the edge to follow
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The edge's admin server, on this machine
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<AdminUrl>,
    /// Read a request log instead of asking an edge
    #[arg(long, value_name = "PATH", conflicts_with_all = ["config", "admin"])]
    pub(crate) file: Option<PathBuf>,
    /// End where the file ends
    #[arg(long, requires = "file")]
    pub(crate) no_follow: bool,
    /// Only this zone
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    zone: Option<String>,
    /// Only this status (502), class (5xx) or number of a verdict (1016)
    #[arg(long, value_name = "STATUS", help_heading = "Filters")]
    status: Option<StatusFilter>,
    /// Only failures that this party can fix: visitor, policy, owner, edge, network, origin
    #[arg(long, value_name = "PARTY", value_parser = TailFilter::party_named, help_heading = "Filters")]
    party: Option<Party>,
    /// Only failures whose code begins so, such as `origin.connect.`
    #[arg(long, value_name = "CODE", help_heading = "Filters")]
    code: Option<CodeFilter>,
    /// Only failures
    #[arg(long, help_heading = "Filters")]
    failures: bool,
}

impl TailArgs {
    pub(crate) fn filter(&self) -> TailFilter {
        TailFilter {
            zone: self.zone.as_deref().map(str::to_ascii_lowercase),
            status: self.status,
            party: self.party,
            code: self.code.clone(),
            failures_only: self.failures,
        }
    }
}

/// `http://127.0.0.1:8787` or `127.0.0.1:8787`. Only loopback: the token must not travel over a network in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdminUrl(pub(crate) SocketAddr);

impl FromStr for AdminUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let authority = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err("the admin server speaks plain HTTP: write `http://127.0.0.1:8787`".to_owned()),
            None => text,
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let literal = match authority.strip_prefix("localhost") {
            Some(port) => format!("127.0.0.1{port}"),
            None => authority.to_owned(),
        };
        let bare = literal.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(&literal);
        let addr = literal.parse().or_else(|_| bare.parse().map(|ip: IpAddr| SocketAddr::new(ip, ADMIN.port())));
        match addr {
            Ok(addr) if addr.ip().is_loopback() => Ok(Self(addr)),
            Ok(_) | Err(_) => Err(format!(
                "only an address of this machine will do, such as `http://{ADMIN}`, so that the token stays on it; \
                 from elsewhere forward the port: `ssh -L 8787:{ADMIN} HOST`"
            )),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page per command into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_description_and_examples() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_long_about().is_some(), "{name}");
            assert!(command.get_after_help().is_some_and(|help| help.to_string().starts_with("Examples:\n")), "{name}");
        }
    }

    #[test]
    fn the_admin_server_is_asked_on_this_machine_alone() {
        for (text, addr) in [
            ("http://127.0.0.1:8787", "127.0.0.1:8787"),
            ("HTTP://127.0.0.2:1/", "127.0.0.2:1"),
            ("localhost:9000", "127.0.0.1:9000"),
            ("localhost", "127.0.0.1:8787"),
            ("http://[::1]:9000", "[::1]:9000"),
            ("[::1]", "[::1]:8787"),
        ] {
            assert_eq!(text.parse(), Ok(AdminUrl(addr.parse().unwrap())), "{text}");
        }
        for text in ["https://127.0.0.1", "10.0.0.1:8787", "edge.example", "localhost.evil.example", "127.0.0.1:x", ""]
        {
            assert!(text.parse::<AdminUrl>().is_err(), "{text}");
        }
    }
}

//! What each SSL mode would make of an origin, and what its TLS is like.
//!
//! Two kinds of looks, which do not share a line: the edge's dialler says what a mode would come to, with the verdict
//! that the edge would give; a handshake that accepts everything, and hellos made by hand, say what the origin presents
//! and speaks. Nobody is asked but the origin, and who keeps the revocation lists that its certificates name.

mod handshake;
mod hello;
mod modes;
mod offer;
mod report;
mod request;
mod revocation;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rayline_dial::{Dialer, Identity, Tls, TrustError, TrustSettings};
use rayline_verdict::fault::OriginTlsCause;
use rayline_verdict::{Code, Fact, Fault, Phase, attribute};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::timeout;

pub(crate) use self::hello::hello_of_size;
pub use self::modes::{End, Mode, ModeReport, Scheme, Visit};
pub use self::offer::{Offer, Version};
pub use self::report::{Finding, Http2, Report, WithoutName};
pub use self::revocation::{Revocation, Standing};

use self::modes::Legs;
use self::request::{Leg, ask};
use crate::certificate::Certificate;
use crate::target::Target;
use crate::trust::Trust;

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// What to look at, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The origin. Its port is that of TLS, 443 unless it says another.
    pub target: Target,
    /// The name to ask for, where it is not the target's.
    pub name: Option<String>,
    /// The origin's port for plain HTTP.
    pub http_port: u16,
    /// What its certificate is judged by, beside the public CAs.
    pub trust: Trust,
    /// What is shown to an origin that asks for a client certificate, as under an authenticated origin pull.
    pub client: Option<Client>,
    /// How long each step may take.
    pub timeout: Duration,
}

/// A client certificate, with its chain, and its key.
#[derive(Clone, Debug)]
pub struct Client {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    identity: Arc<Identity>,
}

impl Client {
    /// That of these files: a certificate with its chain, and its key, in PEM.
    ///
    /// # Errors
    /// A file that cannot be read, or a key that is not the certificate's; in words.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, String> {
        let unreadable = |path: &Path, error: pem::Error| format!("cannot read `{}`: {error}", path.display());
        let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| unreadable(certificate, error))?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| unreadable(certificate, error))?;
        if chain.is_empty() {
            return Err(format!("there is no certificate in `{}`", certificate.display()));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
        let identity = Identity::new(chain.clone(), private.clone_key())
            .map_err(|error| format!("`{}` and `{}`: {error}", certificate.display(), key.display()))?;
        Ok(Self { chain, key: Arc::new(private), identity: Arc::new(identity) })
    }
}

/// Why nothing could be looked at.
#[derive(Debug)]
pub enum Trouble {
    /// The name has no address here: hosts file and system resolver were asked.
    Unresolved {
        /// The name.
        name: String,
        /// What the system said.
        why: String,
    },
    /// The trust settings cannot be used.
    Trust(TrustError),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved { name, why } => write!(f, "`{name}` has no address here: {why}"),
            Self::Trust(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Trouble {}

/// Looks at an origin's TLS. It costs about five requests for `/`, three handshakes, and a hello per version and suite.
///
/// # Errors
/// A name without an address, or trust settings that cannot be used. An origin that cannot be reached is a report.
pub async fn probe(options: Options) -> Result<Report, Trouble> {
    let ips = resolve(&options).await?;
    let tls_port = options.target.port.unwrap_or(HTTPS);
    let at = |port: u16| ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect::<Vec<_>>();
    let named =
        options.name.clone().or_else(|| options.target.address().is_none().then(|| options.target.host.clone()));
    let look = Look {
        host: named.as_deref().map_or_else(|| in_url(&options.target), str::to_owned),
        server_name: named.as_deref().unwrap_or(&options.target.host),
        plain: at(options.http_port),
        secured: at(tls_port),
        identity: options.client.as_ref().map(|client| &client.identity),
        limit: options.timeout,
    };
    let dialer = dialer(options.trust.named.clone())?;
    let (plain, secured, without_client) = tokio::join!(
        look.plain_legs(&dialer),
        look.secured_legs(&dialer, &options.trust),
        look.leg_without_client(&dialer)
    );
    let ((plain, plain_for_https), secured) = (plain, secured?);
    let legs = Legs {
        plain,
        plain_for_https,
        full: secured.full,
        strict: secured.strict,
        strict_for_http: secured.strict_for_http,
    };
    let modes = Mode::ALL.map(|mode| ModeReport::new(mode, &legs, &look.host));
    let mut report = Report {
        target: options.target.clone(),
        name: named.clone(),
        addresses: look.secured.clone(),
        modes,
        chain: Vec::new(),
        stapled: false,
        revocation: Vec::new(),
        revoked: None,
        offers: Vec::new(),
        without_name: None,
        without_client: without_client.map(End::from),
        alpn: None,
        http2: Http2::NotOffered,
        system_only: secured.system_only,
    };
    if let Some(address) = reached(&legs.full) {
        let closer = Closer { address, name: named.as_deref(), options: &options, dialer: &dialer };
        look_closer(&mut report, &closer, matches!(legs.full, Leg::Failed(_))).await;
    }
    Ok(report)
}

/// What is looked at closer, and how.
struct Closer<'a> {
    address: SocketAddr,
    name: Option<&'a str>,
    options: &'a Options,
    dialer: &'a Dialer,
}

async fn look_closer(report: &mut Report, closer: &Closer<'_>, broken: bool) {
    let Closer { address, name, options, dialer } = *closer;
    let (limit, client) = (options.timeout, options.client.as_ref());
    let shown = handshake::look(address, name, client, limit).await;
    report.chain = shown.chain.iter().filter_map(|der| Certificate::read(der)).collect();
    report.stapled = shown.stapled;
    let shook_hands = shown.outcome.is_ok();
    report.http2 = match (shown.alpn.as_deref(), shown.outcome) {
        // What refuses the client itself is no fault of HTTP/2.
        (Some("h2"), Ok(stream)) if !broken => match handshake::speaks_http2(stream, address, limit).await {
            Ok(()) => Http2::Spoken,
            Err(fault) => Http2::Broken(Box::new(attribute(fault, Vec::new()))),
        },
        _ => Http2::NotOffered,
    };
    report.alpn = shown.alpn;
    if name.is_some() && shook_hands {
        let bare = handshake::look(address, None, client, limit).await;
        report.without_name = Some(match bare.outcome {
            Err(why) => WithoutName::Refused(why),
            Ok(_) if bare.chain.first() == shown.chain.first() => WithoutName::Same,
            Ok(_) => WithoutName::Another(bare.chain.first().and_then(|der| Certificate::read(der)).map(Box::new)),
        });
    }
    let ask = |version| offer::ask(address, version, name, limit);
    let issuers: Vec<_> = options.trust.named.iter().chain(&options.trust.system).collect();
    let (one, two, three, four, revocation) = tokio::join!(
        ask(Version::Tls10),
        ask(Version::Tls11),
        ask(Version::Tls12),
        ask(Version::Tls13),
        revocation::look(&shown.chain, &issuers, address.ip(), SystemTime::now(), dialer)
    );
    report.offers = vec![one, two, three, four];
    let is_revoked = revocation.iter().any(|looked| matches!(looked.standing, Standing::Revoked { .. }));
    report.revoked = is_revoked.then(|| {
        let fault = Fault::new(OriginTlsCause::Revoked).with(Fact::OriginAddress(address));
        Box::new(attribute(fault.with(Fact::RevokedBy("crl")), Vec::new()))
    });
    report.revocation = revocation;
    if report.chain.is_empty() {
        report.chain = offer::presented(address, &report.offers, name, limit).await;
    }
}

/// Where there is something to look at: the address that took the connection, unless it then kept silent.
fn reached(full: &Leg) -> Option<SocketAddr> {
    let silent = matches!(full, Leg::Failed(verdict) if verdict.code == Code::OriginTlsTimedOut);
    full.reached().filter(|_| !silent)
}

/// The addresses of the target, by hosts file and system resolver.
async fn resolve(options: &Options) -> Result<Vec<IpAddr>, Trouble> {
    let target = &options.target;
    if let Some(ip) = target.address() {
        return Ok(vec![ip]);
    }
    let unresolved = |why: String| Trouble::Unresolved { name: target.host.clone(), why };
    let found = timeout(options.timeout, tokio::net::lookup_host((target.host.as_str(), HTTPS))).await;
    let found = found.map_err(|_late| unresolved("the name servers do not answer".to_owned()))?;
    let mut ips: Vec<IpAddr> = Vec::new();
    for address in found.map_err(|error| unresolved(error.to_string()))? {
        if !ips.contains(&address.ip()) {
            ips.push(address.ip());
        }
    }
    if ips.is_empty() { Err(unresolved("the answer is empty".to_owned())) } else { Ok(ips) }
}

fn dialer(extra_roots: Vec<rustls_pki_types::CertificateDer<'static>>) -> Result<Dialer, Trouble> {
    Dialer::new(TrustSettings { extra_roots, ..TrustSettings::default() }).map_err(Trouble::Trust)
}

/// The target as it stands in `Host`.
fn in_url(target: &Target) -> String {
    match target.address() {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        Some(IpAddr::V4(_)) | None => target.host.clone(),
    }
}

/// What all legs have in common.
struct Look<'a> {
    /// For `Host`.
    host: String,
    /// For the handshake and the check; an address where there is no name.
    server_name: &'a str,
    plain: Vec<SocketAddr>,
    secured: Vec<SocketAddr>,
    /// What is shown to an origin that asks for a client certificate.
    identity: Option<&'a Arc<Identity>>,
    limit: Duration,
}

/// What came of the legs over TLS.
struct Secured {
    full: Leg,
    strict: Leg,
    strict_for_http: Leg,
    /// The certificate is trusted by this machine's CAs, and not by the public ones and those that were named.
    system_only: bool,
}

impl Look<'_> {
    fn target<'a>(&'a self, tls: Tls) -> rayline_dial::Target<'a> {
        let (addresses, ssl_mode) = match tls {
            Tls::Off => (&self.plain, "off"),
            Tls::Full => (&self.secured, "full"),
            Tls::Strict => (&self.secured, "strict"),
        };
        let (server_name, protocols) = (self.server_name, rayline_dial::Protocols::Http1);
        rayline_dial::Target { addresses, tls, protocols, server_name, ssl_mode, identity: self.identity }
    }

    async fn leg(&self, dialer: &Dialer, tls: Tls, scheme: Scheme) -> Leg {
        ask(dialer, &self.target(tls), &self.host, scheme, self.limit).await
    }

    /// What comes to those who have no client certificate, where there is one to be without.
    async fn leg_without_client(&self, dialer: &Dialer) -> Option<Leg> {
        self.identity?;
        let target = rayline_dial::Target { identity: None, ..self.target(Tls::Full) };
        Some(ask(dialer, &target, &self.host, Scheme::Https, self.limit).await)
    }

    async fn plain_legs(&self, dialer: &Dialer) -> (Leg, Leg) {
        let plain = self.leg(dialer, Tls::Off, Scheme::Http).await;
        match plain {
            // Nothing but an answer can differ by the visitor's scheme.
            Leg::Failed(_) | Leg::Silent { .. } => (plain.clone(), plain),
            Leg::Answered { .. } => {
                let for_https = self.leg(dialer, Tls::Off, Scheme::Https).await;
                (plain, for_https)
            }
        }
    }

    async fn secured_legs(&self, dialer: &Dialer, trust: &Trust) -> Result<Secured, Trouble> {
        let full = self.leg(dialer, Tls::Full, Scheme::Https).await;
        if let Leg::Failed(verdict) = &full
            && matches!(verdict.phase(), Phase::Connect | Phase::OriginTls)
        {
            // What `full` does not get past, `strict` does not either.
            return Ok(Secured { strict: full.clone(), strict_for_http: full.clone(), full, system_only: false });
        }
        let mut strict = self.leg(dialer, Tls::Strict, Scheme::Https).await;
        let mut system_only = false;
        let mut other = None;
        if is_untrusted(&strict) && !trust.system.is_empty() {
            let roots = trust.named.iter().chain(&trust.system).cloned().collect();
            let by_system = self::dialer(roots)?;
            let again = self.leg(&by_system, Tls::Strict, Scheme::Https).await;
            if !is_untrusted(&again) {
                (strict, system_only, other) = (again, true, Some(by_system));
            }
        }
        let strict_for_http = match &strict {
            Leg::Failed(_) | Leg::Silent { .. } => strict.clone(),
            Leg::Answered { .. } => self.leg(other.as_ref().unwrap_or(dialer), Tls::Strict, Scheme::Http).await,
        };
        Ok(Secured { full, strict, strict_for_http, system_only })
    }
}

/// Whether it fails for want of a CA.
fn is_untrusted(leg: &Leg) -> bool {
    match leg {
        Leg::Failed(verdict) => matches!(
            verdict.code,
            Code::OriginTlsUnknownIssuer | Code::OriginTlsMissingIntermediate | Code::OriginTlsSelfSigned
        ),
        Leg::Answered { .. } | Leg::Silent { .. } => false,
    }
}

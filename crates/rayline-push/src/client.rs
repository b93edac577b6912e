//! The HTTP client of everything that leaves the edge: TLS, time-outs, bounded answers.
//!
//! HTTP/1.1 over `http` and `https`, one kept connection per receiver. It follows no redirect, reads no proxy settings,
//! keeps no cookies, and does not try again later: when to do that is the business of whoever sends. What it says of a
//! failure names host and port alone, for the rest of a URL and every header may be a secret.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

mod failure;

pub use failure::{Failure, Step};
use failure::{Why, chain};

/// Bytes of an answer's head that are taken.
const HEAD_BYTES: usize = 64 * 1024;

/// A connection that has rested so long is not used again: servers commonly close after 5 s to 75 s, and one that closes
/// while a request is under way leaves open whether it was received.
const IDLE: Duration = Duration::from_secs(4);

/// The longest wait that a receiver can ask for by `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How long and how much a receiver may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For resolving the name and connecting to one of its addresses.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// From the first byte of the request to the last byte of the answer.
    pub response: Duration,
    /// Bytes of the answer's body that are kept. What is longer is cut, and its connection closed.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            response: Duration::from_secs(60),
            body_bytes: 64 * 1024,
        }
    }
}

/// Sends requests and reads answers. For a runtime of `tokio` with time and I/O; shared by reference.
pub struct Client {
    tls: TlsConnector,
    limits: Limits,
    kept: Mutex<HashMap<Place, Kept>>,
}

type Sender = SendRequest<Full<Bytes>>;

/// Who is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    https: bool,
    /// Without brackets, where it is an address of IPv6.
    host: String,
    port: u16,
}

struct Kept {
    sender: Sender,
    since: Instant,
}

impl Client {
    /// A client that trusts the public authorities, and these besides.
    ///
    /// # Errors
    ///
    /// When one of the roots is no certificate that could be one.
    pub fn new(extra_roots: &[CertificateDer<'static>], limits: Limits) -> io::Result<Self> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone()).map_err(io::Error::other)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), limits, kept: Mutex::default() })
    }

    /// Sends a request whose URI is absolute, and reads its answer, whatever its status. `Host` and `Content-Length` are
    /// set here.
    ///
    /// A kept connection that breaks before the answer's head is replaced once, so a receiver may see a request twice.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none that is whole and in time.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let (place, request) = addressed(request)?;
        if let Some(mut sender) = self.take(&place) {
            match self.exchange(&place, &mut sender, request.clone()).await {
                Err(Unanswered::Broken(_)) => {}
                Err(Unanswered::Final(failure)) => return Err(failure),
                Ok(answer) => return Ok(self.keep(place, sender, answer)),
            }
        }
        let mut sender = self.connect(&place).await?;
        match self.exchange(&place, &mut sender, request).await {
            Err(Unanswered::Broken(failure) | Unanswered::Final(failure)) => Err(failure),
            Ok(answer) => Ok(self.keep(place, sender, answer)),
        }
    }

    /// The kept connection to a place, if it can still be used.
    fn take(&self, place: &Place) -> Option<Sender> {
        let mut kept = self.kept();
        kept.retain(|_, kept| kept.since.elapsed() < IDLE && !kept.sender.is_closed());
        kept.remove(place).map(|kept| kept.sender)
    }

    /// Keeps the connection, if its answer was read to the end.
    fn keep(&self, place: Place, sender: Sender, answer: Answer) -> Response<Bytes> {
        if answer.whole {
            self.kept().insert(place, Kept { sender, since: Instant::now() });
        }
        answer.response
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Place, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, place: &Place) -> Result<Sender, Failure> {
        let limit = self.limits.connect;
        let late = |_| place.failure(Step::Connect, Why::Late(limit));
        let stream = timeout(limit, reach(place, limit)).await.map_err(late)??;
        if !place.https {
            return shake_hands(place, stream).await;
        }
        let refused = |error: &dyn std::error::Error| place.failure(Step::Tls, Why::Said(chain(error)));
        let name = ServerName::try_from(place.host.clone()).map_err(|error| refused(&error))?;
        let limit = self.limits.tls;
        let late = |_| place.failure(Step::Tls, Why::Late(limit));
        let secured = timeout(limit, self.tls.connect(name, stream)).await.map_err(late)?;
        shake_hands(place, secured.map_err(|error| refused(&error))?).await
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        place: &Place,
        sender: &mut Sender,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Unanswered> {
        let broke = |error: hyper::Error| place.failure(Step::Response, Why::Said(chain(&error)));
        let exchange = async {
            sender.ready().await.map_err(|error| Unanswered::Broken(broke(error)))?;
            let response = sender.send_request(request).await.map_err(|error| Unanswered::Broken(broke(error)))?;
            let (head, body) = response.into_parts();
            let (body, whole) =
                read(body, self.limits.body_bytes).await.map_err(|error| Unanswered::Final(broke(error)))?;
            Ok(Answer { response: Response::from_parts(head, body), whole })
        };
        let limit = self.limits.response;
        let late = || Unanswered::Final(place.failure(Step::Response, Why::Late(limit)));
        timeout(limit, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// An answer, and whether all of its body was read.
struct Answer {
    response: Response<Bytes>,
    whole: bool,
}

/// Why there is no answer.
enum Unanswered {
    /// The connection broke before the answer's head: on a kept one, it may have been stale.
    Broken(Failure),
    /// Another connection would not do better.
    Final(Failure),
}

impl Place {
    /// Of an absolute URI.
    fn of(uri: &Uri) -> Result<Self, &'static str> {
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err("it begins with neither `http://` nor `https://`"),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Ok(Self { https, host, port })
    }

    fn failure(&self, step: Step, why: Why) -> Failure {
        let Self { https: _, host, port } = self;
        let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Failure { place, step, why }
    }
}

/// The certificates in a PEM file's bytes.
///
/// # Errors
///
/// When there is none, or one that cannot be read.
pub fn roots_in_pem(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let roots = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let roots = roots.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    if roots.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no certificate in it"));
    }
    Ok(roots)
}

/// How long a receiver asks to be left alone (RFC 9110, section 10.2.3), an hour at most.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The request as it goes over the wire, and whither.
fn addressed(request: Request<Bytes>) -> Result<(Place, Request<Full<Bytes>>), Failure> {
    let (mut head, body) = request.into_parts();
    let unusable =
        |why: &str| Failure { place: "the address".to_owned(), step: Step::Address, why: Why::Said(why.to_owned()) };
    let place = Place::of(&head.uri).map_err(unusable)?;
    let authority = head.uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    head.headers.insert(HOST, HeaderValue::try_from(host).map_err(|_| unusable("its host is no text"))?);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = Uri::try_from(target).map_err(|_| unusable("its path is none"))?;
    Ok((place, Request::from_parts(head, Full::new(body))))
}

/// A connection to the first address of a name that takes it. An address that does not answer leaves time for the others.
async fn reach(place: &Place, limit: Duration) -> Result<TcpStream, Failure> {
    let resolved = tokio::net::lookup_host((place.host.as_str(), place.port)).await;
    let resolved = resolved.map_err(|error| place.failure(Step::Resolve, Why::Said(chain(&error))))?;
    let addresses: Vec<SocketAddr> = resolved.collect();
    let each = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = place.failure(Step::Resolve, Why::Said("the name has no address".to_owned()));
    for address in addresses {
        match timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // a request is written at once: there is nothing to wait for
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = place.failure(Step::Connect, Why::Said(chain(&error))),
            Err(_) => last = place.failure(Step::Connect, Why::Late(each)),
        }
    }
    Err(last)
}

/// Starts HTTP/1.1. The task that moves the bytes ends with the connection, or when its sender is dropped.
async fn shake_hands<S>(place: &Place, stream: S) -> Result<Sender, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| place.failure(Step::Response, Why::Said(chain(&error))))?;
    // how the connection ended is said to the request that was on it
    tokio::spawn(async { drop(connection.await) });
    Ok(sender)
}

/// The body up to a limit, and whether that was all.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<(Bytes, bool)> {
    let mut taken = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = limit - taken.len();
        if data.len() > room {
            taken.extend_from_slice(&data.slice(..room));
            return Ok((taken.freeze(), false));
        }
        taken.extend_from_slice(&data);
    }
    Ok((taken.freeze(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_host_and_port() {
        let place = |text: &str| Place::of(&text.parse().unwrap()).map(|place| (place.https, place.host, place.port));
        assert_eq!(place("http://a.example/x"), Ok((false, "a.example".to_owned(), 80)));
        assert_eq!(place("https://u:p@a.example/x"), Ok((true, "a.example".to_owned(), 443)));
        assert_eq!(place("https://[::1]:8443"), Ok((true, "::1".to_owned(), 8443)));
        assert!(place("ftp://a.example").is_err());
        assert!(place("/x").is_err());
    }

    #[test]
    fn a_request_has_its_host_and_no_user() {
        let request = Request::post("https://user:secret@a.example:8443/p?q").body(Bytes::new()).unwrap();
        let (_, request) = addressed(request).unwrap();
        assert_eq!(
            (request.uri().to_string().as_str(), request.headers().get(HOST).unwrap().to_str().unwrap()),
            ("/p?q", "a.example:8443")
        );
    }

    #[test]
    fn waits_are_seconds_or_dates_and_bounded() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, expected) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("86400", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}

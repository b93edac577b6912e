//! An HTTP server that keeps what it receives, and plays along or fails as a test says.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rayline_testkit::Issued;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the server does with one request that it has read whole.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// Answers with a status, fields and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Never answers.
    Stall,
    /// Closes instead of answering.
    Close,
    /// Promises more of a body than it sends, and closes.
    Cut,
}

impl Play {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, without gzip where it says that it has it.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*self.body), &mut plain).unwrap();
        plain
    }
}

type Script = Box<dyn FnMut(usize, &Seen) -> Play + Send>;

#[derive(Default)]
struct Kept {
    seen: Mutex<Vec<Seen>>,
    more: Condvar,
}

/// A running server. It ends when it is dropped.
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    kept: Arc<Kept>,
    thread: Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Receiver {
    /// Serves on a free port of loopback. The script is told how many requests came before, and the request.
    pub(crate) fn start(script: impl FnMut(usize, &Seen) -> Play + Send + 'static) -> Self {
        Self::serve((Ipv4Addr::LOCALHOST, 0).into(), None, Box::new(script))
    }

    /// The same at an address that was free a moment ago.
    pub(crate) fn start_at(addr: SocketAddr, script: impl FnMut(usize, &Seen) -> Play + Send + 'static) -> Self {
        Self::serve(addr, None, Box::new(script))
    }

    pub(crate) fn start_tls(issued: &Issued, script: impl FnMut(usize, &Seen) -> Play + Send + 'static) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(issued.chain().to_vec(), issued.key()).unwrap();
        Self::serve((Ipv4Addr::LOCALHOST, 0).into(), Some(TlsAcceptor::from(Arc::new(config))), Box::new(script))
    }

    fn serve(addr: SocketAddr, tls: Option<TlsAcceptor>, script: Script) -> Self {
        let kept = Arc::new(Kept::default());
        let script = Arc::new(Mutex::new(script));
        let (stop, stopped) = oneshot::channel();
        let socket = socket2::Socket::new(socket2::Domain::for_address(addr), socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&addr.into()).unwrap();
        socket.listen(64).unwrap();
        socket.set_nonblocking(true).unwrap();
        let listener = std::net::TcpListener::from(socket);
        let addr = listener.local_addr().unwrap();
        let keep = Arc::clone(&kept);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    for connection in 0.. {
                        let (stream, _) = listener.accept().await.unwrap();
                        let (tls, script, keep) = (tls.clone(), Arc::clone(&script), Arc::clone(&keep));
                        tokio::spawn(async move {
                            match tls {
                                None => converse(stream, connection, script, keep).await,
                                Some(tls) => {
                                    if let Ok(stream) = tls.accept(stream).await {
                                        converse(stream, connection, script, keep).await;
                                    }
                                }
                            }
                        });
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { addr, kept, thread: Some((stop, thread)) }
    }

    /// An `http` address of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.kept.seen.lock().unwrap().clone()
    }

    /// Waits until what was received fulfils a condition.
    pub(crate) fn wait(&self, fulfils: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = self.kept.seen.lock().unwrap();
        while !fulfils(&seen) {
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("only {} requests came", seen.len()));
            seen = self.kept.more.wait_timeout(seen, left).unwrap().0;
        }
        seen.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }
}

async fn converse<S>(stream: S, connection: usize, script: Arc<Mutex<Script>>, kept: Arc<Kept>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let answer = |request: Request<Incoming>| {
        let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let seen = Seen { method: head.method, uri: head.uri, headers: head.headers, body, connection };
            let play = {
                let mut all = kept.seen.lock().unwrap();
                let play = (script.lock().unwrap())(all.len(), &seen);
                all.push(seen);
                kept.more.notify_all();
                play
            };
            perform(play).await
        }
    };
    // a connection that ends in an error is what some scripts are for
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

async fn perform(play: Play) -> io::Result<Response<BoxBody<Bytes, io::Error>>> {
    match play {
        Play::Answer(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = http_body_util::Full::new(Bytes::from(body)).map_err(|never| match never {});
            Ok(response.body(BoxBody::new(body)).unwrap())
        }
        Play::Stall => std::future::pending().await,
        Play::Close => Err(io::Error::other("closed instead of an answer")),
        Play::Cut => {
            let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err(io::Error::other("cut"))];
            let body = StreamBody::new(futures_util::stream::iter(frames));
            Ok(Response::builder().header("content-length", "100").body(BoxBody::new(body)).unwrap())
        }
    }
}

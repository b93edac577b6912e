//! The server itself: one listener, one thread, bounded in everything.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rayline_observe::Observer;
use rayline_verdict::Moment;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use url::form_urlencoded;

use crate::access::Keys;
use crate::api::{self, Shared};
use crate::seat::{Edge, Seats};
use crate::token::Token;

/// The token of those who may look and change nothing; beside the administrator's.
const VIEWER_FILE: &str = "viewer.token";

/// How long a link of [`Control::login_link`] works.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// Connections that are open at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 64;

/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's head; hyper answers more with 431.
const HEAD_BYTES: usize = 16 * 1024;

/// How long to rest when the system has no descriptor for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running admin server. Dropping it stops it.
pub struct Control {
    addr: SocketAddr,
    keys: Keys,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Control {
    /// Opens the listener, reads or makes the tokens, and starts the thread. The viewer's token lies beside the
    /// administrator's, as `viewer.token`.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, a token can be neither read nor made, or the system has no thread to give.
    pub fn start(
        addr: SocketAddr,
        token_path: &Path,
        observer: Observer,
        edge: Arc<dyn Edge>,
        seats: Seats,
    ) -> io::Result<Self> {
        let token = |path: &Path| {
            let token = Token::load_or_make(path);
            token.map_err(|error| io::Error::new(error.kind(), format!("the token `{}`: {error}", path.display())))
        };
        let (admin, viewer) = (token(token_path)?, token(&token_path.with_file_name(VIEWER_FILE))?);
        let listener = StdListener::bind(addr)
            .map_err(|error| io::Error::new(error.kind(), format!("listening on {addr}: {error}")))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let keys = Keys::new(admin, viewer, addr.port());
        let router = api::router(Shared::new(keys.clone(), observer, edge, seats));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("control".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
            // open tails end with their connections; a reload that is under way is left to itself
            runtime.shutdown_background();
        })?;
        Ok(Self { addr, keys, running: Some((stop, thread)) })
    }

    /// Where it listens, with the port that the system chose where 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A link that logs one browser on this machine in as the administrator and leads it to `path`: once, and within ten
    /// minutes. It is as good as the token for that long: show it to whoever started the edge alone.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes to give.
    pub fn login_link(&self, path: &str) -> io::Result<String> {
        let code = self.keys.sessions().issue_code(Instant::now() + CODE_LIFE)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", code.as_str()).append_pair("next", path);
        Ok(format!("http://{}/login?{}", self.addr, query.finish()))
    }

    /// Closes the listener and every connection, and waits for the thread.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // a panic has been printed by its hook; there is nothing to add
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Runs until it is dropped, with all its connections.
async fn serve(listener: StdListener, router: Router) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone().layer(Extension(peer)));
        tokio::spawn(async move {
            let _place = place;
            // why a connection ended badly interests nobody: its answer was an answer or it was not
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// What time it is.
pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

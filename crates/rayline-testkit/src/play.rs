//! Playing a script: one arm per step.
//!
//! It decides nothing: what happens, and in which order, is the script's.

use std::io;
use std::net::SocketAddr;

use crate::conn::Conn;
use crate::head::Head;
use crate::http2::{self, serve::Ended};
use crate::origin::{Seen, SeenTls, Ticket};
use crate::script::{Script, Step};
use crate::serve;

/// Plays `script` on one connection until a step ends it or the client leaves.
pub(crate) async fn play(script: &Script, mut conn: Conn, peer: SocketAddr, ticket: &Ticket) -> io::Result<()> {
    let tls = conn.tls();
    let mut request = None;
    loop {
        for step in &script.steps {
            match step {
                Step::ReadHead => {
                    request = read_head(&mut conn, peer, tls.as_ref(), ticket).await?;
                    if request.is_none() {
                        return conn.fin().await;
                    }
                }
                Step::ReadBody => {
                    conn.invite_body().await?;
                    while conn.read_body().await?.is_some() {}
                }
                Step::ReadBytes(count) => conn.read_bytes(*count).await?,
                Step::ReadHello => conn.read_record().await?,
                Step::Send(bytes) => conn.send(bytes).await?,
                Step::SendPastTls(bytes) => conn.send_past_tls(bytes).await?,
                Step::Repeat(bytes, every) => loop {
                    conn.send(bytes).await?;
                    if !every.is_zero() {
                        tokio::time::sleep(*every).await;
                    }
                },
                Step::Pause(time) => tokio::time::sleep(*time).await,
                Step::Answer(answer) => {
                    if request.is_none() {
                        request = read_head(&mut conn, peer, tls.as_ref(), ticket).await?;
                    }
                    let Some(request) = request.take() else {
                        return conn.fin().await;
                    };
                    let ends = serve::answer(answer, &request, &mut conn).await?;
                    // an answer that ends with the connection leaves it to a `Cut` to end it otherwise
                    let last = matches!(script.steps.last(), Some(Step::Answer(_)));
                    if ends && last {
                        return conn.fin().await;
                    }
                }
                Step::Http2(serving) => {
                    if conn.speaks_http2().await? {
                        return match http2::serve::serve(serving, &mut conn, peer, tls.as_ref(), ticket).await? {
                            Ended::Fin => conn.fin().await,
                            Ended::Reset => conn.reset(),
                        };
                    }
                    // what it does not read would lie there for good, and the script begin again and again
                    if matches!(script.steps.last(), Some(Step::Http2(_))) {
                        return conn.fin().await;
                    }
                }
                Step::Hold => return conn.hold().await,
                Step::Fin => return conn.fin().await,
                Step::Cut => return conn.cut().await,
                Step::Reset => return conn.reset(),
                Step::Vanish => conn.vanish()?,
            }
        }
        if !conn.await_byte().await? {
            return conn.fin().await;
        }
    }
}

async fn read_head(
    conn: &mut Conn,
    peer: SocketAddr,
    tls: Option<&SeenTls>,
    ticket: &Ticket,
) -> io::Result<Option<Seen>> {
    let Some(raw) = conn.read_head().await? else {
        return Ok(None);
    };
    let seen = Seen { connection: ticket.number, stream: None, peer, head: Head::split(&raw), raw, tls: tls.cloned() };
    ticket.ledger.record(seen.clone());
    Ok(Some(seen))
}

//! The data path: every request goes through here, top to bottom, one line per phase.
//!
//! A phase hands on what the next one needs, or raises a [`Fault`]. There is one way out: an [`Answer`] that carries
//! the open record, so that every request, a malformed one included, ends in an answer and in a fact.

use std::rc::Rc;

use rayline_verdict::Fault;

use crate::answer::Answer;
use crate::exchange::{Exchange, Incoming};
use crate::maintenance;
use crate::phase::wait::Waited;
use crate::phase::{accept, connect, origin_tls, receive, reply, request, resolve, route, rules, send, wait};
use crate::visitor::Visitor;
use crate::worker::Worker;

/// Serves one request.
#[expect(
    clippy::manual_async_fn,
    reason = "a future has room for a function's parameters twice, but for captures once"
)]
pub(crate) fn serve<'a>(
    worker: &'a Rc<Worker>,
    visitor: &'a Visitor,
    incoming: Incoming,
) -> impl Future<Output = Answer> + 'a {
    async move {
        let running = worker.running_for(visitor, incoming.request.as_ref().ok().map(|(head, _)| head));
        let record = accept::open_record(worker, &running, visitor, incoming.started, incoming.ready);
        let (head, body) = match incoming.request {
            Ok(request) => request,
            Err(fault) => return reply::refuse_unread(&running, record, fault),
        };
        let mut exchange = Exchange {
            worker,
            running: &running,
            visitor,
            head: &head,
            body,
            zone: None,
            rules: None,
            upgrade: None,
            record,
            now: incoming.ready,
            attempts: Vec::new(),
        };
        let answered = match run(&mut exchange).await {
            Ok(answered) => answered,
            Err(fault) => reply::page_of(&mut exchange, fault),
        };
        let answered = rules::respond(&mut exchange, answered);
        reply::finish(exchange, answered)
    }
}

/// The phases, in the order of a request's life.
async fn run(exchange: &mut Exchange<'_>) -> Result<reply::Answered, Fault> {
    let routed = route::find(exchange);
    request::describe(exchange);
    let route = routed?;
    request::check(exchange)?;
    if let Some(answered) = request::answer_here(exchange, &route) {
        return Ok(answered);
    }
    maintenance::refuse(exchange, &route)?;
    if let Some(answered) = rules::request(exchange, &route).await? {
        return Ok(answered);
    }
    let security = origin_tls::choose(exchange, &route);
    let target = resolve::target(exchange, &route, security).await?;
    let mut upload = send::prepare(exchange, &route)?;
    loop {
        let mut link = match connect::reuse(exchange, &target, &upload) {
            Some(link) => link,
            // In a box of its own: most requests need no room for it.
            None => match Box::pin(connect::open(exchange, &target, &upload)).await {
                Ok(link) => link,
                Err(fault) => {
                    upload.release(exchange.worker);
                    return Err(fault);
                }
            },
        };
        upload.begin(&mut link, &exchange.body);
        match wait::head(exchange, &target, &mut link, &mut upload).await? {
            Waited::Head(head) => return receive::answer(exchange, target, link, head, upload),
            Waited::Again => {}
        }
    }
}

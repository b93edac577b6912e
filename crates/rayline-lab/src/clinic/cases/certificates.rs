//! Certificates and modes: what the origin shows the edge, what the edge shows visitors, and who speaks what where.

use rayline_testkit::Flaw;

use super::{ANY_502, connections};
use crate::clinic::case::{Case, Edge, Unbuilt, View, bare, nginx, rayline};
use crate::clinic::site::{Site, authority};
use crate::servers::{Nginx, Node};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "certificate_expired",
        "the origin's certificate has expired",
        expired,
        "origin.origin_tls.certificate_expired",
    )
    .seen(&[rayline(526).origin(), rayline(526), nginx(502).origin().guess(), nginx(502).or(ANY_502)]),
    Case::new(
        "self_signed",
        "the origin's certificate is signed by itself",
        self_signed,
        "origin.origin_tls.self_signed",
    )
    .seen(&[rayline(526).origin(), rayline(526), nginx(502).origin().guess()]),
    Case::new(
        "wrong_name",
        "the origin's certificate is for another name",
        wrong_name,
        "origin.origin_tls.name_mismatch",
    )
    .seen(&[rayline(526).origin(), rayline(526), nginx(502).origin().guess()]),
    Case::new(
        "unknown_issuer",
        "nobody trusts who issued the origin's certificate",
        stranger,
        "origin.origin_tls.unknown_issuer",
    )
    .seen(&[rayline(526).origin(), nginx(502).origin().guess()]),
    Case::new(
        "missing_intermediate",
        "the origin does not send the certificate of who issued its own",
        incomplete,
        "origin.origin_tls.missing_intermediate",
    )
    .seen(&[rayline(526).origin(), nginx(502).origin().guess().also(&["origin.origin_tls.unknown_issuer"])]),
    Case::new(
        "plain_on_tls_port",
        "the origin speaks plain HTTP where the edge speaks TLS",
        plain,
        "origin.origin_tls.plain_http",
    )
    .seen(&[rayline(525).origin(), rayline(525), nginx(502).origin()]),
    Case::new(
        "tls_on_plain_port",
        "the origin speaks TLS where the edge speaks plain HTTP",
        tls,
        "owner.route.wrong_port",
    )
    .seen(&[
        rayline(520).origin().also(&["origin.wait.closed_empty"]),
        nginx(502).origin().or(&["origin.wait.closed_empty", "edge.reply.error_status", "origin.connect.edge_blocked"]),
    ]),
    Case::new(
        "redirect_loop",
        "the edge asks by plain HTTP, and the origin sends everybody who does so to HTTPS",
        flexible,
        "owner.route.redirect_loop",
    )
    .seen(&[rayline(301).origin(), rayline(301), rayline(301).config(), nginx(301).origin(), nginx(301)]),
    Case::new(
        "edge_certificate_expired",
        "the certificate that the edge shows visitors has expired",
        connections::healthy,
        "owner.client_tls.certificate_expired",
    )
    .seen(&[
        View::new(Edge::Nginx(Flaw::Expired), 0).origin(),
        View::new(Edge::Nginx(Flaw::Expired), 0).also(&["origin.origin_tls.certificate_expired"]),
    ]),
    Case::new(
        "edge_certificate_name",
        "the certificate that the edge shows visitors is for another name",
        connections::healthy,
        "owner.client_tls.name_mismatch",
    )
    .seen(&[View::new(Edge::Nginx(Flaw::WrongName), 0).also(&["origin.origin_tls.name_mismatch"])]),
    Case::new(
        "edge_certificate_untrusted",
        "the certificate that the edge shows visitors is signed by itself",
        connections::healthy,
        "owner.client_tls.untrusted",
    )
    .seen(&[View::new(Edge::Nginx(Flaw::SelfSigned), 0).origin()]),
    Case::new(
        "own_certificate_expired",
        "the certificate of a site without an edge has expired",
        expired,
        "owner.client_tls.certificate_expired",
    )
    .seen(&[bare(0).also(&["origin.origin_tls.certificate_expired"])]),
];

/// nginx with a certificate of this flaw.
fn with(flaw: Flaw) -> Result<Site, Unbuilt> {
    let block = "server { listen @HTTP@; return 200 'plain'; }
        server { listen @HTTPS@ ssl; ssl_certificate @FOLDER@/own.pem; ssl_certificate_key @FOLDER@/own.key;
        default_type text/html; return 200 '<p>Welcome</p>'; }";
    let nginx = Nginx::start_with(block, |place| {
        authority()?.issue(flaw, &["www.example.com"])?.write_to(place.folder(), "own").map(drop)
    })?;
    Ok(Site::tls_at(nginx.https()).keeping(nginx))
}

fn expired() -> Result<Site, Unbuilt> {
    with(Flaw::Expired)
}

fn self_signed() -> Result<Site, Unbuilt> {
    with(Flaw::SelfSigned)
}

fn wrong_name() -> Result<Site, Unbuilt> {
    with(Flaw::WrongName)
}

fn stranger() -> Result<Site, Unbuilt> {
    with(Flaw::UnknownIssuer)
}

fn incomplete() -> Result<Site, Unbuilt> {
    with(Flaw::MissingIntermediate)
}

fn plain() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start("server { listen @HTTP@; return 200 'plain'; }")?;
    Ok(Site::tls_at(nginx.http()).keeping(nginx))
}

/// Node answers nothing to who does not speak TLS; the edge is told that it speaks none.
fn tls() -> Result<Site, Unbuilt> {
    let script = "const fs = require('fs');
        require('https').createServer({ cert: fs.readFileSync('@FOLDER@/own.pem'), key: fs.readFileSync('@FOLDER@/own.key') },
          (request, response) => response.end('welcome')).listen(@HTTP_PORT@, '127.0.0.1');";
    let node = Node::start_with(script, |place| {
        authority()?.issue(Flaw::None, &["www.example.com"])?.write_to(place.folder(), "own").map(drop)
    })?;
    Ok(Site::tls_at(node.http()).sought_at(node.http(), false).keeping(node))
}

fn flexible() -> Result<Site, Unbuilt> {
    let nginx = Nginx::start("server { listen @HTTP@; return 301 https://$http_host$request_uri; }")?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

//! Nobody there, or somebody else: ports, names, loops.

use std::net::{Ipv4Addr, SocketAddr};

use super::ANY_502;
use crate::clinic::case::{Case, Edge, Unbuilt, View, bare, nginx, rayline};
use crate::clinic::site::Site;
use crate::process::free_port;
use crate::servers::{Dnsmasq, Nginx};

pub(super) const CASES: &[Case] = &[
    Case::new("origin_stopped", "nobody listens at the origin's port", stopped, "origin.connect.refused").seen(&[
        rayline(521).origin(),
        rayline(521),
        rayline(521).config(),
        nginx(502).origin(),
        nginx(502).or(ANY_502),
        bare(0).origin().also(&["edge.accept.refused"]),
    ]),
    Case::new("edge_down", "nobody listens at the edge's port, and the origin is fine", healthy, "edge.accept.refused")
        .seen(&[View::new(Edge::Gone, 0).origin(), View::new(Edge::Gone, 0).also(&["origin.connect.refused"])]),
    Case::new(
        "wrong_port",
        "the edge looks for the origin at a port where it is not",
        wrong_port,
        "owner.route.wrong_port",
    )
    .seen(&[
        rayline(521).origin().or(&["origin.connect.edge_blocked"]),
        rayline(521).origin().config(),
        rayline(521).also(&["origin.connect.refused"]),
        nginx(502).origin().or(&["edge.reply.error_status", "origin.connect.edge_blocked", "origin.connect.refused"]),
    ]),
    Case::new(
        "edge_itself",
        "the edge's configuration says that it is its own origin",
        edge_itself,
        "owner.resolve.points_to_edge",
    )
    .seen(&[rayline(403), rayline(403).config()]),
    Case::new("edge_loop", "the origin sends everything back to the edge", edge_loop, "owner.route.loop")
        .seen(&[rayline(403), rayline(403).origin()]),
    Case::new("no_such_name", "the site's name does not exist", no_such_name, "owner.resolve.nxdomain")
        .seen(&[bare(0)]),
    Case::new("name_server_refuses", "the name server knows nothing of the site", refusing, "network.resolve.refused")
        .seen(&[bare(0).also(&["network.resolve.servfail", "owner.resolve.no_address"])]),
];

fn nobody() -> std::io::Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free_port()?).into())
}

fn stopped() -> Result<Site, Unbuilt> {
    Ok(Site::at(nobody()?))
}

/// A site that is fine.
pub(super) fn healthy() -> Result<Site, Unbuilt> {
    let nginx =
        Nginx::start("server { listen @HTTP@; default_type text/html; return 200 '<p>Welcome to the shop</p>'; }")?;
    Ok(Site::at(nginx.http()).keeping(nginx))
}

fn wrong_port() -> Result<Site, Unbuilt> {
    Ok(healthy()?.sought_at(nobody()?, false))
}

fn edge_itself() -> Result<Site, Unbuilt> {
    let itself = nobody()?;
    Ok(Site::at(itself).listening_at(itself))
}

fn edge_loop() -> Result<Site, Unbuilt> {
    let edge = nobody()?;
    let nginx = Nginx::start(&format!(
        "server {{ listen @HTTP@; location / {{ proxy_pass http://{edge}; proxy_set_header Host $http_host; }} }}"
    ))?;
    Ok(Site::at(nginx.http()).listening_at(edge).keeping(nginx))
}

fn no_such_name() -> Result<Site, Unbuilt> {
    let names = Dnsmasq::start(&[])?;
    let server = names.http().to_string();
    Ok(healthy()?.unresolved("gone.example.com").options(["--name-server", &server]).keeping(names))
}

fn refusing() -> Result<Site, Unbuilt> {
    let names = Dnsmasq::start(&[])?;
    let server = names.http().to_string();
    Ok(healthy()?.unresolved("www.example.net").options(["--name-server", &server]).keeping(names))
}

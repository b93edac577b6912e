//! Networks as lines for a firewall or a web server.
//!
//! It prints, and changes nothing. Lines for a firewall let the networks in and leave it to the reader to keep others out:
//! how, a comment says.

use std::fmt::Write;

use ipnet::IpNet;
use serde_json::json;

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Commands of `ufw`.
    Ufw,
    /// A file for `nft -f`, for the chain `input` of the table `inet filter`.
    Nft,
    /// Commands of `iptables` and `ip6tables`.
    Iptables,
    /// Directives of nginx.
    Nginx,
    /// Directives of Apache.
    Apache,
    /// A network a line.
    Plain,
    /// One JSON object.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Ufw, Self::Nft, Self::Iptables, Self::Nginx, Self::Apache, Self::Plain, Self::Json];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ufw => "ufw",
            Self::Nft => "nft",
            Self::Iptables => "iptables",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Plain => "plain",
            Self::Json => "json",
        }
    }
}

/// Prints `nets`. A firewall lets them in at `ports` (TCP; empty: 80 and 443; `ufw` and `iptables` take 15 at most).
///
/// A web server that is told `real_ip_header` takes the visitor's address from that field, if one of `nets` sends it;
/// without, it serves `nets` alone. It cannot do both with these directives: once the address is replaced, it is the
/// visitor's that is compared.
pub fn print(nets: &[IpNet], format: Format, ports: &[u16], real_ip_header: Option<&str>) -> String {
    let ports = if ports.is_empty() { &[80, 443] } else { ports };
    match format {
        Format::Ufw => ufw(nets, &list(ports, ",")),
        Format::Nft => nft(nets, &list(ports, ", ")),
        Format::Iptables => iptables(nets, &list(ports, ",")),
        Format::Nginx => nginx(nets, real_ip_header),
        Format::Apache => apache(nets, real_ip_header),
        Format::Plain => lines(nets, |net| net.to_string()),
        Format::Json => format!("{}\n", json!({ "nets": nets, "ports": ports, "real_ip_header": real_ip_header })),
    }
}

fn list(items: &[impl ToString], between: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn lines(nets: &[IpNet], line: impl Fn(&IpNet) -> String) -> String {
    nets.iter().flat_map(|net| [line(net), "\n".to_owned()]).collect()
}

fn ufw(nets: &[IpNet], ports: &str) -> String {
    lines(nets, |net| format!("ufw allow proto tcp from {net} to any port {ports}"))
        + "# everybody else stays out if nothing else lets them in: ufw default deny incoming\n"
}

fn nft(nets: &[IpNet], ports: &str) -> String {
    // What overlaps is refused in a set.
    let nets = IpNet::aggregate(&nets.to_vec());
    let mut out = "add table inet filter\nadd chain inet filter input\n".to_owned();
    let families = [
        ("ip", nets.iter().filter(|net| net.addr().is_ipv4()).collect::<Vec<_>>()),
        ("ip6", nets.iter().filter(|net| net.addr().is_ipv6()).collect()),
    ];
    for (family, nets) in families.iter().filter(|(_, nets)| !nets.is_empty()) {
        // Writing to a `String` does not fail.
        let _ = writeln!(
            out,
            "insert rule inet filter input {family} saddr {{ {} }} tcp dport {{ {ports} }} accept",
            list(nets, ", ")
        );
    }
    let _ = writeln!(out, "# to keep everybody else out: add rule inet filter input tcp dport {{ {ports} }} drop");
    out
}

fn iptables(nets: &[IpNet], ports: &str) -> String {
    let accept = lines(nets, |net| {
        let command = if net.addr().is_ipv4() { "iptables" } else { "ip6tables" };
        format!("{command} -I INPUT -p tcp -m multiport --dports {ports} -s {net} -j ACCEPT")
    });
    accept
        + &format!(
            "# to keep everybody else out: iptables -A INPUT -p tcp -m multiport --dports {ports} -j DROP, and the same with ip6tables\n"
        )
}

fn nginx(nets: &[IpNet], real_ip_header: Option<&str>) -> String {
    let Some(header) = real_ip_header else {
        return lines(nets, |net| format!("allow {net};")) + "deny all;\n";
    };
    let mut out = lines(nets, |net| format!("set_real_ip_from {net};"));
    let _ = writeln!(out, "real_ip_header {header};");
    if is_list(header) {
        out += "real_ip_recursive on;\n";
    }
    out
}

fn apache(nets: &[IpNet], real_ip_header: Option<&str>) -> String {
    match real_ip_header {
        Some(header) => {
            format!("RemoteIPHeader {header}\n") + &lines(nets, |net| format!("RemoteIPTrustedProxy {net}"))
        }
        None => "<RequireAny>\n".to_owned() + &lines(nets, |net| format!("    Require ip {net}")) + "</RequireAny>\n",
    }
}

/// Whether every proxy on the way adds its address to this field.
fn is_list(header: &str) -> bool {
    header.eq_ignore_ascii_case("x-forwarded-for")
}

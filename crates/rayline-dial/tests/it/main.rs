//! Every outcome of dialling, over real sockets: the cause, and the facts that show it.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod resolve;
#[cfg(test)]
mod session;

#[cfg(test)]
mod kit {
    //! The few ways in which all of these tests dial.

    use std::net::SocketAddr;
    use std::time::Duration;

    use rayline_dial::{Connection, Dialer, Protocols, Target, Timeouts, Tls, TrustSettings};
    use rayline_testkit::Origin;
    use rayline_verdict::{Attempt, Fact, Fault};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// The name that good certificates are for.
    pub(crate) const NAME: &str = "origin.test";

    pub(crate) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n";

    /// Long enough for loopback on a busy machine.
    pub(crate) const PATIENCE: Timeouts =
        Timeouts { connect: Duration::from_secs(10), tls: Duration::from_secs(10), keepalive: Duration::from_secs(30) };

    /// Short enough to wait for in vain.
    pub(crate) const BRIEF: Timeouts =
        Timeouts { connect: Duration::from_millis(300), tls: Duration::from_millis(300), ..PATIENCE };

    pub(crate) fn dialer() -> Dialer {
        Dialer::new(TrustSettings::default()).unwrap()
    }

    pub(crate) fn target(addresses: &[SocketAddr], tls: Tls) -> Target<'_> {
        let ssl_mode = match tls {
            Tls::Off => "off",
            Tls::Full => "full",
            Tls::Strict => "strict",
        };
        Target { addresses, tls, protocols: Protocols::Http1, server_name: NAME, ssl_mode, identity: None }
    }

    /// Dials an origin whose connection must come about.
    pub(crate) async fn connected(dialer: &Dialer, origin: &Origin, tls: Tls) -> Connection {
        let mut attempts = Vec::new();
        let connection = dialer.dial(&target(&[origin.addr()], tls), &PATIENCE, &mut attempts).await.unwrap();
        assert_eq!(attempts, [], "the winner is the caller's to log");
        connection
    }

    /// Dials addresses that must all fail.
    pub(crate) async fn failed(
        dialer: &Dialer,
        addresses: &[SocketAddr],
        tls: Tls,
        timeouts: &Timeouts,
    ) -> (Fault, Vec<Attempt>) {
        let mut attempts = Vec::new();
        let fault = dialer.dial(&target(addresses, tls), timeouts, &mut attempts).await.unwrap_err();
        (fault, attempts)
    }

    /// Sends a request and reads the head of its answer.
    pub(crate) async fn exchange(connection: &mut Connection) -> std::io::Result<Vec<u8>> {
        connection.write_all(GET).await?;
        connection.flush().await?;
        let mut answer = Vec::new();
        while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
            if connection.read_buf(&mut answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(answer)
    }

    /// The fact under this key.
    pub(crate) fn fact<'a>(fault: &'a Fault, key: &str) -> &'a Fact {
        let found = fault.evidence.facts().iter().find(|fact| fact.key() == key);
        found.unwrap_or_else(|| panic!("no {key} in {:?}", fault.evidence))
    }

    /// The keys of all facts.
    pub(crate) fn keys(fault: &Fault) -> Vec<&'static str> {
        fault.evidence.facts().iter().map(Fact::key).collect()
    }
}

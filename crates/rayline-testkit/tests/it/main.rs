//! Each script does what its sentence says, as a raw client sees it.

#[cfg(test)]
mod body;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod certs;
#[cfg(test)]
mod close;
#[cfg(test)]
mod dns;
#[cfg(test)]
mod good;
#[cfg(test)]
mod head;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod life;
#[cfg(test)]
mod stall;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod vanish;

#[cfg(test)]
mod ask {
    //! The few ways in which all of these tests ask.

    use std::time::Duration;

    use rayline_testkit::{Origin, Received, Response, Script, Visitor};

    pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n";

    /// Long enough for loopback, short enough to wait for in vain.
    pub(crate) const BRIEF: Duration = Duration::from_millis(300);

    /// All bytes that an origin with this script sends to a GET, and how it ends.
    pub(crate) async fn received(script: Script) -> Received {
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
        visitor.send(GET).await.unwrap();
        visitor.read_to_end().await
    }

    /// The response of an origin with this script to a GET.
    pub(crate) async fn response(script: Script) -> Response {
        responses(script, &[GET]).await.pop().unwrap()
    }

    /// The responses to these requests on one connection.
    pub(crate) async fn responses(script: Script, requests: &[&str]) -> Vec<Response> {
        let origin = Origin::start(script).unwrap();
        let mut visitor = Visitor::connect(origin.addr()).await.unwrap().patience(BRIEF);
        let mut responses = Vec::new();
        for request in requests {
            visitor.send(request).await.unwrap();
            responses.push(visitor.read_response(request.split(' ').next().unwrap()).await);
        }
        responses
    }

    pub(crate) fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

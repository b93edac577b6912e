//! What happened on the wire, as plain data: raised by a phase, without blame and without an HTTP status.
//!
//! A [`Fault`] is a [`Cause`] with its [`Evidence`]. Which party is to blame, which number is shown and what to
//! do are decided in one place only, `attribute.rs`.

use crate::evidence::Evidence;

/// A happening that kept a request from a good answer.
#[derive(Debug)]
pub struct Fault {
    /// What happened.
    pub cause: Cause,
    /// The facts that show it. Boxed: a fault is rare, and the way without one should stay small.
    pub evidence: Box<Evidence>,
}

impl Fault {
    /// A fault with no fact beside its cause yet.
    pub fn new(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), evidence: Box::default() }
    }

    /// Adds one fact.
    #[must_use]
    pub fn with(mut self, fact: crate::Fact) -> Self {
        self.evidence.add(fact);
        self
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $phase:ident($inner:ident) { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {
        /// What happened, by phase.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Cause { $($(#[$doc])* $phase($inner)),+ }
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $inner { $($(#[$vdoc])* $variant),+ }
            impl From<$inner> for Cause {
                fn from(cause: $inner) -> Self { Self::$phase(cause) }
            }
        )+
    };
}

causes! {
    /// Taking the visitor's connection.
    Accept(AcceptCause) {
        /// More connections than `max_connections` are open.
        TooManyConnections,
        /// `proxy_protocol` is on, and the connection began with something else than a PROXY header.
        ProxyHeaderMissing,
        /// What began as a PROXY header is none to its end: it breaks the grammar or the limit, is of a version that is
        /// not taken, or the connection ended inside it.
        ProxyHeaderMalformed,
        /// `proxy_protocol` is on, and no whole PROXY header arrived in time.
        ProxyHeaderTimedOut,
    }
    /// The TLS handshake with the visitor.
    ClientTls(ClientTlsCause) {
        /// The first bytes are plain HTTP.
        PlainHttp,
        /// The first bytes are neither TLS nor HTTP, or a TLS message is broken.
        Malformed,
        /// The visitor offers no version that this edge and zone accept.
        NoCommonVersion,
        /// The visitor offers no cipher suite, group or signature scheme that this edge has.
        NoCommonCipher,
        /// No zone has a certificate for the server name.
        NoCertificate,
        /// The visitor sent an alert, such as `unknown_ca`.
        Alert,
        /// The visitor closed before the handshake was done.
        Closed,
        /// The visitor reset the connection before the handshake was done.
        Reset,
        /// The handshake was not done in time.
        TimedOut,
    }
    /// Reading the visitor's request.
    Request(RequestCause) {
        /// The head breaks the grammar of HTTP/1.1.
        Malformed,
        /// The body's length is contradictory or obfuscated: the shape of request smuggling.
        AmbiguousFraming,
        /// There is no `Host`, more than one, or one that is no host name.
        BadHost,
        /// The HTTP version is not 1.0 or 1.1.
        UnsupportedVersion,
        /// A method that a gateway cannot serve: `CONNECT`, `TRACE`.
        MethodNotAllowed,
        /// A transfer coding other than `chunked`.
        UnsupportedTransferCoding,
        /// An `Expect` other than `100-continue`.
        ExpectationFailed,
        /// The request target is longer than the limit.
        UriTooLong,
        /// The header section is longer than the limit, or has too many fields.
        HeaderTooLarge,
        /// The body is longer than the limit.
        BodyTooLarge,
        /// The body's chunks or trailers break the grammar.
        BodyMalformed,
        /// The head did not arrive in time.
        HeadTimedOut,
        /// The body stopped arriving.
        BodyTimedOut,
        /// The connection ended inside the head.
        HeadTruncated,
        /// The connection ended inside the body.
        BodyTruncated,
        /// A request over HTTP/2 is malformed in the sense of RFC 9113 §8.1.1: its stream is reset.
        Http2Malformed,
        /// The visitor broke the rules of the HTTP/2 connection itself, which was ended by GOAWAY.
        Http2Protocol,
        /// Resets, settings, pings, continuations or empty frames in numbers that no client needs.
        Http2Flood,
    }
    /// Finding the zone and the record.
    Route(RouteCause) {
        /// No zone has this host name.
        UnknownHost,
        /// The zone has no record of this name.
        NoRecord,
        /// The record is DNS-only: the edge does not serve it.
        DnsOnly,
        /// The host name is an address of the edge.
        DirectIp,
        /// The certificate served on this connection does not cover the host name.
        SniMismatch,
        /// A visitor sent a header that only an edge may set.
        ForgedHeader,
        /// The request has been through this edge already.
        Loop,
    }
    /// The zone's rules.
    Rules(RulesCause) {
        /// A custom rule blocks.
        CustomRule,
        /// A managed rule blocks, or the anomaly score has come to the threshold.
        ManagedRule,
        /// An IP access rule blocks the address.
        AddressBanned,
        /// An IP access rule blocks the autonomous system of the address.
        AsnBanned,
        /// An IP access rule blocks the country.
        CountryBanned,
        /// A zone lockdown does not name the address.
        ZoneLockdown,
        /// The browser integrity check does not take it for a browser.
        BrowserSignature,
        /// A user-agent rule blocks.
        UserAgent,
        /// Hotlink protection blocks.
        Hotlink,
        /// The limit of a rate limiting rule is passed.
        RateLimited,
        /// A rule asks for a proof of work that the visitor has not brought.
        Challenged,
        /// The zone is in maintenance mode.
        Maintenance,
        /// A rewrite made a path that is empty, does not begin with a slash or lies below `/cdn-cgi/`.
        RewriteInvalidPath,
        /// A rewrite or redirect made a URI longer than the limit.
        RewriteTooLong,
        /// An expression with a value has none for this request.
        ExpressionFailed,
        /// Header changes brought the head over the limit.
        HeaderLimit,
        /// A header change names a field that rules may not change.
        HeaderNotAllowed,
        /// A header change made a value that no field may have.
        HeaderInvalidValue,
    }
    /// Turning the origin's name into addresses.
    Resolve(ResolveCause) {
        /// The name does not exist.
        NxDomain,
        /// The name exists, without an address.
        NoAddress,
        /// The name's aliases lead in a circle, or on and on.
        AliasLoop,
        /// The name server said SERVFAIL.
        ServFail,
        /// The name server refused to answer.
        Refused,
        /// No name server answered in time.
        TimedOut,
        /// No name server could be reached.
        Unreachable,
        /// The name leads to a private, loopback or link-local address.
        ProhibitedAddress,
        /// The name leads to this edge.
        PointsToEdge,
    }
    /// The TCP connection to the origin.
    Connect(ConnectCause) {
        /// The SYN was answered by a reset.
        Refused,
        /// The SYN was not answered in time.
        TimedOut,
        /// A router on the way said that it knows no way (ICMP).
        Unreachable,
        /// A firewall answered that the connection is administratively prohibited (ICMP).
        Prohibited,
        /// The origin stands on a network of this machine's, and nobody there answers for its address (ARP, NDP).
        NoNeighbour,
        /// This machine has no route to the address.
        NoRoute,
        /// This machine's own routing or firewall refused.
        Forbidden,
        /// This machine has no descriptor, port or memory left.
        Exhausted,
    }
    /// The TLS handshake with the origin.
    OriginTls(OriginTlsCause) {
        /// The answer to the ClientHello was plain HTTP.
        PlainHttp,
        /// The answer to the ClientHello was neither TLS nor HTTP, or a broken TLS message.
        Malformed,
        /// Closed before the handshake was done.
        Closed,
        /// Reset before the handshake was done.
        Reset,
        /// The handshake was not done in time.
        TimedOut,
        /// The origin sent an alert that no other cause here explains.
        Alert,
        /// No TLS version in common.
        NoCommonVersion,
        /// No cipher suite, group or signature scheme in common.
        NoCommonCipher,
        /// The origin does not serve the name it was asked for (`unrecognized_name`).
        SniRefused,
        /// The origin wants a client certificate and did not like ours, or that there was none.
        ClientCertificateRefused,
        /// The certificate ran out.
        CertificateExpired,
        /// The certificate is not valid yet.
        CertificateNotYetValid,
        /// The certificate is signed by itself.
        SelfSigned,
        /// The chain ends at a CA that the edge does not trust.
        UnknownIssuer,
        /// The certificate that links the leaf to its CA was not sent.
        MissingIntermediate,
        /// The certificate is for other names.
        NameMismatch,
        /// The name stands in the subject's common name only, which no verifier reads any more.
        NameOnlyInCommonName,
        /// The certificate was revoked.
        Revoked,
        /// The certificate is not for servers.
        WrongUsage,
        /// The certificate cannot be read, or a signature in it does not hold.
        CertificateInvalid,
    }
    /// Sending the request to the origin.
    Send(SendCause) {
        /// What was sent is not acknowledged by the origin's kernel.
        Unacknowledged,
        /// What was sent is acknowledged, and the origin reads no more.
        TimedOut,
        /// The connection was reset while the request was being sent, before a byte of an answer.
        Reset,
        /// A reused connection turned out to be closed, and the request could not be repeated.
        StaleConnection,
        /// The origin's kernel acknowledges, and its HTTP/2 gives no window for the request's body.
        FlowControlStalled,
    }
    /// Waiting for the head of the origin's response.
    Wait(WaitCause) {
        /// The head was not complete in time.
        TimedOut,
        /// Reset before a byte.
        Reset,
        /// Closed without a byte.
        ClosedEmpty,
        /// Closed or reset inside the head.
        HalfHead,
        /// The TLS session broke before a byte.
        TlsBroken,
        /// The origin's kernel answers no keep-alive probe any more, or a router says that it cannot be reached.
        Lost,
        /// What came is not HTTP.
        NotHttp,
        /// A document came without a status line, as in HTTP/0.9.
        Http09,
        /// The HTTP version is not 1.0 or 1.1.
        UnsupportedVersion,
        /// The status is no number from 100 to 599.
        BadStatus,
        /// A field of the head breaks the grammar.
        IllegalHeader,
        /// Two lengths, or one that is no number.
        ConflictingLengths,
        /// `Content-Length` beside `Transfer-Encoding`.
        LengthWithTransferEncoding,
        /// A transfer coding other than `chunked`.
        UnsupportedTransferCoding,
        /// The header section is longer than the limit, or has too many fields.
        HeaderTooLarge,
        /// Interim responses without end.
        InformationalFlood,
        /// `101 Switching Protocols` that nobody asked for.
        UnexpectedUpgrade,
        /// A `101` that does not answer the upgrade that was asked for.
        BadUpgrade,
        /// ALPN agreed on `h2`, and no HTTP/2 came: no SETTINGS, other bytes, or the end.
        Http2NotSpoken,
        /// GOAWAY, with an error or with this stream beyond the last one processed. With `NO_ERROR` it is always the
        /// latter: attribution takes that for proof that the application saw nothing.
        Http2GoAway,
        /// RST_STREAM from the origin, other than `REFUSED_STREAM`.
        Http2Reset,
        /// `REFUSED_STREAM`, or the origin allows no stream at all; also after repeating.
        Http2RefusedStream,
        /// The origin broke the rules of HTTP/2, and this end said so.
        Http2Protocol,
        /// The call's own `grpc-timeout` ran out.
        DeadlineExceeded,
        /// The origin answered, with a status of 500 or above.
        ErrorStatus,
    }
    /// Receiving the body of the origin's response.
    Receive(ReceiveCause) {
        /// Closed before the announced length or the last chunk.
        Truncated,
        /// Reset inside the body.
        Reset,
        /// A chunk breaks the grammar.
        BadChunk,
        /// The trailer section breaks the grammar or the limit.
        BadTrailers,
        /// No byte for the read time-out.
        TimedOut,
        /// The origin's kernel answers no keep-alive probe any more, or a router says that it cannot be reached.
        Lost,
        /// The TLS session broke inside the body, or ended without `close_notify` where that was the body's only end.
        TlsBroken,
        /// RST_STREAM from the origin inside the body.
        Http2Reset,
        /// GOAWAY with an error inside the body.
        Http2GoAway,
        /// The origin broke the rules of HTTP/2 inside the body, and this end said so.
        Http2Protocol,
    }
    /// Answering the visitor.
    Reply(ReplyCause) {
        /// The visitor left.
        Gone,
        /// The visitor does not read.
        Stalled,
        /// An upgraded connection carried nothing for its idle limit.
        Idle,
        /// The edge stops, and its drain time is over.
        Shutdown,
        /// Something of ours broke that has no code.
        Unclassified,
    }
    /// Seen from outside alone, by a diagnosis: no edge raises these.
    Outside(OutsideCause) {
        /// The edge's address answered a visitor's SYN by a reset.
        EdgeRefused,
        /// The edge's address did not answer a visitor's SYN in time.
        EdgeSilent,
        /// The edge wrote an error page that says nothing of the origin.
        EdgeError,
        /// The certificate that visitors are shown ran out.
        CertificateExpired,
        /// The certificate that visitors are shown is for other names.
        CertificateName,
        /// The certificate that visitors are shown is not trusted for any other reason.
        CertificateUntrusted,
        /// Redirects lead back to where they began.
        RedirectLoop,
        /// The origin does not serve where the edge connects, and does on another port.
        WrongPort,
        /// A rule of the edge's owner refused the request.
        RuleRefused,
        /// Without a rule of the edge's owner the request works, and with it, it fails.
        RuleBreaks,
        /// A program of the owner's, run by the edge, failed.
        WorkerFailed,
        /// The tunnel to the origin has no end there.
        TunnelDown,
        /// Others connect to the origin, and the edge's addresses do not.
        EdgeBlocked,
        /// A success without a byte where a page is expected.
        Blank,
    }
}

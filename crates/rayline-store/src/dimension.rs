//! What requests are told apart by, and what is measured of them.

macro_rules! dimensions {
    ($($variant:ident $name:literal $field:literal $rolled:literal $doc:literal;)+) => {
        /// Something that has one value per request, by which requests are grouped and filtered. Values are texts: a
        /// status is `"502"`, what was not there is `""`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Dimension {
            $(#[doc = $doc] $variant,)+
        }

        impl Dimension {
            /// Every dimension, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name in queries, links and files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The request log's field that it is taken from; empty where it is derived.
            pub const fn field(self) -> &'static str {
                match self {
                    $(Self::$variant => $field,)+
                }
            }

            /// Whether the counts by minute and hour, which are exact, are kept by it.
            pub const fn is_rolled_up(self) -> bool {
                match self {
                    $(Self::$variant => $rolled,)+
                }
            }

            /// One sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)+
                }
            }
        }
    };
}

dimensions! {
    Zone "zone" "ZoneName" true "The zone";
    Host "host" "ClientRequestHost" true "The host name asked for, in lower case and without a port";
    Method "method" "ClientRequestMethod" true "The method";
    EdgeStatus "edge_status" "EdgeResponseStatus" true "The status that the visitor got; `0` if none";
    OriginStatus "origin_status" "OriginResponseStatus" true "The status that the origin sent; `0` if none came";
    Code "code" "VerdictCode" true "What failed, such as `origin.connect.refused`; empty of a success";
    Party "party" "" true "Whose fault it is: the first part of the code; empty of a success";
    Colo "colo" "EdgeColoCode" true "The edge";
    Origin "origin" "OriginIP" true "The origin's address and port; empty if none was asked";
    Cache "cache" "CacheCacheStatus" true "How the cache was met";
    Country "country" "ClientCountry" true "Where the visitor's address is registered: two lower-case letters";
    Plan "plan" "PlanVersion" true "The version of the configuration that decided";
    Worker "worker" "WorkerStatus" true "How the worker ended; empty: none ran";
    Rule "rule" "SecurityRuleID" true "The rule that acted; empty: none";
    Path "path" "ClientRequestURI" false "The path, without the query";
    Client "client" "ClientIP" false "The visitor's address, masked as the store was told to";
    UserAgent "user_agent" "ClientRequestUserAgent" false "`User-Agent`, as sent";
    Agent "agent" "" false "Who asks, by `User-Agent`: `browser`, `crawler`, `api`, `monitor`, `unknown`";
    Protocol "protocol" "ClientRequestProtocol" false "The version of HTTP";
    Scheme "scheme" "ClientRequestScheme" false "`http` or `https`";
    OriginProtocol "origin_protocol" "OriginProtocol" false "The version of HTTP spoken to the origin";
    Phase "phase" "" false "Only of the times: the name of the `Number` whose time it is";
    Bucket "bucket" "" false "Only of the times: the upper bound of the bucket, in microseconds";
}

macro_rules! numbers {
    ($($variant:ident $name:literal $field:literal $time:literal $doc:literal;)+) => {
        /// Something measured of a request: bytes, or a time in microseconds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Number {
            $(#[doc = $doc] $variant,)+
        }

        impl Number {
            /// Every number, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name in queries, links and files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The request log's field that it is taken from, in its own unit; empty where it is derived.
            pub const fn field(self) -> &'static str {
                match self {
                    $(Self::$variant => $field,)+
                }
            }

            /// Whether it is a time in microseconds; else it is bytes.
            pub const fn is_time(self) -> bool {
                match self {
                    $(Self::$variant => $time,)+
                }
            }

            /// One sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)+
                }
            }
        }
    };
}

numbers! {
    ResponseBytes "response_bytes" "EdgeResponseBytes" false "Bytes sent to the visitor";
    RequestBytes "request_bytes" "ClientRequestBodyBytes" false "Bytes of the request's body";
    FirstByte "first_byte" "EdgeTimeToFirstByteMs" true "Until the first byte of the answer";
    Duration "duration" "" true "From the request's first byte to the end of the answer";
    Dns "dns" "OriginDNSResponseTimeMs" true "To resolve the origin's name";
    Tcp "tcp" "OriginTCPHandshakeDurationMs" true "To connect to the origin";
    Tls "tls" "OriginTLSHandshakeDurationMs" true "The TLS handshake with the origin";
    Send "send" "OriginRequestHeaderSendDurationMs" true "To send the request's head";
    Wait "wait" "OriginResponseHeaderReceiveDurationMs" true "From the head's sending to the arrival of the response's head";
    OriginTotal "origin_total" "OriginResponseDurationMs" true "From the decision to ask the origin to the arrival of the response's head";
}

impl Dimension {
    /// The dimension of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Its place among [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl Number {
    /// The number of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|number| number.name() == name)
    }

    /// Its place among [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }
}

//! Other services that an application calls, and the look-ups of their names.

use super::pattern::{Pattern, means};
use crate::logs::Cause::{DnsFailed, ServerUpstreamUnresolved, ThirdPartyFailed, ThirdPartyTimedOut};
use crate::logs::Source;

/// Look-ups of names: tried before what fails for want of them.
pub(super) const DNS: &[Pattern] = &[
    means(
        ServerUpstreamUnresolved,
        &["no such host", "server misbehaving"],
        r"dial tcp: lookup (?P<name>[^\s:]+)(?: on \S+)?: (?P<why>no such host|server misbehaving)",
        "the web server cannot resolve the application's name `{name}`",
    )
    .by(&[Source::Caddy]),
    means(
        ServerUpstreamUnresolved,
        &["err_trace\":\"reverseproxy"],
        r#"lookup (?P<name>[^\s:"]+)(?: on \S+)?: (?:no such host|server misbehaving)[^\n]*reverseproxy"#,
        "the web server cannot resolve the application's name `{name}`",
    ),
    means(
        DnsFailed,
        &["getaddrinfo"],
        r"getaddrinfo (?P<why>ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA) (?P<name>[^\s,'\x22]+)",
        "the application cannot resolve `{name}` ({why})",
    ),
    means(
        DnsFailed,
        &["getaddrinfo for "],
        r"getaddrinfo for (?P<name>\S+) failed: (?P<why>Name or service not known|Temporary failure in name resolution|No address associated with hostname|nodename nor servname provided|Name does not resolve|Try again|Non-recoverable failure in name resolution)",
        "the application cannot resolve `{name}`: {why}",
    ),
    means(
        DnsFailed,
        &["getaddrinfo failed", "getaddrinfo: "],
        r"getaddrinfo(?: failed)?: (?P<why>Name or service not known|Temporary failure in name resolution|nodename nor servname provided|No address associated with hostname|Name does not resolve|Try again)",
        "the application cannot resolve a name: {why}",
    ),
    means(
        DnsFailed,
        &["querySrv", "queryA", "queryTxt"],
        r"query(?:Srv|A|Aaaa|Txt|Cname) (?P<why>E[A-Z]+) (?P<name>\S+)",
        "the application cannot resolve `{name}` ({why})",
    ),
    means(
        DnsFailed,
        &["could not resolve host"],
        r"[Cc]ould not resolve host:? '?(?P<name>[^\s;'(]+)",
        "the application cannot resolve `{name}`",
    ),
    means(
        DnsFailed,
        &["cURL error 6", "curl: (6)"],
        r"(?:cURL error|curl:) \(?6\)?:",
        "the application cannot resolve a name (cURL error 6)",
    ),
    means(
        DnsFailed,
        &["Failed to resolve '"],
        r"Failed to resolve '(?P<name>[^']+)'",
        "the application cannot resolve `{name}`",
    ),
    means(
        DnsFailed,
        &["Name or service not known", "Temporary failure in name resolution", "No address associated with hostname"],
        r"host='(?P<name>[^']+)'[^\n]*(?P<why>Name or service not known|Temporary failure in name resolution|No address associated with hostname)",
        "the application cannot resolve `{name}`: {why}",
    ),
    means(
        DnsFailed,
        &["UnknownHostException"],
        r"UnknownHostException: (?P<name>[^\s:]+)",
        "the application cannot resolve `{name}`",
    ),
    means(
        DnsFailed,
        &[
            "Name or service not known",
            "Temporary failure in name resolution",
            "No address associated with hostname",
            "nodename nor servname",
            "Name does not resolve",
        ],
        r"(?P<why>Name or service not known|Temporary failure in name resolution|No address associated with hostname|nodename nor servname provided|Name does not resolve)",
        "the application cannot resolve a name: {why}",
    ),
    means(
        DnsFailed,
        &["No such host is known"],
        r"No such host is known\.? ?(?:\((?P<name>[^):]+))?",
        "the application cannot resolve[ `{name}`] a name",
    ),
    means(
        DnsFailed,
        &["no such host", "server misbehaving"],
        r"lookup (?P<name>[^\s:]+)(?: on \S+)?: (?P<why>no such host|server misbehaving|i/o timeout)",
        "the application cannot resolve `{name}`: {why}",
    ),
];

/// Calls of other services.
pub(super) const PATTERNS: &[Pattern] = &[
    // curl, and all that is built on it
    means(ThirdPartyTimedOut, &["cURL error 28", "curl: (28)"], r"(?:cURL error|curl:) \(?28\)?: (?P<what>[^\n(]+)(?:\(see [^)]*\))?(?: for (?P<url>\S+))?", "a service that the application calls did not answer[ ({url})]: {what}"),
    means(ThirdPartyFailed, &["cURL error ", "curl: ("], r"(?:cURL error|curl:) \(?(?P<number>[0-9]+)\)?: (?P<what>[^\n(]+)(?:\(see [^)]*\))?(?: for (?P<url>\S+))?", "a call of another service failed[ ({url})]: {what} (cURL error {number})"),
    means(ThirdPartyFailed, &["resulted in a `"], r"`(?:GET|POST|PUT|PATCH|DELETE|HEAD) (?P<url>\S+)` resulted in a `(?P<status>[0-9]{3}[^`]*)` response", "a service that the application calls ({url}) answered `{status}`"),
    // PHP's streams
    means(ThirdPartyTimedOut, &["ailed to open stream: HTTP request failed!", "ailed to open stream: Connection timed out", "ailed to open stream: Operation timed out"], r"(?:file_get_contents|fopen|file|copy|simplexml_load_file|readfile|getimagesize)\((?P<url>https?://[^)]*)\): [Ff]ailed to open stream: (?:HTTP request failed! in |HTTP request failed!\s*$|Connection timed out|Operation timed out)", "a service that the application calls ({url}) did not answer in time"),
    means(ThirdPartyFailed, &["ailed to open stream: "], r"(?:file_get_contents|fopen|file|copy|simplexml_load_file|readfile|getimagesize)\((?P<url>https?://[^)]*)\): [Ff]ailed to open stream: (?P<why>[^\n]+?)(?: in /|\s*$)", "a call of another service ({url}) failed: {why}"),
    means(ThirdPartyFailed, &["SoapFault"], r"SoapFault(?: exception)?: (?P<what>[^\n]*(?:Could not connect to host|Parsing WSDL|Error Fetching http headers|failed to load)[^\n]*?)(?: in /|$)", "a call of a SOAP service failed: {what}"),
    means(ThirdPartyTimedOut, &["Unable to connect to"], r"(?:stream_socket_client|fsockopen)\(\): [Uu]nable to connect to (?P<address>\S+) \((?:Connection|Operation) timed out\)", "a service that the application calls ({address}) did not answer in time"),
    means(ThirdPartyFailed, &["Unable to connect to"], r"(?:stream_socket_client|fsockopen)\(\): [Uu]nable to connect to (?P<address>\S+) \((?P<why>[^)]+)\)", "a call of another service ({address}) failed: {why}"),
    means(ThirdPartyFailed, &["Connection could not be established with host"], r#"Connection could not be established with host "?(?P<address>[^\s"]+)"?"#, "the application cannot reach its mail server {address}"),
    // Python
    means(ThirdPartyTimedOut, &["ConnectTimeoutError", "Read timed out", "ReadTimeoutError"], r"HTTPS?ConnectionPool\(host='(?P<host>[^']+)', port=(?P<port>[0-9]+)\)[^\n]*(?:ConnectTimeoutError|Read timed out|ReadTimeoutError)", "a service that the application calls did not answer in time: {host} port {port}"),
    means(ThirdPartyFailed, &["ConnectionPool(host="], r"HTTPS?ConnectionPool\(host='(?P<host>[^']+)', port=(?P<port>[0-9]+)\): Max retries exceeded[^\n]*(?P<why>Connection refused|Network is unreachable|No route to host|certificate verify failed|CERTIFICATE_VERIFY_FAILED|SSLError|ProxyError|too many 5[0-9]{2} error responses|RemoteDisconnected)", "a call of another service failed ({host} port {port}): {why}"),
    means(ThirdPartyFailed, &["HTTPError: ", "HTTPStatusError: "], r"(?:HTTPError: |HTTPStatusError: (?:Client|Server) error ')(?P<status>[45][0-9]{2}[^\n']*?)'? for url:? '?(?P<url>[^\s']+)", "a service that the application calls ({url}) answered `{status}`"),
    means(ThirdPartyFailed, &["urllib.error.HTTPError"], r"urllib\.error\.HTTPError: HTTP Error (?P<status>[0-9]{3}[^\n]*)", "a service that the application calls answered `{status}`"),
    means(ThirdPartyTimedOut, &["httpx.", "httpcore.", "aiohttp.", "requests.exceptions."], r"\b(?P<kind>(?:httpx|httpcore)\.(?:Connect|Read|Write|Pool)Timeout|aiohttp\.\S*(?:ServerTimeoutError|ConnectionTimeoutError)|requests\.exceptions\.(?:ConnectTimeout|ReadTimeout|Timeout))\b", "a service that the application calls did not answer in time ({kind})"),
    means(ThirdPartyFailed, &["httpx.", "httpcore.", "aiohttp."], r"\b(?:httpx|httpcore)\.(?:ConnectError|ReadError|RemoteProtocolError)(?:: (?P<why>[^\n]+))?|Cannot connect to host (?P<address>\S+) ssl", "a call of another service failed[: {why}][ ({address})]"),
    means(ThirdPartyFailed, &["Cannot connect to host"], r"Cannot connect to host (?P<address>\S+) ssl", "a call of another service failed ({address})"),
    means(ThirdPartyTimedOut, &["urlopen error"], r"<urlopen error (?:_ssl\.c:[0-9]+: )?(?:The handshake operation )?timed out>", "a service that the application calls did not answer in time"),
    means(ThirdPartyFailed, &["urlopen error"], r"<urlopen error (?P<why>[^>\n]+)>", "a call of another service failed: {why}"),
    means(ThirdPartyTimedOut, &["TimeoutError: timed out", "socket.timeout: timed out", "TimeoutError: The read operation timed out", "TimeoutError: [Errno 110]"], r"(?:TimeoutError|socket\.timeout): (?:timed out|The read operation timed out|The handshake operation timed out|\[Errno 110\])", "a service that the application calls did not answer in time"),
    means(ThirdPartyFailed, &["ConnectionRefusedError: [Errno 111]"], r"ConnectionRefusedError: \[Errno 111\]", "a service that the application calls refuses connections"),
    // Node.js
    means(ThirdPartyTimedOut, &["connect ETIMEDOUT"], r"connect ETIMEDOUT (?P<address>\S+)", "a service that the application calls ({address}) did not answer in time"),
    means(ThirdPartyFailed, &["connect ECONNREFUSED", "connect EHOSTUNREACH", "connect ENETUNREACH"], r"connect (?P<why>ECONNREFUSED|EHOSTUNREACH|ENETUNREACH) (?P<address>\S+)", "a service that the application calls ({address}) cannot be reached ({why})"),
    means(ThirdPartyTimedOut, &["timeout of ", "ConnectTimeoutError", "HeadersTimeoutError", "BodyTimeoutError", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ESOCKETTIMEDOUT", "ECONNABORTED", "[TimeoutError]"], r"(?:timeout of (?P<ms>[0-9]+)ms exceeded|ConnectTimeoutError|HeadersTimeoutError|BodyTimeoutError|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT|ESOCKETTIMEDOUT|DOMException \[TimeoutError\])(?:[^\n]*attempted address(?:es)?: (?P<address>[^,\s)]+))?", "a service that the application calls did not answer in time[, {ms} ms][: {address}]"),
    means(ThirdPartyFailed, &["Request failed with status code"], r"(?:AxiosError|Error): Request failed with status code (?P<status>[0-9]{3})", "a service that the application calls answered with status {status}"),
    means(ThirdPartyFailed, &["socket hang up"], r"socket hang up", "a service that the application calls closed the connection (`socket hang up`)"),
    means(ThirdPartyFailed, &["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "ERR_TLS_CERT_ALTNAME_INVALID"], r"(?P<why>UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|ERR_TLS_CERT_ALTNAME_INVALID)", "the certificate of a service that the application calls does not pass ({why})"),
    means(ThirdPartyFailed, &["FetchError: ", "fetch failed"], r"FetchError: request to (?P<url>\S+) failed(?:, reason: (?P<why>[^\n]+))?|TypeError: fetch failed", "a call of another service failed[ ({url})][: {why}]"),
    // Java
    means(ThirdPartyTimedOut, &["SocketTimeoutException", "ConnectTimeoutException", "HttpTimeoutException", "HttpConnectTimeoutException", "ReadTimeoutException"], r"(?:SocketTimeoutException|ConnectTimeoutException|HttpTimeoutException|HttpConnectTimeoutException|ReadTimeoutException)(?::[ \t](?P<what>[^\n]+))?", "a service that the application calls did not answer in time[: {what}]"),
    means(ThirdPartyFailed, &["java.net.ConnectException", "java.net.NoRouteToHostException", "HttpHostConnectException"], r"(?:java\.net\.(?:ConnectException|NoRouteToHostException)|HttpHostConnectException)(?::[ \t](?P<what>[^\n]+))?", "a service that the application calls cannot be reached[: {what}]"),
    means(ThirdPartyFailed, &["HttpServerErrorException", "HttpClientErrorException", "FeignException"], r"(?:HttpServerErrorException|HttpClientErrorException|FeignException)[A-Za-z$]*: (?:\[)?(?P<status>[0-9]{3}[^\n:]*)", "a service that the application calls answered `{status}`"),
    means(ThirdPartyFailed, &["PKIX path building failed", "SSLHandshakeException"], r"PKIX path building failed|SSLHandshakeException(?:: (?P<why>[^\n]+))?", "the TLS handshake with a service that the application calls failed[: {why}]"),
    // Ruby
    means(ThirdPartyTimedOut, &["Net::OpenTimeout", "Net::ReadTimeout", "Faraday::TimeoutError", "HTTP::TimeoutError", "Errno::ETIMEDOUT"], r"(?P<kind>Net::(?:Open|Read)Timeout|Faraday::TimeoutError|HTTP::TimeoutError|Errno::ETIMEDOUT)", "a service that the application calls did not answer in time ({kind})"),
    means(ThirdPartyFailed, &["Errno::ECONNREFUSED", "Faraday::ConnectionFailed", "Faraday::ServerError", "Failed to open TCP connection"], r#"(?P<kind>Errno::ECONNREFUSED|Faraday::ConnectionFailed|Faraday::ServerError|Failed to open TCP connection to (?P<address>\S+))"#, "a call of another service failed[ ({address})]: {kind}"),
    // Go
    means(ThirdPartyTimedOut, &["Client.Timeout exceeded", "context deadline exceeded"], r#"(?:(?:Get|Post|Put|Head|Patch|Delete) "(?P<url>[^"]+)": )?[^\n]*(?:Client\.Timeout exceeded|context deadline exceeded)"#, "a service that the application calls did not answer in time[ ({url})]").by(&[Source::Go, Source::Unknown, Source::Docker, Source::Systemd]),
    // .NET
    means(ThirdPartyTimedOut, &["HttpClient.Timeout of"], r"HttpClient\.Timeout of (?P<s>[0-9.]+) seconds elapsing", "a service that the application calls did not answer within {s} s"),
    means(ThirdPartyFailed, &["HttpRequestException"], r"HttpRequestException(?: \(0x[0-9A-Fa-f]+\))?: (?P<what>[^\n]+)", "a call of another service failed: {what}"),
];

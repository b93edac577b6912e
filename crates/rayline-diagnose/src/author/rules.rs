//! The table of marks: what in a head or body says who was there, and what that proves.
//!
//! A field proves that somebody passed the answer on, a page that somebody wrote it. Landmarks of bodies are in lower case,
//! matched in any case, and literal: a page that only quotes one has it escaped, or has not the markup around it.

use super::Role::{self, Application, Edge, Server};
use super::look::Look::{
    self, AnyStatus, Begins, Body, Cookie, Empty, Has, Holds, Is, Opens, OpensNumber, Status, Title, Whole,
};
use super::look::{Proves, Rule};

const fn passed(name: &'static str, role: Role, said: &'static str, looks: &'static [Look]) -> Rule {
    Rule { name, role, proves: Proves::Passed, said, looks }
}

const fn wrote(name: &'static str, role: Role, said: &'static str, looks: &'static [Look]) -> Rule {
    Rule { name, role, proves: Proves::Wrote, said, looks }
}

const fn likely(name: &'static str, role: Role, said: &'static str, looks: &'static [Look]) -> Rule {
    Rule { name, role, proves: Proves::Likely, said, looks }
}

const fn perhaps(name: &'static str, role: Role, said: &'static str, looks: &'static [Look]) -> Rule {
    Rule { name, role, proves: Proves::Perhaps, said, looks }
}

/// How Apache breaks the lines of its error pages, which have changed their document type since.
const APACHE: &str = "</title>\n</head><body>\n<h1>";

/// All rows. Of two equally good claims at the same place, the earlier row's is taken.
pub(super) static RULES: &[Rule] = &[
    // Rayline, which also says `cf-error-type` and `error code:`.
    passed("Rayline", Edge, "header `proxy-status`", &[Begins("proxy-status", "rayline")]),
    wrote("Rayline", Edge, "header `proxy-status` with an error", &[Begins("proxy-status", "rayline; error=")]),
    wrote("Rayline", Edge, "member `rayline_error` of the JSON body", &[Body("\"rayline_error\":true")]),
    wrote("Rayline", Edge, "`rayline_error` in the Markdown body", &[Body("\nrayline_error: true")]),
    wrote("Rayline", Edge, "markup of its error page", &[Body("<code>rayline explain ")]),
    wrote("Rayline", Edge, "its short text form", &[OpensNumber("error code: "), Body("\nray id: "), Body("\ncode: ")]),
    // Cloudflare: "Cloudflare error headers", "Error responses", "Cloudflare HTTP headers".
    passed(
        "Cloudflare",
        Edge,
        "header `cf-ray` beside `server: cloudflare`",
        &[Has("cf-ray"), Begins("server", "cloudflare")],
    ),
    // Rayline sends it too, and calls itself so where it says who it is.
    passed(
        "Cloudflare",
        Edge,
        "header `cf-cache-status` beside `server: cloudflare`",
        &[Has("cf-cache-status"), Begins("server", "cloudflare")],
    ),
    passed("Cloudflare", Edge, "cookie `__cf_bm`", &[Cookie("__cf_bm=")]),
    wrote("Cloudflare", Edge, "header `cf-error-type`", &[Has("cf-error-type")]),
    wrote("Cloudflare", Edge, "header `cf-mitigated`", &[Has("cf-mitigated")]),
    wrote("Cloudflare", Edge, "member `cloudflare_error` of the JSON body", &[Body("\"cloudflare_error\":true")]),
    wrote("Cloudflare", Edge, "member `cloudflare_error` of the JSON body", &[Body("\"cloudflare_error\": true")]),
    wrote("Cloudflare", Edge, "`cloudflare_error` in the Markdown body", &[Body("\ncloudflare_error: true")]),
    wrote(
        "Cloudflare",
        Edge,
        "its short text form `error code: NNN`",
        &[OpensNumber("error code: "), Begins("server", "cloudflare")],
    ),
    likely("Cloudflare", Edge, "its short text form `error code: NNN`", &[OpensNumber("error code: ")]),
    wrote("Cloudflare", Edge, "markup `cf-error-details` of its error page", &[Body("id=\"cf-error-details\"")]),
    wrote("Cloudflare", Edge, "markup `cf-wrapper` of its error page", &[Body("id=\"cf-wrapper\""), Body("cf-error-")]),
    wrote("Cloudflare", Edge, "headline of its block page", &[Body("data-translate=\"block_headline\"")]),
    wrote("Cloudflare", Edge, "script of its challenge", &[Body("_cf_chl_opt")]),
    wrote("Cloudflare", Edge, "name below its unbranded page", &[Body("<center>cloudflare")]),
    // Fastly: "Fastly-generated errors".
    passed("Fastly", Edge, "header `x-served-by`", &[Begins("x-served-by", "cache-")]),
    passed("Fastly", Edge, "header `x-fastly-request-id`", &[Has("x-fastly-request-id")]),
    wrote("Fastly", Edge, "words `Fastly error: unknown domain`", &[Body("fastly error: unknown domain")]),
    wrote(
        "Fastly",
        Edge,
        "`Guru Mediation` on its error page",
        &[Body("<h3>guru mediation:</h3>"), Body("<p>varnish cache server</p>")],
    ),
    wrote("Fastly", Edge, "number 54113 on its error page", &[Body("<h3>error 54113</h3>")]),
    wrote(
        "Fastly",
        Edge,
        "Varnish's error page behind `x-served-by`",
        &[Body("<p>varnish cache server</p>"), Begins("x-served-by", "cache-")],
    ),
    // Akamai: "Edge error strings".
    passed("Akamai", Edge, "header `x-akamai-request-id`", &[Has("x-akamai-request-id")]),
    passed("Akamai", Edge, "header `akamai-grn`", &[Has("akamai-grn")]),
    passed("Akamai", Edge, "header `server`", &[Begins("server", "akamaighost")]),
    passed("Akamai", Edge, "header `server-timing` with `ak_p`", &[Holds("server-timing", "ak_p;")]),
    wrote("Akamai", Edge, "`server: AkamaiGHost`", &[Begins("server", "akamaighost")]),
    wrote("Akamai", Edge, "`Reference #` on its error page", &[Body("reference&#32;&#35;")]),
    wrote("Akamai", Edge, "`errors.edgesuite.net` on its error page", &[Body("errors.edgesuite.net")]),
    likely("Akamai", Edge, "`Reference #` on its error page", &[Body("<p>\nreference #")]),
    // CloudFront: "Troubleshooting error response status codes in CloudFront". `x-cache` also says `Error from cloudfront`
    // of errors that it only passed on.
    passed("CloudFront", Edge, "header `x-amz-cf-id`", &[Has("x-amz-cf-id")]),
    passed("CloudFront", Edge, "header `via`", &[Holds("via", "(cloudfront)")]),
    wrote("CloudFront", Edge, "words `Generated by cloudfront`", &[Body("generated by cloudfront")]),
    likely("CloudFront", Edge, "`server: CloudFront`", &[Begins("server", "cloudfront")]),
    // Amazon's gateways and storage.
    wrote("AWS ALB", Edge, "`server: awselb`", &[Begins("server", "awselb")]),
    wrote("AWS ALB", Edge, "name below its error page", &[Body("<center>awselb")]),
    passed("AWS ALB", Edge, "cookie `AWSALB`", &[Cookie("awsalb")]),
    passed("API Gateway", Edge, "header `x-amz-apigw-id`", &[Has("x-amz-apigw-id")]),
    passed("API Gateway", Edge, "header `apigw-requestid`", &[Has("apigw-requestid")]),
    wrote("API Gateway", Edge, "header `x-amzn-errortype`", &[Has("x-amzn-errortype")]),
    wrote(
        "API Gateway",
        Edge,
        "its JSON message",
        &[Has("apigw-requestid"), Opens("{\"message\":\"internal server error\"")],
    ),
    wrote("API Gateway", Edge, "its JSON message", &[Body("\"endpoint request timed out\"")]),
    passed("Amazon S3", Server, "`server: AmazonS3`", &[Begins("server", "amazons3")]),
    wrote("Amazon S3", Server, "its XML error", &[Body("<error><code>"), Body("<hostid>")]),
    // Google.
    passed("Google Cloud", Edge, "header `via`", &[Holds("via", "1.1 google")]),
    passed("Google Cloud", Edge, "`server: Google Frontend`", &[Begins("server", "google frontend")]),
    wrote(
        "Google Cloud",
        Edge,
        "words of its error page",
        &[Body("the server encountered a temporary error and could not complete your request")],
    ),
    wrote("Google Cloud", Edge, "its logo on the error page", &[Body("//www.google.com/images/errors/robot.png")]),
    wrote(
        "Google Cloud",
        Edge,
        "Envoy's words behind `via: 1.1 google`",
        &[Body("upstream connect error or disconnect/reset before headers"), Holds("via", "1.1 google")],
    ),
    wrote(
        "Google Cloud",
        Edge,
        "Envoy's words behind `via: 1.1 google`",
        &[Opens("no healthy upstream"), Holds("via", "1.1 google")],
    ),
    wrote(
        "Google Cloud",
        Edge,
        "Envoy's words behind `via: 1.1 google`",
        &[Opens("upstream request timeout"), Holds("via", "1.1 google")],
    ),
    // Azure.
    passed("Azure Front Door", Edge, "header `x-azure-ref`", &[Has("x-azure-ref")]),
    passed("Azure Front Door", Edge, "header `x-fd-healthprobe`", &[Has("x-fd-healthprobe")]),
    wrote("Azure Front Door", Edge, "header `x-azure-externalerror`", &[Has("x-azure-externalerror")]),
    wrote("Azure Front Door", Edge, "words of its error page", &[Body("our services aren't available right now")]),
    wrote("Azure Front Door", Edge, "words of its error page", &[Body("azure front door"), Title("page not found")]),
    passed(
        "Azure Application Gateway",
        Edge,
        "cookie `ApplicationGatewayAffinity`",
        &[Cookie("applicationgatewayaffinity")],
    ),
    wrote(
        "Azure Application Gateway",
        Edge,
        "name below its error page",
        &[Body("<center>microsoft-azure-application-gateway")],
    ),
    // Platforms.
    passed("Vercel", Edge, "header `x-vercel-id`", &[Has("x-vercel-id")]),
    wrote("Vercel", Edge, "header `x-vercel-error`", &[Has("x-vercel-error")]),
    passed("Netlify", Edge, "header `x-nf-request-id`", &[Has("x-nf-request-id")]),
    wrote("Netlify", Edge, "words of its error page", &[Opens("not found - request id: ")]),
    wrote("Netlify", Edge, "words of its error page", &[Body("error decoding lambda response")]),
    wrote("Netlify", Edge, "error of its functions", &[Opens("{\"errortype\":"), Has("x-nf-request-id")]),
    passed("Heroku", Edge, "header `via`", &[Holds("via", "vegur")]),
    passed("Heroku", Edge, "header `via`", &[Holds("via", "heroku-router")]),
    wrote("Heroku", Edge, "frame of its error page", &[Body("herokucdn.com/error-pages/")]),
    passed("GitHub Pages", Edge, "`server: GitHub.com`", &[Begins("server", "github.com")]),
    wrote("GitHub Pages", Edge, "title of its error page", &[Title("site not found"), Body("github pages")]),
    wrote("GitHub Pages", Edge, "words of its error page", &[Body("there isn't a github pages site here")]),
    passed("Fly", Edge, "header `fly-request-id`", &[Has("fly-request-id")]),
    perhaps("Fly", Edge, "an empty error below `server: Fly`", &[Begins("server", "fly/"), Empty]),
    passed("Render", Edge, "header `rndr-id`", &[Has("rndr-id")]),
    wrote("Render", Edge, "header `x-render-routing`", &[Has("x-render-routing")]),
    passed("Shopify", Edge, "header `x-shopid`", &[Has("x-shopid")]),
    passed("Shopify", Edge, "header `x-shopify-stage`", &[Has("x-shopify-stage")]),
    wrote("Shopify", Edge, "words of its error page", &[Body("sorry, this shop is currently unavailable")]),
    wrote("Shopify", Edge, "markup of its error page", &[Body("cdn.shopify.com"), Title("something went wrong")]),
    // Other edges.
    passed("Sucuri", Edge, "header `x-sucuri-id`", &[Has("x-sucuri-id")]),
    wrote("Sucuri", Edge, "words of its error page", &[Body("sucuri website firewall")]),
    passed("Imperva", Edge, "header `x-iinfo`", &[Has("x-iinfo")]),
    passed("Imperva", Edge, "header `x-cdn`", &[Holds("x-cdn", "imperva")]),
    passed("Imperva", Edge, "header `x-cdn`", &[Holds("x-cdn", "incapsula")]),
    passed("Imperva", Edge, "cookie `incap_ses`", &[Cookie("incap_ses_")]),
    wrote("Imperva", Edge, "script of its error page", &[Body("_incapsula_resource")]),
    wrote("Imperva", Edge, "words of its error page", &[Body("incapsula incident id")]),
    wrote("Imperva", Edge, "words of its error page", &[Body("powered by imperva"), Body("incident id")]),
    passed("DDoS-Guard", Edge, "`server: ddos-guard`", &[Begins("server", "ddos-guard")]),
    wrote("DDoS-Guard", Edge, "name on its error page", &[Title("ddos-guard")]),
    wrote("DDoS-Guard", Edge, "name below its error page", &[Body("<center>ddos-guard")]),
    passed("Bunny", Edge, "`server: BunnyCDN`", &[Begins("server", "bunnycdn")]),
    passed("Bunny", Edge, "header `cdn-pullzone`", &[Has("cdn-pullzone")]),
    wrote("Bunny", Edge, "words of its error page", &[Body("domain suspended or not configured")]),
    wrote("Bunny", Edge, "name on its error page", &[Body("bunny.net"), Body("cdn node")]),
    passed("KeyCDN", Edge, "`server: keycdn`", &[Begins("server", "keycdn")]),
    wrote("KeyCDN", Edge, "name below its error page", &[Body("<center>keycdn")]),
    // Servers and gateways.
    passed("nginx", Server, "`server: nginx`", &[Begins("server", "nginx")]),
    wrote("nginx", Server, "name below its error page", &[Body("<center>nginx")]),
    likely(
        "nginx",
        Server,
        "words of its stock error page",
        &[Body("sorry, the page you are looking for is currently unavailable"), Body("faithfully yours, nginx.")],
    ),
    passed("OpenResty", Server, "`server: openresty`", &[Begins("server", "openresty")]),
    wrote("OpenResty", Server, "name below its error page", &[Body("<center>openresty")]),
    passed("Tengine", Server, "`server: Tengine`", &[Begins("server", "tengine")]),
    wrote("Tengine", Server, "name below its error page", &[Body("<center>tengine")]),
    passed("Kong", Server, "`server: kong`", &[Begins("server", "kong/")]),
    passed("Kong", Server, "header `via`", &[Holds("via", "kong/")]),
    wrote(
        "Kong",
        Server,
        "words of its JSON error",
        &[Body("an invalid response was received from the upstream server")],
    ),
    wrote("Kong", Server, "words of its JSON error", &[Body("\"the upstream server is timing out\"")]),
    wrote("Kong", Server, "words of its JSON error", &[Body("no route matched with those values")]),
    wrote("Kong", Server, "words of its JSON error", &[Body("failure to get a peer from the ring-balancer")]),
    wrote("Kong", Server, "words of its JSON error", &[Opens("{\"message\":\"name resolution failed\"")]),
    passed("APISIX", Server, "`server: APISIX`", &[Begins("server", "apisix")]),
    wrote("APISIX", Server, "name on its error page", &[Body("powered by <a href=\"https://apisix.apache.org")]),
    wrote("APISIX", Server, "words of its JSON error", &[Body("\"error_msg\":"), Begins("server", "apisix")]),
    passed("Apache", Server, "`server: Apache`", &[Begins("server", "apache/")]),
    passed("Apache", Server, "`server: Apache`", &[Is("server", "apache")]),
    wrote("Apache", Server, "signature below its error page", &[Body("<address>apache")]),
    wrote(
        "Apache",
        Server,
        "words of its error page",
        &[Body("additionally, a "), Body("error was encountered while trying to use an errordocument")],
    ),
    wrote(
        "Apache",
        Server,
        "words of its error page",
        &[Body("more information about this error may be available\nin the server error log")],
    ),
    wrote(
        "Apache",
        Server,
        "words of its error page",
        &[Opens("<!doctype html public \"-//ietf//dtd html 2.0//en\">")],
    ),
    wrote(
        "Apache",
        Server,
        "markup of its error page below `server: Apache`",
        &[Opens("<!doctype html public \"-//w3c//dtd html 4.01//en\""), Body(APACHE), Begins("server", "apache")],
    ),
    likely(
        "Apache",
        Server,
        "markup of its error page",
        &[Opens("<!doctype html public \"-//w3c//dtd html 4.01//en\""), Body(APACHE)],
    ),
    passed("LiteSpeed", Server, "`server: LiteSpeed`", &[Begins("server", "litespeed")]),
    wrote("LiteSpeed", Server, "words of its error page", &[Body("proudly powered by litespeed web server")]),
    wrote(
        "LiteSpeed",
        Server,
        "words of its error page",
        &[Body("powered by <a href=\"http://www.litespeedtech.com/error-page\"")],
    ),
    passed("IIS", Server, "`server: Microsoft-IIS`", &[Begins("server", "microsoft-iis")]),
    wrote(
        "IIS",
        Server,
        "words of its error page",
        &[Body("invalid response while acting as a gateway or proxy server")],
    ),
    wrote("IIS", Server, "title of its detailed error page", &[Title("iis "), Title("detailed error")]),
    wrote("IIS", Server, "number of its ASP.NET Core module", &[Body("http error 502.5")]),
    wrote("IIS", Server, "number of its ASP.NET Core module", &[Body("http error 500.3"), Body("asp.net core")]),
    wrote(
        "IIS",
        Server,
        "words of the kernel's HTTP",
        &[Body("<hr><p>http error 503. the service is unavailable.</p>")],
    ),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("<h1>503 service unavailable</h1>\nno server is available to handle this request.")],
    ),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("the server returned an invalid or incomplete response.")],
    ),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("<h1>504 gateway time-out</h1>\nthe server didn't respond in time.")],
    ),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("your browser didn't send a complete request in time.")],
    ),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("<h1>400 bad request</h1>\nyour browser sent an invalid request.")],
    ),
    wrote("HAProxy", Server, "words of its error page", &[Body("request forbidden by administrative rules.")]),
    wrote(
        "HAProxy",
        Server,
        "words of its error page",
        &[Body("<h1>500 internal server error</h1>\nan internal server error occurred.")],
    ),
    passed("Envoy", Server, "`server: envoy`", &[Begins("server", "envoy")]),
    passed("Envoy", Server, "`server: istio-envoy`", &[Begins("server", "istio-envoy")]),
    passed("Envoy", Server, "header `x-envoy-upstream-service-time`", &[Has("x-envoy-upstream-service-time")]),
    likely(
        "Envoy",
        Server,
        "words of its local reply",
        &[Opens("upstream connect error or disconnect/reset before headers")],
    ),
    likely("Envoy", Server, "words of its local reply", &[Opens("no healthy upstream")]),
    likely("Envoy", Server, "words of its local reply", &[Whole("upstream request timeout")]),
    wrote(
        "Envoy",
        Server,
        "words of its local reply",
        &[Opens("upstream connect error or disconnect/reset before headers"), Holds("server", "envoy")],
    ),
    wrote("Envoy", Server, "words of its local reply", &[Opens("no healthy upstream"), Holds("server", "envoy")]),
    wrote("Envoy", Server, "words of its local reply", &[Whole("upstream request timeout"), Holds("server", "envoy")]),
    wrote("Envoy", Server, "words of its local reply", &[Opens("rbac: access denied")]),
    wrote("Envoy", Server, "words of its local reply", &[Whole("local_rate_limited")]),
    passed("Varnish", Server, "header `x-varnish`", &[Has("x-varnish")]),
    passed("Varnish", Server, "header `via`", &[Holds("via", "varnish")]),
    wrote("Varnish", Server, "`Guru Meditation` on its error page", &[Body("<h3>guru meditation:</h3>")]),
    likely("Varnish", Server, "name below its error page", &[Body("<p>varnish cache server</p>")]),
    passed("Traefik", Server, "`server: traefik`", &[Begins("server", "traefik")]),
    wrote("Traefik", Server, "words of its error", &[Whole("no available server")]),
    likely("Traefik", Server, "words of its error", &[Whole("bad gateway"), Status(502)]),
    likely("Traefik", Server, "words of its error", &[Whole("gateway timeout"), Status(504)]),
    passed("Caddy", Server, "`server: Caddy`", &[Begins("server", "caddy")]),
    passed("Caddy", Server, "header `via`", &[Holds("via", "caddy")]),
    perhaps("Caddy", Server, "an empty error below `server: Caddy`", &[Begins("server", "caddy"), Empty]),
    passed("Squid", Server, "header `via`", &[Holds("via", "(squid")]),
    wrote("Squid", Server, "header `x-squid-error`", &[Has("x-squid-error")]),
    wrote("Squid", Server, "signature below its error page", &[Body("generated "), Body(" (squid")]),
    passed("Traffic Server", Server, "`server: ATS`", &[Begins("server", "ats/")]),
    passed("Traffic Server", Server, "header `via`", &[Holds("via", "apachetrafficserver")]),
    wrote("Traffic Server", Server, "title of its error page", &[Title("could not connect"), Begins("server", "ats")]),
    wrote("Traffic Server", Server, "title of its error page", &[Title("unknown host"), Begins("server", "ats")]),
    wrote("Traffic Server", Server, "title of its error page", &[Title("inactivity timeout"), Begins("server", "ats")]),
    wrote(
        "Traffic Server",
        Server,
        "title of its error page",
        &[Title("server connection closed"), Begins("server", "ats")],
    ),
    // PHP and what is written in it.
    passed("PHP", Application, "header `x-powered-by`", &[Begins("x-powered-by", "php")]),
    passed("PHP", Application, "cookie `PHPSESSID`", &[Cookie("phpsessid=")]),
    wrote("PHP", Application, "words of a fatal error", &[Body("<br />\n<b>fatal error</b>:  "), AnyStatus]),
    wrote("PHP", Application, "words of a parse error", &[Body("<br />\n<b>parse error</b>:  "), AnyStatus]),
    wrote("PHP", Application, "words of a fatal error", &[Opens("php fatal error:  "), AnyStatus]),
    wrote("PHP", Application, "words of a fatal error", &[Opens("fatal error: "), Body(" on line "), AnyStatus]),
    wrote("PHP", Application, "table of Xdebug", &[Body("class='xdebug-error"), AnyStatus]),
    wrote("PHP", Application, "words of its server interface", &[Whole("no input file specified.")]),
    likely("PHP", Application, "words of its process manager", &[Whole("file not found.")]),
    passed("WordPress", Application, "header `link` to `wp-json`", &[Holds("link", "/wp-json/")]),
    passed("WordPress", Application, "header `x-redirect-by`", &[Begins("x-redirect-by", "wordpress")]),
    wrote(
        "WordPress",
        Application,
        "words of its error page",
        &[Body("<h1>error establishing a database connection</h1>")],
    ),
    wrote(
        "WordPress",
        Application,
        "words of its error page",
        &[Body("there has been a critical error on this website")],
    ),
    wrote(
        "WordPress",
        Application,
        "words of its error page",
        &[Body("there has been a critical error on your website")],
    ),
    wrote(
        "WordPress",
        Application,
        "words of its maintenance page",
        &[Body("briefly unavailable for scheduled maintenance. check back in a minute.")],
    ),
    wrote("WordPress", Application, "title of its error page", &[Title("wordpress &rsaquo; error")]),
    wrote("WordPress", Application, "title of its error page", &[Title("wordpress › error")]),
    passed("Drupal", Application, "header `x-generator`", &[Begins("x-generator", "drupal")]),
    passed("Drupal", Application, "header `x-drupal-cache`", &[Has("x-drupal-cache")]),
    wrote(
        "Drupal",
        Application,
        "words of its error page",
        &[Body("the website encountered an unexpected error. try again later.")],
    ),
    wrote(
        "Drupal",
        Application,
        "words of its error page",
        &[Body("the website encountered an unexpected error. please try again later.")],
    ),
    wrote(
        "Drupal",
        Application,
        "title of its maintenance page",
        &[Title("site under maintenance"), Begins("x-generator", "drupal")],
    ),
    wrote("Joomla", Application, "words of its error page", &[Body("error displaying the error page")]),
    wrote("Joomla", Application, "markup of its error page", &[Body("joomla"), Title("error: 5")]),
    passed("Magento", Application, "header `x-magento-tags`", &[Has("x-magento-tags")]),
    passed("Magento", Application, "header `x-magento-vary`", &[Has("x-magento-vary")]),
    wrote(
        "Magento",
        Application,
        "words of its error page",
        &[Body("there has been an error processing your request"), Body("error log record number")],
    ),
    wrote(
        "Magento",
        Application,
        "words of its error page",
        &[Body("there has been an error processing your request"), Body("exception printing is disabled by default")],
    ),
    passed("Laravel", Application, "cookie `laravel_session`", &[Cookie("laravel_session=")]),
    wrote("Laravel", Application, "markup of its error page", &[Body("border-r border-gray-400 tracking-wider")]),
    wrote("Laravel", Application, "names of its classes", &[Body("illuminate\\"), Body("exception")]),
    likely("Laravel", Application, "its JSON message", &[Whole("{\"message\":\"server error\"}")]),
    likely("Laravel", Application, "its JSON message", &[Whole("{\n    \"message\": \"server error\"\n}")]),
    wrote(
        "Symfony",
        Application,
        "words of its error page",
        &[Body("oops! an error occurred"), Body("the server returned a \"")],
    ),
    wrote("Symfony", Application, "header `x-debug-exception`", &[Has("x-debug-exception")]),
    wrote("Symfony", Application, "markup of its exception page", &[Body("symfony exception")]),
    // Ruby and Elixir.
    passed("Rails", Application, "header `x-runtime`", &[Has("x-runtime"), Has("x-request-id")]),
    wrote("Rails", Application, "title of its error page", &[Title("we're sorry, but something went wrong")]),
    wrote("Rails", Application, "title of its exception page", &[Title("action controller: exception caught")]),
    wrote(
        "Rails",
        Application,
        "words of its error page",
        &[Body("if you are the application owner check the logs for more information.")],
    ),
    likely("Rails", Application, "its JSON error", &[Whole("{\"status\":500,\"error\":\"internal server error\"}")]),
    perhaps(
        "Phoenix",
        Application,
        "a bare `Internal Server Error` below `server: Cowboy`",
        &[Whole("internal server error"), Begins("server", "cowboy")],
    ),
    wrote("Phoenix", Application, "markup of its exception page", &[Body("phoenix.router"), Body("at get ")]),
    wrote("Phoenix", Application, "its JSON error", &[Whole("{\"errors\":{\"detail\":\"internal server error\"}}")]),
    // Python.
    passed("Django", Application, "cookie `csrftoken`", &[Cookie("csrftoken=")]),
    wrote(
        "Django",
        Application,
        "title of its error page",
        &[Title("server error (500)"), Body("<h1>server error (500)</h1>")],
    ),
    wrote(
        "Django",
        Application,
        "words of its debug page",
        &[Body("you're seeing this error because you have <code>debug = true</code>")],
    ),
    passed("Flask", Application, "`server: Werkzeug`", &[Begins("server", "werkzeug")]),
    wrote(
        "Flask",
        Application,
        "words of its error page",
        &[Body("either the server is overloaded or there is an error in the application.")],
    ),
    wrote("Flask", Application, "title of its debugger", &[Title("werkzeug debugger")]),
    wrote(
        "Flask",
        Application,
        "words of its debugger",
        &[Body("the debugger caught an exception in your wsgi application")],
    ),
    passed("Gunicorn", Application, "`server: gunicorn`", &[Begins("server", "gunicorn")]),
    wrote("Gunicorn", Application, "words of its error page", &[Body("<h1><p>internal server error</p></h1>")]),
    passed("FastAPI", Application, "`server: uvicorn`", &[Begins("server", "uvicorn")]),
    likely(
        "FastAPI",
        Application,
        "a bare `Internal Server Error` below `server: uvicorn`",
        &[Whole("internal server error"), Begins("server", "uvicorn")],
    ),
    likely("FastAPI", Application, "its JSON error", &[Opens("{\"detail\":"), Begins("server", "uvicorn")]),
    // Java.
    wrote("Spring", Application, "title of its error page", &[Body("<h1>whitelabel error page</h1>")]),
    wrote(
        "Spring",
        Application,
        "members of its JSON error",
        &[Opens("{\"timestamp\":"), Body("\"status\":"), Body("\"error\":"), Body("\"path\":")],
    ),
    passed("Tomcat", Application, "`server: Apache-Coyote`", &[Begins("server", "apache-coyote")]),
    wrote("Tomcat", Application, "title of its error page", &[Title("http status "), Body("apache tomcat")]),
    likely("Tomcat", Application, "title of its error page", &[Title("http status "), Body("<h1>http status ")]),
    passed("Jetty", Application, "`server: Jetty`", &[Begins("server", "jetty")]),
    wrote("Jetty", Application, "signature below its error page", &[Body("powered by jetty://")]),
    // JavaScript.
    passed("Express", Application, "header `x-powered-by`", &[Begins("x-powered-by", "express")]),
    wrote("Express", Application, "words of its error page", &[Body("<pre>cannot get /"), Title("error")]),
    wrote(
        "Express",
        Application,
        "a stack of calls on its error page",
        &[Body("<br> &nbsp; &nbsp;at "), Title("error")],
    ),
    wrote(
        "Express",
        Application,
        "words of its error page",
        &[Body("<pre>internal server error</pre>"), Title("error")],
    ),
    passed("Next.js", Application, "header `x-powered-by`", &[Begins("x-powered-by", "next.js")]),
    wrote(
        "Next.js",
        Application,
        "words of its error page",
        &[Body("application error: a "), Body("-side exception has occurred")],
    ),
    wrote("Next.js", Application, "markup of its error page", &[Body("id=\"__next\""), Body("internal server error")]),
    likely(
        "Next.js",
        Application,
        "a bare `Internal Server Error` below `x-powered-by`",
        &[Whole("internal server error"), Begins("x-powered-by", "next.js")],
    ),
    // .NET.
    passed("ASP.NET Core", Application, "`server: Kestrel`", &[Begins("server", "kestrel")]),
    passed("ASP.NET", Application, "header `x-aspnet-version`", &[Has("x-aspnet-version")]),
    passed("ASP.NET", Application, "header `x-powered-by`", &[Begins("x-powered-by", "asp.net")]),
    wrote("ASP.NET", Application, "title of its yellow page", &[Body("<h1>server error in '")]),
    wrote(
        "ASP.NET",
        Application,
        "words of its error page",
        &[Body("<title>runtime error</title>"), Body("server error in")],
    ),
    wrote(
        "ASP.NET Core",
        Application,
        "words of its exception page",
        &[Body("an unhandled exception occurred while processing the request.")],
    ),
    wrote(
        "ASP.NET Core",
        Application,
        "its problem details",
        &[Body("an error occurred while processing your request."), Body("tools.ietf.org/html/rfc")],
    ),
    perhaps(
        "ASP.NET Core",
        Application,
        "an empty error below `server: Kestrel`",
        &[Begins("server", "kestrel"), Empty],
    ),
    // Go.
    likely(
        "Go",
        Application,
        "words of its standard library",
        &[Whole("404 page not found"), Begins("x-content-type-options", "nosniff")],
    ),
    likely(
        "Go",
        Application,
        "words of its standard library",
        &[
            Whole("internal server error"),
            Begins("x-content-type-options", "nosniff"),
            Begins("content-type", "text/plain; charset=utf-8"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::sayings::SAYINGS;

    #[test]
    fn what_is_compared_with_is_in_lower_case() {
        for rule in RULES {
            for look in rule.looks {
                let words: &[&str] = match look {
                    Has(a) | Cookie(a) | Body(a) | Opens(a) | OpensNumber(a) | Whole(a) | Title(a) => &[a],
                    Is(a, b) | Begins(a, b) | Holds(a, b) => &[a, b],
                    Empty | Status(_) | AnyStatus => &[],
                };
                for word in words {
                    assert_eq!(*word, word.to_ascii_lowercase(), "{}: {}", rule.name, rule.said);
                }
            }
        }
        for saying in SAYINGS {
            assert_eq!(saying.words, saying.words.to_ascii_lowercase());
        }
    }

    #[test]
    fn every_saying_has_an_author_in_the_table() {
        for saying in SAYINGS {
            assert!(RULES.iter().any(|rule| rule.name == saying.who), "{}", saying.who);
        }
    }

    #[test]
    fn a_name_stands_at_one_place() {
        for rule in RULES {
            let first = RULES.iter().find(|other| other.name == rule.name).unwrap();
            assert_eq!(first.role, rule.role, "{}", rule.name);
        }
    }
}

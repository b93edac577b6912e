//! Under which id a request stands in the log of whoever answered it.

use super::Mark;
use super::page::{Page, line};

/// Fields that hold a request's id, and whose it is. Earlier ones stand further out.
const FIELDS: &[(&str, &str)] = &[
    ("Rayline", "cf-ray"),
    ("Cloudflare", "cf-ray"),
    ("CloudFront", "x-amz-cf-id"),
    ("Azure Front Door", "x-azure-ref"),
    ("Akamai", "x-akamai-request-id"),
    ("Imperva", "x-iinfo"),
    ("Bunny", "cdn-requestid"),
    ("Vercel", "x-vercel-id"),
    ("Netlify", "x-nf-request-id"),
    ("Fly", "fly-request-id"),
    ("Render", "rndr-id"),
    ("GitHub Pages", "x-github-request-id"),
    ("Google Cloud", "x-cloud-trace-context"),
    ("API Gateway", "x-amzn-requestid"),
    ("API Gateway", "x-amz-apigw-id"),
    ("Amazon S3", "x-amz-request-id"),
    ("AWS ALB", "x-amzn-trace-id"),
    ("Heroku", "heroku-request-id"),
    ("Kong", "x-kong-request-id"),
    ("Varnish", "x-varnish"),
];

/// Fields that anybody may set.
const COMMON: &[&str] =
    &["x-request-id", "request-id", "x-amzn-requestid", "x-amzn-trace-id", "x-correlation-id", "x-trace-id"];

/// Where a page itself shows the id, behind which words (in lower case).
const SHOWN: &[(&str, &str)] = &[
    ("Akamai", "reference&#32;&#35;"),
    ("Akamai", "reference #"),
    ("Cloudflare", "ray id: <strong class=\"font-semibold\">"),
    ("Cloudflare", "ray id: <strong>"),
    ("Cloudflare", "ray id: <code>"),
    ("Cloudflare", "ray id: "),
    ("Cloudflare", "\"ray_id\":\""),
    ("CloudFront", "request id: "),
    ("Imperva", "incident id: "),
    ("Sucuri", "block id:</td>\n<td><span>"),
    ("Fastly", "<p>details: "),
    ("Varnish", "<p>xid: "),
    ("Azure Front Door", "ref id: "),
    ("Netlify", "request id: "),
    ("Kong", "\"request_id\":\""),
    ("Amazon S3", "<requestid>"),
    ("Magento", "error log record number: "),
];

/// The author's id first, then those of whom it passed, the outermost first, then one that anybody may have set.
pub(super) fn request_id(page: &Page<'_>, author: Option<&Mark>, passed: &[Mark]) -> Option<String> {
    let field = |name: &str| page.values(name).map(|value| line(&value)).find(|value| !value.is_empty());
    let own = |name: &str| {
        let fields = FIELDS.iter().filter(|(who, _)| *who == name);
        let shown = SHOWN.iter().filter(|(who, _)| *who == name);
        fields
            .filter_map(|(_, at)| field(at))
            .next()
            .or_else(|| shown.filter_map(|(_, at)| page.word_behind(at)).next().map(str::to_owned))
    };
    author
        .into_iter()
        .chain(passed)
        .find_map(|mark| own(mark.name))
        .or_else(|| COMMON.iter().find_map(|name| field(name)))
}

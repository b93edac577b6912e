//! Who asks, by `User-Agent`: what programs say of themselves. Nothing here tells one that lies from one that does not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use foldhash::fast::RandomState;

/// Of the classes whose marks a text has, the first one counts: monitors and crawlers often call themselves browsers too.
const CLASSES: [(&str, &[&str]); 4] = [
    (
        "monitor",
        &[
            "better uptime",
            "blackbox",
            "check_http",
            "checkly",
            "cloudflare-healthchecks",
            "consul health check",
            "datadogsynthetics",
            "elb-healthchecker",
            "endpoint monitor",
            "freshping",
            "googlehc",
            "hetrixtools",
            "kube-probe",
            "pingdom",
            "prometheus/",
            "site24x7",
            "statuscake",
            "updown.io",
            "uptime-kuma",
            "uptimerobot",
            "zabbix",
        ],
    ),
    (
        "crawler",
        &[
            // By custom a crawler's text has the address of a page about it behind a plus sign.
            "+http",
            "adsbot-google",
            "ahrefsbot",
            "amazonbot",
            "applebot",
            "baiduspider",
            "bingbot",
            "bytespider",
            "ccbot",
            "claudebot",
            "crawler",
            "discordbot",
            "dotbot",
            "duckduckbot",
            "facebookexternalhit",
            "google-inspectiontool",
            "googlebot",
            "gptbot",
            "ia_archiver",
            "linkedinbot",
            "mediapartners-google",
            "mj12bot",
            "perplexitybot",
            "petalbot",
            "semrushbot",
            "slackbot",
            "spider",
            "telegrambot",
            "twitterbot",
            "whatsapp/",
            "yandexbot",
        ],
    ),
    (
        "api",
        &[
            "aiohttp",
            "apache-httpclient",
            "aws-sdk",
            "axios/",
            "boto3",
            "cfnetwork",
            "curl/",
            "dalvik/",
            "dart/",
            "faraday",
            "github-hookshot",
            "go-http-client",
            "got (",
            "grpc-",
            "guzzlehttp",
            "httpie/",
            "httpx",
            "hyper/",
            "insomnia/",
            "java/",
            "libwww-perl",
            "node-fetch",
            "okhttp",
            "php/",
            "postmanruntime",
            "python-requests",
            "python-urllib",
            "reqwest",
            "restsharp",
            "ruby",
            "stripe/",
            "undici",
            "wget/",
        ],
    ),
    ("browser", &["mozilla/", "opera/"]),
];

/// The marks of all classes in one search, and of which class each of them is.
static MARKS: LazyLock<Option<(AhoCorasick, Vec<usize>)>> = LazyLock::new(|| {
    let marks = CLASSES.iter().flat_map(|(_, marks)| marks.iter());
    let classes = CLASSES.iter().enumerate().flat_map(|(class, (_, marks))| vec![class; marks.len()]);
    let search = AhoCorasick::builder().ascii_case_insensitive(true).build(marks).ok()?;
    Some((search, classes.collect()))
});

/// Texts whose class is remembered, by the thread that asks; then all of them are forgotten.
const REMEMBERED: usize = 4096;

thread_local! {
    static LATELY: RefCell<HashMap<Box<str>, &'static str, RandomState>> = RefCell::default();
}

/// `browser`, `crawler`, `api`, `monitor` or `unknown`. Most requests come from programs that came before.
pub(super) fn class(user_agent: &str) -> &'static str {
    LATELY.with_borrow_mut(|lately| {
        if let Some(class) = lately.get(user_agent) {
            return *class;
        }
        if lately.len() >= REMEMBERED {
            lately.clear();
        }
        let class = classify(user_agent);
        lately.insert(user_agent.into(), class);
        class
    })
}

fn classify(user_agent: &str) -> &'static str {
    let Some((search, classes)) = &*MARKS else { return "unknown" };
    let found = search.find_overlapping_iter(user_agent).filter_map(|found| classes.get(found.pattern().as_usize()));
    found.min().and_then(|class| CLASSES.get(*class)).map_or("unknown", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn what_a_program_says_of_itself_decides() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "browser"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler"),
            ("Mozilla/5.0 (compatible; SomethingNew/1.0; +https://example.com/bot)", "crawler"),
            ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor"),
            ("curl/8.5.0", "api"),
            ("Shop/3 CFNetwork/1490 Darwin/23", "api"),
            ("something else", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(class(user_agent), expected, "{user_agent}");
        }
    }
}

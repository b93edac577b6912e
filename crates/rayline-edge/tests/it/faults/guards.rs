//! What stands beside the rules and turns requests away: bans, lockdowns, limits, challenges.

use rayline_rules::challenge::DIFFICULTY;
use rayline_testkit::{Response, Script};

use crate::scene::{Blame, HOST, Scene, ruleset};

const LIMIT: &str = "http_ratelimit";

/// An edge whose zone has this beside its records.
fn scene(toml: &str) -> Scene {
    Scene::with(Script::ok()).also(toml).start()
}

fn limit(more: &str) -> String {
    let rule = format!(
        "id = \"often\"\nexpression = 'true'\naction = \"block\"\n\
         ratelimit = {{ characteristics = [\"cf.colo.id\", \"ip.src\"], {more} }}"
    );
    ruleset(LIMIT, &[&rule])
}

#[tokio::test]
async fn an_address_that_is_banned() {
    let rule = "[[zone.access_rules]]\nid = \"us\"\nmode = \"block\"\nconfiguration = { target = \"ip\", value = \"127.0.0.1\" }\n";
    let record = scene(rule).blames(Blame::page("policy.rules.address_banned", 403).evidence(&["rule"])).await;
    assert_eq!(record["VerdictEvidence"]["rule"]["id"], "us");
}

#[tokio::test]
async fn an_address_that_is_let_in_passes_the_ban_of_its_network() {
    let rules = "[[zone.access_rules]]\nmode = \"block\"\nconfiguration = { target = \"ip_range\", value = \"127.0.0.0/8\" }\n\
                 [[zone.access_rules]]\nmode = \"whitelist\"\nconfiguration = { target = \"ip\", value = \"127.0.0.1\" }\n";
    assert_eq!(scene(rules).get("/", "").await.status(), Some(200));
}

/// Also where the zone wants no countries in its log and at its origins.
#[tokio::test]
async fn a_country_that_is_banned() {
    let rule = "[[zone.access_rules]]\nid = \"there\"\nmode = \"block\"\nconfiguration = { target = \"country\", value = \"US\" }\n";
    let from = |address: &str, accept: &str| {
        Scene::request("GET", "/secret-path", &format!("CF-Connecting-IP: {address}\r\n{accept}"))
    };
    for ip_geolocation in ["on", "off"] {
        let setup = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.0/8\"]").also(rule);
        let scene = setup.setting("ip_geolocation", ip_geolocation).start();
        let blame = Blame::page("policy.rules.country_banned", 403).evidence(&["rule"]);
        let record = scene.blames_on(blame, |accept| from("8.8.8.8", accept)).await;
        assert_eq!(record["VerdictEvidence"]["rule"]["id"], "there");
        assert_eq!(asked(&scene, &from("192.0.2.1", "")).await.status(), Some(200));
    }
}

#[tokio::test]
async fn a_url_that_is_locked_down() {
    let rule = format!(
        "[[zone.lockdowns]]\nid = \"staff\"\nurls = [\"{HOST}/secret*\"]\n\
         configurations = [{{ target = \"ip\", value = \"192.0.2.1\" }}]\n"
    );
    let scene = scene(&rule);
    let record = scene.blames(Blame::page("policy.rules.zone_lockdown", 403).evidence(&["rule"])).await;
    assert_eq!((&record["SecurityAction"], &record["SecurityRuleID"]), (&"block".into(), &"staff".into()));
    assert_eq!(record["SecuritySources"][0], "zoneLockdown");
    for disguised in ["//secret-path", "/open/../secret-path", "/%73ecret-path"] {
        assert_eq!(scene.get(disguised, "").await.status(), Some(403), "{disguised}");
    }
    assert_eq!(scene.get("/open", "").await.status(), Some(200));
}

#[tokio::test]
async fn a_user_agent_that_is_banned() {
    let rule = "[[zone.user_agent_rules]]\nid = \"bad\"\nmode = \"block\"\nconfiguration = { target = \"ua\", value = \"BadBot/1.0\" }\n";
    let scene = scene(rule);
    let bad = |accept: &str| Scene::request("GET", "/secret-path", &format!("User-Agent: BadBot/1.0\r\n{accept}"));
    scene.blames_on(Blame::page("policy.rules.user_agent", 403).evidence(&["rule"]), bad).await;
    assert_eq!(scene.get("/", "User-Agent: BadBot/1.0.1\r\n").await.status(), Some(200));
}

#[tokio::test]
async fn a_program_that_says_nothing_of_itself() {
    let scene = Scene::with(Script::ok()).setting("browser_check", "on").start();
    let bare = |accept: &str| format!("GET /secret-path HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: -\r\n{accept}\r\n");
    let blame = Blame::page("policy.rules.browser_signature", 403).evidence(&["request_header"]);
    scene.blames_on(blame, bare).await;
    assert_eq!(scene.get("/", "User-Agent: Mozilla/5.0\r\n").await.status(), Some(200));
}

#[tokio::test]
async fn a_picture_on_another_site() {
    let scene = Scene::with(Script::ok()).setting("hotlink_protection", "on").start();
    let linked =
        |accept: &str| Scene::request("GET", "/secret.png", &format!("Referer: https://thief.test/page\r\n{accept}"));
    scene.blames_on(Blame::page("policy.rules.hotlink", 403).evidence(&["request_header"]), linked).await;
    for (target, referer) in [("/a.png", ""), ("/a.css", "Referer: https://thief.test/\r\n"), ("/a.png", OWN)] {
        assert_eq!(scene.get(target, referer).await.status(), Some(200), "{target} {referer}");
    }
}

/// A page of the zone's.
const OWN: &str = "Referer: https://www.shop.test/page\r\n";

#[tokio::test]
async fn a_visitor_that_asks_too_often() {
    let scene = scene(&limit("period = 60, requests_per_period = 2, mitigation_timeout = 600"));
    let first = scene.get("/", "").await;
    assert_eq!(first.status(), Some(200));
    assert_eq!(first.field("ratelimit"), Some("\"often\";r=1"));
    assert_eq!(first.field("ratelimit-policy"), Some("\"often\";q=2;w=60"));
    assert_eq!(scene.get("/", "").await.status(), Some(200));
    let third = scene.get("/", "").await;
    assert_eq!((third.status(), third.field("retry-after")), (Some(429), Some("600")));
    assert_eq!(third.field("ratelimit"), Some("\"often\";r=0;t=600"));
    scene.blames(Blame::page("policy.rules.rate_limited", 429).evidence(&["rule", "retry_after"])).await;
}

#[tokio::test]
async fn answers_that_count() {
    let counting = "period = 60, requests_per_period = 1, mitigation_timeout = 60, counting_expression = 'http.response.code eq 404'";
    let script = crate::rules::answering(rayline_testkit::Answer::status(404));
    let scene = Scene::with(script).also(&limit(counting)).start();
    // what is beyond the limit is known by its answer, so the next one meets it
    for expected in [404, 404, 429] {
        assert_eq!(scene.get("/", "").await.status(), Some(expected));
    }
}

#[tokio::test]
async fn a_challenge_is_passed_once() {
    let rule = "id = \"prove-it\"\nexpression = 'true'\naction = \"managed_challenge\"";
    let scene = scene(&ruleset("http_request_firewall_custom", &[rule]));
    let page = scene.get("/", "Accept: text/html\r\n").await;
    assert_eq!((page.status(), page.field("cf-mitigated")), (Some(403), Some("challenge")));
    let text = page.text();
    let question = text.split("data-question=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let verify = |answer: &str| {
        let target = format!("/cdn-cgi/challenge-platform/verify?question={question}&answer={answer}");
        Scene::request("POST", &target, "Content-Length: 0\r\n")
    };
    assert_eq!(asked(&scene, &verify("1")).await.status(), Some(403));
    let passed = asked(&scene, &verify(&solved(&question))).await;
    assert_eq!(passed.status(), Some(204));
    let cookie = passed.field("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let cleared = format!("Cookie: a=b; {cookie}\r\n");
    assert_eq!(scene.get("/", &cleared).await.status(), Some(200));
    assert_eq!(scene.get("/", &format!("User-Agent: another\r\n{cleared}")).await.status(), Some(403));
}

async fn asked(scene: &Scene, request: &str) -> Response {
    let mut visitor = scene.visitor().await;
    visitor.send(request).await.unwrap();
    visitor.read_response("POST").await
}

/// What a browser would find.
fn solved(question: &str) -> String {
    let zeros = |answer: &u32| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{question}:{answer}").as_bytes());
        let first: [u8; 4] = hash.as_ref()[..4].try_into().unwrap();
        u32::from_be_bytes(first).leading_zeros() >= DIFFICULTY
    };
    (0..).find(zeros).unwrap().to_string()
}

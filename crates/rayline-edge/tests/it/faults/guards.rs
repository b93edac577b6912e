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

/// Who belongs to which network, by a table in the configuration's folder.
#[tokio::test]
async fn a_network_that_is_banned() {
    let rule = "[[zone.access_rules]]\nid = \"hoster\"\nmode = \"block\"\nconfiguration = { target = \"asn\", value = \"AS64496\" }\n";
    let custom = "id = \"other\"\nexpression = 'ip.src.asnum eq 64497 or (ip.src.asnum eq 0 and http.request.uri.path eq \"/nobodys\")'\naction = \"block\"";
    let setup = Scene::with(Script::ok())
        .server("trusted_proxies", "[\"127.0.0.0/8\"]")
        .server("asn_table", "\"networks.tsv\"");
    let table = "192.0.2.0\t192.0.2.127\t64496\tZZ\tHOSTER\n198.51.100.0\t198.51.100.255\t64497\tZZ\tOTHER\n";
    std::fs::write(setup.folder().join("networks.tsv"), table).unwrap();
    let scene = setup.also(rule).also(&ruleset("http_request_firewall_custom", &[custom])).start();
    let from = |address: &str, target: &str, accept: &str| {
        Scene::request("GET", target, &format!("CF-Connecting-IP: {address}\r\n{accept}"))
    };
    let blame = Blame::page("policy.rules.asn_banned", 403).evidence(&["rule"]);
    let record = scene.blames_on(blame, |accept| from("192.0.2.7", "/secret-path", accept)).await;
    assert_eq!(record["VerdictEvidence"]["rule"]["description"], "AS64496");
    assert_eq!((&record["SecuritySources"][0], &record["SecurityRuleID"]), (&"asn".into(), &"hoster".into()));
    for (address, target, status) in
        [("198.51.100.1", "/", 403), ("192.0.2.128", "/", 200), ("203.0.113.1", "/nobodys", 403)]
    {
        assert_eq!(asked(&scene, &from(address, target, "")).await.status(), Some(status), "{address} {target}");
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
    let dotted = format!("GET /secret HTTP/1.1\r\nHost: {}.\r\nConnection: close\r\n\r\n", HOST.to_uppercase());
    assert_eq!(asked(&scene, &dotted).await.status(), Some(403), "a final dot is no other host");
}

#[tokio::test]
async fn a_lockdown_sees_the_path_that_rules_have_made() {
    let lockdown = format!("[[zone.lockdowns]]\nurls = [\"{HOST}/admin*\"]\n");
    let rewrite = "expression = 'http.request.uri.path eq \"/back\"'\naction = \"rewrite\"\naction_parameters = { uri = { path = { value = \"/admin/\" } } }";
    let scene = scene(&format!("{}{lockdown}", ruleset("http_request_transform", &[rewrite])));
    assert_eq!(scene.get("/back", "").await.status(), Some(403));
    assert_eq!(scene.get("/front", "").await.status(), Some(200));
}

#[tokio::test]
async fn a_user_agent_that_is_banned() {
    let rule = "[[zone.user_agent_rules]]\nid = \"bad\"\nmode = \"block\"\nconfiguration = { target = \"ua\", value = \"BadBot/1.0\" }\n";
    let scene = scene(rule);
    let bad = |accept: &str| Scene::request("GET", "/secret-path", &format!("User-Agent: BadBot/1.0\r\n{accept}"));
    scene.blames_on(Blame::page("policy.rules.user_agent", 403).evidence(&["rule"]), bad).await;
    assert_eq!(scene.get("/", "User-Agent: BadBot/1.0.1\r\n").await.status(), Some(200));
}

/// The log says by what kind of rule, whatever the action.
#[tokio::test]
async fn who_is_challenged_is_logged_by_what() {
    let rules = "[[zone.user_agent_rules]]\nid = \"odd\"\nmode = \"managed_challenge\"\nconfiguration = { target = \"ua\", value = \"Odd/1\" }\n\
                 [[zone.access_rules]]\nid = \"net\"\nmode = \"challenge\"\nconfiguration = { target = \"ip_range\", value = \"192.0.2.0/24\" }\n\
                 [[zone.access_rules]]\nid = \"one\"\nmode = \"challenge\"\nconfiguration = { target = \"ip\", value = \"198.51.100.1\" }\n\
                 [[zone.access_rules]]\nid = \"land\"\nmode = \"challenge\"\nconfiguration = { target = \"country\", value = \"US\" }\n";
    let scene = Scene::with(Script::ok()).server("trusted_proxies", "[\"127.0.0.0/8\"]").also(rules).start();
    for (address, agent, id, source) in [
        ("203.0.113.1", "Odd/1", "odd", "uaBlock"),
        ("192.0.2.1", "a", "net", "ipRange"),
        ("198.51.100.1", "a", "one", "ip"),
        ("8.8.8.8", "a", "land", "country"),
    ] {
        let response = scene.get("/", &format!("CF-Connecting-IP: {address}\r\nUser-Agent: {agent}\r\n")).await;
        assert_eq!(response.status(), Some(403), "{id}");
        let record = scene.record_of(&response).await;
        assert_eq!((&record["SecurityAction"], &record["SecurityRuleID"]), (&"managed_challenge".into(), &id.into()));
        assert_eq!(record["SecuritySources"][0], source, "{id}");
    }
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
    for disguised in ["/secret.%70ng", "/hotlink-ok/../secret.png", "/secret.PNG?x"] {
        let status = scene.get(disguised, "Referer: https://shop.test@thief.test/\r\n").await.status();
        assert_eq!(status, Some(403), "{disguised}");
    }
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

/// What is turned away has no answer that counts: whoever stays within the limit from then on is not punished for ever.
#[tokio::test]
async fn refusals_do_not_count_as_answers() {
    let counting = "id = \"strict\"\nexpression = 'true'\naction = \"log\"\n\
         ratelimit = { characteristics = [\"cf.colo.id\"], period = 3600, requests_per_period = 1, counting_expression = 'http.response.code ge 400' }";
    let blocking = "id = \"loose\"\nexpression = 'true'\naction = \"block\"\n\
         ratelimit = { characteristics = [\"cf.colo.id\"], period = 3600, requests_per_period = 2 }";
    let scene = scene(&ruleset(LIMIT, &[counting, blocking]));
    for expected in [200, 200, 429, 429, 429] {
        let response = scene.get("/", "").await;
        assert_eq!(response.status(), Some(expected));
        let record = scene.record_of(&response).await;
        let logged = record["SecurityRuleIDs"].as_array().is_some_and(|ids| ids.contains(&"strict".into()));
        assert!(!logged, "{record:#}");
    }
}

/// The address that rules have made is what a limit counts by, before and after the answer.
#[tokio::test]
async fn answers_are_counted_by_the_path_that_rules_have_made() {
    let rewrite = "expression = 'http.request.uri.path eq \"/x\"'\naction = \"rewrite\"\naction_parameters = { uri = { path = { value = \"/login\" } } }";
    let counted = "period = 3600, requests_per_period = 1, mitigation_timeout = 3600, counting_expression = 'http.response.code eq 404 and http.request.uri.path eq \"/login\"'";
    let script = crate::rules::answering(rayline_testkit::Answer::status(404));
    let toml = format!("{}{}", ruleset("http_request_transform", &[rewrite]), limit(counted));
    let scene = Scene::with(script).also(&toml).start();
    for expected in [404, 404, 429] {
        assert_eq!(scene.get("/x", "").await.status(), Some(expected));
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
pub(crate) fn solved(question: &str) -> String {
    let zeros = |answer: &u32| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{question}:{answer}").as_bytes());
        let first: [u8; 4] = hash.as_ref()[..4].try_into().unwrap();
        u32::from_be_bytes(first).leading_zeros() >= DIFFICULTY
    };
    (0..).find(zeros).unwrap().to_string()
}

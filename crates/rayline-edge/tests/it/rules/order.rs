//! In which order rules run, and whose word counts.

use rayline_testkit::{Answer, Script};

use super::{answering, ask};
use crate::scene::{Scene, ruleset};

const CUSTOM: &str = "http_request_firewall_custom";
const TRANSFORM: &str = "http_request_transform";
const LATE: &str = "http_request_late_transform";

fn set(id: &str, condition: &str, value: &str) -> String {
    format!(
        "id = \"{id}\"\nexpression = '{condition}'\naction = \"rewrite\"\naction_parameters = {{ headers = {{ X-A = {{ operation = \"set\", {value} }} }} }}"
    )
}

#[tokio::test]
async fn phases_go_in_their_order_however_they_are_written() {
    // Written from the last to the first: each sees what those before it have made.
    let late = set("late", "http.request.uri.path eq \"/two\"", "expression = 'http.request.uri.path'");
    let block = "id = \"block\"\nexpression = 'http.request.uri.path eq \"/one\"'\naction = \"block\"";
    let rewrite = "id = \"rewrite\"\nexpression = 'http.request.uri.path eq \"/one\"'\naction = \"rewrite\"\naction_parameters = { uri = { path = { value = \"/two\" } } }";
    let redirect = "id = \"redirect\"\nexpression = 'http.request.uri.path eq \"/two\"'\naction = \"redirect\"\naction_parameters = { from_value = { target_url = { value = \"/three\" }, status_code = 302 } }";
    let scene = Scene::with(Script::ok())
        .also(&ruleset(LATE, &[&late]))
        .also(&ruleset(CUSTOM, &[block]))
        .also(&ruleset(TRANSFORM, &[rewrite]))
        .also(&ruleset("http_request_dynamic_redirect", &[redirect]))
        .start();
    for (version, got, record) in ask(&scene, "/one", &[]).await {
        assert_eq!(got.status, Some(200), "{version}: the redirect comes before the rewrite, the block after it");
        let ids: Vec<_> = record["Rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["rewrite", "late"], "{version}");
        let seen = scene.origin.as_ref().unwrap().last().unwrap().head;
        assert_eq!((seen.word(1), seen.field("x-a")), (Some("/two"), Some("/two")), "{version}");
    }
}

#[tokio::test]
async fn of_settings_the_last_word_counts_and_of_refusals_the_first() {
    let first = set("first", "true", "value = \"1\"");
    let second = set("second", "true", "value = \"2\"");
    let third = set("third", "false", "value = \"3\"");
    let scene = Scene::with(Script::ok()).also(&ruleset(LATE, &[&first, &second, &third])).start();
    scene.get("/", "").await;
    let head = scene.origin.as_ref().unwrap().last().unwrap().head;
    assert_eq!(head.values("x-a").collect::<Vec<_>>(), ["2"]);

    let own = |id: &str, status: u16| {
        format!(
            "id = \"{id}\"\nexpression = 'true'\naction = \"block\"\naction_parameters = {{ response = {{ status_code = {status}, content_type = \"text/plain\", content = \"{id}\" }} }}"
        )
    };
    let rules = [own("one", 401), own("two", 402)];
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[&rules[0], &rules[1]])).start();
    assert_eq!(scene.get("/", "").await.status(), Some(401));
}

#[tokio::test]
async fn rules_of_one_phase_do_not_see_each_others_work() {
    let to = |id: &str, from: &str, to: &str| {
        format!(
            "id = \"{id}\"\nexpression = 'http.request.uri.path eq \"{from}\"'\naction = \"rewrite\"\naction_parameters = {{ uri = {{ path = {{ value = \"{to}\" }} }} }}"
        )
    };
    let rules = [to("a", "/one", "/two"), to("b", "/two", "/three")];
    let scene = Scene::with(Script::ok()).also(&ruleset(TRANSFORM, &[&rules[0], &rules[1]])).start();
    scene.get("/one", "").await;
    assert_eq!(scene.origin.as_ref().unwrap().last().unwrap().head.word(1), Some("/two"));
}

#[tokio::test]
async fn what_is_skipped() {
    let friend = "http.request.headers[\"x-friend\"][0]";
    let skip = |what: &str| {
        format!(
            "id = \"friend\"\nexpression = '{friend} eq \"yes\"'\naction = \"skip\"\naction_parameters = {{ {what} }}"
        )
    };
    let block = "id = \"block\"\nexpression = 'http.request.uri.path eq \"/private\"'\naction = \"block\"";
    let managed = "id = \"managed\"\nexpression = 'true'\naction = \"execute\"\naction_parameters = { id = \"rayline-managed\", overrides = { sensitivity_level = \"high\" } }";
    let attack = "/?id=1%27%20OR%20%271%27=%271%27--";
    for (what, private, attacked) in [
        ("ruleset = \"current\"", 200, 403),
        ("phases = [\"http_request_firewall_managed\"]", 403, 200),
        ("products = [\"waf\"]", 403, 200),
    ] {
        let setup = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[&skip(what), block]));
        let scene = setup.also(&ruleset("http_request_firewall_managed", &[managed])).start();
        for (target, status) in [("/private", private), (attack, attacked)] {
            assert_eq!(scene.get(target, "").await.status(), Some(403), "a stranger: {what} {target}");
            let response = scene.get(target, "X-Friend: yes\r\n").await;
            assert_eq!(response.status(), Some(status), "{what} {target}");
            let record = scene.record_of(&response).await;
            assert_eq!(record["SecurityActions"][0], "skip", "{record:#}");
        }
    }
}

#[tokio::test]
async fn a_paused_zone_has_none() {
    let block = "expression = 'true'\naction = \"block\"";
    let scene = Scene::with(answering(Answer::ok())).zone("paused", "true").also(&ruleset(CUSTOM, &[block])).start();
    assert_eq!(scene.get("/", "").await.status(), Some(200));
}

#[tokio::test]
async fn rules_that_only_look() {
    let log = "id = \"look\"\nexpression = 'http.user_agent contains \"curl\"'\naction = \"log\"";
    let off = "id = \"off\"\nenabled = false\nexpression = 'true'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[log, off])).start();
    for (version, got, record) in ask(&scene, "/", &[("User-Agent", "curl/8")]).await {
        assert_eq!(got.status, Some(200), "{version}");
        assert_eq!(record["SecurityActions"], serde_json::json!(["log"]), "{version}");
        assert_eq!((&record["SecurityAction"], &record["SecurityRuleID"]), (&"".into(), &"".into()), "{version}");
    }
}

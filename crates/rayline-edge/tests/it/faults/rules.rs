//! Rules that turn a request away, and rules that cannot do what they say.

use rayline_testkit::{Dns, DnsAnswer, Script};

use crate::scene::{Blame, Scene, ruleset};

const CUSTOM: &str = "http_request_firewall_custom";
const TRANSFORM: &str = "http_request_transform";
const LATE: &str = "http_request_late_transform";
const RESPONSE: &str = "http_response_headers_transform";

#[tokio::test]
async fn a_custom_rule() {
    let rule = "id = \"no-secrets\"\ndescription = \"nobody may\"\nexpression = 'starts_with(http.request.uri.path, \"/secret\")'\naction = \"block\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    let record = scene.blames(Blame::page("policy.rules.custom_rule", 403).evidence(&["rule"])).await;
    let rule = &record["VerdictEvidence"]["rule"];
    assert_eq!((&rule["id"], &rule["phase"]), (&"no-secrets".into(), &CUSTOM.into()));
    assert_eq!(rule["description"], "nobody may");
    assert_eq!((&record["SecurityAction"], &record["SecurityRuleID"]), (&"block".into(), &"no-secrets".into()));
    assert_eq!(record["SecuritySources"][0], "firewallCustom");
    assert_eq!(record["Rules"][0]["ended"], true);
    assert_eq!(record["VerdictReached"], "no");
    assert_eq!(scene.get("/", "").await.status(), Some(200), "others pass");
}

#[tokio::test]
async fn a_custom_rule_with_its_own_response() {
    let rule = "id = \"teapot\"\nexpression = 'true'\naction = \"block\"\naction_parameters = { response = { status_code = 418, content_type = \"text/plain\", content = \"no tea\" } }";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    let response = scene.get("/", "").await;
    assert_eq!((response.status(), response.text().as_str()), (Some(418), "no tea"));
    assert_eq!(response.field("content-type"), Some("text/plain"));
    let record = scene.record_of(&response).await;
    assert_eq!(
        (&record["VerdictCode"], &record["EdgeResponseStatus"]),
        (&"policy.rules.custom_rule".into(), &418.into())
    );
    assert_eq!(record["VerdictEvidence"]["rule"]["id"], "teapot");
    assert_eq!(record["OriginResponseStatus"], 0);
}

#[tokio::test]
async fn a_managed_rule() {
    let rule = "id = \"managed\"\nexpression = 'true'\naction = \"execute\"\naction_parameters = { id = \"rayline-managed\", overrides = { sensitivity_level = \"high\" } }";
    let scene = Scene::with(Script::ok()).also(&ruleset("http_request_firewall_managed", &[rule])).start();
    let attack =
        |accept: &str| Scene::request("GET", "/secret-path?token=hush&id=1%27%20OR%20%271%27=%271%27--", accept);
    let record =
        scene.blames_on(Blame::page("policy.rules.managed_rule", 403).evidence(&["rule", "made"]), attack).await;
    assert_eq!(record["SecurityAction"], "block");
    let of_managed = |id: &serde_json::Value| id.as_str().is_some_and(|id| id.starts_with("rl."));
    assert!(record["SecurityRuleIDs"].as_array().unwrap().iter().any(of_managed), "{record:#}");
    assert_eq!(scene.get("/?id=1", "").await.status(), Some(200));
}

#[tokio::test]
async fn a_challenge() {
    let rule = "id = \"prove-it\"\nexpression = 'true'\naction = \"managed_challenge\"";
    let scene = Scene::with(Script::ok()).also(&ruleset(CUSTOM, &[rule])).start();
    let response = scene.get("/", "").await;
    assert_eq!(response.status(), Some(403));
    let record = scene.record_of(&response).await;
    assert_eq!(record["VerdictCode"], "policy.rules.challenged");
    assert_eq!(
        (&record["SecurityAction"], &record["SecurityRuleID"]),
        (&"managed_challenge".into(), &"prove-it".into())
    );
}

/// A rule with these parameters that cannot do what it says, and what a visitor gets.
async fn cannot(phase: &str, action: &str, parameters: &str, code: &str, origin_status: u16) -> serde_json::Value {
    let rule = format!("id = \"broken\"\nexpression = 'true'\naction = \"{action}\"\naction_parameters = {parameters}");
    let scene = Scene::with(Script::ok()).also(&ruleset(phase, &[&rule])).start();
    let blame = Blame::page(code, 500).evidence(&["rule"]).origin_status(origin_status);
    let record = scene.blames(blame).await;
    assert_eq!(record["VerdictEvidence"]["rule"]["id"], "broken");
    assert_eq!(record["VerdictEvidence"]["rule"]["phase"], phase);
    record
}

#[tokio::test]
async fn a_path_that_is_none() {
    let code = "owner.rules.rewrite_invalid_path";
    for path in
        ["substring(http.request.uri.path, 1)", "concat(\"/cdn-cgi\", http.request.uri.path)", "url_decode(\"/%0a\")"]
    {
        let parameters = format!("{{ uri = {{ path = {{ expression = '{path}' }} }} }}");
        let record = cannot(TRANSFORM, "rewrite", &parameters, code, 0).await;
        assert_eq!(record["VerdictEvidence"]["made"]["what"], "path", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_too_long() {
    let rule = "id = \"longer\"\nexpression = 'true'\naction = \"rewrite\"\naction_parameters = { uri = { path = { expression = 'concat(http.request.uri.path, http.request.uri.path, http.request.uri.path)' } } }";
    let scene = Scene::with(Script::ok()).also(&ruleset(TRANSFORM, &[rule])).start();
    let target = format!("/secret-path{}", "a".repeat(15_000));
    let blame = Blame::page("owner.rules.rewrite_too_long", 500).evidence(&["rule", "made", "limit"]);
    let record = scene.blames_on(blame, |accept| Scene::request("GET", &target, accept)).await;
    assert_eq!(record["VerdictEvidence"]["limit"]["what"], "rewritten address");
    assert_eq!(scene.get("/", "").await.status(), Some(200));
}

#[tokio::test]
async fn an_expression_without_a_value() {
    let code = "owner.rules.expression_failed";
    let user = "http.request.headers[\"x-user\"][0]";
    let path = format!("{{ uri = {{ path = {{ expression = '{user}' }} }} }}");
    assert_eq!(cannot(TRANSFORM, "rewrite", &path, code, 0).await["VerdictEvidence"]["made"]["what"], "path");
    let header = format!("{{ headers = {{ X-A = {{ operation = \"set\", expression = '{user}' }} }} }}");
    assert_eq!(cannot(LATE, "rewrite", &header, code, 0).await["VerdictEvidence"]["made"]["what"], "X-A");
    let target = format!("{{ from_value = {{ target_url = {{ expression = '{user}' }}, status_code = 302 }} }}");
    let record = cannot("http_request_dynamic_redirect", "redirect", &target, code, 0).await;
    assert_eq!(record["VerdictEvidence"]["made"]["what"], "location");
    // The origin has answered by then, and its answer is not shown as if the rule had done its work.
    cannot(RESPONSE, "rewrite", &header, code, 200).await;
}

#[tokio::test]
async fn more_header_fields_than_there_is_room_for() {
    let long = "a".repeat(9_000);
    let rule = |number: usize| {
        format!(
            "id = \"long-{number}\"\nexpression = 'true'\naction = \"rewrite\"\naction_parameters = {{ headers = {{ X-{number} = {{ operation = \"set\", expression = 'concat(http.request.headers[\"x-long\"][0], \"{number}\")' }} }} }}"
        )
    };
    let rules: Vec<String> = (0..20).map(rule).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let scene = Scene::with(Script::ok()).also(&ruleset(LATE, &rules)).start();
    let request =
        |accept: &str| Scene::request("GET", "/secret-path?token=hush", &format!("{accept}X-Long: {long}\r\n"));
    let record =
        scene.blames_on(Blame::page("owner.rules.header_limit", 500).evidence(&["rule", "limit"]), request).await;
    assert_eq!(record["VerdictEvidence"]["limit"]["what"], "header bytes");
}

#[tokio::test]
async fn a_field_that_is_not_for_rules() {
    let code = "owner.rules.header_not_allowed";
    let parameters = "{ headers = { CF-Cache-Status = { operation = \"remove\" } } }";
    let record = cannot(RESPONSE, "rewrite", parameters, code, 200).await;
    assert_eq!(record["VerdictEvidence"]["made"]["what"], "CF-Cache-Status");
}

#[tokio::test]
async fn a_value_with_a_line_break() {
    let code = "owner.rules.header_invalid_value";
    let query = "url_decode(concat(http.request.uri.query, \"%0d%0aX-Injected: 1\"))";
    let header = format!("{{ headers = {{ X-Query = {{ operation = \"set\", expression = '{query}' }} }} }}");
    let record = cannot(LATE, "rewrite", &header, code, 0).await;
    assert_eq!(record["VerdictEvidence"]["made"]["what"], "X-Query");
    cannot(RESPONSE, "rewrite", &header, code, 200).await;
    let target = format!(
        "{{ from_value = {{ target_url = {{ expression = 'concat(\"https://a/\", {query})' }}, status_code = 302 }} }}"
    );
    cannot("http_request_dynamic_redirect", "redirect", &target, code, 0).await;
}

#[tokio::test]
async fn an_origin_rule_whose_host_does_not_exist() {
    let dns = Dns::start([("gone.origins.test".to_owned(), DnsAnswer::NxDomain)]).unwrap();
    let rule = "id = \"elsewhere\"\nexpression = 'true'\naction = \"route\"\naction_parameters = { origin = { host = \"gone.origins.test\" } }";
    let setup = Scene::with(Script::ok()).server("resolvers", &format!("[\"{}\"]", dns.addr()));
    let scene = setup.also(&ruleset("http_request_origin", &[rule])).start();
    let blame = Blame::page("owner.resolve.nxdomain", 530).evidence(&["dns", "origin_name", "rule"]);
    let record = scene.blames(blame).await;
    assert_eq!(record["VerdictEvidence"]["rule"]["id"], "elsewhere");
    assert_eq!(record["VerdictEvidence"]["origin_name"], "gone.origins.test");
}

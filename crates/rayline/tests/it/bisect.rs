//! `rayline bisect`: the guilty rules among two hundred, found on a running edge that goes on serving.

use serde_json::Value;

use super::running::get;
use super::versions::Scene;

/// Two hundred rules of which those at these places break the request, each on its own or only together.
fn rules(guilty: &[usize], together: bool) -> String {
    let mut toml = String::from("[[zone.rulesets]]\nphase = \"http_request_transform\"\n");
    for place in 0..200 {
        let action = match guilty.iter().position(|other| *other == place) {
            None => "{ uri = { query = { value = \"a=1\" } } }",
            // the first sets what the second stumbles over
            Some(0) if together => "{ uri = { path = { value = \"/marked\" } } }",
            Some(_) if together => continue,
            Some(_) => "{ uri = { path = { expression = 'http.request.headers[\"x-none\"][0]' } } }",
        };
        toml += &format!(
            "[[zone.rulesets.rules]]\nid = \"rule-{place}\"\nexpression = 'http.host eq \"shop.test\"'\naction = \"rewrite\"\n\
             action_parameters = {action}\n"
        );
    }
    if let (true, [_, second]) = (together, guilty) {
        toml += &format!(
            "[[zone.rulesets]]\nphase = \"http_request_late_transform\"\n[[zone.rulesets.rules]]\nid = \"rule-{second}\"\n\
             expression = 'http.request.uri.path eq \"/marked\"'\naction = \"rewrite\"\n\
             action_parameters = {{ headers = {{ \"X-A\" = {{ operation = \"set\", expression = 'http.request.headers[\"x-none\"][0]' }} }} }}\n"
        );
    }
    toml
}

fn bisect(scene: &Scene, more: &[&str]) -> (i32, Value) {
    let outcome = scene.asks(&[&["bisect", "http://shop.test/cart", "--json"], more].concat());
    let found =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}{}", outcome.stdout, outcome.stderr));
    (outcome.code, found)
}

fn ids(culprit: &Value) -> Vec<&str> {
    culprit["parts"].as_array().unwrap().iter().map(|part| part["id"].as_str().unwrap()).collect()
}

#[test]
fn one_of_two_hundred() {
    let scene = Scene::new(&rules(&[137], false));
    let (code, found) = bisect(&scene, &[]);
    assert_eq!((code, &found["found"]), (1, &"culprits".into()), "{found:#}");
    assert_eq!(found["baseline"]["code"], "owner.rules.expression_failed");
    assert_eq!(ids(&found["culprits"][0]), ["rule-137"]);
    assert_eq!(found["culprits"][0]["without"], "works");
    assert!(found["tries"].as_u64().unwrap() <= 40, "{found:#}");
    // visitors get what they got before
    assert!(get(scene.visitors(), "shop.test", "/cart").starts_with("HTTP/1.1 500"));
    let text = scene.asks(&["bisect", "http://shop.test/cart"]);
    assert!(text.stdout.contains("This rule causes it:") && text.stdout.contains("rule-137"), "{}", text.stdout);
}

#[test]
fn two_that_each_cause_it_and_two_that_must_meet() {
    let (_, found) = bisect(&Scene::new(&rules(&[12, 180], false)), &[]);
    let culprits = found["culprits"].as_array().unwrap();
    let each: Vec<_> = culprits.iter().map(|culprit| (ids(culprit), culprit["without"].as_str().unwrap())).collect();
    assert_eq!(each, [(vec!["rule-12"], "fails"), (vec!["rule-180"], "works")], "{found:#}");

    let (_, found) = bisect(&Scene::new(&rules(&[50, 250], true)), &[]);
    assert_eq!(ids(&found["culprits"][0]), ["rule-50", "rule-250"], "{found:#}");
    assert_eq!(found["culprits"][0]["without"], "works");
}

#[test]
fn a_version_that_broke_it() {
    let scene = Scene::new("");
    let (code, found) = bisect(&scene, &[]);
    assert_eq!((code, &found["found"]), (0, &"no_failure".into()));
    // a record that leads to nobody: no rule has to do with it
    scene.write(
        "\n[[zone]]\nname = \"other.test\"\ndns_records = [{ type = \"A\", name = \"@\", content = \"127.0.0.1\" }]\n",
    );
    scene.config(&["apply", "next.toml"]).fine();
    let broken = "settings.origin_http_port = 1\n";
    let text = std::fs::read_to_string(scene.path("next.toml")).unwrap();
    let port = text.lines().find(|line| line.starts_with("settings.origin_http_port")).unwrap().to_owned();
    scene.write_whole(&text.replace(&port, broken.trim()));
    scene.config(&["apply", "next.toml"]).fine();
    let (code, found) = bisect(&scene, &[]);
    assert_eq!((code, &found["found"]), (1, &"without_rules".into()), "{found:#}");
    assert_eq!((&found["versions"]["first"], &found["versions"]["before"]), (&3.into(), &2.into()), "{found:#}");
    assert!(found["versions"]["diff"].as_str().unwrap().contains("origin_http_port = 1"), "{found:#}");
}

#[test]
fn what_may_change_something_is_not_sent_by_itself() {
    let outcome = crate::run(&["bisect", "http://shop.test/", "--method", "POST"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stdout);
    assert!(outcome.stderr.contains("--unsafe"), "{}", outcome.stderr);
}

/// A rule that has nothing to do with anything, and whatever more.
fn with_a_harmless_rule(more: &str) -> String {
    format!(
        "[[zone.rulesets]]\nphase = \"http_request_late_transform\"\n[[zone.rulesets.rules]]\nid = \"harmless\"\n\
         expression = \"true\"\naction = \"rewrite\"\n\
         action_parameters = {{ headers = {{ \"X-A\" = {{ operation = \"set\", value = \"a\" }} }} }}\n{more}"
    )
}

/// What `rayline diagnose` makes of the shop behind this edge, and how it ends.
fn diagnosed(scene: &Scene, more: &[&str]) -> (i32, Value) {
    let port = scene.visitors().rsplit(':').next().unwrap();
    let (url, resolve) = (format!("http://shop.test:{port}/cart"), format!("shop.test:{port}:127.0.0.1"));
    let outcome = scene.asks(&[&["diagnose", &url, "--resolve", &resolve, "--samples", "2", "--json"], more].concat());
    let report =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}{}", outcome.stdout, outcome.stderr));
    (outcome.code, report)
}

fn step(report: &Value) -> &Value {
    let probes = report["probes"].as_array().unwrap();
    probes.iter().find(|probe| probe["name"] == "edge.rules").unwrap_or_else(|| panic!("{report:#}"))
}

#[test]
fn a_diagnosis_names_the_rule_that_fails() {
    let scene = Scene::new(&rules(&[37], false));
    let (code, report) = diagnosed(&scene, &[]);
    let step = step(&report);
    assert_eq!((code, &report["verdict"]["code"]), (1, &"owner.rules.expression_failed".into()), "{report:#}");
    assert_eq!((&step["ok"], &step["facts"]["found"]), (&false.into(), &"culprits".into()), "{step:#}");
    let part = &step["facts"]["culprits"][0]["parts"][0];
    let line = std::fs::read_to_string(scene.path("rayline.toml")).unwrap();
    let line = 1 + line.lines().position(|line| line == "id = \"rule-37\"").unwrap();
    assert_eq!(part["id"], "rule-37");
    assert!(part["place"].as_str().unwrap().ends_with(&format!("rayline.toml:{line}")), "{part}");
    let fix = report["verdict"]["remedies"][0].as_str().unwrap();
    assert!(fix.starts_with("correct the rule `rule-37` (") && fix.contains(&format!("toml:{line})")), "{fix}");
    assert!(report["verdict"]["clues"].to_string().contains("without the rule `rule-37`"), "{report:#}");
    assert_eq!(bisect(&scene, &[]).1["culprits"][0]["parts"][0], *part);
}

#[test]
fn a_diagnosis_blames_the_rule_that_leads_astray_and_not_the_origin() {
    let astray = "[[zone.rulesets]]\nphase = \"http_request_origin\"\n[[zone.rulesets.rules]]\nid = \"astray\"\n\
                  expression = 'http.request.uri.path eq \"/cart\"'\naction = \"route\"\n\
                  action_parameters = { origin = { port = 1 } }\n";
    let (_, report) = diagnosed(&Scene::new(&with_a_harmless_rule(astray)), &[]);
    let verdict = &report["verdict"];
    assert_eq!(
        (&verdict["code"], &verdict["certainty"], &verdict["party"]),
        (&"owner.rules.breaks_request".into(), &"proven".into(), &"owner".into()),
        "{report:#}"
    );
    assert!(verdict["remedies"][0].as_str().unwrap().contains("`astray`"), "{verdict:#}");
}

#[test]
fn a_diagnosis_clears_the_rules_where_it_fails_without_them() {
    let closed = "[zone.maintenance]\nenabled = \"on\"\n";
    let (_, report) = diagnosed(&Scene::new(&with_a_harmless_rule(closed)), &[]);
    let step = step(&report);
    assert_eq!((&step["ok"], &step["facts"]["found"]), (&true.into(), &"without_rules".into()), "{step:#}");
    assert_eq!(report["verdict"]["code"], "policy.rules.maintenance", "{report:#}");
    assert!(report["verdict"]["clues"].to_string().contains("no rule has to do with it"), "{report:#}");
}

#[test]
fn a_diagnosis_says_why_it_looks_at_no_rule() {
    // nothing fails: there is no such step
    let scene = Scene::new(&with_a_harmless_rule(""));
    let (code, report) = diagnosed(&scene, &[]);
    let is_step = |probe: &Value| probe["name"] == "edge.rules";
    assert_eq!((code, report["probes"].as_array().unwrap().iter().any(is_step)), (0, false), "{report:#}");
    // the origin fails by itself
    let text = std::fs::read_to_string(scene.path("rayline.toml")).unwrap();
    let port = text.lines().find(|line| line.starts_with("settings.origin_http_port")).unwrap().to_owned();
    scene.write_whole(&text.replace(&port, "settings.origin_http_port = 1"));
    scene.config(&["apply", "next.toml"]).fine();
    let (_, report) = diagnosed(&scene, &[]);
    let said = step(&report)["said"].as_str().unwrap();
    assert!(said.starts_with("skipped: it fails past the edge as well (`origin.connect.refused`)"), "{report:#}");
    // nothing to switch off
    let (_, report) = diagnosed(&Scene::new("[zone.maintenance]\nenabled = \"on\"\n"), &[]);
    assert_eq!(step(&report)["said"], "skipped: the zone has no rules");
    // what may change something
    let broken = Scene::new(&rules(&[0], false));
    let (_, report) = diagnosed(&broken, &["--method", "POST", "--unsafe"]);
    assert!(step(&report)["said"].as_str().unwrap().starts_with("skipped: `POST` may change something"), "{report:#}");
}

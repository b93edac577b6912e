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

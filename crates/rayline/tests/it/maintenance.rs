//! `rayline maintenance`: on, off and by itself, as versions of the configuration.

use super::running::get;
use super::versions::Scene;

fn status_of(scene: &Scene) -> String {
    get(scene.visitors(), "shop.test", "/").lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_zone_is_closed_and_opened_again_with_a_trace_in_the_history() {
    let scene = Scene::new("");
    assert!(status_of(&scene).contains("200"));
    assert!(scene.asks(&["maintenance", "status"]).fine().contains("is served"));
    let before = std::fs::read_to_string(scene.path("rayline.toml")).unwrap();

    let more = ["--retry-after", "10m", "--for", "1h", "--allow", "192.0.2.7", "-m", "upgrade", "--author", "maria"];
    let on = scene.asks(&[&["maintenance", "on", "--zone", "shop.test"][..], &more].concat());
    assert_eq!(on.fine(), "version 2 runs\n");
    let closed = get(scene.visitors(), "shop.test", "/");
    assert!(closed.starts_with("HTTP/1.1 503") && closed.to_lowercase().contains("retry-after: 600"), "{closed}");
    let status = scene.asks(&["maintenance", "status", "--json"]);
    assert_eq!(status.code, 1, "{}", status.stderr);
    let zones: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let zone = &zones[0];
    assert_eq!((&zone["enabled"], &zone["allow"][0]), (&true.into(), &"192.0.2.7/32".into()), "{zone}");
    let listed = scene.config(&["list"]).fine();
    assert!(
        listed.contains("by maria  maintenance of shop.test on until 20") && listed.contains(": upgrade"),
        "{listed}"
    );

    assert_eq!(scene.asks(&["maintenance", "off"]).fine(), "version 3 runs\n");
    assert!(status_of(&scene).contains("200"));
    // the file was changed with it, and nothing else in it
    let after = std::fs::read_to_string(scene.path("rayline.toml")).unwrap();
    let kept = "\n[zone.maintenance]\nenabled = \"off\"\nretry_after = \"600s\"\nallow = [\"192.0.2.7\"]\n";
    assert_eq!(after.trim_end(), format!("{}\n{}", before.trim_end(), kept).trim_end());
    scene.config(&["rollback", "2"]).fine();
    assert!(status_of(&scene).contains("503"));
}

#[test]
fn what_has_ended_by_itself_serves() {
    let scene = Scene::new("[zone.maintenance]\nenabled = true\nuntil = \"2020-01-01T00:00:00Z\"\n");
    assert!(status_of(&scene).contains("200"));
    assert!(scene.asks(&["maintenance", "status"]).fine().contains("is served"));
}

#[test]
fn what_cannot_be_done_is_said() {
    let scene = Scene::new("");
    for (args, code, why) in [
        (&["maintenance", "on", "--zone", "nobody.test"][..], 3, "there is no zone `nobody.test`, only `shop.test`"),
        (&["maintenance", "on", "--for", "1 year"], 2, "write it as"),
        (&["maintenance", "on", "--allow", "me"], 1, "is not an address or a network"),
    ] {
        let outcome = scene.asks(args);
        assert_eq!(outcome.code, code, "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{args:?}: {}", outcome.stderr);
    }
    assert!(status_of(&scene).contains("200"));
}

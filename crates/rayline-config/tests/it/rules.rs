//! Rules: what is wrong with them, shown where it stands, and what the others become.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::expect_file;
use rayline_rules::ruleset::{AccessMode, AccessTarget, Action, LimitAction, Phase, Redirect, Text, UrlPattern};

use crate::support::{Folder, compile_text, has_error, plan, render};

const ZONE: &str = r#"server.http = ["127.0.0.1:8080"]
[[zone]]
name = "shop.example"
dns_records = [{ type = "A", name = "@", content = "192.0.2.10" }]
"#;

/// A text with these lines at the end of `[[zone]]`.
fn zone(lines: &str) -> String {
    format!("{ZONE}{lines}\n")
}

/// A text with one rule of these lines.
fn rule(phase: &str, lines: &str) -> String {
    zone(&format!("[[zone.rulesets]]\nphase = \"{phase}\"\n[[zone.rulesets.rules]]\n{lines}"))
}

/// A text with one rule that is true of every request, and does this.
fn action(phase: &str, action: &str, parameters: &str) -> String {
    rule(phase, &format!("expression = 'true'\naction = \"{action}\"\naction_parameters = {{ {parameters} }}"))
}

/// The plan's rules of a phase, of a text without any problem.
fn actions(text: &str, phase: Phase) -> Vec<Action> {
    let plan = plan(text);
    let rules = plan.zones[0].rules.as_ref().expect("the zone has rules");
    rules.of(phase).iter().map(|rule| rule.action.clone()).collect()
}

/// Holds how the problems of each text are shown against a file.
fn check(rows: &[(&str, String)], expected: &expect_test::ExpectFile) {
    let mut shown = String::new();
    for (name, text) in rows {
        let (plan, problems) = compile_text(text);
        assert!(!problems.is_empty(), "{name}: there should be a problem");
        assert_eq!(plan.is_none(), has_error(&problems), "{name}: a plan exactly where nothing is an error");
        writeln!(shown, "=== {name} ===\n{}", render(text, &problems)).unwrap();
    }
    expected.assert_eq(&shown);
}

#[test]
fn problems_of_expressions_stand_where_they_are() {
    let log = |expression: &str| {
        rule("http_request_firewall_custom", &format!("expression = {expression}\naction = \"log\""))
    };
    check(
        &[
            ("in a literal string", log("'http.hosd eq \"a\"'")),
            ("behind escapes", log(r#""http.host eq \"caf\u00e9\" and htp.host eq \"a\"""#)),
            ("in several lines", log("'''\nhttp.host eq \"a\"\n  and http.request.uri.pth eq \"/\"\n'''")),
            (
                "behind a broken line",
                log("\"\"\"http.host eq \\\"a\\\" \\\n      and\\t http.hosts eq \\\"b\\\" \"\"\""),
            ),
            ("at its end", log("'http.host eq'")),
            ("of another type", log("'http.host eq 1'")),
            ("a list that is not there", log("'ip.src in $office'")),
            (
                "a field that is not known yet",
                rule(
                    "http_request_transform",
                    "expression = 'http.response.code eq 200'\naction = \"rewrite\"\naction_parameters = { uri = { path = { value = \"/\" } } }",
                ),
            ),
            (
                "a text that is a number",
                action(
                    "http_request_dynamic_redirect",
                    "redirect",
                    "from_value = { target_url = { expression = 'len(http.host)' } }",
                ),
            ),
            (
                "in a header",
                action(
                    "http_request_late_transform",
                    "rewrite",
                    "headers = { \"X-Host\" = { operation = \"set\", expression = \"uper(http.host)\" } }",
                ),
            ),
        ],
        &expect_file!["problems/expressions.txt"],
    );
}

#[test]
fn problems_of_rulesets() {
    check(
        &[
            ("a phase that is none", zone("[[zone.rulesets]]\nphase = \"http_request_transfrom\"")),
            ("a phase that is not here", zone("[[zone.rulesets]]\nphase = \"http_request_snippets\"")),
            (
                "a phase twice",
                zone("rulesets = [{ phase = \"http_request_origin\" }, { phase = \"http_request_origin\" }]"),
            ),
            ("a rule without anything", rule("http_request_transform", "enabled = 1")),
            (
                "an action of another phase",
                action("http_request_transform", "redirect", "from_value = { target_url = { value = \"/a\" } }"),
            ),
            ("an action that is none", rule("http_request_firewall_custom", "expression = 'true'\naction = \"blok\"")),
            ("an action of old", rule("http_request_firewall_custom", "expression = 'true'\naction = \"allow\"")),
            (
                "a parameter of another action",
                action("http_request_firewall_custom", "block", "uri = { path = { value = \"/\" } }, respones = {}"),
            ),
            (
                "a parameter that is not here",
                action("http_request_cache_settings", "set_cache_settings", "cache = true, cache_key = {}"),
            ),
            (
                "ids",
                zone(
                    "[[zone.rulesets]]\nphase = \"http_request_firewall_custom\"\nrules = [\n  \
                     { id = \"a b\", expression = 'true', action = \"log\" },\n  \
                     { id = \"a\", expression = 'true', action = \"log\" },\n  \
                     { id = \"a\", expression = 'true', action = \"log\" },\n]",
                ),
            ),
        ],
        &expect_file!["problems/rulesets.txt"],
    );
}

#[test]
fn problems_of_actions() {
    let custom = "http_request_firewall_custom";
    let late = "http_request_late_transform";
    check(
        &[
            (
                "a response of its own",
                action(custom, "block", "response = { status_code = 200, content_type = \"image/png\" }"),
            ),
            (
                "what is left out",
                action(
                    custom,
                    "skip",
                    "phases = [\"http_ratelimits\"], products = [\"bot\"], ruleset = \"all\", rules = { owasp = [\"a\"], rayline-managed = [\"rl.sqli.01\"] }",
                ),
            ),
            ("nothing is left out", rule(custom, "expression = 'true'\naction = \"skip\"")),
            (
                "managed rules",
                action(
                    "http_request_firewall_managed",
                    "execute",
                    "id = \"efb7b8c949ac4650a09736fc376e9aee\", paranoia_level = 5, overrides = { action = \"blok\", categories = [{ category = \"sql\" }], rules = [{ id = \"rl.sqli.01\", enabled = false }] }",
                ),
            ),
            (
                "managed rules of no name",
                rule("http_request_firewall_managed", "expression = 'true'\naction = \"execute\""),
            ),
            (
                "a path",
                action(
                    "http_request_transform",
                    "rewrite",
                    "uri = { path = { value = \"new\" }, query = { value = \"?a\" } }",
                ),
            ),
            (
                "a path of the edge",
                action("http_request_transform", "rewrite", "uri = { path = { value = \"/cdn-cgi/trace\" } }"),
            ),
            (
                "neither and both",
                action(
                    "http_request_transform",
                    "rewrite",
                    "uri = { path = {}, query = { value = \"a\", expression = '\"b\"' } }",
                ),
            ),
            (
                "header fields in the wrong phase",
                action("http_request_transform", "rewrite", "headers = { \"X-A\" = { operation = \"remove\" } }"),
            ),
            (
                "header fields",
                action(
                    late,
                    "rewrite",
                    "headers = { Host = { operation = \"set\", value = \"a\" }, \"X A\" = { operation = \"remove\" }, X-B = { operation = \"add\", value = \"a\" }, X-C = { operation = \"remove\", value = \"a\" }, X-D = { operation = \"set\" }, X-E = { operation = \"set\", value = \"a\\nb\" }, CF-Ray = { operation = \"remove\" } }",
                ),
            ),
            (
                "a redirect to nowhere",
                action(
                    "http_request_dynamic_redirect",
                    "redirect",
                    "from_value = { target_url = { value = \"javascript:alert(1)\" }, status_code = 304 }",
                ),
            ),
            (
                "a redirect by a list",
                action("http_request_dynamic_redirect", "redirect", "from_list = { name = \"moved\" }"),
            ),
            (
                "a list that is not there",
                action("http_request_redirect", "redirect", "from_list = { name = \"moved\" }"),
            ),
            (
                "an origin",
                action(
                    "http_request_origin",
                    "route",
                    "host_header = \"a b\", origin = { host = \"http://a\", port = 0 }, sni = {}",
                ),
            ),
            ("settings", action("http_config_settings", "set_config", "ssl = \"ful\", polish = \"off\"")),
            (
                "times to live",
                action(
                    "http_request_cache_settings",
                    "set_cache_settings",
                    "edge_ttl = { mode = \"override_origin\", status_code_ttl = [{ value = 1 }, { status_code_range = { from = 500, to = 400 }, value = -2 }] }",
                ),
            ),
            (
                "an error page",
                action(
                    "http_custom_errors",
                    "serve_error",
                    "content = \"a\", asset_file = \"a.html\", status_code = 200",
                ),
            ),
            (
                "compressions",
                action("http_response_compression", "compress_response", "algorithms = [{ name = \"deflate\" }]"),
            ),
            (
                "names in the log",
                action("http_log_custom_fields", "log_custom_field", "request_fields = [{ name = \"a b\" }, \"c\"]"),
            ),
            ("no limit", rule("http_ratelimit", "expression = 'true'\naction = \"block\"")),
            (
                "a limit elsewhere",
                rule(
                    custom,
                    "expression = 'true'\naction = \"block\"\nratelimit = { characteristics = [\"cf.colo.id\"], period = 10, requests_per_period = 1 }",
                ),
            ),
            (
                "a limit",
                rule(
                    "http_ratelimit",
                    "expression = 'true'\naction = \"block\"\nratelimit = { characteristics = [\"ip.src\"], period = 5, requests_per_period = 0, counting_expression = \"http.response.cod eq 401\" }",
                ),
            ),
            (
                "a characteristic",
                rule(
                    "http_ratelimit",
                    "expression = 'true'\naction = \"block\"\nratelimit = { characteristics = [\"cf.colo.id\", \"http.requst.uri\"], period = 60, requests_per_period = 10 }",
                ),
            ),
        ],
        &expect_file!["problems/actions.txt"],
    );
}

#[test]
fn problems_of_access() {
    check(
        &[
            (
                "addresses",
                zone(
                    "access_rules = [\n  { mode = \"block\", configuration = { target = \"ip\", value = \"2001:db8::1\" } },\n  { mode = \"allow\", configuration = { target = \"ip_range\", value = \"192.0.2.1\" } },\n  { mode = \"block\", configuration = { target = \"country\", value = \"nl\" } },\n  { mode = \"block\", configuration = { target = \"asn\", value = \"AS64496\" } },\n  { mode = \"block\" },\n]",
                ),
            ),
            (
                "lockdowns",
                zone(
                    "lockdowns = [{ urls = [] }, { urls = [\"shop.example/**\"] }, { urls = [\"/admin\"], configurations = [{ target = \"ip\", value = \"x\" }] }]",
                ),
            ),
            (
                "user agents",
                zone(
                    "user_agent_rules = [{ mode = \"whitelist\", configuration = { target = \"ip\", value = \"x\" } }, { mode = \"block\" }]",
                ),
            ),
            (
                "lists",
                format!(
                    "list = [{{ name = \"Our Office\", kind = \"ip\" }}, {{ name = \"a\", kind = \"ip\", items = [\"192.0.2.0/33\", \"x\"] }}, {{ name = \"a\", kind = \"hostname\", items = [\"a b\"] }}, {{ name = \"b\", kind = \"asn\", items = [\"ASX\"] }}, {{ name = \"c\", kind = \"redirect\" }}]\n{ZONE}"
                ),
            ),
            (
                "redirects",
                format!(
                    "redirect_list = [{{ name = \"moved\", items = [{{ source_url = \"shop.example/a?b\", target_url = \"/b\" }}, {{ source_url = \"ftp://a\", target_url = \"https://b\", status_code = 200 }}, {{ source_url = \"a.example\", target_url = \"https://b\" }}, {{ source_url = \"A.example/\", target_url = \"https://b\" }}] }}]\n{ZONE}"
                ),
            ),
            (
                "settings",
                zone(
                    "settings = { browser_check = 1, hotlink_protection = \"yes\", challenge_ttl = 1, security_level = \"high\" }",
                ),
            ),
        ],
        &expect_file!["problems/access.txt"],
    );
}

#[test]
fn problems_of_page_rules() {
    check(
        &[
            (
                "nothing",
                zone("page_rules = [{ target = \"shop.example/*\" }, { target = \"shop.example/a\", actions = {} }]"),
            ),
            (
                "targets",
                zone(
                    "page_rules = [{ target = \"ftp://shop.example/\", actions = { always_use_https = true } }, { target = \"shop.example/**\", actions = { always_use_https = true } }, { target = \"/a\", actions = { always_use_https = true } }]",
                ),
            ),
            (
                "a redirect and more",
                zone(
                    "page_rules = [{ target = \"shop.example/*\", actions = { forwarding_url = { url = \"https://a.example/$2\", status_code = 301 }, ssl = \"off\" } }]",
                ),
            ),
            (
                "what cannot be translated",
                zone(
                    "page_rules = [{ target = \"shop.example/*\", status = \"on\", actions = { cache_level = \"aggressive\", rocket_loader = \"off\", host_header_override = \"a b\" } }]",
                ),
            ),
        ],
        &expect_file!["problems/page_rules.txt"],
    );
}

#[test]
fn a_zone_without_rules_has_none() {
    assert!(plan(ZONE).zones[0].rules.is_none());
    assert!(plan(&zone("[[zone.rulesets]]\nphase = \"http_ratelimit\"")).zones[0].rules.is_none());
    assert!(plan(&zone("settings.browser_check = \"on\"")).zones[0].rules.is_some());
    let text = rule("http_request_firewall_custom", "expression = 'true'\naction = \"log\"");
    assert!(plan(&text).zones[0].rules.is_some());
    assert!(
        plan(&text.replace("name = \"shop", "paused = true\nname = \"shop")).zones[0].rules.is_none(),
        "it is paused"
    );
}

#[test]
fn rules_have_names_and_places() {
    let plan = plan(&zone(
        "[[zone.rulesets]]\nphase = \"http_request_firewall_custom\"\nrules = [\n\
         { id = \"one\", ref = \"x\", description = \"\", expression = 'true', action = \"log\" },\n\
         { ref = \"two\", expression = 'true', action = \"block\", enabled = false, logging = { enabled = false } },\n\
         { expression = 'ssl', action = \"managed_challenge\" },\n]",
    ));
    let rules = plan.zones[0].rules.as_ref().unwrap().of(Phase::FirewallCustom);
    let ids: Vec<&str> = rules.iter().map(|rule| &*rule.id).collect();
    assert_eq!(ids, ["one", "two", "http_request_firewall_custom.3"]);
    assert!(rules[0].enabled && rules[0].logging && !rules[1].enabled && !rules[1].logging);
    assert!(matches!(rules[2].action, Action::Challenge) && &*rules[2].expression == "ssl");
}

#[test]
fn a_limit_counts_what_it_is_told_to() {
    let text = rule(
        "http_ratelimit",
        "expression = 'starts_with(http.request.uri.path, \"/login\")'\naction = \"block\"\n\
         action_parameters = { response = { status_code = 429, content = \"slower\" } }\n\
         ratelimit = { characteristics = [\"cf.colo.id\", \"ip.src\", 'http.request.headers[\"X-Api-Key\"]', 'lower(http.host)'], \
         period = 60, requests_per_period = 5, mitigation_timeout = 600, counting_expression = 'http.response.code eq 401' }",
    );
    let [Action::RateLimit(limit)] = &actions(&text, Phase::Ratelimit)[..] else { panic!("one limit") };
    assert_eq!((limit.period, limit.requests_per_period), (Duration::from_secs(60), 5));
    assert_eq!(limit.mitigation_timeout, Duration::from_secs(600));
    assert!(limit.counts_responses && limit.counting.is_some());
    assert_eq!(limit.characteristics.len(), 4);
    assert!(matches!(&limit.action, LimitAction::Block(Some(response)) if response.status_code == 429));
    let text = text.replace("http.response.code eq 401", "http.request.method eq \"POST\"");
    let [Action::RateLimit(limit)] = &actions(&text, Phase::Ratelimit)[..] else { panic!("one limit") };
    assert!(!limit.counts_responses && limit.counting.is_some());
}

#[test]
fn header_changes_keep_the_order_of_the_file() {
    let text = action(
        "http_request_late_transform",
        "rewrite",
        "headers = { Z = { operation = \"set\", value = \"1\" }, A = { operation = \"remove\" }, M = { operation = \"set\", expression = 'http.host' } }",
    );
    let [Action::Rewrite(rewrite)] = &actions(&text, Phase::LateTransform)[..] else { panic!("one rewrite") };
    let names: Vec<&str> = rewrite.headers.iter().map(|change| &*change.name).collect();
    assert_eq!(names, ["Z", "A", "M"]);
}

#[test]
fn the_most_particular_redirect_stands_first() {
    let list = "[[redirect_list]]\nname = \"moved\"\nitems = [\n\
        { source_url = \"shop.example\", target_url = \"https://a.example\", subpath_matching = true },\n\
        { source_url = \"shop.example/old\", target_url = \"https://b.example\", subpath_matching = true },\n\
        { source_url = \"HTTPS://Shop.Example/old/Exact\", target_url = \"https://c.example\", status_code = 308 },\n\
        { source_url = \"shop.example/sub\", target_url = \"https://d.example\", include_subdomains = true },\n]\n";
    let text = action("http_request_redirect", "redirect", "from_list = { name = \"moved\" }") + list;
    let [Action::Redirect(redirect)] = &actions(&text, Phase::Redirect)[..] else { panic!("one redirect") };
    let Redirect::List { list, .. } = &**redirect else { panic!("by a list") };
    let sources: Vec<&str> = list.items.iter().map(|item| &*item.source_url).collect();
    assert_eq!(sources, ["https://shop.example/old/Exact", "shop.example/old", "shop.example/", "shop.example/sub"]);
}

#[test]
fn bulk_redirects_are_asked_for_as_cloudflare_writes_it() {
    let text = "redirect_list = [{ name = \"moved\", items = [{ source_url = \"shop.example/a\", target_url = \"https://b.example\" }] }]\n".to_owned()
        + &rule("http_request_redirect", "expression = '(http.request.full_uri in $moved)'\naction = \"redirect\"\naction_parameters = { from_list = { name = \"moved\", key = \"http.request.full_uri\" } }");
    assert_eq!(actions(&text, Phase::Redirect).len(), 1);
}

#[test]
fn who_is_let_in_comes_first() {
    let text = zone(
        "[[zone.access_rules]]\nmode = \"block\"\nconfiguration = { target = \"country\", value = \"NL\" }\n\
         [[zone.access_rules]]\nid = \"office\"\nmode = \"whitelist\"\nconfiguration = { target = \"ip_range\", value = \"192.0.2.7/24\" }\n\
         [[zone.lockdowns]]\nurls = [\"Shop.example\", \"shop.example/Admin*\"]\nconfigurations = [{ target = \"ip\", value = \"2001:db8::1\" }]\n\
         [[zone.lockdowns]]\nurls = [\"shop.example/off\"]\npaused = true\n\
         [[zone.user_agent_rules]]\nmode = \"js_challenge\"\nconfiguration = { value = \"BadBot/1.0\" }\n",
    );
    let plan = plan(&text);
    let access = &plan.zones[0].rules.as_ref().unwrap().access;
    assert_eq!(&*access.rules[0].id, "office");
    assert_eq!(access.rules[0].target, AccessTarget::Network("192.0.2.0/24".parse().unwrap()));
    assert_eq!((&*access.rules[1].id, access.rules[1].mode), ("access_rules.1", AccessMode::Block));
    assert_eq!(access.lockdowns.len(), 1);
    let urls: Vec<&str> = access.lockdowns[0].urls.iter().map(UrlPattern::as_str).collect();
    assert_eq!(urls, ["shop.example/", "shop.example/Admin*"]);
    assert_eq!(access.user_agents[0].mode, AccessMode::Challenge);
}

#[test]
fn page_rules_become_rules() {
    let text = zone(
        "[[zone.page_rules]]\ntarget = \"http://shop.example/old/*\"\npriority = 3\nactions = { forwarding_url = { url = \"https://shop.example/new/$1\", status_code = 302 } }\n\
         [[zone.page_rules]]\ntarget = \"*shop.example/*.png\"\nactions = { cache_level = \"cache_everything\", edge_cache_ttl = 7200, ssl = \"flexible\" }\n\
         [[zone.page_rules]]\ntarget = \"shop.example/off\"\nstatus = \"disabled\"\nactions = { always_use_https = true }\n\
         [[zone.page_rules]]\ntarget = \"shop.example/api/*\"\npriority = 2\nactions = { disable_security = true, host_header_override = \"api.internal:8080\" }\n",
    );
    let plan = plan(&text);
    let rules = plan.zones[0].rules.as_ref().unwrap();
    let mut shown = String::new();
    for (phase, rule) in rules.all() {
        writeln!(shown, "{} {}\n  {}\n  {:?}", phase.name(), rule.id, rule.expression, rule.action).unwrap();
    }
    // where an expression stands in the program is the program's affair
    while let Some((before, after)) = shown.split_once("Dynamic(") {
        shown = format!("{before}expression{}", after.split_once(')').unwrap().1);
    }
    expect_file!["page_rules.txt"].assert_eq(&shown);
}

#[test]
fn rules_win_over_page_rules() {
    let text = zone(
        "page_rules = [{ id = \"page\", target = \"shop.example/*\", actions = { ssl = \"flexible\" } }, { id = \"to\", target = \"shop.example/a\", actions = { always_use_https = true } }]\n\
         [[zone.rulesets]]\nphase = \"http_config_settings\"\nrules = [{ id = \"own\", expression = 'true', action = \"set_config\", action_parameters = { ssl = \"off\" } }]\n\
         [[zone.rulesets]]\nphase = \"http_request_dynamic_redirect\"\nrules = [{ id = \"first\", expression = 'true', action = \"redirect\", action_parameters = { from_value = { target_url = { value = \"/x\" } } } }]",
    );
    let plan = plan(&text);
    let rules = plan.zones[0].rules.as_ref().unwrap();
    let ids = |phase| rules.of(phase).iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(Phase::ConfigSettings), ["page.http_config_settings", "own"]);
    assert_eq!(ids(Phase::DynamicRedirect), ["first", "to.http_request_dynamic_redirect"]);
}

#[test]
fn many_page_rules_are_no_longer_than_an_expression_may_be() {
    let rules: String = (0..125)
        .map(|n| format!("[[zone.page_rules]]\ntarget = \"shop.example/a-rather-long-path-{n}/*\"\nactions = {{ ssl = \"off\" }}\n"))
        .collect();
    assert_eq!(actions(&zone(&rules), Phase::ConfigSettings).len(), 125);
}

#[test]
fn a_list_of_a_hundred_thousand_is_read_from_a_file() {
    let folder = Folder::new();
    let mut items = String::from("# from here\n\n");
    for n in 0..100_000_u32 {
        writeln!(items, "10.{}.{}.{} # one", n >> 16, (n >> 8) & 255, n & 255).unwrap();
    }
    folder.write("addresses.txt", items);
    folder.write("bad.txt", "192.0.2.1\nnobody\n2001:db8::/32\n192.0.2.300\n");
    folder.write("texts.txt", "a#b\nc #d\n");
    let list =
        |file: &str, kind: &str| format!("list = [{{ name = \"all\", kind = \"{kind}\", file = \"{file}\" }}]\n");
    let text = |file: &str, kind: &str, expression: &str| {
        list(file, kind)
            + &rule("http_request_firewall_custom", &format!("expression = '{expression}'\naction = \"block\""))
    };
    let began = Instant::now();
    let (plan, problems) = folder.compile(&text("addresses.txt", "ip", "ip.src in $all"));
    assert!(problems.is_empty() && plan.is_some(), "{problems:?} after {:?}", began.elapsed());
    let (plan, problems) = folder.compile(&text("texts.txt", "string", "http.host in $all"));
    assert!(problems.is_empty() && plan.is_some(), "{problems:?}");
    expect_test::expect![[r#"
        error: line 2 of `bad.txt`: `nobody` is no address or network
         --> rayline.toml:1:45
          |
        1 | list = [{ name = "all", kind = "ip", file = "bad.txt" }]
          |                                             ^^^^^^^^^
          |
          = help: write it as `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`
        error: line 4 of `bad.txt`: `192.0.2.300` is no address or network
         --> rayline.toml:1:45
          |
        1 | list = [{ name = "all", kind = "ip", file = "bad.txt" }]
          |                                             ^^^^^^^^^
          |
          = help: write it as `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`
    "#]]
    .assert_eq(&folder.render(&text("bad.txt", "ip", "ip.src in $all")));
}

#[test]
fn what_is_served_may_be_in_a_file() {
    let folder = Folder::new();
    folder.write("sorry.html", "<h1>Back soon</h1>");
    let text = action("http_custom_errors", "serve_error", "asset_file = \"sorry.html\", status_code = 503");
    let (plan, problems) = folder.compile(&text);
    assert!(problems.is_empty(), "{problems:?}");
    let plan = plan.unwrap();
    let Action::ServeError(error) = &plan.zones[0].rules.as_ref().unwrap().of(Phase::CustomErrors)[0].action else {
        panic!("an error page")
    };
    assert_eq!((&*error.content, &*error.content_type), ("<h1>Back soon</h1>", "text/html"));
}

#[test]
fn a_text_is_a_value_or_an_expression() {
    let text = action(
        "http_request_transform",
        "rewrite",
        "uri = { path = { expression = 'lower(http.request.uri.path)' }, query = { value = \"\" } }",
    );
    let [Action::Rewrite(rewrite)] = &actions(&text, Phase::RequestTransform)[..] else { panic!("one rewrite") };
    assert!(matches!(rewrite.path, Some(Text::Expression(_))));
    assert_eq!(rewrite.query, Some(Text::Value("".into())));
}

#[test]
fn a_table_of_networks_is_read_or_its_line_is_named() {
    let folder = Folder::new();
    let rules = "[[zone.access_rules]]\nmode = \"block\"\nconfiguration = { target = \"asn\", value = \"as64496\" }\n";
    let text = format!("server.asn_table = \"networks.csv\"\n{}", zone(rules));
    assert!(folder.render(&text).contains("there is no file `networks.csv`"));
    folder.write("networks.csv", "192.0.2.0/24,64496\nnonsense\n");
    let shown = folder.render(&text);
    assert!(shown.contains("`networks.csv` is no table of networks: line 2: `nonsense` is no address"), "{shown}");
    folder.write("networks.csv", "192.0.2.0/24,64496\n");
    let (plan, problems) = folder.compile(&text);
    assert!(problems.is_empty(), "{}", folder.render(&text));
    let plan = plan.unwrap();
    let rules = plan.zones[0].rules.as_ref().unwrap();
    assert_eq!(rules.access.rules[0].target, AccessTarget::Asn(64_496));
    assert_eq!(rules.lists().networks().unwrap().find("192.0.2.9".parse().unwrap()), Some(64_496));
}

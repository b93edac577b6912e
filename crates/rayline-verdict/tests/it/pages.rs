//! The bodies: every code in every form.

use expect_test::expect;
use rayline_verdict::number::Number;
use rayline_verdict::surface::{CustomPage, Format, Notice, error_box};
use rayline_verdict::{Code, Evidence, Fact, Party, Retry, Sent, TABLE, Verdict};
use serde_json::Value;

use crate::sample::{OWNERS_ADDRESS, OWNERS_NUMBER, OWNERS_WORD, full_verdict, header_list, notice, rendered, verdict};

const RAY: &str = "230b030023ae2822";
const HOSTILE: &str = "\"><script>alert(1)</script>\u{0}\r\n---\n# x `y` ${z} {{host}} ::RAY_ID:: 'é\u{2028}";

fn of(code: Code, format: Format) -> String {
    rendered(&notice(&verdict(code.entry())), format)
}

#[test]
fn html() {
    expect![[r#"
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex, nofollow">
        <meta name="color-scheme" content="light dark">
        <title>shop.example | 521: Web server is down</title>
        <style>
        html { --page: #faf9f7; background: var(--page); }
        body { margin: 0; padding-top: clamp(0rem, 14vw - 7rem, 3rem); }
        @media (prefers-color-scheme: dark) { html { --page: #141517; } }
        .rl {
        --ink: #1d1c1a; --soft: #625e58; --line: #dfdbd4; --card: #fff; --well: #efece7;
        --ok: #1c7347; --bad: #b8321a; --tint: #fdf2ee;
        box-sizing: border-box; max-width: 46rem; margin: 0 auto; padding: 1.75rem 1.25rem; border-radius: 1rem;
        font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
        color: var(--ink); background: var(--page, #faf9f7); text-align: left; overflow-wrap: anywhere;
        }
        .rl * { box-sizing: border-box; }
        .rl :where(h1, h2, p, pre, ul, ol, li, dl, dd) { margin: 0; padding: 0; font: inherit; text-align: inherit; color: inherit; }
        .rl h1 { font-size: clamp(1.75rem, 1.2rem + 2.6vw, 2.5rem); line-height: 1.15; font-weight: 650; letter-spacing: -.02em; }
        .rl h1 span { display: block; margin-bottom: .5rem; font-size: .875rem; line-height: 1.4; font-weight: 600; letter-spacing: .04em; color: var(--bad); }
        .rl h2 { margin-bottom: .25rem; font-size: 1rem; font-weight: 650; }
        .rl svg { display: block; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
        .rl code, .rl dd { font: .9em/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--ink); }
        .rl code { padding: .125em .3em; border-radius: .3em; background: var(--well); }
        .rl pre { margin: .5rem 0; white-space: normal; }
        .rl pre code { display: block; padding: .625em .75em; border-radius: .5em; font-size: .8125rem; }
        .rl-path { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2.75rem; margin: 2.25rem 0; list-style: none; }
        .rl-hop { position: relative; display: flex; flex-direction: column; align-items: center; padding: 1.25rem .75rem 1rem; border: 1px solid var(--line); border-radius: .875rem; background: var(--card); text-align: center; }
        .rl-hop > svg { width: 2.75rem; height: 2.75rem; margin-bottom: .625rem; color: var(--soft); }
        .rl-hop b { font-weight: 650; line-height: 1.3; }
        .rl-hop small { max-height: 4.2em; overflow: hidden; font-size: .8125rem; line-height: 1.4; color: var(--soft); }
        .rl-hop em { display: flex; align-items: center; gap: .375rem; margin-top: auto; padding-top: .625rem; font-size: .875rem; font-style: normal; font-weight: 600; color: var(--soft); }
        .rl-hop em svg { width: 1.125rem; height: 1.125rem; stroke-width: 2; }
        .rl-hop + .rl-hop::before { content: ""; position: absolute; top: 2.5rem; right: 100%; width: 2.75rem; border-top: var(--link, 2px solid var(--line)); }
        .rl-ok em { color: var(--ok); }
        .rl-bad { border-color: var(--bad); background: var(--tint); }
        .rl-bad > svg, .rl-bad em { color: var(--bad); }
        .rl-you.rl-bad + .rl-hop, .rl-host.rl-bad { --link: 2px dashed var(--bad); }
        .rl-idle { --link: 2px dotted var(--line); }
        .rl-what { margin-bottom: 1.75rem; font-size: 1.125rem; }
        .rl-do { display: grid; grid-template-columns: 5fr 6fr; gap: 1.5rem 2.75rem; color: var(--soft); }
        .rl-do h2 { color: var(--ink); }
        .rl-do ul { padding-left: 1.1em; }
        .rl-facts { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin-top: 2.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: .875rem; line-height: 1.5; color: var(--soft); }
        .rl-preview { margin-bottom: 1.5rem; padding: .5rem .875rem; border: 1px dashed var(--soft); border-radius: .5rem; font-size: .875rem; }
        @media (max-width: 36rem) {
        .rl-path { grid-template-columns: 1fr; gap: 1rem; }
        .rl-hop { display: grid; grid-template-columns: 2.25rem 1fr auto; column-gap: .875rem; align-items: center; justify-items: start; padding: .75rem .875rem; text-align: left; }
        .rl-hop > svg { grid-row: span 2; width: 2.25rem; height: 2.25rem; margin: 0; }
        .rl-hop small { grid-column: 2; }
        .rl-hop em { grid-area: 1 / 3 / span 2; margin: 0; padding: 0; }
        .rl-hop + .rl-hop::before { top: auto; right: auto; bottom: 100%; left: 1.9rem; width: 0; height: 1rem; border-top: 0; border-left: var(--link, 2px solid var(--line)); }
        .rl-do { grid-template-columns: 1fr; }
        }
        @media (prefers-color-scheme: dark) {
        .rl { --ink: #edebe7; --soft: #a8a39b; --line: #34363a; --card: #1d1f22; --well: #25272b; --ok: #5fc890; --bad: #ff8f70; --tint: #2b1d19; background: var(--page, #141517); }
        }

        </style>
        </head>
        <body>
        <main>
        <div class="rl">

        <h1><span>Error 521</span> Web server is down</h1>
        <ol class="rl-path">
        <li class="rl-hop rl-you rl-ok"><svg viewBox="0 0 32 32" aria-hidden="true"><rect x="3" y="5" width="26" height="22" rx="3"/><path d="M3 11h26M7 8h.01M11 8h.01"/></svg><b>You</b><small>Browser</small><em><svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8"/><path d="m6.5 10.2 2.4 2.4 4.6-4.9"/></svg>Working</em></li>
        <li class="rl-hop rl-ok"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M16 5 28 26H4zM1 19l8.5-3M22.5 15.5l8.5-3M23.5 18H31M25 21l6 2"/></svg><b>Edge</b><small>Rayline · LHR</small><em><svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8"/><path d="m6.5 10.2 2.4 2.4 4.6-4.9"/></svg>Working</em></li>
        <li class="rl-hop rl-host rl-bad"><svg viewBox="0 0 32 32" aria-hidden="true"><rect x="4" y="5" width="24" height="9" rx="2.5"/><rect x="4" y="18" width="24" height="9" rx="2.5"/><path d="M9 9.5h.01M9 22.5h.01M18 9.5h5M18 22.5h5"/></svg><b>Host</b><small>shop.example</small><em><svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8"/><path d="m7.2 7.2 5.6 5.6m0-5.6-5.6 5.6"/></svg>Error</em></li>
        </ol>
        <section class="rl-what"><h2>What happened</h2><p>The site&#39;s server refused the connection.</p></section>
        <div class="rl-do">
        <section><h2>What can I do?</h2><p>Try again in a few minutes. If it still fails, write to the site&#39;s owner and give the Ray ID.</p></section>
        <section><h2>If this is your site</h2><p>This request did not reach your application. What this means, how it is known and how to mend it:</p><pre><code>rayline explain origin.connect.refused</code></pre><p>The request log keeps the evidence under the Ray ID.</p></section>
        </div>
        <dl class="rl-facts"><div><dt>Ray ID</dt><dd>230b030023ae2822</dd></div><div><dt>Time</dt><dd><time datetime="2026-11-21T04:59:29Z">2026-11-21 04:59:29 UTC</time></dd></div><div><dt>Code</dt><dd>origin.connect.refused · proven</dd></div></dl>
        </div>

        </main>
        </body>
        </html>
    "#]].assert_eq(&of(Code::OriginConnectRefused, Format::Html));
}

#[test]
fn json() {
    expect![[r#"
        {"type":"urn:rayline:error:origin.connect.refused","title":"Error 521: Web server is down","status":521,"detail":"The site's server refused the connection.","instance":"230b030023ae2822","error_code":521,"error_name":"origin_down","error_category":"origin","ray_id":"230b030023ae2822","timestamp":"2026-11-21T04:59:29Z","zone":"shop.example","rayline_error":true,"retryable":true,"retry_after":120,"owner_action_required":true,"what_you_should_do":"Try again in a few minutes. If it still fails, write to the site's owner and give the Ray ID.","footer":"This answer was made by Rayline, the edge in front of shop.example.","party":"origin","phase":"connect","code":"origin.connect.refused","certainty":"proven","reached":"no"}
    "#]].assert_eq(&of(Code::OriginConnectRefused, Format::Json));
    expect![[r#"
        {"type":"urn:rayline:error:visitor.request.header_too_large","title":"Error 431: Request headers too large","status":431,"detail":"The headers of the request are too large.","instance":"230b030023ae2822","error_code":431,"error_name":"request_header_fields_too_large","error_category":"request","ray_id":"230b030023ae2822","timestamp":"2026-11-21T04:59:29Z","zone":"shop.example","rayline_error":true,"retryable":false,"owner_action_required":false,"what_you_should_do":"- Clear the site's cookies: they are the usual cause\n- If the site sets such cookies itself, make them smaller, or raise `request_header_bytes` under `[limits]`","footer":"This answer was made by Rayline, the edge in front of shop.example.","party":"visitor","phase":"request","code":"visitor.request.header_too_large","certainty":"proven","reached":"no"}
    "#]].assert_eq(&of(Code::VisitorRequestHeaderTooLarge, Format::ProblemJson));
    expect![[r#"
        {"type":"urn:rayline:error:origin.wait.error_status","title":"Error 502: Bad gateway","status":502,"detail":"The site's server answered, and its answer is an error. It sent the status 502.","instance":"230b030023ae2822","error_code":502,"error_name":"origin_bad_gateway","error_category":"origin","ray_id":"230b030023ae2822","timestamp":"2026-11-21T04:59:29Z","zone":"shop.example","rayline_error":true,"retryable":true,"retry_after":60,"owner_action_required":true,"what_you_should_do":"Try again in a few minutes. If you were ordering or sending something, check first whether it has arrived. If it still fails, write to the site's owner and give the Ray ID.","footer":"This answer was made by Rayline, the edge in front of shop.example.","party":"origin","phase":"wait","code":"origin.wait.error_status","certainty":"proven","reached":"yes","evidence":{"origin_status":502}}
    "#]].assert_eq(&of(Code::OriginWaitErrorStatus, Format::Json));
}

#[test]
fn markdown() {
    expect![[r#"
        ---
        error_code: 522
        error_name: "connection_timeout"
        error_category: "origin"
        status: 522
        ray_id: "230b030023ae2822"
        timestamp: "2026-11-21T04:59:29Z"
        zone: "shop.example"
        rayline_error: true
        retryable: true
        retry_after: 120
        owner_action_required: true
        party: "network"
        phase: "connect"
        code: "network.connect.timed_out"
        certainty: "inferred"
        reached: "no"
        ---

        # Error 522: Connection timed out

        ## What happened

        The site's server did not answer the attempt to connect.

        ## What you should do

        Try again in a few minutes. If it still fails, write to the site's owner and give the Ray ID.

        ---

        This answer was made by Rayline, the edge in front of shop.example.
    "#]]
    .assert_eq(&of(Code::NetworkConnectTimedOut, Format::Markdown));
    expect![[r#"
        ---
        error_code: 414
        error_name: "uri_too_long"
        error_category: "request"
        status: 414
        ray_id: "230b030023ae2822"
        timestamp: "2026-11-21T04:59:29Z"
        zone: "shop.example"
        rayline_error: true
        retryable: false
        owner_action_required: false
        party: "visitor"
        phase: "request"
        code: "visitor.request.uri_too_long"
        certainty: "proven"
        reached: "no"
        ---

        # Error 414: Address too long

        ## What happened

        The address of the request is too long.

        ## What you should do

        - Send long data in the body of a POST instead of the address
        - If the site builds such addresses itself, raise `request_uri_bytes` under `[limits]`

        ---

        This answer was made by Rayline, the edge in front of shop.example.
    "#]]
    .assert_eq(&of(Code::VisitorRequestUriTooLong, Format::Markdown));
}

#[test]
fn text() {
    expect![[r#"
        error code: 521

        Error 521: Web server is down
        The site's server refused the connection.

        Try again in a few minutes. If it still fails, write to the site's owner and give the Ray ID.

        code: origin.connect.refused
        ray id: 230b030023ae2822
        time: 2026-11-21T04:59:29Z

        This answer was made by Rayline, the edge in front of shop.example.
    "#]]
    .assert_eq(&of(Code::OriginConnectRefused, Format::Text));
    let mut verdict = verdict(Code::VisitorRouteSniMismatch.entry());
    verdict.evidence.add(Fact::Host { host: "a.example".to_owned(), server_name: Some("b.example\n".to_owned()) });
    expect![[r#"
        error code: 1013

        Error 1013: HTTP hostname and TLS SNI hostname mismatch
        The request names another site than the certificate of its connection covers. It asks for a.example, on a connection for b.example .

        - Open a new connection with the requested name as server name (SNI)
        - If a proxy of the visitor's sets the `Host` header, let it set the server name as well

        code: visitor.route.sni_mismatch
        ray id: 230b030023ae2822
        time: 2026-11-21T04:59:29Z

        This answer was made by Rayline, the edge in front of shop.example.
    "#]].assert_eq(&rendered(&notice(&verdict), Format::Text));
}

/// The members of a structured error in their order; `status`, `retry_after` and `evidence` are not in all.
const MEMBERS: [&str; 23] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "error_code",
    "error_name",
    "error_category",
    "ray_id",
    "timestamp",
    "zone",
    "rayline_error",
    "retryable",
    "retry_after",
    "owner_action_required",
    "what_you_should_do",
    "footer",
    "party",
    "phase",
    "code",
    "certainty",
    "reached",
    "evidence",
];

#[test]
fn json_is_a_problem_of_rfc_9457() {
    for entry in &TABLE {
        let verdict = verdict(entry);
        let body = rendered(&notice(&verdict), Format::Json);
        assert_eq!(body, rendered(&notice(&verdict), Format::ProblemJson));
        let problem: Value = serde_json::from_str(&body).unwrap();
        let members: Vec<&str> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        let order: Vec<usize> =
            members.iter().map(|name| MEMBERS.iter().position(|known| known == name).unwrap()).collect();
        assert!(order.is_sorted(), "{}: {members:?}", entry.name);

        assert_eq!(problem["type"], format!("urn:rayline:error:{}", entry.name));
        let status = problem.get("status").map(|status| status.as_u64().unwrap());
        assert_eq!(status.is_none(), matches!(entry.sent, Sent::Nothing(0) | Sent::Outside), "{}", entry.name);
        if let Some(page) = verdict.page_status() {
            assert_eq!(status, Some(u64::from(page)), "{}", entry.name);
        }
        for name in ["title", "detail", "instance", "what_you_should_do", "footer", "error_category"] {
            assert!(problem[name].as_str().is_some_and(|text| !text.is_empty()), "{}: {name}", entry.name);
        }
        assert_eq!(problem["instance"], RAY);
        assert_eq!(problem["ray_id"], RAY);
        assert_eq!(problem["error_code"], verdict.number);
        assert_eq!(problem["zone"], "shop.example");
        assert_eq!(problem["timestamp"], "2026-11-21T04:59:29Z");
        assert_eq!(problem["rayline_error"], true);
        assert_eq!(problem["retryable"], entry.retry != Retry::Never);
        assert!(problem.get("retry_after").is_none() || entry.retry == Retry::Later, "{}", entry.name);
        assert_eq!(problem["code"], entry.name);
        assert_eq!(problem["party"], entry.party.name());
        assert_eq!(problem["phase"], entry.phase.name());
        assert_eq!(problem["reached"], entry.reached.name());
    }
}

#[test]
fn every_form_names_what_a_visitor_needs() {
    for entry in &TABLE {
        let verdict = verdict(entry);
        let title = match (Number::find(verdict.number), entry.sent) {
            (Some(number), _) => number.title,
            (None, _) if entry.party == Party::Policy => "Idle connection closed",
            (None, _) => "No answer could be sent",
        };
        for format in Format::ALL {
            let body = rendered(&notice(&verdict), format);
            let html = body.replace("&#39;", "'");
            for needle in [title, entry.sentence, entry.name, RAY, "Rayline", "shop.example"] {
                assert!(html.contains(needle), "{} as {format:?}: {needle}", entry.name);
            }
            if verdict.number != 0 {
                assert!(body.contains(&verdict.number.to_string()), "{} as {format:?}", entry.name);
            }
            assert!(body.ends_with('\n') && body.len() < 8192, "{} as {format:?}: {}", entry.name, body.len());
        }
    }
}

#[test]
fn the_page_is_whole_and_stands_alone() {
    for entry in &TABLE {
        let verdict = full_verdict(entry);
        let long = "a".repeat(300);
        for host in ["shop.example", "", HOSTILE, long.as_str()] {
            for preview in [false, true] {
                let page = rendered(&Notice { host, preview, ..notice(&verdict) }, Format::Html);
                assert_balanced(&page);
                assert!(!page.contains("{{") || host == HOSTILE, "{}: a hole is left", entry.name);
                for absent in ["<script", "src=", "href=", "url(", "@import", "<link", "<img", "<a "] {
                    assert!(!page.contains(absent), "{}: {absent}", entry.name);
                }
                for part in ["<html lang=\"en\">", "name=\"viewport\"", "noindex, nofollow", "prefers-color-scheme"] {
                    assert!(page.contains(part), "{}: {part}", entry.name);
                }
                assert_eq!(page.matches("rl-bad").count() - style_of(&page).matches("rl-bad").count(), 1);
            }
        }
    }
}

fn style_of(page: &str) -> &str {
    page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(style, _)| style)
}

/// Every element that is opened is closed, in order; a stray `<` fails as well.
fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("unclosed tag in {part}"));
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default();
        match tag {
            _ if tag.starts_with('!') || name == "meta" || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "in {page}"),
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn nothing_of_the_owners_is_shown() {
    let number = OWNERS_NUMBER.to_string();
    for entry in &TABLE {
        let verdict = full_verdict(entry);
        let all = verdict.evidence.to_json(rayline_verdict::Audience::Operator).to_string();
        assert!(all.contains(OWNERS_WORD) && all.contains(&number) && all.contains(OWNERS_ADDRESS));
        let notice = notice(&verdict);
        let mut shown: Vec<String> = Format::ALL.iter().map(|format| rendered(&notice, *format)).collect();
        shown.push(error_box(&notice));
        shown.extend(Format::ALL.iter().flat_map(|format| header_list(&notice, *format)).map(|(_, value)| value));
        for text in shown {
            for secret in [OWNERS_WORD, &number, OWNERS_ADDRESS] {
                assert!(!text.contains(secret), "{}: {secret} in {text}", entry.name);
            }
        }
    }
}

#[test]
fn a_hostile_host_stays_a_value() {
    let mut verdict = verdict(Code::VisitorRouteSniMismatch.entry());
    verdict.evidence.add(Fact::Host { host: HOSTILE.to_owned(), server_name: Some(HOSTILE.to_owned()) });
    let notice = Notice { host: HOSTILE, ..notice(&verdict) };

    let problem: Value = serde_json::from_str(&rendered(&notice, Format::Json)).unwrap();
    assert_eq!(problem["zone"], HOSTILE);
    assert_eq!(problem["evidence"]["host"]["host"], HOSTILE);

    let markdown = rendered(&notice, Format::Markdown);
    let matter = markdown.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
    let zone = matter.lines().find_map(|line| line.strip_prefix("zone: ")).unwrap();
    assert_eq!(serde_json::from_str::<String>(zone).unwrap(), HOSTILE);
    assert!(matter.lines().all(|line| line.split_once(": ").is_some()), "{matter}");
    assert_eq!(markdown.lines().filter(|line| line.starts_with('#')).count(), 3);

    let text = rendered(&notice, Format::Text);
    assert_eq!(text.lines().count(), rendered(&Notice { host: "a", ..notice }, Format::Text).lines().count());
    assert!(text.starts_with("error code: 1013\n"));

    let page = CustomPage::parse("<p>::CLOUDFLARE_ERROR_1000S_BOX::</p>");
    let mut out = Vec::new();
    page.render(&notice, &mut out);
    assert_balanced(std::str::from_utf8(&out).unwrap());
}

#[test]
fn an_origins_own_error_is_called_its_own() {
    for number in [500, 502, 503, 504, 507, 521] {
        let mut evidence = Evidence::default();
        evidence.add(Fact::OriginStatus(number));
        let verdict = Verdict { number, evidence, ..verdict(Code::OriginWaitErrorStatus.entry()) };
        let problem: Value = serde_json::from_str(&rendered(&notice(&verdict), Format::Json)).unwrap();
        assert_eq!(problem["error_category"], "origin", "{number}");
        assert_eq!(problem["status"], number);
        assert_eq!(problem["evidence"]["origin_status"], number);
        assert!(problem["detail"].as_str().unwrap().ends_with(&format!("It sent the status {number}.")));
    }
}

#[test]
fn custom_pages_are_filled() {
    let verdict = verdict(Code::OriginConnectRefused.entry());
    let notice = notice(&verdict);
    let filled = |text: &str| {
        let mut out = Vec::new();
        CustomPage::parse(text).render(&notice, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        filled("<p>::CLIENT_IP:: ::RAY_ID:: ::GEO:: ::NOTHING:: ::</p>"),
        format!("<p>203.0.113.7 {RAY} LU ::NOTHING:: ::</p>")
    );
    for token in
        ["CLOUDFLARE_ERROR_500S_BOX", "CLOUDFLARE_ERROR_1000S_BOX", "RAYLINE_ERROR_500S_BOX", "RAYLINE_ERROR_1000S_BOX"]
    {
        let text = format!("<body>::{token}::</body>");
        assert!(CustomPage::parse(&text).has_box());
        assert_eq!(filled(&text), format!("<body>{}</body>", error_box(&notice)));
    }
    assert!(!CustomPage::parse("<body>::RAY_ID::</body>").has_box());
    assert_balanced(&error_box(&notice));
}

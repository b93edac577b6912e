//! A notice in the shape that each kind of receiver reads.
//!
//! Names in it (hosts, paths, evidence) are chosen by whoever sends requests, so what a service would take for markup is
//! escaped or put into code.

use serde_json::{Value, json};

use super::deliver::Address;
use super::notice::{Notice, State};

/// The body for a receiver; `None` for those that are not spoken to by HTTP.
pub fn shape(address: &Address, notice: &Notice) -> Option<Value> {
    match address {
        Address::Webhook { .. } => Some(webhook(notice)),
        Address::Slack { .. } => Some(slack(notice)),
        Address::Discord { .. } => Some(discord(notice)),
        Address::Teams { .. } => Some(teams(notice)),
        Address::PagerDuty { routing_key, .. } => Some(pagerduty(notice, routing_key)),
        Address::Email { .. } | Address::Command { .. } => None,
    }
}

fn webhook(notice: &Notice) -> Value {
    let mut body = serde_json::to_value(notice).unwrap_or_default();
    if let Some(object) = body.as_object_mut() {
        object.insert("text".to_owned(), text(notice).into());
    }
    body
}

/// "Formatting text for app surfaces": `&`, `<` and `>` are escaped, and nothing else is.
fn slack(notice: &Notice) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let code = |text: &str| format!("`{}`", escaped(&text.replace('`', "'")));
    let mut lines = vec![format!("*Whose fault:* {}", escaped(notice.whose()))];
    if !notice.code.is_empty() {
        lines.push(format!("*Verdict:* {} ({})", code(&notice.code), escaped(&notice.summary)));
    }
    lines.push(escaped(&counted(notice)));
    lines.extend(notice.places.iter().map(|place| format!("• {}", code(place))));
    lines.extend(notice.evidence.iter().map(|fact| format!("• {}: {}", code(&fact.name), code(&fact.value))));
    let mut blocks = vec![
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(&format!("{} *{}*", mark(notice), escaped(&notice.headline)), 2_900) } }),
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(&lines.join("\n"), 2_900) } }),
    ];
    if !notice.steps.is_empty() && notice.state != State::Resolved {
        let steps: Vec<String> = numbered(notice).map(|step| escaped(&step)).collect();
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(&format!("*What to do*\n{}", steps.join("\n")), 2_900) } }));
    }
    if !notice.link.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": [
            { "type": "button", "text": { "type": "plain_text", "text": "Open in Rayline" }, "url": notice.link },
        ] }));
    }
    json!({ "text": cut(&format!("{} {}", mark(notice), escaped(&notice.headline)), 2_900), "blocks": blocks })
}

/// An embed; mentions are switched off.
fn discord(notice: &Notice) -> Value {
    let mut fields = vec![json!({ "name": "Whose fault", "value": notice.whose(), "inline": true })];
    if !notice.code.is_empty() {
        fields.push(json!({ "name": "Verdict", "value": format!("`{}`", notice.code), "inline": true }));
    }
    if !notice.evidence.is_empty() {
        fields.push(json!({ "name": "Evidence", "value": cut(&fenced(notice), 1_000) }));
    }
    if !notice.steps.is_empty() && notice.state != State::Resolved {
        fields.push(
            json!({ "name": "What to do", "value": cut(&numbered(notice).collect::<Vec<_>>().join("\n"), 1_000) }),
        );
    }
    let mut embed = json!({
        "title": cut(&format!("{} {}", mark(notice), notice.headline), 250),
        "description": cut(&format!("{}\n{}", counted(notice), notice.summary), 2_000),
        "color": color(notice),
        "fields": fields,
        "timestamp": notice.since,
    });
    if let Some(embed) = embed.as_object_mut().filter(|_| !notice.link.is_empty()) {
        embed.insert("url".to_owned(), notice.link.clone().into());
    }
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// A message with an adaptive card, as workflows take it.
fn teams(notice: &Notice) -> Value {
    let mut facts = vec![
        json!({ "title": "Whose fault", "value": notice.whose() }),
        json!({ "title": "Since", "value": notice.since }),
        json!({ "title": "How many", "value": counted(notice) }),
    ];
    if !notice.code.is_empty() {
        facts.insert(1, json!({ "title": "Verdict", "value": notice.code }));
    }
    facts.extend(notice.evidence.iter().map(|fact| json!({ "title": fact.name, "value": plain(&fact.value) })));
    let mut body = vec![
        json!({ "type": "TextBlock", "size": "medium", "weight": "bolder", "wrap": true, "text": format!("{} {}", mark(notice), plain(&notice.headline)) }),
        json!({ "type": "FactSet", "facts": facts }),
    ];
    if notice.state != State::Resolved {
        body.extend(numbered(notice).map(|step| json!({ "type": "TextBlock", "wrap": true, "text": step })));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if let Some(card) = card.as_object_mut().filter(|_| !notice.link.is_empty()) {
        let open = json!([{ "type": "Action.OpenUrl", "title": "Open in Rayline", "url": notice.link }]);
        card.insert("actions".to_owned(), open);
    }
    json!({ "type": "message", "attachments": [
        { "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card },
    ] })
}

/// An event of the Events API, version 2: the same `dedup_key` ends what it began.
fn pagerduty(notice: &Notice, routing_key: &str) -> Value {
    let action = if notice.state == State::Resolved { "resolve" } else { "trigger" };
    let mut details = webhook(notice);
    if let Some(details) = details.as_object_mut() {
        details.remove("text");
    }
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": cut(&notice.id, 255),
        "payload": {
            "summary": cut(&notice.headline, 1_000),
            "source": if notice.zone.is_empty() { "rayline" } else { &notice.zone },
            "severity": if notice.failed > 0 { "error" } else { "warning" },
            "timestamp": notice.since,
            "component": notice.party,
            "class": notice.code,
            "custom_details": details,
        },
    });
    if let Some(event) = event.as_object_mut().filter(|_| !notice.link.is_empty()) {
        event.insert("links".to_owned(), json!([{ "href": notice.link, "text": "Open in Rayline" }]));
    }
    event
}

/// The whole notice as plain text: the body of a mail.
pub(super) fn text(notice: &Notice) -> String {
    let mut text = format!("{}\n\nwhose fault: {}\n", notice.headline, notice.whose());
    if !notice.code.is_empty() {
        text += &format!("verdict: {} ({})\n", notice.code, notice.summary);
    }
    text += &format!("{}\n", counted(notice));
    let list = |title: &str, items: Vec<String>| {
        let items: String = items.iter().map(|item| format!("  {item}\n")).collect();
        if items.is_empty() { items } else { format!("\n{title}\n{items}") }
    };
    text += &list("where", notice.places.clone());
    text += &list("evidence", notice.evidence.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect());
    if notice.state != State::Resolved {
        text += &list("what to do", numbered(notice).collect());
    }
    if !notice.ray_id.is_empty() {
        text += &format!("\nthe last such request: rayline ray {}\n", notice.ray_id);
    }
    if !notice.link.is_empty() {
        text += &format!("more: {}\n", notice.link);
    }
    text
}

fn counted(notice: &Notice) -> String {
    let since = match &notice.until {
        Some(until) => format!("from {} to {until}", notice.since),
        None => format!("since {}", notice.since),
    };
    match notice.requests {
        0 => since,
        requests => format!("{since}: {} of {requests} requests failed in the last look", notice.failed),
    }
}

fn numbered(notice: &Notice) -> impl Iterator<Item = String> {
    notice.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1))
}

/// In a code block, where nothing is markup but the end of the block.
fn fenced(notice: &Notice) -> String {
    let facts: Vec<String> = notice.evidence.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect();
    format!("```\n{}\n```", cut(&facts.join("\n").replace('`', "'"), 900))
}

/// Cards read Markdown: what would be a link or an emphasis is not.
fn plain(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '[' | ']' | '*' | '_' | '`' | '<' | '>') { ' ' } else { c }).collect()
}

const fn mark(notice: &Notice) -> &'static str {
    match notice.state {
        State::Firing => "🔴",
        State::Ongoing => "🟠",
        State::Resolved => "🟢",
    }
}

const fn color(notice: &Notice) -> u32 {
    match notice.state {
        State::Firing => 0x00d6_2828,
        State::Ongoing => 0x00f0_8c00,
        State::Resolved => 0x002f_9e44,
    }
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

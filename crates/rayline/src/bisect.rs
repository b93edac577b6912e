//! `rayline bisect`: which rules cause a failure, found by copies of the failing request that go without some of them.
//!
//! The copies bear a field that the running edge has signed for each of them; what visitors are served is the same as ever.

mod copies;
mod view;

use std::io;
use std::time::Duration;

use rayline_diagnose::bisect::{Bounds, Culprit, Found, Tried, search};
use serde_json::{Value, json};
use url::Url;

use crate::cli::Global;
use crate::cli::bisect::BisectArgs;
use crate::output::{self, Exit};
use crate::tail::admin::{Admin, Trouble};
use crate::tail::find_admin;
use copies::{Copies, Seen};

/// What is to be found out, and how.
struct Question {
    url: Url,
    method: String,
    fields: Vec<(String, String)>,
}

/// What came of it.
struct Answer {
    question: Question,
    /// What everybody gets.
    baseline: Seen,
    /// The parts of the zone, as the edge names them.
    parts: Vec<Part>,
    found: Found,
    /// Copies that were sent.
    tries: usize,
    versions: Option<Versions>,
}

/// A part of the plan.
struct Part {
    id: String,
    group: String,
    whole: Value,
}

/// What the versions of the configuration say.
enum Versions {
    /// The oldest that is kept fails as well.
    AllFail { oldest: u64 },
    /// It began with this one; how it differs from the one before.
    Began { with: u64, before: u64, diff: String },
    /// There is none to compare with.
    None,
}

pub(crate) fn run(args: &BisectArgs, global: &Global) -> io::Result<Exit> {
    if !args.is_unsafe && !matches!(args.method.as_str(), "GET" | "HEAD") {
        output::fail(
            &format!("`{}` may change something at the origin, and would be sent many times", args.method),
            Some("add --unsafe if that is meant, or ask with GET"),
        );
        return Ok(Exit::Usage);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answered = match find_admin(args.config.as_deref(), args.admin) {
        Ok(admin) => runtime.block_on(answer(&admin, args)),
        Err(trouble) => Err(trouble),
    };
    match answered {
        Ok(answer) => {
            view::show(&mut output::stdout(), &answer, global)?;
            Ok(answer.exit())
        }
        Err(Trouble { message, hint }) => {
            output::fail(&message, hint.as_deref());
            Ok(Exit::CouldNotRun)
        }
    }
}

fn trouble(message: impl Into<String>) -> Trouble {
    Trouble { message: message.into(), hint: None }
}

async fn answer(admin: &Admin, args: &BisectArgs) -> Result<Answer, Trouble> {
    let question = question(admin, args).await?;
    let parts = parts(admin, &question).await?;
    let mut copies = Copies::new(admin, args, &question).await?;
    let baseline = copies.baseline().await?;
    let ids: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
    let bounds = Bounds { tries: args.tries, ..Bounds::default() };
    let groups = groups(&parts);
    let found = search(&groups, bounds, async |off: &[usize]| {
        let off: Vec<&str> = off.iter().filter_map(|part| ids.get(*part).copied()).collect();
        copies.tried(&off, None).await
    })
    .await?;
    let versions = match found {
        Found::Without(Tried::Fails) => Some(first_version(admin, &mut copies).await?),
        Found::Culprits(_) if args.versions => Some(first_version(admin, &mut copies).await?),
        _ => None,
    };
    Ok(Answer { tries: copies.sent(), question, baseline, parts, found, versions })
}

/// A number for each part's group, in the order in which groups come.
fn groups(parts: &[Part]) -> Vec<usize> {
    let mut known: Vec<&str> = Vec::new();
    let number = |part| {
        let Part { group, .. }: &Part = part;
        known.iter().position(|name| name == group).unwrap_or_else(|| {
            known.push(group);
            known.len() - 1
        })
    };
    parts.iter().map(number).collect()
}

/// What was asked for: the URL, or what the edge's record has of the Ray ID.
async fn question(admin: &Admin, args: &BisectArgs) -> Result<Question, Trouble> {
    let mut fields: Vec<(String, String)> =
        args.header.iter().map(|field| (field.0.clone(), field.1.clone())).collect();
    if args.what.contains("://") {
        let url = Url::parse(&args.what).map_err(|error| trouble(format!("`{}` is no URL: {error}", args.what)))?;
        return Ok(Question { url, method: args.method.clone(), fields });
    }
    let digits = args.what.split('-').next().unwrap_or_default().to_ascii_lowercase();
    if digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(trouble(format!("`{}` is neither a URL nor a Ray ID, which has 16 hex digits", args.what)));
    }
    let record = admin.ray(&digits).await?;
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let scheme = if text("ClientSSLProtocol") == "none" { "http" } else { "https" };
    let url = format!("{scheme}://{}{}", text("ClientRequestHost"), text("ClientRequestURI"));
    let url = Url::parse(&url).map_err(|error| trouble(format!("the record of `{digits}` names no URL: {error}")))?;
    let method = text("ClientRequestMethod").to_owned();
    if !args.is_unsafe && !matches!(method.as_str(), "GET" | "HEAD") {
        let message = format!("the request `{digits}` is a {method}, which may change something at the origin");
        return Err(Trouble { message, hint: Some("add --unsafe if it may be sent again and again".to_owned()) });
    }
    let agent = text("ClientRequestUserAgent");
    if !agent.is_empty() && !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        fields.push(("User-Agent".to_owned(), agent.to_owned()));
    }
    Ok(Question { url, method, fields })
}

async fn parts(admin: &Admin, question: &Question) -> Result<Vec<Part>, Trouble> {
    let host = question.url.host_str().unwrap_or_default();
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("host", host).finish();
    let result = admin.get(&format!("/api/replays/parts?{query}")).await?;
    let listed = result.get("parts").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |part: &Value, name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(listed.into_iter().map(|whole| Part { id: text(&whole, "id"), group: text(&whole, "group"), whole }).collect())
}

/// The first of the kept versions that fails, by halving: what fails once is taken to fail from then on.
async fn first_version(admin: &Admin, copies: &mut Copies<'_>) -> Result<Versions, Trouble> {
    let result = admin.get("/api/config/versions").await?;
    let listed = result.as_array().or_else(|| result.get("versions")?.as_array());
    let mut numbers: Vec<u64> =
        listed.into_iter().flatten().filter_map(|version| version.get("version")?.as_u64()).collect();
    numbers.sort_unstable();
    let (Some(&oldest), true) = (numbers.first(), numbers.len() > 1) else { return Ok(Versions::None) };
    if copies.tried(&[], Some(oldest)).await? == Tried::Fails {
        return Ok(Versions::AllFail { oldest });
    }
    // `good` does not fail; whatever `bad` points at does, or is the running one
    let (mut good, mut bad) = (0, numbers.len() - 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        let Some(&version) = numbers.get(middle) else { break };
        match copies.tried(&[], Some(version)).await? {
            Tried::Fails => bad = middle,
            Tried::Works | Tried::Otherwise => good = middle,
        }
    }
    let (Some(&before), Some(&with)) = (numbers.get(good), numbers.get(bad)) else { return Ok(Versions::None) };
    let diff = admin.get(&format!("/api/config/diff?from={before}&to={with}")).await?;
    let diff = diff.get("diff").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Versions::Began { with, before, diff })
}

impl Answer {
    fn exit(&self) -> Exit {
        match (&self.found, &self.versions) {
            (Found::NoFailure(Tried::Works), _) => Exit::Fine,
            (Found::Culprits(_), _) | (_, Some(Versions::Began { .. })) => Exit::Fault,
            (Found::NoFailure(_) | Found::Without(_) | Found::Unfinished(_), _) => Exit::CouldNotRun,
        }
    }

    fn culprits(&self) -> &[Culprit] {
        match &self.found {
            Found::Culprits(culprits) | Found::Unfinished(culprits) => culprits,
            Found::NoFailure(_) | Found::Without(_) => &[],
        }
    }

    /// The object of `--json`.
    fn to_json(&self) -> Value {
        let culprit = |culprit: &Culprit| {
            let parts: Vec<&Value> =
                culprit.parts.iter().filter_map(|part| Some(&self.parts.get(*part)?.whole)).collect();
            json!({ "parts": parts, "without": tried_word(culprit.without) })
        };
        let versions = self.versions.as_ref().map(|versions| match versions {
            Versions::AllFail { oldest } => json!({ "all_fail": true, "oldest": oldest }),
            Versions::Began { with, before, diff } => json!({ "first": with, "before": before, "diff": diff }),
            Versions::None => json!({ "kept": 1 }),
        });
        json!({
            "url": self.question.url.as_str(),
            "method": self.question.method,
            "baseline": self.baseline.to_json(),
            "parts": self.parts.len(),
            "tries": self.tries,
            "found": match self.found {
                Found::NoFailure(_) => "no_failure",
                Found::Without(_) => "without_rules",
                Found::Culprits(_) => "culprits",
                Found::Unfinished(_) => "unfinished",
            },
            "culprits": self.culprits().iter().map(culprit).collect::<Vec<_>>(),
            "versions": versions,
        })
    }
}

fn tried_word(tried: Tried) -> &'static str {
    match tried {
        Tried::Fails => "fails",
        Tried::Works => "works",
        Tried::Otherwise => "fails otherwise",
    }
}

/// How long a try may take at most, for whoever asks.
fn patience(args: &BisectArgs) -> Duration {
    args.timeout.0
}

//! `rayline bisect`: which rules cause a failure, found by copies of the failing request that go without some of them.
//!
//! The copies bear a field that the running edge has signed for each of them; what visitors are served is the same as ever.

mod edge;
mod view;

use std::io;

use rayline_diagnose::Watcher as _;
use rayline_diagnose::bisect::{Bounds, Copies, Found, Part, Replays as _, Reply, Tried, groups, search};
use rayline_diagnose::fetch::{Ask, dialer};
use rayline_diagnose::trust::Trust;
use rayline_dial::{Protocols, Tls};
use serde_json::{Value, json};
use url::Url;

use crate::cli::Global;
use crate::cli::bisect::{BisectArgs, What};
use crate::diagnose::view::View;
use crate::output::{self, Exit};
use crate::tail::admin::{Admin, Trouble};
use crate::tail::find_admin;

const NAME: &str = "bisect";
/// Bytes of a body that are read: only the head tells.
const BODY_BYTES: usize = 4096;

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
    baseline: Reply,
    /// What can be switched off.
    parts: Vec<Part>,
    found: Found,
    /// Copies that were sent.
    tries: u64,
    versions: Option<Versions>,
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
        Ok(admin) => {
            let view = View::new(true);
            let answered = runtime.block_on(answer(&admin, args, &view));
            view.end();
            answered
        }
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

async fn answer(admin: &Admin, args: &BisectArgs, view: &View) -> Result<Answer, Trouble> {
    let question = question(admin, args).await?;
    let parts = admin.parts(question.url.host_str().unwrap_or_default()).await?;
    let to = match args.edge {
        Some(edge) => vec![edge],
        None => admin.listeners(question.url.scheme()).await?,
    };
    let dialer = dialer(&Trust::default()).map_err(|error| trouble(error.to_string()))?;
    let is_good = |reply: &Reply| match args.expect {
        Some(expected) => reply.status == expected,
        None => (100..400).contains(&reply.status) && reply.code.is_none(),
    };
    view.began(NAME, "sending copies that go without some rules");
    let told = |sent| view.went_on(NAME, sent, None);
    let mut copies = Copies::new(admin, (ask(&question, args), to, &dialer), &is_good, &told);
    let baseline = copies.baseline().await;
    if baseline.status == 0 && baseline.code.is_none() {
        return Err(trouble("the edge gave no answer in time"));
    }
    let ids: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
    let bounds = Bounds { tries: args.tries, ..Bounds::default() };
    let found = search(&groups(&parts), bounds, async |off: &[usize]| {
        let off: Vec<&str> = off.iter().filter_map(|part| ids.get(*part).copied()).collect();
        copies.tried(&off, None).await
    })
    .await?;
    let versions = match found {
        Found::Without(Tried::Fails) => Some(first_version(admin, &mut copies).await?),
        Found::Culprits(_) if args.versions => Some(first_version(admin, &mut copies).await?),
        _ => None,
    };
    let tries = copies.sent();
    Ok(Answer { tries, question, baseline, parts, found, versions })
}

/// A copy, but for the field that the edge signs.
fn ask(question: &Question, args: &BisectArgs) -> Ask {
    Ask {
        url: question.url.clone(),
        method: question.method.clone(),
        fields: question.fields.clone(),
        protocols: Protocols::Http1,
        // this very edge is asked: who it is needs no proof
        tls: if question.url.scheme() == "https" { Tls::Full } else { Tls::Off },
        timeout: args.timeout.0,
        body_bytes: BODY_BYTES,
    }
}

/// What was asked for: the URL, or what the edge's record has of the Ray ID.
async fn question(admin: &Admin, args: &BisectArgs) -> Result<Question, Trouble> {
    let mut fields: Vec<(String, String)> =
        args.header.iter().map(|field| (field.0.clone(), field.1.clone())).collect();
    let digits = match &args.what {
        What::Url(url) => return Ok(Question { url: url.0.clone(), method: args.method.clone(), fields }),
        What::Ray(ray) => ray.to_string(),
    };
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

/// The first of the kept versions that fails, by halving: what fails once is taken to fail from then on.
async fn first_version(admin: &Admin, copies: &mut Copies<'_, Admin>) -> Result<Versions, Trouble> {
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

    /// The object of `--json`.
    fn to_json(&self) -> Value {
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
            "found": self.found.name(),
            "culprits": self.found.culprits().iter().map(|culprit| culprit.to_json(&self.parts)).collect::<Vec<_>>(),
            "versions": versions,
        })
    }
}

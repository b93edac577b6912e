//! `rayline config`: the versions of a running edge's configuration, asked of its admin server.

mod view;

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::Global;
use crate::cli::config::{ApplyArgs, ConfigArgs, ConfigCommand, EdgeArgs, RolloutCommand, WordsArgs};
use crate::config_file;
use crate::output::{self, Exit};
use crate::tail::admin::{Admin, Trouble};
use crate::tail::find_admin;

/// What came of asking: what to print, and how to exit.
pub(crate) type Answered = Result<(Value, Exit), Trouble>;

pub(crate) fn run(args: &ConfigArgs, global: &Global) -> io::Result<Exit> {
    let ask = async |admin: &Admin| ask(admin, &args.command).await;
    asked(&args.edge, global, ask, |mut out, result| view::show(&mut out, &args.command, result))
}

/// Asks the running edge, and shows what came of it.
pub(crate) fn asked(
    edge: &EdgeArgs,
    global: &Global,
    ask: impl AsyncFnOnce(&Admin) -> Answered,
    show: impl FnOnce(&mut dyn Write, &Value) -> io::Result<()>,
) -> io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answered = match find_admin(edge.config.as_deref(), edge.admin) {
        Ok(admin) => runtime.block_on(ask(&admin)),
        Err(trouble) => Err(trouble),
    };
    let (result, exit) = match answered {
        Ok(answered) => answered,
        Err(trouble) => return Ok(refused(&trouble)),
    };
    let mut out = output::stdout();
    if global.json {
        for line in format!("{result:#}").lines() {
            writeln!(out, "{}", output::escaped_json(line))?;
        }
    } else {
        show(&mut out, &result)?;
    }
    Ok(exit)
}

/// Says why nothing came of it. Problems of a configuration have several lines each, which stay lines.
fn refused(Trouble { message, hint }: &Trouble) -> Exit {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    output::fail(first, hint.as_deref());
    rest.lines().for_each(|line| output::say(&output::escaped(line)));
    if rest.is_empty() { Exit::CouldNotRun } else { Exit::Fault }
}

/// Shows what became of a change.
pub(crate) fn applied(mut out: &mut dyn Write, result: &Value) -> io::Result<()> {
    view::applied(&mut out, result)
}

async fn ask(admin: &Admin, command: &ConfigCommand) -> Answered {
    let fine = |result| (result, Exit::Fine);
    match command {
        ConfigCommand::List => admin.get("/api/config/versions").await.map(fine),
        ConfigCommand::Show(args) => admin.get(&format!("/api/config/versions/{}", args.version)).await.map(fine),
        ConfigCommand::Diff(args) => {
            let diff = admin.get(&format!("/api/config/diff?from={}&to={}", args.from, args.to)).await?;
            let differs = diff.get("diff").and_then(Value::as_str).is_some_and(|diff| !diff.is_empty());
            Ok((diff, if differs { Exit::Fault } else { Exit::Fine }))
        }
        ConfigCommand::Apply(args) => apply(admin, args).await.map(fine),
        ConfigCommand::Rollback(args) => {
            let mut body = words(&args.words);
            if let (Some(version), Value::Object(body)) = (args.version, &mut body) {
                body.insert("version".to_owned(), version.into());
            }
            admin.post("/api/config/rollback", &body).await.map(fine)
        }
        ConfigCommand::Rollout(args) => match &args.command {
            RolloutCommand::Status => admin.get("/api/config/rollout").await.map(fine),
            RolloutCommand::Abort(args) => admin.post("/api/config/rollout/abort", &words(args)).await.map(fine),
            RolloutCommand::Promote(args) => {
                let mut body = words(&args.words);
                if let Value::Object(body) = &mut body {
                    body.insert("whole".to_owned(), args.whole.into());
                }
                admin.post("/api/config/rollout/promote", &body).await.map(fine)
            }
        },
    }
}

async fn apply(admin: &Admin, args: &ApplyArgs) -> Result<Value, Trouble> {
    let source = config_file::read(&args.file).map_err(|error| Trouble { message: error.to_string(), hint: None })?;
    let mut body = words(&args.words);
    if let Value::Object(body) = &mut body {
        body.insert("text".to_owned(), source.text.into());
        if let Some(first) = args.rollout {
            let steps: Vec<f64> = args.steps.iter().filter_map(|step| step.0).collect();
            let rollout = json!({
                "percent": first.0,
                "steps": (!steps.is_empty()).then_some(steps),
                "dwell_seconds": args.dwell.map(|dwell| dwell.as_secs()),
                "min_requests": args.min_requests,
                "promote": args.by_hand.then_some(false),
            });
            body.insert("rollout".to_owned(), rollout);
        }
    }
    admin.post("/api/config/versions", &body).await
}

/// Who, and why, as the edge takes it.
pub(crate) fn words(words: &WordsArgs) -> Value {
    let author = words.author.clone().or_else(|| std::env::var("USER").ok());
    json!({ "author": author.unwrap_or_default(), "comment": words.comment })
}

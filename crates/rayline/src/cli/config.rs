//! The command line of `rayline config`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::AdminUrl;

/// The versions of a running edge's configuration: see, compare, apply, roll out, go back
#[derive(Debug, Args)]
#[command(
    long_about = "The versions of a running edge's configuration: each has a number, an author, a time, a comment and a \
                  history, and every line of the request log names the one that decided.\n\n\
                  The edge is found by its configuration: --config, else `rayline.toml` here or `/etc/rayline/rayline.toml`, \
                  else 127.0.0.1:8787. The token is RAYLINE_TOKEN, or `admin.token` in the edge's data directory.\n\n\
                  Exits with 0 if it was done, 1 if the edge refuses the change, 3 if the edge cannot be asked.",
    after_help = "Examples:\n  \
                  rayline config list\n  \
                  rayline config diff 6 7\n  \
                  rayline config apply new.toml --comment 'new origin' --rollout 5%\n  \
                  rayline config rollout status\n  \
                  rayline config rollback"
)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
    #[command(flatten)]
    pub(crate) edge: EdgeArgs,
}

/// Which edge.
#[derive(Debug, Args)]
pub(crate) struct EdgeArgs {
    /// The configuration of the edge, by which it is found
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The edge's admin server, on this machine
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) admin: Option<AdminUrl>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// List the versions: who brought each, when, why, and what became of it
    #[command(
        long_about = "List the versions, the newest first: who brought each, when, why, and what became of it.\n\n\
                      --json prints an array of {version, since, source, author, comment, state, running, history: [{at, what, \
                      by, evidence}]}.",
        after_help = "Examples:\n  \
                      rayline config list\n  \
                      rayline config list --json | jq '.[] | select(.state == \"rolled_back\").history[-1].evidence'"
    )]
    List,
    /// Show a version: its text, secrets masked, and its history
    #[command(
        long_about = "Show a version: who brought it, why, what became of it with the evidence, and its text, secrets masked.\n\n\
                      --json prints the object of `list`, with `text`.",
        after_help = "Examples:\n  \
                      rayline config show 7\n  \
                      rayline config show 7 --json | jq -r .text"
    )]
    Show(ShowArgs),
    /// Show what differs between two versions
    #[command(
        long_about = "Show what differs between two versions as a unified diff, secrets masked.\n\n\
                      Exits with 0 if nothing does, with 1 if something does. --json prints {from, to, diff}.",
        after_help = "Examples:\n  \
                      rayline config diff 6 7"
    )]
    Diff(DiffArgs),
    /// Run another configuration, for everybody or step by step
    #[command(
        long_about = "Run another configuration. It is compiled by the edge, in the place of its own file: relative paths start at \
                      that file's folder. One with an error changes nothing, and every problem is shown. Once it runs for \
                      everybody, the edge's file is replaced by it.\n\n\
                      With --rollout it runs for a share of the visitors first, each of them always on the same version, then \
                      step by step for more, as `[rollout]` says. If failures whose party is `owner` or `edge` rise against the \
                      version that runs, in the same time, the edge takes it back by itself and says why. Failures of \
                      origin, network and visitors never do that.\n\n\
                      --json prints {version, outcome, messages}.",
        after_help = "Examples:\n  \
                      rayline config apply new.toml --comment 'move shop to the new origin'\n  \
                      rayline config apply new.toml --rollout 5%\n  \
                      rayline config apply new.toml --rollout --steps 10,50 --dwell 1h\n  \
                      generate-config | rayline config apply -"
    )]
    Apply(ApplyArgs),
    /// Go back to an earlier version
    #[command(
        long_about = "Run the text of an earlier version again, as a new version: that before the running one, or the one named. \
                      While a version is being rolled out, it ends that instead.\n\n\
                      --json prints {version, outcome, messages}.",
        after_help = "Examples:\n  \
                      rayline config rollback\n  \
                      rayline config rollback 5 --comment 'the new origin is not ready'"
    )]
    Rollback(RollbackArgs),
    /// See how a rollout goes, and decide about it
    #[command(
        long_about = "See how a rollout goes, begin its next step, or end it.",
        after_help = "Examples:\n  \
                      rayline config rollout status\n  \
                      rayline config rollout promote\n  \
                      rayline config rollout promote --whole\n  \
                      rayline config rollout abort --comment 'wrong host'"
    )]
    Rollout(RolloutArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The version's number, as in `PlanVersion` of the request log
    #[arg(value_name = "N")]
    pub(crate) version: u64,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The older one
    #[arg(value_name = "A")]
    pub(crate) from: u64,
    /// The newer one
    #[arg(value_name = "B")]
    pub(crate) to: u64,
}

/// Who, and why.
#[derive(Debug, Args)]
pub(crate) struct WordsArgs {
    /// Why; it stands in the version's history
    #[arg(short = 'm', long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
    /// Who; the user of this machine if it is not said
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The configuration; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) words: WordsArgs,
    /// Roll it out, beginning with this share of the visitors [default: the first of the steps]
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, default_missing_value = "", value_parser = percent,
          help_heading = "Rollout")]
    pub(crate) rollout: Option<Percent>,
    /// Percent of the visitors, step by step [default: `steps` of `[rollout]`]
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = percent, requires = "rollout",
          help_heading = "Rollout")]
    pub(crate) steps: Vec<Percent>,
    /// How long each step lasts at least [default: `dwell` of `[rollout]`]
    #[arg(long, value_name = "TIME", value_parser = dwell, requires = "rollout", help_heading = "Rollout")]
    pub(crate) dwell: Option<Duration>,
    /// Requests that either version must have had in a step [default: `min_requests` of `[rollout]`]
    #[arg(long, value_name = "N", requires = "rollout", help_heading = "Rollout")]
    pub(crate) min_requests: Option<u64>,
    /// Each step is begun by `rayline config rollout promote`
    #[arg(long, requires = "rollout", help_heading = "Rollout")]
    pub(crate) by_hand: bool,
}

/// A share of the visitors as it is typed: `5%`, `5`, or nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percent(pub(crate) Option<f64>);

fn percent(text: &str) -> Result<Percent, String> {
    if text.is_empty() {
        return Ok(Percent(None));
    }
    let number = text.trim_end_matches('%').trim().parse().ok().filter(|percent| (0.01..=100.0).contains(percent));
    number.map(|percent| Percent(Some(percent))).ok_or_else(|| "write it as `5%`, from 0.01 to 100".to_owned())
}

/// A time as it is typed: `90s`, `10m`, `1h`.
pub(super) fn dwell(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as `90s`, `10m` or `1h`, at most a week".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = number.parse().ok().and_then(|number: u64| number.checked_mul(unit));
    seconds.filter(|seconds| (1..=7 * 86_400).contains(seconds)).map(Duration::from_secs).ok_or_else(wrong)
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// To which version [default: the one before]
    #[arg(value_name = "N")]
    pub(crate) version: Option<u64>,
    #[command(flatten)]
    pub(crate) words: WordsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    pub(crate) command: RolloutCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// How far it is, what it waits for, and what has come of both versions so far
    Status,
    /// Begin the next step now
    Promote(PromoteArgs),
    /// End it: everybody is back on the version that runs
    Abort(WordsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// Not the next step, but everybody
    #[arg(long)]
    pub(crate) whole: bool,
    #[command(flatten)]
    pub(crate) words: WordsArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_with_or_without_its_sign() {
        for (text, share) in [("5%", Some(5.0)), ("0.5", Some(0.5)), ("100 %", Some(100.0)), ("", None)] {
            assert_eq!(percent(text), Ok(Percent(share)), "{text}");
        }
        for text in ["0", "101%", "x", "-5", "NaN"] {
            assert!(percent(text).is_err(), "{text}");
        }
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(dwell(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0s", "8d", "m", "1.5h", "1w", "99999999999999999999d"] {
            assert!(dwell(text).is_err(), "{text}");
        }
    }
}

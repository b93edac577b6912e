//! The command line of `rayline maintenance`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::config::{EdgeArgs, WordsArgs, dwell};

/// Switch a zone's maintenance on and off, on a running edge
#[derive(Debug, Args)]
#[command(
    long_about = "Maintenance: visitors of the zone get 503 with `Retry-After`, and nothing is asked of the origin. Switching it \
                  on or off is a version of the configuration like any other: `rayline config list` has it with its author, \
                  and `rayline config rollback` takes it back. The edge's file is changed with it; all else in it stays as it \
                  was written.\n\n\
                  The edge is found by its configuration: --config, else `rayline.toml` here or `/etc/rayline/rayline.toml`, \
                  else 127.0.0.1:8787. The token is RAYLINE_TOKEN, or `admin.token` in the edge's data directory.\n\n\
                  Exits with 0 if it was done, 1 if the edge refuses the change, 3 if the edge cannot be asked; `status` exits \
                  with 1 while a zone is in maintenance.",
    after_help = "Examples:\n  \
                  rayline maintenance on --for 30m --comment 'database upgrade'\n  \
                  rayline maintenance on --zone shop.example --retry-after 10m --allow 192.0.2.0/24\n  \
                  rayline maintenance off --zone shop.example\n  \
                  rayline maintenance status --json | jq -r '.[] | select(.enabled).zone'"
)]
pub(crate) struct MaintenanceArgs {
    #[command(subcommand)]
    pub(crate) command: MaintenanceCommand,
    #[command(flatten)]
    pub(crate) edge: EdgeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// Turn visitors away
    #[command(
        long_about = "Turn visitors away with 503. What is not said stays as `[zone.maintenance]` has it: `retry_after`, `allow`, \
                      `paths`, `page`.\n\n\
                      --json prints {version, outcome, messages}.",
        after_help = "Examples:\n  \
                      rayline maintenance on\n  \
                      rayline maintenance on --zone shop.example --for 2h --allow 192.0.2.7 --allow 2001:db8::/32"
    )]
    On(OnArgs),
    /// Serve visitors again
    #[command(
        long_about = "Serve visitors again.\n\n\
                      --json prints {version, outcome, messages}.",
        after_help = "Examples:\n  \
                      rayline maintenance off\n  \
                      rayline maintenance off --zone shop.example --comment 'the upgrade is done'"
    )]
    Off(OffArgs),
    /// See which zones are in maintenance, and until when
    #[command(
        long_about = "See which zones are in maintenance, and until when. Exits with 1 while one is.\n\n\
                      --json prints an array of {zone, enabled, until, retry_after_seconds, allow, paths}.",
        after_help = "Examples:\n  \
                      rayline maintenance status"
    )]
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct OnArgs {
    /// The zone; it may be left out if there is one only
    #[arg(long, value_name = "NAME")]
    pub(crate) zone: Option<String>,
    /// What `Retry-After` says at most [default: as the configuration says, else 5m]
    #[arg(long, value_name = "TIME", value_parser = dwell)]
    pub(crate) retry_after: Option<Duration>,
    /// End it by itself after this time, also if the edge is restarted meanwhile
    #[arg(long = "for", value_name = "TIME", value_parser = dwell)]
    pub(crate) lasts: Option<Duration>,
    /// Serve this address or network all the same; several times. They take the place of those in the configuration
    #[arg(long, value_name = "ADDR")]
    pub(crate) allow: Vec<String>,
    #[command(flatten)]
    pub(crate) words: WordsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OffArgs {
    /// The zone; it may be left out if there is one only
    #[arg(long, value_name = "NAME")]
    pub(crate) zone: Option<String>,
    #[command(flatten)]
    pub(crate) words: WordsArgs,
}

//! The program: reads the command line and hands over to the command.

mod bisect;
mod check;
mod cli;
mod config;
mod config_file;
mod demo;
mod diagnose;
mod explain;
mod generate;
mod import;
mod maintenance;
mod origin_ca;
mod output;
mod rules;
mod serve;
mod service;
mod tail;
mod tls;
mod trace;
mod version;
mod watch;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::output::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, global } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // help for a reader that has gone is nobody's loss
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    output::colour(global.color);
    let outcome = match command {
        Command::Demo(args) => demo::run(&args, &global),
        Command::Serve(args) => serve::run(&args, &global),
        Command::Check(args) => check::run(&args, &global),
        Command::Config(args) => config::run(&args, &global),
        Command::Maintenance(args) => maintenance::run(&args, &global),
        Command::Import(args) => import::run(&args, &global),
        Command::Explain(args) => explain::run(&args, &global),
        Command::Tail(args) => tail::run(&args, &global),
        Command::Diagnose(args) => diagnose::run(&args, &global),
        Command::Ray(args) => diagnose::ray::run(&args, &global),
        Command::Logs(args) => diagnose::logs::run(&args, &global),
        Command::Probe(args) => diagnose::probe::run(&args, &global),
        Command::Ips(args) => diagnose::ips::run(&args, &global),
        Command::Tls(args) => tls::run(&args, &global),
        Command::OriginCa(args) => origin_ca::run(&args, &global),
        Command::Rules(args) => rules::run(&args, &global),
        Command::Bisect(args) => bisect::run(&args, &global),
        Command::Trace(args) => trace::run(&args, &global),
        Command::Version => version::run(&global),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    };
    match outcome {
        Ok(exit) => exit.into(),
        // whoever read our output has seen enough: `rayline explain | head`
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Fine.into(),
        Err(error) => {
            output::fail(&error.to_string(), None);
            Exit::CouldNotRun.into()
        }
    }
}

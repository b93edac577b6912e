//! The laboratory's command line.

use std::process::ExitCode;

use clap::Parser;

/// Rayline beside other proxies, in front of the same origins.
#[derive(Parser)]
enum Command {
    Bench(rayline_lab::bench::Bench),
    Clinic(rayline_lab::clinic::Clinic),
    Overhead(rayline_lab::bench::overhead::Overhead),
    Peers(rayline_lab::peers::Peers),
    Rules(rayline_lab::bench::rules::RulesBench),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Bench(bench) => rayline_lab::bench::run(&bench),
        Command::Overhead(overhead) => rayline_lab::bench::overhead::run(&overhead),
        Command::Clinic(clinic) => rayline_lab::clinic::run(&clinic),
        Command::Peers(peers) => rayline_lab::peers::run(&peers),
        Command::Rules(rules) => rayline_lab::bench::rules::run_rules(&rules),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

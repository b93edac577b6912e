//! The laboratory's command line.

use std::process::ExitCode;

use clap::Parser;

/// Rayline beside other proxies, in front of the same origins.
#[derive(Parser)]
enum Command {
    Bench(rayline_lab::bench::Bench),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Bench(bench) => rayline_lab::bench::run(&bench),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

//! `rayline completions` and `rayline man`: what is made from the command line's own description.

use std::fs;
use std::io::{self, Write as _};

use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::output::Exit;

pub(crate) fn completions(args: &CompletionsArgs) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rayline", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Fine)
}

pub(crate) fn man(args: &ManArgs) -> io::Result<Exit> {
    match &args.dir {
        Some(dir) => {
            fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Cli::command(), dir)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            io::stdout().write_all(&page)?;
        }
    }
    Ok(Exit::Fine)
}

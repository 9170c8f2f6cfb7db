//! The server program. `sheetbend serve` serves; `sheetbend --help` says what can be set.

mod cli;
mod program;

use std::process::ExitCode;

use clap::Parser as _;

use self::cli::{Cli, Command};

fn main() -> ExitCode {
    let Command::Serve(options) = Cli::parse().into_command();
    match program::serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sheetbend: {error}");
            ExitCode::FAILURE
        }
    }
}

//! The program. `sheetbend serve` serves; `sheetbend --help` says what else it can do, and what can be set.

mod chaos;
mod cli;
mod program;

use std::fmt;
use std::process::ExitCode;

use clap::Parser as _;

use self::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().into_command() {
        Command::Serve(options) => exit(program::serve(options)),
        Command::Chaos(options) => exit(chaos::run(&options)),
    }
}

fn exit(result: Result<(), impl fmt::Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sheetbend: {error}");
            ExitCode::FAILURE
        }
    }
}

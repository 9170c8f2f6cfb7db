//! The program. `sheetbend serve` serves; `sheetbend --help` says what else it can do, and what can be set.

mod chaos;
mod cli;
mod program;

use std::fmt;
use std::process::ExitCode;

use clap::Parser as _;

use self::cli::{Cli, Command};
use self::program::{load, maintenance, remote};

fn main() -> ExitCode {
    match Cli::parse().into_command() {
        Command::Serve(options) => exit(program::serve(options)),
        Command::Backup(options) => exit(maintenance::backup(&options)),
        Command::Restore(options) => exit(maintenance::restore(&options)),
        Command::Check(options) => exit(maintenance::check(&options)),
        Command::Export(options) => exit(maintenance::export(&options)),
        Command::Import(options) => exit(maintenance::import(&options)),
        Command::Migrate(options) => exit(maintenance::migrate(&options)),
        Command::Tail(options) => exit(remote::tail(&options)),
        Command::Add(options) => exit(remote::add(&options)),
        Command::Load(options) => exit(load::run(&options)),
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

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A shared board that keeps working when the network does not.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command it serves: that is how `cargo leptos watch` runs it.
    #[command(flatten)]
    serve: Serve,
}

impl Cli {
    /// What to do.
    pub(crate) fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve boards until told to stop (Ctrl+C or SIGTERM)
    Serve(Serve),
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 takes a free one [default: what Leptos.toml says, 127.0.0.1:3000]
    #[arg(long, env = "SHEETBEND_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    /// Folder that holds the database; made if it is not there
    #[arg(long, env = "SHEETBEND_DATA", value_name = "FOLDER", default_value = "data")]
    pub(crate) data: PathBuf,

    /// Another site whose pages may connect, as HOST or HOST:PORT; may be given several times
    #[arg(long = "allow-origin", env = "SHEETBEND_ALLOW_ORIGIN", value_name = "HOST", value_delimiter = ',')]
    pub(crate) allowed_origins: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(args: &[&str]) -> Serve {
        let Command::Serve(serve) =
            Cli::try_parse_from(["sheetbend"].iter().chain(args)).expect("a command line").into_command();
        serve
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serves_with_and_without_the_word() {
        for args in [
            ["serve", "--listen", "127.0.0.1:0", "--data", "x"].as_slice(),
            &["--listen", "127.0.0.1:0", "--data", "x"],
        ] {
            let serve = serve(args);
            assert_eq!((serve.listen.as_deref(), serve.data.to_str()), (Some("127.0.0.1:0"), Some("x")));
        }
    }
}

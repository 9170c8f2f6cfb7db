//! The command line.

use std::fmt;
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
    /// Copy the database into a new file, also while it is served
    Backup(Backup),
    /// Put such a copy in the database's place; no server may be using it
    Restore(Restore),
    /// Walk every board's log from its first change to its last, and say what is broken and where
    Check(Check),
    /// Write a board as JSON, which `import` and the page read
    Export(Export),
    /// Make a board of a file: an export from here, Trello, WeKan, Nextcloud Deck or Todoist, a checklist in Markdown, a table
    /// (CSV), or lines of plain text
    Import(Import),
    /// Move all boards from the folder into a PostgreSQL, and check them there
    Migrate(Migrate),
    /// Print every change to a board as it is saved, until told to stop
    Tail(Tail),
    /// Add cards to a board, and wait until they are saved
    Add(Add),
    /// Put a server under load and say how it fares
    Load(Load),
    /// Be a bad network: a TCP proxy that makes faults, for tests
    Chaos(Chaos),
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 takes a free one [default: what Leptos.toml says, 127.0.0.1:3000]
    #[arg(long, env = "SHEETBEND_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// Another site whose pages may connect, as HOST or HOST:PORT; may be given several times
    #[arg(long = "allow-origin", env = "SHEETBEND_ALLOW_ORIGIN", value_name = "HOST", value_delimiter = ',')]
    pub(crate) allowed_origins: Vec<String>,

    /// Serve the site in this folder in place of the one that is in the program
    #[arg(long, env = "SHEETBEND_SITE", value_name = "FOLDER")]
    pub(crate) site: Option<PathBuf>,

    /// Where monitors find /metrics, /healthz and /readyz; strangers should not reach it [default: nowhere]
    #[arg(long, env = "SHEETBEND_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) metrics_listen: Option<String>,

    #[command(flatten)]
    pub(crate) encryption: Encryption,

    #[command(flatten)]
    pub(crate) limits: Limits,

    /// Take the service worker out of all browsers that have one, with what it has kept of the app: boards then open only while
    /// the server answers. What people have written stays
    #[arg(long, env = "SHEETBEND_NO_SERVICE_WORKER")]
    pub(crate) no_service_worker: bool,
}

/// Where boards are kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Folder that holds the database; made if it is not there
    #[arg(long, env = "SHEETBEND_DATA", value_name = "FOLDER", default_value = "data")]
    pub(crate) data: PathBuf,

    /// Keep boards in this PostgreSQL in place of the folder, as other servers may do at the same time; an address like
    /// postgres://name:password@host/database
    #[arg(long, env = "SHEETBEND_DATABASE", value_name = "ADDRESS", hide_env_values = true)]
    pub(crate) database: Option<String>,

    /// Encrypt the line to that PostgreSQL, and trust only who has a certificate that one in this PEM file has signed. Without it,
    /// ?sslmode=require in the address encrypts, and trusts whom this machine trusts
    #[arg(long, env = "SHEETBEND_DATABASE_CA", value_name = "FILE")]
    pub(crate) database_ca: Option<PathBuf>,
}

impl fmt::Display for Place {
    /// The folder, or that it is a PostgreSQL; not its address, which may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.database {
            Some(_) => f.write_str("PostgreSQL"),
            None => write!(f, "{}", self.data.display()),
        }
    }
}

/// How the line is encrypted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Encryption, and a proxy in front")]
pub(crate) struct Encryption {
    /// Encrypt, with the certificates in this PEM file, the server's own first
    #[arg(long, env = "SHEETBEND_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key, a PEM file
    #[arg(long, env = "SHEETBEND_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// A proxy in front encrypts, and pages are reached by https only: browsers are told to keep to that for a year
    #[arg(long, env = "SHEETBEND_BEHIND_HTTPS")]
    pub(crate) behind_https: bool,

    /// A proxy in front says in X-Forwarded-For who the client is. Without one, anybody could claim to be anybody
    #[arg(long, env = "SHEETBEND_TRUST_PROXY")]
    pub(crate) trust_proxy: bool,
}

/// How much of what all share there is, and how much of it one client may have.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Most open connections
    #[arg(long, env = "SHEETBEND_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 20_000)]
    pub(crate) max_connections: usize,

    /// Most boards one address may follow at once; an IPv6 address is its first 64 bits
    #[arg(long, env = "SHEETBEND_MAX_SOCKETS_PER_ADDRESS", value_name = "NUMBER", default_value_t = 200)]
    pub(crate) max_sockets_per_address: usize,

    /// Most boards one address may make in an hour
    #[arg(long, env = "SHEETBEND_MAX_BOARDS_PER_HOUR", value_name = "NUMBER", default_value_t = 120,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_boards_per_hour: u32,

    /// Most boards in memory
    #[arg(long, env = "SHEETBEND_MAX_ROOMS", value_name = "NUMBER", default_value_t = 10_000)]
    pub(crate) max_rooms: usize,

    /// What one client may say in a second, in KiB, once it has said eight times that; what is more is read later
    #[arg(long, env = "SHEETBEND_MAX_RATE", value_name = "KIB", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub(crate) max_rate: u32,

    /// Most bytes that wait for one client, in KiB; one that is slower than that is told to come back
    #[arg(long, env = "SHEETBEND_MAX_QUEUE", value_name = "KIB", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub(crate) max_queue: u32,

    /// Most seconds that ending takes, once the server is told to
    #[arg(long, env = "SHEETBEND_DRAIN_WITHIN", value_name = "SECONDS", default_value_t = 10)]
    pub(crate) drain_within: u64,
}

/// How to copy a database.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where the copy goes; it must not be there yet
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,

    /// Folder that holds the database
    #[arg(long, env = "SHEETBEND_DATA", value_name = "FOLDER", default_value = "data")]
    pub(crate) data: PathBuf,
}

/// How to put a copy back.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// Folder that holds the database, or will. What is there is kept beside it
    #[arg(long, env = "SHEETBEND_DATA", value_name = "FOLDER", default_value = "data")]
    pub(crate) data: PathBuf,

    /// Put the copy in place even if `check` finds something broken in it
    #[arg(long)]
    pub(crate) broken_too: bool,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What to write.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The board: its link, its key, or its id
    #[arg(value_name = "BOARD")]
    pub(crate) board: String,

    /// The file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// What to make a board of.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// Due times become days in this time zone, such as Europe/Berlin [default: the system's, as TZ says]
    #[arg(long, value_name = "NAME")]
    pub(crate) time_zone: Option<String>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// From where to where.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Folder that holds the database; no server may be using it
    #[arg(long, env = "SHEETBEND_DATA", value_name = "FOLDER", default_value = "data")]
    pub(crate) data: PathBuf,

    /// The PostgreSQL: an address like postgres://name:password@host/database
    #[arg(long, env = "SHEETBEND_DATABASE", value_name = "ADDRESS", hide_env_values = true)]
    pub(crate) database: String,

    /// Encrypt the line to it, and trust only who has a certificate that one in this PEM file has signed
    #[arg(long, env = "SHEETBEND_DATABASE_CA", value_name = "FILE")]
    pub(crate) database_ca: Option<PathBuf>,
}

/// A board on a server.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// The board's link, as in the browser or from Share
    #[arg(value_name = "LINK")]
    pub(crate) link: String,

    /// The name that is shown to others
    #[arg(long, env = "SHEETBEND_NAME", value_name = "NAME", default_value = "")]
    pub(crate) name: String,
}

/// What to print.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) remote: Remote,

    /// One JSON object a line, as docs/protocol.md has log entries, in place of words
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to add.
#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) remote: Remote,

    /// The cards' titles
    #[arg(value_name = "TITLE", required = true)]
    pub(crate) titles: Vec<String>,

    /// The list they go to the end of, by its title [default: the first]
    #[arg(long, value_name = "TITLE")]
    pub(crate) list: Option<String>,

    /// Make that list if there is none
    #[arg(long, requires = "list")]
    pub(crate) make_list: bool,

    /// A file that keeps what is not saved yet. It is sent the next time the file is named
    #[arg(long, value_name = "FILE")]
    pub(crate) outbox: Option<PathBuf>,

    /// Most seconds to wait [default: until Ctrl+C]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) within: Option<u64>,
}

/// How to put a server under load.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The server, as in http://127.0.0.1:3000; several over one PostgreSQL with commas between. Boards are made on it, and stay
    /// there: do not name one that people use
    #[arg(value_name = "SERVER", value_parser = Servers::read)]
    pub(crate) servers: Servers,

    #[command(subcommand)]
    pub(crate) scenario: Scenario,

    /// Print JSON in place of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The server's process, if it is on this machine: its processor time and memory are told too
    #[arg(long, value_name = "NUMBER", global = true)]
    pub(crate) pid: Option<u32>,
}

/// Addresses of servers.
#[derive(Clone, Debug)]
pub(crate) struct Servers(pub(crate) Vec<String>);

impl Servers {
    fn read(text: &str) -> Result<Self, std::convert::Infallible> {
        Ok(Self(text.split(',').map(str::to_owned).collect()))
    }
}

/// What the load is.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Changes at a fixed rate, to everybody on their board
    FanOut(Traffic),
    /// The highest rate at which 99 of 100 deliveries take at most 100 ms and at most one is missing
    Most(Traffic),
    /// Writers who each wait until their change is saved, and make the next
    Durable {
        /// Boards
        #[arg(long, default_value_t = 1, value_parser = some)]
        boards: usize,
        /// Writers, spread over them
        #[arg(long, default_value_t = 50, value_parser = some)]
        writers: usize,
        /// How long
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
    },
    /// People who do nothing
    Idle {
        /// People
        #[arg(long, default_value_t = 5_000, value_parser = some)]
        people: usize,
    },
    /// The server is ended and started again, by you, and all come back at once
    Storm {
        /// People
        #[arg(long, default_value_t = 1_000, value_parser = some)]
        people: usize,
    },
    /// Everybody's line is cut, again and again, while others write
    Chaos {
        /// People whose lines are cut
        #[arg(long, default_value_t = 1_000, value_parser = some)]
        people: usize,
        /// Others, who write
        #[arg(long, default_value_t = 10, value_parser = some)]
        writers: usize,
        /// Changes a second
        #[arg(long, default_value_t = 10.0, value_parser = rate)]
        rate: f64,
        /// Seconds from one cut of a line to the next
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
        every: u64,
        /// Seconds that it is gone
        #[arg(long, default_value_t = 2)]
        away: u64,
        /// How long all that goes on
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
    },
    /// Somebody comes back who has missed changes
    CatchUp {
        /// How many
        #[arg(long, default_value_t = 10_000, value_parser = some)]
        changes: usize,
        /// How often it is measured
        #[arg(long, default_value_t = 20, value_parser = some)]
        times: usize,
    },
}

/// Who writes to whom, and how much.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Traffic {
    /// Boards
    #[arg(long, default_value_t = 1, value_parser = some)]
    pub(crate) boards: usize,

    /// People on each
    #[arg(long, default_value_t = 200, value_parser = some)]
    pub(crate) people: usize,

    /// Of these, so many write
    #[arg(long, default_value_t = 10, value_parser = some)]
    pub(crate) writers: usize,

    /// Changes a second, on all boards together; to begin with, where the highest rate is looked for
    #[arg(long, default_value_t = 200.0, value_parser = rate)]
    pub(crate) rate: f64,

    /// How long, for each rate
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
}

/// At least one.
fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is a number from 1 on".to_owned())
}

/// So many a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "it is a number above 0".to_owned())
}

/// How to be a bad network.
#[derive(Debug, Args)]
#[command(after_long_help = CHAOS)]
pub(crate) struct Chaos {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,

    /// The server's address and port
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) to: String,

    /// What happens: a preset (clear, fast_3g, slow_3g, offline, lossy, flapping, tunnel) or a file with a script
    #[arg(long, value_name = "PRESET|FILE", default_value = "clear")]
    pub(crate) script: String,

    /// Feeds all that is random, in place of the script's own seed
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Take orders from standard input, one a line, until it ends
    #[arg(long)]
    pub(crate) control: bool,
}

/// What there is to say about it.
const CHAOS: &str = r#"The first line on standard output is "Chaos listens on 127.0.0.1:4000". What becomes of each connection is logged on
standard error.

A script is a timeline in JSON:

  {"seed": 7, "repeat_ms": 17000, "steps": [
    {"at_ms": 0, "do": {"fault": "delay", "ms": 100, "jitter_ms": 50}},
    {"at_ms": 15000, "within_ms": 1000, "do": {"fault": "offline"}},
    {"at_ms": 17000, "do": {"fault": "clear"}}]}

Faults (direction is to_server, to_client or both, which is the default):

  clear                                     lift all that holds
  offline                                   cut what is open, refuse what is new
  slow_3g, fast_3g                          in place of what holds: a cell's bandwidth and delay
  refuse                                    reset new connections
  silent_handshake                          take new connections and never answer
  portal                                    answer every new request with 200 and a page of its own
  half_open   [direction]                   stop forwarding, keep connections open
  delay       ms [jitter_ms] [direction]    in order
  bandwidth   kbit_per_s [direction]        shared by all connections
  lose        share [direction]             of packets, which come 200 ms and more later, as TCP sends them again
  cut                                       reset every open connection
  cut_after   bytes [direction]             reset a connection in the middle, once so many more bytes were carried

With --control each line of standard input is a preset, a fault ({"fault": "half_open", "direction": "to_client"}, or
just the word, if nothing needs to be said about it) or a script. A fault happens on top of what holds; a script and a
preset take the place of the script that is playing. Each line is answered with "ok" once it has happened, or with
"error: " and the reason. When standard input ends, so does the proxy."#;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(args: &[&str]) -> Serve {
        match Cli::try_parse_from(["sheetbend"].iter().chain(args)).expect("a command line").into_command() {
            Command::Serve(serve) => serve,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn limits_are_the_servers_own_unless_said_otherwise() {
        let (ours, settings) = (serve(&["serve"]).limits, sheetbend::server::Settings::default());
        assert_eq!(
            (ours.max_connections, ours.max_sockets_per_address, ours.max_boards_per_hour, ours.max_rooms),
            (settings.connections, settings.sockets_per_client, settings.documents_per_hour, settings.rooms)
        );
        assert_eq!(ours.max_rate * 1024, settings.bytes_per_second);
        assert_eq!(ours.max_queue as usize * 1024, settings.outbound_bytes);
        assert_eq!(ours.drain_within, settings.drain_within.as_secs());
    }

    #[test]
    fn serves_with_and_without_the_word() {
        for args in [
            ["serve", "--listen", "127.0.0.1:0", "--data", "x"].as_slice(),
            &["--listen", "127.0.0.1:0", "--data", "x"],
        ] {
            let serve = serve(args);
            assert_eq!((serve.listen.as_deref(), serve.place.data.to_str()), (Some("127.0.0.1:0"), Some("x")));
        }
    }
}

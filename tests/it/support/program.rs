//! The program, run as it is run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sheetbend");

/// The program, in a folder where there is no `Leptos.toml`.
pub(crate) fn program(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", listen, "--data"]).arg(data).current_dir(std::env::temp_dir());
    command
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Self {
        Self::run(&mut program(data, "127.0.0.1:0"))
    }

    /// Kills it, as a power cut would, and starts it again in the same place.
    pub(crate) fn restart(&mut self, data: &Path) {
        self.process.kill().expect("runs");
        self.process.wait().expect("ends");
        *self = Self::run(&mut program(data, &self.address.to_string()));
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("says something");
        let address = line.trim().strip_prefix("Sheetbend serves on http://").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Self { process, address },
            None => panic!("it said {line:?}, and {}", rest(process)),
        }
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().expect("runs");
        self.process.wait().expect("ends");
    }

    /// As a service manager ends it; returns whether it ended well.
    pub(crate) fn terminate(&mut self) -> bool {
        let kill = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(kill.expect("is there").success());
        self.process.wait().expect("ends").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn rest(mut process: Child) -> String {
    let mut text = String::new();
    process.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    text
}

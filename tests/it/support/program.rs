//! The program, run as it is run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

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
        self.stop();
        self.start_again(data);
    }

    /// Kills it, as a power cut would.
    pub(crate) fn stop(&mut self) {
        self.process.kill().expect("runs");
        self.process.wait().expect("ends");
    }

    /// Starts it again in the same place, when it has ended.
    pub(crate) fn start_again(&mut self, data: &Path) {
        *self = Self::run(&mut program(data, &self.address.to_string()));
    }

    /// Waits until it says so on standard error, which nobody may have read from.
    pub(crate) async fn says(&mut self, words: &'static str) {
        let log = self.process.stderr.take().expect("not yet read");
        let (tell, told) = tokio::sync::oneshot::channel();
        // Reads on to the end: a server whose log nobody reads would wait for a reader.
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if line.contains(words) {
                    tell.take().map(|tell| tell.send(()));
                }
            }
        });
        assert!(told.await.is_ok(), "it ended, and did not say {words:?}");
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("says something");
        let place = line.trim().strip_prefix("Sheetbend serves on http");
        let address = place.and_then(|place| place.trim_start_matches('s').strip_prefix("://")?.parse().ok());
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

/// Runs the program, which must not start. Returns the one line it says on standard error.
pub(crate) fn complaint(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.env("RUST_LOG", "off").output().expect("starts");
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!((status.code(), stdout.as_slice()), (Some(1), b"".as_slice()), "{stderr}");
    let line = stderr.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n') && line.starts_with("sheetbend: ") && line.ends_with('.'), "a sentence: {line:?}");
    line.to_owned()
}

fn rest(mut process: Child) -> String {
    let mut text = String::new();
    process.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    text
}

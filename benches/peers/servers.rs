//! The servers that are measured, each a process of its own on one core.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use sheetbend::native::clock;

/// Whom `make bench-peers` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Axum,
    Ws,
    SocketIo,
    SocketIoRecovery,
    SocketIoSqlite,
    SocketioxideSqlite,
    YWebsocket,
    Hocuspocus,
    Sheetbend,
}

impl Peer {
    pub(crate) const ALL: [Self; 9] = [
        Self::Axum,
        Self::Ws,
        Self::SocketIo,
        Self::SocketIoRecovery,
        Self::SocketIoSqlite,
        Self::SocketioxideSqlite,
        Self::YWebsocket,
        Self::Hocuspocus,
        Self::Sheetbend,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Axum => "bare axum",
            Self::Ws => "Node ws",
            Self::SocketIo => "Socket.IO",
            Self::SocketIoRecovery => "Socket.IO, recovery",
            Self::SocketIoSqlite => "Socket.IO, recovery, SQLite",
            Self::SocketioxideSqlite => "socketioxide, SQLite",
            Self::YWebsocket => "y-websocket",
            Self::Hocuspocus => "Hocuspocus, SQLite",
            Self::Sheetbend => "Sheetbend",
        }
    }

    /// What holds of a change that was sent on: is it on disk, is it there once if it is resent, and is it sent again to who missed it?
    pub(crate) const fn promises(self) -> [&'static str; 3] {
        match self {
            Self::Axum | Self::Ws | Self::SocketIo => ["no", "no", "no"],
            Self::SocketIoRecovery => ["no", "no", "two minutes, from memory"],
            Self::SocketIoSqlite => ["yes", "in the table, not on the wire", "two minutes, from memory"],
            Self::SocketioxideSqlite => ["yes", "no", "no"],
            Self::YWebsocket => ["no", "yes", "while the process lives"],
            Self::Hocuspocus => ["two seconds later", "yes", "yes, but for what was not on disk"],
            Self::Sheetbend => ["yes", "yes", "yes, from any version, checked"],
        }
    }

    fn command(self, places: &Places) -> Command {
        let node = |file: &str| {
            let mut command = pinned("node");
            command.arg(places.peers.join("servers").join(file)).env("NODE_ENV", "production");
            command
        };
        let rust = |name: &str| pinned(&places.rust.join(name).to_string_lossy());
        match self {
            Self::Axum => rust("axum-broadcast"),
            Self::Ws => node("ws.mjs"),
            Self::SocketIo => with(node("socketio.mjs"), "memory"),
            Self::SocketIoRecovery => with(node("socketio.mjs"), "recovery"),
            Self::SocketIoSqlite => with(node("socketio.mjs"), "sqlite"),
            Self::SocketioxideSqlite => rust("socketioxide-sqlite"),
            Self::YWebsocket => node("y-websocket.mjs"),
            Self::Hocuspocus => node("hocuspocus.mjs"),
            Self::Sheetbend => {
                let mut command = pinned(&places.sheetbend.to_string_lossy());
                // All are at one address here, and make many boards.
                command.args(["serve", "--max-sockets-per-address", "100000", "--max-boards-per-hour", "100000"]);
                command
            }
        }
    }
}

fn with(mut command: Command, mode: &str) -> Command {
    command.env("MODE", mode);
    command
}

/// A server has the first core; this process has the second.
fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", program]);
    command
}

/// Where what is measured was built.
#[derive(Debug)]
pub(crate) struct Places {
    /// The folder of the peers in JavaScript.
    pub(crate) peers: PathBuf,
    /// The folder of those in Rust.
    pub(crate) rust: PathBuf,
    /// The release build.
    pub(crate) sheetbend: PathBuf,
}

/// A server that runs, with an empty folder to keep things in, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    peer: Peer,
    process: Child,
    data: Folder,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(peer: Peer, places: &Places) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let data = Folder::make();
        let process = start(peer, places, &data.0, &free.to_string());
        Self { peer, process, data, address: free.to_string() }
    }

    /// Kills it and starts it again, at the same address with what it kept.
    pub(crate) fn restart(&mut self, places: &Places) {
        self.stop();
        self.process = start(self.peer, places, &self.data.0, &self.address);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    fn stop(&mut self) {
        // It may have ended by itself; what then fails says so.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A folder for a server to keep things in, until it is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make() -> Self {
        let folder = env::temp_dir().join(format!("sheetbend-peers-{}", clock::uuid()));
        fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(peer: Peer, places: &Places, data: &Path, address: &str) -> Child {
    let port = address.rsplit(':').next().unwrap_or_default();
    let mut command = peer.command(places);
    if peer == Peer::Sheetbend {
        command.args(["--listen", address, "--data"]).arg(data).current_dir(data);
    }
    command.env("PORT", port).env("DATA", data).env("RUST_LOG", "off");
    let mut process = command.stdout(Stdio::piped()).spawn().expect("starts");
    let mut said = String::new();
    BufReader::new(process.stdout.take().expect("is piped")).read_line(&mut said).expect("text");
    assert!(!said.is_empty(), "{} does not start", peer.name());
    process
}

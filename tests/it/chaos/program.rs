//! The proxy as a program: how it starts, how it fails to, and how it is steered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sheetbend::server::Settings;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::http::ask;
use crate::support::program::{PROGRAM, complaint};
use crate::support::served::Served;

/// `sheetbend chaos`, steered over its standard input.
struct Program {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Program {
    fn start(to: SocketAddr) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["chaos", "--control", "--to", &to.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        answers.read_line(&mut line).expect("says something");
        let address = line.trim().strip_prefix("Chaos listens on ").expect("as documented");
        let address = address.parse().expect("an address");
        Self { orders: process.stdin.take(), answers, address, process }
    }

    fn say(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().expect("open"), "{order}").expect("is read");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("answers");
        answer.trim().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn it_is_steered_line_by_line() {
    let served = Served::on_sqlite(Settings::default()).await;
    let mut chaos = Program::start(served.address);
    let probe = async |address| ask(address, "HEAD /api/ping?nonce=7", &[], "").await;
    assert_eq!(probe(chaos.address).await.header("x-sheetbend-nonce"), "7");

    assert_eq!(chaos.say(r#"{"fault": "portal"}"#), "ok");
    assert_eq!(probe(chaos.address).await.header("content-type"), "text/html");

    assert_eq!(chaos.say("offline"), "ok");
    // The reset may be there before the connect is seen to be done.
    let refused = async { TcpStream::connect(chaos.address).await?.read(&mut [0; 9]).await };
    let reset = refused.await.expect_err("is reset");
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);

    assert_eq!(chaos.say(r#"{"steps": [{"at_ms": 0, "do": {"fault": "clear"}}]}"#), "ok");
    assert_eq!(probe(chaos.address).await.header("x-sheetbend-nonce"), "7");

    assert!(chaos.say("fog").starts_with("error: \"fog\" is neither"));
    assert!(chaos.say(r#"{"fault": "close", "code": 4404}"#).contains("where frames end"));

    chaos.orders = None;
    assert!(chaos.process.wait().expect("ends").success(), "with its standard input it ends");
}

#[test]
fn what_cannot_be_played_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script.json");
    let chaos =
        |script: &str| complaint(Command::new(PROGRAM).args(["chaos", "--to", "127.0.0.1:1", "--script", script]));
    let file_of = |text: &str| {
        std::fs::write(&file, text).expect("writes");
        chaos(file.to_str().expect("text"))
    };
    assert!(chaos("fog").contains("neither a preset nor a file"));
    assert!(file_of("{").contains("is not a script"));
    assert!(file_of(r#"{"steps": [{"at_ms": 0, "do": {"fault": "restart_server"}}]}"#).contains("harness"));
    let nowhere = complaint(Command::new(PROGRAM).args(["chaos", "--to", "nowhere"]));
    assert!(nowhere.contains("\"nowhere\" is not an address"), "{nowhere}");
}

//! Plain requests.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value; empty if it has none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            line.split_once(": ").filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        line.unwrap_or_default()
    }
}

/// Sends one request, `GET /path` say, on a connection of its own.
pub(crate) async fn ask(address: SocketAddr, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(text.as_bytes()).await.expect("is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("is answered, not reset");
    read(&answer)
}

/// Begins a request whose body does not come, as long as what is returned is there.
pub(crate) async fn begin(address: SocketAddr, request: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut text = format!("{request} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(format!("{text}\r\n").as_bytes()).await.expect("is sent");
    stream
}

/// Sends a request whose body comes a byte at a time, for ever, until it is answered.
pub(crate) async fn trickle(address: SocketAddr, request: &str) -> Answer {
    let head = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 4000\r\n\r\n");
    let (mut incoming, mut outgoing) = TcpStream::connect(address).await.expect("connects").into_split();
    outgoing.write_all(head.as_bytes()).await.expect("is sent");
    let trickling = tokio::spawn(async move {
        while outgoing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let mut answer = String::new();
    incoming.read_to_string(&mut answer).await.expect("is answered, not reset");
    trickling.abort();
    read(&answer)
}

fn read(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A line of the metrics.
pub(crate) async fn metric(monitors: SocketAddr, name: &str) -> Option<f64> {
    let answer = ask(monitors, "GET /metrics", &[], "").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    answer.body.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

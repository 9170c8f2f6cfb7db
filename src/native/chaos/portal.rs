//! A captive portal: whatever is asked, the answer is 200 and a page that wants something.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PAGE: &str = "<!doctype html><title>Welcome aboard</title><p>Accept the terms to go online.</p>\n";

/// Most bytes of a request's headers that are read.
const HEADERS: usize = 64 * 1024;

/// Reads a request's headers, answers, and closes.
pub(super) async fn answer(client: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read_buf(&mut head).await {
            Ok(size) if size > 0 && head.len() < HEADERS => {}
            Ok(_) | Err(_) => return,
        }
    }
    let body = if head.starts_with(b"HEAD ") { "" } else { PAGE };
    let size = PAGE.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {size}\r\ncache-control: no-store\r\n\
         connection: close\r\n\r\n{body}"
    );
    // Whoever does not wait for the answer does not need it.
    if client.write_all(answer.as_bytes()).await.is_ok() && client.shutdown().await.is_ok() {
        // Until the client closes: a close with something unread would be a reset, and the answer lost.
        while client.read_buf(&mut head).await.is_ok_and(|size| size > 0) {
            head.clear();
        }
    }
}

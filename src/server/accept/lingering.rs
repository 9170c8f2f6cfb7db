//! A TCP stream that is closed so that the other side gets what was sent last.
//!
//! When a socket is closed with something unread in it, TCP resets the connection, and what was on its way out is lost: the
//! answer to a request that was too large, say. So the sending half is closed first, and what still comes in is read and
//! thrown away for a while (RFC 9112 §9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How long is lingered for at most.
const LINGER: Duration = Duration::from_secs(2);

/// Closes gently when dropped.
#[derive(Debug)]
pub(super) struct Lingering {
    /// Taken out when dropped.
    stream: Option<TcpStream>,
    /// The other side has ended, or the line broke: there is nothing to linger for.
    over: bool,
    tasks: TaskTracker,
}

impl Lingering {
    /// Lingers in one of `tasks`.
    pub(super) const fn new(stream: TcpStream, tasks: TaskTracker) -> Self {
        Self { stream: Some(stream), over: false, tasks }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (room, before) = (buf.remaining(), buf.filled().len());
        let read = self.stream()?.poll_read(cx, buf);
        if let Poll::Ready(read) = &read {
            self.over |= read.is_err() || (room > 0 && buf.filled().len() == before);
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take()
            && !self.over
            && let Ok(runtime) = Handle::try_current()
        {
            self.tasks.spawn_on(linger(stream), &runtime);
        }
    }
}

async fn linger(mut stream: TcpStream) {
    let ended = async {
        stream.shutdown().await?;
        let mut scratch = [0; 4096];
        while stream.read(&mut scratch).await? > 0 {}
        io::Result::Ok(())
    };
    // Whatever happens: the connection is over.
    let _ = timeout(LINGER, ended).await;
}

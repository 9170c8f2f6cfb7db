//! A TCP stream that is closed so that the other side gets what was sent last, and that notes when that side gives a sign of
//! life.
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

use super::Admitted;
use super::pulse::Pulse;

/// How long is lingered for at most.
const LINGER: Duration = Duration::from_secs(2);

/// Closes gently when dropped.
#[derive(Debug)]
pub(super) struct Lingering {
    /// Taken out when dropped.
    stream: Option<TcpStream>,
    /// The other side has ended, or the line broke: there is nothing to linger for.
    over: bool,
    /// The last write found the socket full.
    full: bool,
    pulse: Pulse,
    tasks: TaskTracker,
    /// Whatever becomes of the connection, it counts as long as this is there.
    _admitted: Admitted,
}

impl Lingering {
    /// Lingers in one of `tasks`.
    pub(super) const fn new(stream: TcpStream, pulse: Pulse, tasks: TaskTracker, admitted: Admitted) -> Self {
        Self { stream: Some(stream), over: false, full: false, pulse, tasks, _admitted: admitted }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// What is written into an empty socket says nothing about the other side. What a full one takes does.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if self.full && matches!(written, Poll::Ready(Ok(_))) {
            self.pulse.beat();
        }
        self.full = written.is_pending();
        written
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (room, before) = (buf.remaining(), buf.filled().len());
        let read = self.stream()?.poll_read(cx, buf);
        if let Poll::Ready(read) = &read {
            let came = buf.filled().len() - before;
            self.over |= read.is_err() || (room > 0 && came == 0);
            if came > 0 {
                self.pulse.beat();
            }
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(cx, buf);
        self.wrote(written)
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
        let written = self.stream()?.poll_write_vectored(cx, bufs);
        self.wrote(written)
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

//! From a listener to requests.
//!
//! Not `axum::serve`: that waits for ever for a request's headers, and resets a connection that is closed with something
//! unread in it, so that the client may never read why.

mod deadline;
mod lingering;
mod pulse;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt as _;

pub(super) use self::deadline::TooSlow;
pub(super) use self::pulse::{Pulse, Silence};

use self::lingering::Lingering;
use super::Server;
use super::addresses::{Client, Counting, Kind, Peer};
use super::bucket::Allowance;
use super::metrics::{Metrics, Share};
use super::runtime::Runtime;
use super::store::Store;
use crate::sync::document::Document;

/// Wait before accepting again when the system has no sockets left.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(200);

/// Most bytes that the system takes for a client before it sends them. Without this it takes megabytes: the memory of a slow client
/// would not be bounded, nor the time until it hears the last that is said.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 128 * 1024;

/// The name of HTTP/2 in the handshake of TLS (RFC 9113 §3.2).
const HTTP_2: &[u8] = b"h2";

/// Limits of a connection over HTTP/2. The library bounds what else a client can make it do, such as resetting streams.
mod http_2 {
    use std::time::Duration;

    /// Maximum number of requests at a time.
    pub(super) const STREAMS: u32 = 100;
    /// Maximum size of a request's headers, in bytes.
    pub(super) const HEADERS_BYTES: u32 = 16 * 1024;
    /// Maximum number of bytes that wait for the client to take them, for each request.
    pub(super) const UNSENT_BYTES: usize = 64 * 1024;
    /// A client is asked for a sign of life so often. One that sends half of a frame cannot give it.
    pub(super) const PING_EVERY: Duration = Duration::from_secs(20);
    /// It must answer within this time.
    pub(super) const PONG_WITHIN: Duration = Duration::from_secs(10);
}

/// What a connection is answered that is one too many: the rest of it is not read.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\nx-sheetbend: 1\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 59\r\n\r\n\
    There are too many connections just now. Try again shortly.";

impl<D: Document, S: Store> Server<D, S> {
    /// Serves `app` until [`Server::drain`] is called. `app` is [`Server::router`] with whatever else there is.
    pub async fn serve(&self, listener: TcpListener, app: Router) {
        self.accept(listener, None, app).await;
    }

    /// [`Server::serve`], encrypted.
    pub async fn serve_tls(&self, listener: TcpListener, tls: Arc<ServerConfig>, app: Router) {
        self.accept(listener, Some(tls.into()), app).await;
    }

    async fn accept(&self, listener: TcpListener, tls: Option<TlsAcceptor>, app: Router) {
        self.follow();
        let runtime = &self.inner.runtime;
        let room = Arc::new(Semaphore::new(runtime.settings.connections));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = runtime.draining.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => match self.admit(peer, &room) {
                    Ok(admitted) => {
                        runtime.tasks.spawn(self.clone().talk(stream, tls.clone(), app.clone(), admitted));
                    }
                    Err(why) => self.turn_away(&stream, why),
                },
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "could not accept a connection");
                    sleep(OUT_OF_SOCKETS).await;
                }
            }
        }
    }

    /// Ends the server in good order: no new work is taken, what was taken is committed, clients are told to come back.
    /// Returns whether all that was done within the time set for it.
    pub async fn drain(&self) -> bool {
        let runtime = &self.inner.runtime;
        runtime.draining.cancel();
        runtime.tasks.close();
        timeout(runtime.settings.drain_within, runtime.tasks.wait()).await.is_ok()
    }

    /// Lets a connection in if there is room for it; if not, says why.
    fn admit(&self, peer: SocketAddr, room: &Arc<Semaphore>) -> Result<Admitted, &'static str> {
        let Runtime { settings, addresses, metrics, .. } = &*self.inner.runtime;
        let permit = Arc::clone(room).try_acquire_owned().map_err(|_| "full")?;
        // Behind a proxy all come from its address: it counts them.
        let client = Client::behind(Some(Peer(peer)), &HeaderMap::new(), false).filter(|_| !settings.trust_proxy);
        let most = settings.sockets_per_client.saturating_mul(2);
        let counting = match client {
            Some(client) => Some(addresses.enter(client, Kind::Connection, most).ok_or("client")?),
            None => None,
        };
        let share = Share::of(&metrics.connections, 1);
        Ok(Admitted { peer: Peer(peer), _permit: permit, _counting: counting, _share: share })
    }

    fn turn_away(&self, stream: &TcpStream, why: &'static str) {
        Metrics::count(&self.inner.runtime.metrics.turned_away, "reason", why);
        // Its buffer is empty, and takes so much at once.
        let _ = stream.try_write(TOO_MANY);
    }

    async fn talk(self, stream: TcpStream, tls: Option<TlsAcceptor>, app: Router, admitted: Admitted) {
        let runtime = &self.inner.runtime;
        // Small messages go at once: they are batched where they are made.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        let pulse = Pulse::new();
        let peer = admitted.peer;
        let stream = Lingering::new(stream, pulse.clone(), runtime.tasks.clone(), admitted);
        match tls {
            None => self.serve_requests(stream, pulse, app, peer, false).await,
            Some(tls) => match timeout(runtime.settings.headers_within, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let http_2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
                    self.serve_requests(stream, pulse, app, peer, http_2).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a connection could not be encrypted"),
                Err(_) => tracing::debug!("a connection was not encrypted in time"),
            },
        }
    }

    async fn serve_requests<T>(&self, stream: T, pulse: Pulse, app: Router, peer: Peer, http_2: bool)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let runtime = &self.inner.runtime;
        let (for_sessions, allowance) = (pulse.clone(), Allowance::new(runtime.settings.bytes_per_second));
        let within = runtime.settings.headers_within;
        let app = app.map_request(move |request: Request<Incoming>| {
            let mut request = deadline::limit(request, within);
            request.extensions_mut().insert(for_sessions.clone());
            request.extensions_mut().insert(allowance.clone());
            request.extensions_mut().insert(peer);
            request
        });
        let builder = http(runtime.settings.headers_within);
        let builder = if http_2 { builder.http2_only() } else { builder.http1_only() };
        let service = TowerToHyperService::new(app);
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut silence = pulse.silence(runtime.settings.http_silence);
        let result = tokio::select! {
            result = &mut connection => result,
            // A body that does not come, an answer that is not taken, or nothing to do. A socket is not served here any more.
            () = silence.too_long() => return,
            () = runtime.draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// How requests are read. HTTP/2 has no WebSockets here: one connection would count as one socket, and each must be heard of.
fn http(headers_within: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(headers_within);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(http_2::STREAMS)
        .max_header_list_size(http_2::HEADERS_BYTES)
        .max_send_buf_size(http_2::UNSENT_BYTES)
        .keep_alive_interval(http_2::PING_EVERY)
        .keep_alive_timeout(http_2::PONG_WITHIN);
    builder
}

/// A connection that was let in, as long as it is there.
#[derive(Debug)]
struct Admitted {
    peer: Peer,
    _permit: OwnedSemaphorePermit,
    _counting: Option<Counting>,
    _share: Share,
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

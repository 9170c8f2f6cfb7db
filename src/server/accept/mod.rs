//! From a listener to requests.
//!
//! Not `axum::serve`: that waits for ever for a request's headers, and resets a connection that is closed with something
//! unread in it, so that the client may never read why.

mod lingering;
mod pulse;

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

pub(super) use self::pulse::Pulse;

use self::lingering::Lingering;
use super::Server;
use super::store::Store;
use crate::sync::document::Document;

/// Wait before accepting again when the system has no sockets left.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(200);

impl<D: Document, S: Store> Server<D, S> {
    /// Serves `app` until [`Server::drain`] is called. `app` is [`Server::router`] with whatever else there is.
    pub async fn serve(&self, listener: TcpListener, app: Router) {
        let runtime = &self.inner.runtime;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = runtime.draining.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    runtime.tasks.spawn(self.clone().talk(stream, app.clone()));
                }
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

    async fn talk(self, stream: TcpStream, app: Router) {
        let runtime = &self.inner.runtime;
        // Small messages go at once: they are batched where they are made.
        let _ = stream.set_nodelay(true);
        let pulse = Pulse::new();
        let io = TokioIo::new(Lingering::new(stream, pulse.clone(), runtime.tasks.clone()));
        let for_sessions = pulse.clone();
        let app = app.map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(for_sessions.clone());
            request
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(runtime.settings.headers_within)
                .serve_connection(io, TowerToHyperService::new(app))
                .with_upgrades()
        );
        let result = tokio::select! {
            result = &mut connection => result,
            // A body that does not come, an answer that is not taken, or nothing to do. A socket is not served here any more.
            () = pulse.stopped(runtime.settings.http_silence) => return,
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

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

//! One connection, from the client's first byte to its end.

use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::pump::{End, pump};
use super::{Shared, portal};
use crate::sync::faults::{Connect, Direction};

/// Takes a connection to its end. `cut` breaks it.
pub(super) async fn carry(
    shared: Arc<Shared>,
    mut client: TcpStream,
    connect: Connect,
    cut: CancellationToken,
    number: u64,
) {
    let _counted = Counted::new(&shared);
    // What is small goes at once: the line decides how late things are, not the proxy.
    let _ = client.set_nodelay(true);
    match connect {
        Connect::Accept => forward(&shared, client, &cut, number).await,
        Connect::Refuse => {
            reset(&client);
            tracing::info!(connection = number, "refused");
        }
        Connect::Silent => {
            tracing::info!(connection = number, "taken, and never answered");
            let left = cut.run_until_cancelled(drain(&mut client)).await;
            if left.is_none() {
                reset(&client);
            }
            tracing::info!(
                connection = number,
                end = if left.is_some() { "the client gave up" } else { "cut" },
                "ended"
            );
        }
        Connect::Portal => {
            tracing::info!(connection = number, "reached the portal");
            cut.run_until_cancelled(portal::answer(&mut client)).await;
        }
    }
}

async fn forward(shared: &Shared, mut client: TcpStream, cut: &CancellationToken, number: u64) {
    let mut server = match TcpStream::connect(shared.to).await {
        Ok(server) => server,
        Err(error) => {
            reset(&client);
            tracing::info!(connection = number, %error, "the server cannot be reached");
            return;
        }
    };
    let _ = server.set_nodelay(true);
    tracing::info!(connection = number, "open");
    let (mut up, mut down) = (0, 0);
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::try_join!(
                pump(shared, Direction::ToServer, from_client, to_server, &mut up),
                pump(shared, Direction::ToClient, from_server, to_client, &mut down),
            )
        };
        match cut.run_until_cancelled(both).await {
            Some(Ok(_)) => End::Finished,
            Some(Err(end)) => end,
            None => End::Cut,
        }
    };
    if end != End::Finished {
        reset(&client);
        reset(&server);
    }
    tracing::info!(connection = number, ?end, to_server = up, to_client = down, "ended");
}

/// Makes the close that follows a reset.
fn reset(stream: &TcpStream) {
    // Whoever reset it first needs no reset.
    let _ = stream.set_zero_linger();
}

/// Reads, and does nothing with it, until the other side closes.
async fn drain(stream: &mut TcpStream) {
    let mut buffer = [0; 1_024];
    while stream.read(&mut buffer).await.is_ok_and(|size| size > 0) {}
}

/// Counts as an open connection until dropped.
struct Counted<'a>(&'a Shared);

impl<'a> Counted<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.open.send_modify(|open| *open += 1);
        Self(shared)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

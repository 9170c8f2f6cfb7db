//! Hints among servers about what was written, by `NOTIFY`. They may get lost: then rooms find out when they ask.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::read_only::ReadOnly;
use crate::sync::id::DocumentId;

/// The channel's name.
const CHANNEL: &str = "sheetbend";

/// How long hints are gathered for. `NOTIFY` takes a lock that all commits share, so one says all that was written meanwhile.
const GATHER: Duration = Duration::from_millis(10);

/// Most documents in one notification, which has at most 8,000 bytes (PostgreSQL, `NOTIFY`).
const MOST: usize = 200;

/// Wait before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells other servers which documents were written, until nobody writes any more.
pub(super) async fn tell(pool: Pool, mut written: UnboundedReceiver<DocumentId>) {
    while let Some(first) = written.recv().await {
        sleep(GATHER).await;
        let mut documents = BTreeSet::from([first]);
        while documents.len() < MOST
            && let Ok(next) = written.try_recv()
        {
            documents.insert(next);
        }
        let mut payload = String::new();
        for document in documents {
            // Writing to a string cannot fail.
            let _ = write!(payload, "{document} ");
        }
        let told = async {
            let client = pool.get().await?;
            client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload]).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        if let Err(error) = told.await {
            tracing::debug!(%error, "could not tell other servers what was written; they ask");
        }
    }
}

/// Hears what other servers have written, on a connection of its own, for as long as somebody wants to know. What this one has
/// written is heard too.
pub(super) async fn hear(
    config: Config,
    encryption: MakeRustlsConnect,
    hints: UnboundedSender<DocumentId>,
    read_only: ReadOnly,
) {
    let mut said = false;
    while !hints.is_closed() {
        let listened = tokio::select! {
            listened = listen(&config, encryption.clone(), &hints) => listened,
            // Hints come from where changes go.
            () = read_only.again() => Ok(()),
        };
        if let Err(error) = listened
            && !said
        {
            tracing::warn!(%error, "hints of what other servers write do not come; they are asked for");
            said = true;
        }
        sleep(PAUSE).await;
    }
}

async fn listen(
    config: &Config,
    encryption: MakeRustlsConnect,
    hints: &UnboundedSender<DocumentId>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(encryption).await?;
    let listening = client.batch_execute("LISTEN sheetbend");
    tokio::pin!(listening);
    let mut asked = false;
    loop {
        tokio::select! {
            listens = &mut listening, if !asked => {
                listens?;
                asked = true;
            }
            () = hints.closed() => return Ok(()),
            message = poll_fn(|cx| connection.poll_message(cx)) => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    for document in notification.payload().split_whitespace().filter_map(|id| id.parse().ok()) {
                        // Nobody listens any more: the server ends.
                        let _ = hints.send(document);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}

//! Brings a database's schema to the newest version. Several servers may start at once: one takes a step, the others wait for it.

use tokio_postgres::Client;

/// Step *n* leads from version *n* to *n* + 1. Steps may be added, never changed.
const STEPS: [&str; 2] = [include_str!("migrations/0001_start.sql"), include_str!("migrations/0002_seals.sql")];

/// Why a database was left as it is.
#[derive(Debug)]
pub(super) enum MigrateError {
    /// It is of a later program.
    Newer {
        /// Its version.
        found: i32,
        /// The newest known here.
        known: i32,
    },
    /// PostgreSQL failed.
    Postgres(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// Takes the steps that are missing, each in a transaction.
pub(super) async fn run(client: &mut Client) -> Result<(), MigrateError> {
    let known = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
    make_table(client).await?;
    loop {
        let step = client.transaction().await?;
        // The row is locked until the step is taken.
        let row = step.query_one("SELECT version FROM sheetbend_schema WHERE one = 1 FOR UPDATE", &[]).await?;
        let found: i32 = row.get(0);
        if found > known {
            return Err(MigrateError::Newer { found, known });
        }
        let Some(sql) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) else { return Ok(()) };
        step.batch_execute(sql).await?;
        step.execute("UPDATE sheetbend_schema SET version = $1 WHERE one = 1", &[&(found + 1)]).await?;
        step.commit().await?;
        tracing::info!(from = found, to = found + 1, "migrated the database");
    }
}

async fn make_table(client: &Client) -> Result<(), tokio_postgres::Error> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS sheetbend_schema (one int PRIMARY KEY, version int NOT NULL)";
    const ROW: &str = "INSERT INTO sheetbend_schema VALUES (1, 0) ON CONFLICT DO NOTHING";
    // Of several that make it in the same moment only one does, and the others fail, though they said "if not exists"; with which
    // of several errors depends on how far they came. They fail after the one has committed, so that a second try finds it made.
    if client.batch_execute(TABLE).await.is_err() {
        client.batch_execute(TABLE).await?;
    }
    client.execute(ROW, &[]).await.map(drop)
}

//! Hashes over the rows of documents and their keys, so that an alteration is noticed. No log vouches for them.

use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::failed;
use crate::server::store::{RowFlaw, StoreError, seal};
use crate::sync::digest::Digest;

/// A document's row and its keys, which are in the order of what they allow, as the seal has them.
const ROWS: &str = "SELECT id, created_at, keys_version, seal, version, digest, \
        ARRAY(SELECT access || ' ' || hash FROM keys WHERE document = id ORDER BY access, hash) AS keys, \
        (SELECT log.digest FROM log WHERE log.document = documents.id AND log.version = documents.version) AS log_digest \
    FROM documents WHERE ";

fn computed(row: &tokio_postgres::Row) -> Result<String, StoreError> {
    let id: Uuid = row.try_get(0).map_err(StoreError::failed)?;
    let (created_at, keys_version) =
        (row.try_get(1).map_err(StoreError::failed)?, row.try_get(2).map_err(StoreError::failed)?);
    let keys: Vec<String> = row.try_get(6).map_err(StoreError::failed)?;
    Ok(seal(&id.to_string(), created_at, keys_version, keys.iter().filter_map(|key| key.split_once(' '))))
}

/// Seals a document as it is now.
pub(super) async fn renew(transaction: &Transaction<'_>, id: Uuid) -> Result<(), StoreError> {
    let row = transaction.query_one(&format!("{ROWS} id = $1"), &[&id]).await.map_err(failed)?;
    let seal = computed(&row)?;
    let renew = "UPDATE documents SET seal = $1 WHERE id = $2";
    transaction.execute(renew, &[&seal, &id]).await.map_err(failed)?;
    Ok(())
}

/// Seals the documents that have no seal: they are from before there were seals, or from an older server that still runs.
pub(super) async fn begin(client: &mut tokio_postgres::Client) -> Result<(), StoreError> {
    let unsealed = client.query("SELECT id FROM documents WHERE seal = ''", &[]).await.map_err(failed)?;
    for row in unsealed {
        let id: Uuid = row.try_get(0).map_err(StoreError::failed)?;
        let transaction = client.transaction().await.map_err(failed)?;
        transaction.query("SELECT 1 FROM documents WHERE id = $1 FOR UPDATE", &[&id]).await.map_err(failed)?;
        renew(&transaction, id).await?;
        transaction.commit().await.map_err(failed)?;
    }
    Ok(())
}

/// See [`ReadStore::flaws`](super::ReadStore::flaws).
pub(super) async fn flaws(client: &impl GenericClient) -> Result<Vec<RowFlaw>, StoreError> {
    let mut flaws = Vec::new();
    for row in client.query(&format!("{ROWS} true ORDER BY id"), &[]).await.map_err(failed)? {
        let id: Uuid = row.try_get(0).map_err(StoreError::failed)?;
        let said: String = row.try_get(3).map_err(StoreError::failed)?;
        if computed(&row)? != said {
            flaws.push(RowFlaw::keys(id));
        }
        let (version, digest): (i64, String) =
            (row.try_get(4).map_err(StoreError::failed)?, row.try_get(5).map_err(StoreError::failed)?);
        let found: Option<String> = row.try_get(7).map_err(StoreError::failed)?;
        let genesis = (version == 0).then(|| Digest::GENESIS.to_string());
        if found.or(genesis) != Some(digest) {
            flaws.push(RowFlaw::end(id));
        }
    }
    const STRAYS: &str = "SELECT document FROM keys UNION SELECT document FROM log UNION SELECT document FROM snapshots \
                          EXCEPT SELECT id FROM documents";
    for row in client.query(STRAYS, &[]).await.map_err(failed)? {
        let id: Uuid = row.try_get(0).map_err(StoreError::failed)?;
        flaws.push(RowFlaw::stray(id));
    }
    Ok(flaws)
}

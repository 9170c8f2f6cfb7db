//! Brings a database's schema to the newest version, each step in a transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::seals;

/// `application_id` of the file's header: the letters `Shtb`. It tells `file(1)`, and us, whose database this is.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"Shtb");

/// Step *n* leads from `user_version` *n* to *n* + 1. Steps may be added, never changed.
const STEPS: [&str; 5] = [
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_key_replacement.sql"),
    include_str!("migrations/0003_journal.sql"),
    include_str!("migrations/0004_blocks.sql"),
    include_str!("migrations/0005_seals.sql"),
];

/// The version from which on documents are sealed.
const SEALS: u32 = 5;

/// Why a database was left as it is.
#[derive(Debug)]
pub(super) enum MigrateError {
    /// It is of a later program.
    Newer {
        /// Its version.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// It is of an earlier program, and is only looked at.
    Older,
    /// It is of another program.
    Foreign,
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Looks whether no step is missing.
pub(super) fn check(connection: &Connection) -> Result<(), MigrateError> {
    let known = STEPS.len() as u32;
    if application_id(connection)? != APPLICATION_ID {
        return Err(MigrateError::Foreign);
    }
    match connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? {
        found if found > known => Err(MigrateError::Newer { found, known }),
        found if found < known => Err(MigrateError::Older),
        _ => Ok(()),
    }
}

/// Takes the steps that are missing. A step that fails leaves the database as it was before it.
pub(super) fn run(connection: &mut Connection) -> Result<(), MigrateError> {
    let known = STEPS.len() as u32;
    loop {
        // The version is read under the lock that the step is taken under.
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = step.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
        if !is_ours(&step)? {
            return Err(MigrateError::Foreign);
        }
        if found > known {
            return Err(MigrateError::Newer { found, known });
        }
        let Some(sql) = STEPS.get(found as usize) else { return Ok(()) };
        step.execute_batch(sql)?;
        if found + 1 == SEALS {
            seals::begin(&step)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", found + 1)?;
        step.commit()?;
        tracing::info!(from = found, to = found + 1, "migrated the database");
    }
}

/// Whether the file says that it is ours, or is empty.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let id = application_id(connection)?;
    if id != 0 {
        return Ok(id == APPLICATION_ID);
    }
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn application_id(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> u32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version")
    }

    #[test]
    fn makes_an_empty_database_ours_and_leaves_it_at_that() {
        let mut connection = Connection::open_in_memory().expect("in memory");
        for _ in 0..2 {
            run(&mut connection).expect("migrates");
            assert_eq!(version(&connection), STEPS.len() as u32);
        }
    }

    #[test]
    fn what_an_older_program_kept_is_all_there() {
        let mut connection = Connection::open_in_memory().expect("in memory");
        connection.execute_batch(&STEPS[..3].concat()).expect("an older one");
        connection
            .execute_batch(
                "PRAGMA application_id = 0x53687462; PRAGMA user_version = 3; PRAGMA foreign_keys = 1;
                 INSERT INTO documents (id, version, digest, created_at) VALUES ('d', 3, 'c', 7);
                 INSERT INTO log VALUES ('d', 1, 'a', '00000000-0000-7000-8000-000000000001', 'Ada \"A.\"' || char(0) || '\\', 8,
                     '{\"kind\":\"rename_board\",\"n\":1e2}', NULL);
                 INSERT INTO journal VALUES
                     (1, 'd', 2, 'b', '00000000-0000-7000-8000-000000000002', 'Bob', 9, 'null', '{}'),
                     (2, 'd', 3, 'c', '00000000-0000-7000-8000-000000000003', 'Bob', 9, 'null', NULL)",
            )
            .expect("takes it");
        run(&mut connection).expect("migrates");
        let blocks: Vec<(i64, String, String)> = connection
            .prepare("SELECT last, hex(ids), entries FROM blocks WHERE document = 'd' ORDER BY last")
            .and_then(|mut blocks| blocks.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .expect("reads");
        let entry = |n: u32, digest: &str, rest: &str| {
            let id = format!("00000000-0000-7000-8000-{n:012}");
            let json = format!(r#"[{{"version":{n},"digest":"{digest}","id":"{id}",{rest}}}]"#);
            (i64::from(n), id.replace('-', ""), json)
        };
        assert_eq!(
            blocks,
            [
                entry(
                    1,
                    "a",
                    r#""author":"Ada \"A.\"\u0000\\","timestamp":8,"change":{"kind":"rename_board","n":1e2},"refused":null"#
                ),
                entry(2, "b", r#""author":"Bob","timestamp":9,"change":null,"refused":{}"#),
                entry(3, "c", r#""author":"Bob","timestamp":9,"change":null,"refused":null"#),
            ]
        );
        let told: Vec<(i64, Option<String>, Option<String>)> = connection
            .prepare("SELECT version, kind, refusal FROM history")
            .and_then(|mut told| told.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .expect("reads");
        assert_eq!(
            told,
            [(1, Some("rename_board".to_owned()), None), (2, None, Some("{}".to_owned())), (3, None, None)],
            "the view is there too"
        );
    }

    #[test]
    fn leaves_a_newer_database_alone() {
        let mut connection = Connection::open_in_memory().expect("in memory");
        run(&mut connection).expect("migrates");
        connection.pragma_update(None, "user_version", 99).expect("sets the version");
        assert!(matches!(run(&mut connection), Err(MigrateError::Newer { found: 99, .. })));
        assert_eq!(version(&connection), 99);
    }

    #[test]
    fn leaves_other_programs_databases_alone() {
        let mut connection = Connection::open_in_memory().expect("in memory");
        connection.execute_batch("CREATE TABLE recipes (name TEXT)").expect("a table");
        assert!(matches!(run(&mut connection), Err(MigrateError::Foreign)));

        let mut connection = Connection::open_in_memory().expect("in memory");
        connection.pragma_update(None, "application_id", 7).expect("sets the id");
        assert!(matches!(run(&mut connection), Err(MigrateError::Foreign)));
    }
}

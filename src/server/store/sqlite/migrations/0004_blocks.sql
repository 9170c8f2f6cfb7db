-- Entries are kept as the JSON that clients are sent, in blocks of those that follow each other in one log. The newest blocks are in
-- `journal`, in the order they came; some thousands at a time they move into `blocks`, and become larger ones. As long as a log has
-- entries in the journal, the last of them is its end: `documents` has caught up when they move. `entries` is all of them, as columns.

CREATE TABLE blocks (
    document TEXT NOT NULL REFERENCES documents (id),
    last     INTEGER NOT NULL,              -- the version of the last entry
    ids      BLOB NOT NULL,                 -- of the changes, in order: UUIDs, 16 bytes each, so that there are as many entries
    entries  TEXT NOT NULL,                 -- a JSON array of them
    UNIQUE (document, last)
) STRICT;

INSERT INTO blocks (document, last, ids, entries)
SELECT
    document,
    version,
    unhex(replace(id, '-', '')),
    '[{"version":' || version || ',"digest":"' || digest || '","id":"' || id || '","author":' || json_quote(author)
    || ',"timestamp":' || timestamp || ',"change":' || change || ',"refused":' || coalesce(refusal, 'null') || '}]'
FROM entries
ORDER BY document, version;

DROP VIEW history;
DROP VIEW entries;
DROP TABLE journal;
DROP TABLE log;

CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,           -- 1, 2, 3 … since the last move
    document TEXT NOT NULL,                 -- there is one in `documents`; the rest as in `blocks`
    last     INTEGER NOT NULL,
    ids      BLOB NOT NULL,
    entries  TEXT NOT NULL
) STRICT;

CREATE VIEW entries AS
SELECT
    document,
    entry ->> 'version' AS version,
    entry ->> 'digest' AS digest,
    entry ->> 'id' AS id,
    entry ->> 'author' AS author,
    entry ->> 'timestamp' AS timestamp,
    entry -> 'change' AS change,
    nullif(entry -> 'refused', 'null') AS refusal
FROM (
    SELECT document, value AS entry FROM blocks, json_each(blocks.entries)
    UNION ALL
    SELECT document, value FROM journal, json_each(journal.entries)
);

CREATE VIEW history AS
SELECT
    document,
    version,
    strftime('%Y-%m-%dT%H:%M:%fZ', timestamp / 1000.0, 'unixepoch') AS time,
    author,
    change ->> 'kind' AS kind,
    change,
    refusal
FROM entries
ORDER BY document, version;

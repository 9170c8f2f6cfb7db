-- The newest entries are kept in the order they came, whatever document they are of: a transaction that appends to many logs then changes
-- a page or two at the journal's end, not two or three of each log. Some thousands at a time they move into `log`. An entry is in one of
-- the two; `entries` is both.

CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY,          -- 1, 2, 3 … since the last move
    document  TEXT NOT NULL,                -- there is one in `documents`: its `version` moves with every entry
    version   INTEGER NOT NULL,
    digest    TEXT NOT NULL,
    id        TEXT NOT NULL,                -- of the change: UUID, made by its author
    author    TEXT NOT NULL,                -- the name they went by
    timestamp INTEGER NOT NULL,             -- the server's clock, ms since 1970
    change    TEXT NOT NULL,                -- JSON
    refusal   TEXT,                         -- why it was not applied: JSON; NULL if it was
    UNIQUE (id, document)                   -- ids begin with the time, so that new ones are at this index's end too
) STRICT;

CREATE VIEW entries AS
SELECT document, version, digest, id, author, timestamp, change, refusal FROM log
UNION ALL
SELECT document, version, digest, id, author, timestamp, change, refusal FROM journal;

DROP VIEW history;

CREATE VIEW history AS
SELECT
    document,
    version,
    strftime('%Y-%m-%dT%H:%M:%fZ', timestamp / 1000.0, 'unixepoch') AS time,
    author,
    json_extract(change, '$.kind') AS kind,
    change,
    refusal
FROM entries
ORDER BY document, version;

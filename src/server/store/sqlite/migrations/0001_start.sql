-- What a server knows of documents. `select * from history` reads it as a story.

CREATE TABLE documents (
    id         TEXT PRIMARY KEY,            -- UUID
    version    INTEGER NOT NULL DEFAULT 0,  -- of the last log entry
    digest     TEXT NOT NULL,               -- of the log up to there: 32 hexadecimal digits
    created_at INTEGER NOT NULL             -- ms since 1970
) STRICT, WITHOUT ROWID;

-- The keys that open documents, as SHA-256 in hexadecimal digits. The keys themselves are nowhere.
CREATE TABLE keys (
    hash     TEXT PRIMARY KEY,
    document TEXT NOT NULL REFERENCES documents (id),
    access   TEXT NOT NULL CHECK (access IN ('edit', 'view'))
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_by_document ON keys (document);

-- One log a document. Versions count 1, 2, 3 … without gaps; an id is in a log once.
CREATE TABLE log (
    document  TEXT NOT NULL REFERENCES documents (id),
    version   INTEGER NOT NULL,
    digest    TEXT NOT NULL,
    id        TEXT NOT NULL,                -- of the change: UUID, made by its author
    author    TEXT NOT NULL,                -- the name they went by
    timestamp INTEGER NOT NULL,             -- the server's clock, ms since 1970
    change    TEXT NOT NULL,                -- JSON
    refusal   TEXT,                         -- why it was not applied: JSON; NULL if it was
    PRIMARY KEY (document, version),
    UNIQUE (document, id)
) STRICT, WITHOUT ROWID;

-- The newest snapshot of a document, so that loading it need not replay the whole log.
CREATE TABLE snapshots (
    document TEXT PRIMARY KEY REFERENCES documents (id),
    version  INTEGER NOT NULL,
    digest   TEXT NOT NULL,
    json     TEXT NOT NULL
) STRICT;

CREATE VIEW history AS
SELECT
    document,
    version,
    strftime('%Y-%m-%dT%H:%M:%fZ', timestamp / 1000.0, 'unixepoch') AS time,
    author,
    json_extract(change, '$.kind') AS kind,
    change,
    refusal
FROM log
ORDER BY document, version;

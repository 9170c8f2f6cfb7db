-- What servers know of documents. Each table leads with the document's id, so that it can be spread by it; keys lead with
-- their hash, which is what they are looked up by. Nothing here is PostgreSQL's alone: no sequences, no triggers.

CREATE TABLE documents (
    id           uuid PRIMARY KEY,
    version      bigint NOT NULL DEFAULT 0,  -- of the last log entry
    digest       text NOT NULL,              -- of the log up to there: 32 hexadecimal digits
    created_at   bigint NOT NULL,            -- ms since 1970
    keys_version bigint NOT NULL DEFAULT 0   -- how often its keys were replaced
);

-- The keys that open documents, as SHA-256 in hexadecimal digits. The keys themselves are nowhere.
CREATE TABLE keys (
    hash     text PRIMARY KEY,
    document uuid NOT NULL,
    access   text NOT NULL CHECK (access IN ('edit', 'view'))
);

CREATE INDEX keys_by_document ON keys (document);

-- One log a document. Versions count 1, 2, 3 … without gaps; an id is in a log once.
CREATE TABLE log (
    document  uuid NOT NULL,
    version   bigint NOT NULL,
    digest    text NOT NULL,
    id        uuid NOT NULL,                 -- of the change, made by its author
    author    bytea NOT NULL,                -- the name they went by, UTF-8; it may have a NUL in it
    timestamp bigint NOT NULL,               -- the server's clock, ms since 1970
    change    text NOT NULL,                 -- JSON
    refusal   text,                          -- why it was not applied: JSON; NULL if it was
    PRIMARY KEY (document, version),
    UNIQUE (document, id)
);

-- The newest snapshot of a document, so that loading it need not replay the whole log.
CREATE TABLE snapshots (
    document uuid PRIMARY KEY,
    version  bigint NOT NULL,
    digest   text NOT NULL,
    json     text NOT NULL
);

-- How often a document's keys were replaced: who came with a key from before must go.

ALTER TABLE documents ADD COLUMN keys_version INTEGER NOT NULL DEFAULT 0;

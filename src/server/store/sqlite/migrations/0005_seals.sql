-- What no log vouches for is sealed: an alteration of it is noticed.

-- SHA-256 over id, created_at, keys_version and the document's keys; the program computes those of the documents that there are.
ALTER TABLE documents ADD COLUMN seal TEXT NOT NULL DEFAULT '';

-- SHA-256 over document, version, digest and json. Snapshots without one are not used, and so need not stay: they are made anew
-- of the log. It also has their notes merged as this program merges them.
DELETE FROM snapshots;
ALTER TABLE snapshots ADD COLUMN hash TEXT NOT NULL DEFAULT '';

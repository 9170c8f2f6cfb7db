-- What no log vouches for is sealed: an alteration of it is noticed.

-- SHA-256 over id, created_at, keys_version and the document's keys; the program computes those that are empty.
ALTER TABLE documents ADD COLUMN seal text NOT NULL DEFAULT '';

-- SHA-256 over document, version, digest and json. Snapshots without one are not used: they are made anew of the log.
ALTER TABLE snapshots ADD COLUMN hash text NOT NULL DEFAULT '';

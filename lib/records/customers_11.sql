-- A cluster of machines (CONTRACT 12). What this one is in it is kept here, for all programs that write to this file:
-- `owner` is the one that a standby follows, `last` the number of the last change that was kept or followed, which
-- never goes back.
CREATE TABLE cluster (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    role TEXT NOT NULL CHECK (role IN ('none', 'owner', 'standby')),
    owner TEXT,
    last INTEGER NOT NULL
) STRICT;
INSERT INTO cluster (one, role, last) VALUES (1, 'none', 0);
-- What the office has changed on the owner's machine, until the others can have it; `changes` is NULL where it was too
-- much.
CREATE TABLE cluster_change (
    id INTEGER PRIMARY KEY,
    head TEXT NOT NULL,
    changes BLOB
) STRICT;
-- The names, random, of the last changes in this file: another file with the same names has the same past.
CREATE TABLE cluster_past (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

-- With a primary key, since only rows that have one can be followed.
CREATE TABLE identity_keyed (id TEXT NOT NULL PRIMARY KEY) STRICT;
INSERT OR IGNORE INTO identity_keyed SELECT id FROM identity ORDER BY rowid;
DROP TABLE identity;
ALTER TABLE identity_keyed RENAME TO identity;

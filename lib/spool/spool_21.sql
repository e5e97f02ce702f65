-- Up to which entry of the cluster's journal this file is; no row: it never was in a cluster. Not in the journal itself.
CREATE TABLE journal_position (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL,
  epoch  INTEGER NOT NULL,
  seal   BLOB NOT NULL
) STRICT;

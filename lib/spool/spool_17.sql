-- Outcomes are counted by spool_outcome.c: AUTOINCREMENT reads and writes another table for each. Only dead letters have
-- an `entry`, by which their indexes know them at less cost than by words.
CREATE TABLE outcome_new (
  seq    INTEGER PRIMARY KEY, -- never used again, also when it was the last one and is purged
  stream TEXT NOT NULL,   -- '' (or 'outcomes', in old rows), 'dead' or 'dispatch'
  key    TEXT NOT NULL,   -- the dispatch stream's name; a dead letter's feed, or 'retried'; '' else
  time   INTEGER NOT NULL,
  event  INTEGER,
  job    INTEGER,
  mail   INTEGER,
  entry  TEXT,            -- of a dead letter alone: its stream entry, or a list item's hash, by which it is known again
  again  INTEGER,         -- the seq of the outcome that this one says again, under its id
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  fields BLOB NOT NULL    -- names and values (outcome_pack.c, db/fields.c); the id is made of seq
) STRICT;
INSERT INTO outcome_new SELECT seq, stream, key, time, event, job, mail, iif(stream = 'dead', coalesce(entry, ''), NULL),
  again, status, reason, fields FROM outcome ORDER BY seq;
DROP TABLE outcome;
ALTER TABLE outcome_new RENAME TO outcome;
CREATE INDEX outcome_job ON outcome (job);
CREATE INDEX outcome_entry ON outcome (entry) WHERE entry IS NOT NULL;
CREATE INDEX outcome_dead ON outcome (seq) WHERE entry IS NOT NULL;

-- Which events are on record: `event` has no index of their ids, where each would be at a place of its own. An event's
-- id is a key of 32 bits, a hash that meta.event_secret goes into. Keys of events behind the last row of `event_run`
-- are in memory while the spool is open (spool_keys.c); when they are many, they become a row here, with a filter that
-- says which can't be in it, and their parts in `event_key`, by the key's first bits.
CREATE TABLE event_run (
  id     INTEGER PRIMARY KEY,
  first  INTEGER NOT NULL, -- of its events, as the last one
  last   INTEGER NOT NULL,
  filter BLOB NOT NULL
) STRICT;
CREATE TABLE event_key (
  run  INTEGER NOT NULL REFERENCES event_run (id),
  part INTEGER NOT NULL,
  keys BLOB NOT NULL, -- of each event its key and its id, less the run's first one
  PRIMARY KEY (run, part)
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('event_secret', randomblob(16));

-- `notice` refers to `event`: it steps aside while that is made without the index.
CREATE TABLE notice_aside (mail, event, job, contact, active, superseded, PRIMARY KEY (mail, event)) WITHOUT ROWID;
INSERT INTO notice_aside SELECT mail, event, job, contact, active, superseded FROM notice;
DROP TABLE notice;
CREATE TABLE event_new (
  id          INTEGER PRIMARY KEY,
  source      TEXT NOT NULL,
  event       TEXT NOT NULL,
  job         INTEGER NOT NULL REFERENCES job (id),
  state       TEXT NOT NULL,
  time        INTEGER NOT NULL,
  received    INTEGER NOT NULL,
  data        TEXT NOT NULL,
  digest      BLOB NOT NULL,
  status      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  trace       TEXT NOT NULL, -- of before: JSON
  short_trace BLOB           -- the rules and what they saw (squeeze.c)
) STRICT;
INSERT INTO event_new SELECT id, source, event, job, state, time, received, data, digest, status, reason, trace,
  short_trace FROM event ORDER BY id;
DROP TABLE event;
ALTER TABLE event_new RENAME TO event;
CREATE INDEX event_job ON event (job);
CREATE TABLE notice (
  mail       INTEGER NOT NULL REFERENCES mail (id),
  event      INTEGER NOT NULL REFERENCES event (id),
  job        INTEGER NOT NULL REFERENCES job (id),
  contact    INTEGER NOT NULL,
  active     INTEGER NOT NULL, -- 0 once it left the mail
  superseded INTEGER NOT NULL DEFAULT 0, -- as soon as the mailer that has the mail fails for now
  PRIMARY KEY (mail, event)
) STRICT, WITHOUT ROWID;
INSERT INTO notice SELECT mail, event, job, contact, active, superseded FROM notice_aside;
DROP TABLE notice_aside;
CREATE INDEX notice_job ON notice (job, contact);
CREATE INDEX notice_event ON notice (event);

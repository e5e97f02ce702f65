-- The spool, version 1: what was decided and what became of it. Owned by the engine alone.
-- Instants are milliseconds since 1970 in UTC; words are the contract's.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('instance', lower(hex(randomblob(6)))), ('published', 0);

-- A job is known by (customer, job).
CREATE TABLE job (
  id       INTEGER PRIMARY KEY,
  customer TEXT NOT NULL,
  job      TEXT NOT NULL,
  state    TEXT NOT NULL,
  UNIQUE (job, customer)
) STRICT;

-- Every well-formed job event of a known customer, once. `id` is the order of receipt.
CREATE TABLE event (
  id       INTEGER PRIMARY KEY,
  source   TEXT NOT NULL,
  event    TEXT NOT NULL,
  job      INTEGER NOT NULL REFERENCES job (id),
  state    TEXT NOT NULL,
  time     INTEGER NOT NULL,
  received INTEGER NOT NULL,
  data     TEXT NOT NULL,
  digest   BLOB NOT NULL,
  status   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  trace    TEXT NOT NULL, -- JSON: the rules and what they saw
  UNIQUE (source, event)
) STRICT;
CREATE INDEX event_job ON event (job);
CREATE INDEX event_received ON event (received);

-- A mail is a row with a state; store/spool_mail.c has the one setter. `contact` is 0 for the office's.
CREATE TABLE mail (
  id         INTEGER PRIMARY KEY,
  contact    INTEGER NOT NULL,
  state      TEXT NOT NULL,    -- the job state it tells of, or 'collision'
  status     TEXT NOT NULL,
  waits      INTEGER NOT NULL, -- 1 while the status is queued, deferred or retrying: what the indexes ask, cheaply
  reason     TEXT NOT NULL,
  made       INTEGER NOT NULL,
  due        INTEGER NOT NULL,
  expires    INTEGER NOT NULL, -- the end of its shelf life
  changed    INTEGER NOT NULL, -- when it took its present status
  open       INTEGER NOT NULL, -- 1 while others may join it (group_wait)
  attempts   INTEGER NOT NULL DEFAULT 0,
  address    TEXT NOT NULL DEFAULT '', -- as of the last time when it was judged or sent
  message_id TEXT NOT NULL,
  thread_id  TEXT NOT NULL,
  reply      TEXT NOT NULL DEFAULT ''
) STRICT;
-- What a mail's template sees, as JSON, recorded when it is first sent. Beside the mail, since a mail's row is
-- written several times and this is long.
CREATE TABLE mail_context (
  mail    INTEGER PRIMARY KEY REFERENCES mail (id),
  context TEXT NOT NULL
) STRICT;

CREATE INDEX mail_due ON mail (due, id) WHERE waits = 1;
CREATE INDEX mail_expires ON mail (expires) WHERE waits = 1;
CREATE INDEX mail_open ON mail (contact, state) WHERE open = 1;
CREATE INDEX mail_status ON mail (status) WHERE status <> 'sent';
CREATE INDEX mail_changed ON mail (changed);

-- Which events a mail tells of: one, or several when grouped. `active` is 0 once it left the mail.
CREATE TABLE notice (
  mail    INTEGER NOT NULL REFERENCES mail (id),
  event   INTEGER NOT NULL REFERENCES event (id),
  job     INTEGER NOT NULL REFERENCES job (id),
  contact INTEGER NOT NULL,
  active  INTEGER NOT NULL,
  overtaken INTEGER NOT NULL DEFAULT 0, -- superseded as soon as the mailer that has it fails for now
  PRIMARY KEY (mail, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_job ON notice (job, contact);
CREATE INDEX notice_event ON notice (event);

-- What goes to Redis, in order: outcomes, dead letters, released jobs. Rows up to meta.published are there;
-- they stay as the record that `job show` reads.
CREATE TABLE outcome (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL,   -- 'outcomes', 'dead' or 'dispatch'
  key    TEXT NOT NULL,   -- the dispatch stream's name; a dead letter's feed, or 'retried'; '' else
  time   INTEGER NOT NULL,
  event  INTEGER,
  job    INTEGER,
  mail   INTEGER,
  entry  TEXT,            -- a dead letter's stream entry, or a list item's hash, by which one that is delivered again is known
  again  INTEGER,         -- the seq of the outcome that this one says again, under its id
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  fields BLOB NOT NULL    -- names and values, packed by store/fields.c; the id is made of seq
) STRICT;
CREATE INDEX outcome_job ON outcome (job);
CREATE INDEX outcome_time ON outcome (time);
CREATE INDEX outcome_entry ON outcome (entry) WHERE stream = 'dead' AND key <> 'retried';
CREATE INDEX outcome_dead ON outcome (seq) WHERE stream = 'dead' AND key <> 'retried';

-- Entries whose customer isn't known yet: judged when the customer comes or the grace ends.
CREATE TABLE waiting (
  id       INTEGER PRIMARY KEY,
  feed     INTEGER NOT NULL,
  source   TEXT NOT NULL,
  event    TEXT NOT NULL,
  customer TEXT NOT NULL,
  received INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  entry    TEXT NOT NULL, -- the stream entry's id
  fields   BLOB NOT NULL, -- as they came, packed by store/fields.c
  UNIQUE (feed, source, event)
) STRICT;
CREATE INDEX waiting_until ON waiting (until);

-- What has to be done in customers.db by its own thread, idempotently, in this order.
CREATE TABLE chore (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  kind   TEXT NOT NULL,   -- 'refused' (an address) or 'customer' (an entry of the feed)
  time   INTEGER NOT NULL,
  detail TEXT NOT NULL,   -- JSON
  entry  TEXT NOT NULL    -- the stream entry's id
) STRICT;
CREATE INDEX chore_refused ON chore (seq) WHERE kind = 'refused';

-- Collisions told already: once for each job and state.
CREATE TABLE collision (
  job   INTEGER NOT NULL REFERENCES job (id),
  state TEXT NOT NULL,
  PRIMARY KEY (job, state)
) STRICT, WITHOUT ROWID;

-- Requests to the dispatch gate, once each, and what became of them. A held one has a time to look again.
CREATE TABLE request (
  id       INTEGER PRIMARY KEY,
  source   TEXT NOT NULL,
  request  TEXT NOT NULL,
  type     TEXT NOT NULL,
  job      INTEGER NOT NULL REFERENCES job (id),
  time     INTEGER NOT NULL,
  received INTEGER NOT NULL,
  data     TEXT NOT NULL,
  digest   BLOB NOT NULL,
  status   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  look     INTEGER NOT NULL, -- held or watched: when to look at it again at the latest
  changed  INTEGER NOT NULL,
  watched  INTEGER NOT NULL, -- not 0: released, and its job not known to have started (enum watch)
  answer   INTEGER NOT NULL, -- the outcome that answers it, for one that is asked again
  UNIQUE (source, request)
) STRICT;
-- By time when one is due, by id for a round over all of them.
CREATE INDEX request_held ON request (look) WHERE status = 'held';
CREATE INDEX request_held_id ON request (id) WHERE status = 'held';
CREATE INDEX request_watched ON request (look) WHERE watched > 0;
CREATE INDEX request_watched_id ON request (id) WHERE watched > 0;
CREATE INDEX request_received ON request (received);
CREATE INDEX request_job ON request (job);

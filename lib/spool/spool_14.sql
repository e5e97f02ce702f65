-- Reports about mails (contract, section 11), each once, whatever came of it: known by its own digest, and one about a
-- mail by what it says, too. `mail` is NULL where nobody knows which one it is about; `why` says why. A mail may be
-- purged before its reports, so that it is no foreign key.
CREATE TABLE bounce (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  time       INTEGER NOT NULL,
  kind       TEXT NOT NULL,    -- the contract's word: failed, delayed, complaint, …
  verdict    TEXT NOT NULL,    -- gone, busy, refused, none
  mail       INTEGER,
  contact    INTEGER,
  address    TEXT NOT NULL,    -- the recipient's
  code       TEXT NOT NULL,    -- 5.1.1
  text       TEXT NOT NULL,    -- the mail server's words
  took       TEXT NOT NULL,    -- what it did: marked, struck, bounced, counted, …
  why        TEXT NOT NULL,
  sender     TEXT NOT NULL,    -- who sent it, or reported it by hand
  message_id TEXT NOT NULL,    -- of the mail that it is about, as it says
  digest     BLOB
) STRICT;
CREATE UNIQUE INDEX bounce_digest ON bounce (digest) WHERE digest IS NOT NULL;
CREATE UNIQUE INDEX bounce_mail ON bounce (mail, kind, verdict, address) WHERE mail IS NOT NULL;
CREATE INDEX bounce_refused ON bounce (time) WHERE verdict = 'refused' AND mail IS NOT NULL;
CREATE INDEX bounce_unknown ON bounce (id) WHERE mail IS NULL;

-- Days on which an address was busy. `taken` is when the relay first took a mail to it after that.
CREATE TABLE strike (
  contact INTEGER NOT NULL,
  address TEXT NOT NULL,
  day     INTEGER NOT NULL, -- since 1970, the customer's
  time    INTEGER NOT NULL,
  taken   INTEGER,
  PRIMARY KEY (contact, address, day)
) STRICT, WITHOUT ROWID;

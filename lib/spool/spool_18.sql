-- Replies of persons on their way to the sales rep or the office: what is sent behind a header of ours, until it is sent.
-- `about` is the mail that was replied to.
CREATE TABLE reply (
  mail   INTEGER PRIMARY KEY REFERENCES mail (id),
  about  INTEGER NOT NULL,
  entity BLOB NOT NULL
) STRICT;
-- Several replies to one mail are no repetition.
DROP INDEX bounce_mail;
CREATE UNIQUE INDEX bounce_mail ON bounce (mail, kind, verdict, address) WHERE mail IS NOT NULL AND kind <> 'reply';
CREATE INDEX bounce_reply ON bounce (mail) WHERE mail IS NOT NULL AND kind = 'reply';
CREATE INDEX bounce_forwarded ON bounce (time) WHERE took = 'forwarded';

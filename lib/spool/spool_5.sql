-- Sets of templates by which mails were rendered, so that a mail can be shown as it was sent after its templates have
-- changed. `ended` is when another set came after it; NULL for the one in use.
CREATE TABLE template_set (
  digest BLOB PRIMARY KEY,
  files  BLOB NOT NULL, -- names and texts, packed by db/fields.c
  ended  INTEGER
) STRICT;
-- The set of a mail's last rendering, and the digest of the message that was made.
ALTER TABLE mail ADD COLUMN templates BLOB;
ALTER TABLE mail ADD COLUMN message BLOB;

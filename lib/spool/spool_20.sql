-- Where a mail went instead of its address, by [mail] redirect_to; '' for one that wasn't redirected.
ALTER TABLE mail ADD COLUMN redirected TEXT NOT NULL DEFAULT '';
-- When each mail to a contact counts for [rules] per_contact: as it was made, or is due later. Kept only while there is a
-- limit, and for as long as its window.
CREATE TABLE contact_slot (
  mail    INTEGER PRIMARY KEY,
  contact INTEGER NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_slot_at ON contact_slot (contact, at);
-- How many new mails to contacts were made at what time, for [rules] burst: the window's, a row for a thousandth of it.
CREATE TABLE burst (
  at    INTEGER PRIMARY KEY,
  mails INTEGER NOT NULL
) STRICT;

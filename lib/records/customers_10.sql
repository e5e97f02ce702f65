-- What a contact's signed links are bound to: random, made with the contact and never changed, so that a link works for
-- this contact alone, also where an old copy of this file was put back and ids are given again.
CREATE TABLE contact_link (
    contact INTEGER PRIMARY KEY REFERENCES contact (id) ON DELETE CASCADE,
    link TEXT NOT NULL
) STRICT;
INSERT INTO contact_link (contact, link) SELECT id, lower(hex(randomblob(10))) FROM contact;
CREATE TRIGGER contact_link_made AFTER INSERT ON contact BEGIN
    INSERT INTO contact_link (contact, link) VALUES (new.id, lower(hex(randomblob(10))));
END;

-- States that a contact's recipient has switched off, and not on again: by a link, which may switch them on again, or by
-- mail.
CREATE TABLE opt_out (
    contact INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (contact, state)
) STRICT, WITHOUT ROWID;
-- Whoever switches one on ends that: if it is switched off again by somebody else, a link has no say in it.
CREATE TRIGGER opt_out_ended AFTER UPDATE OF notify ON contact WHEN new.notify IS NOT old.notify BEGIN
    DELETE FROM opt_out WHERE contact = new.id AND instr(',' || new.notify || ',', ',' || state || ',') > 0;
END;

-- What the office asked for in November 2026, a paragraph each.

-- What a sale has besides.
ALTER TABLE sale ADD COLUMN status TEXT;
ALTER TABLE sale ADD COLUMN account_notes TEXT;
ALTER TABLE sale ADD COLUMN commission_paid TEXT;
ALTER TABLE sale ADD COLUMN rto TEXT;
ALTER TABLE sale ADD COLUMN rereceived TEXT;

-- Dates that hold for every customer that doesn't set them itself: holidays.
CREATE TABLE office_date (
    day TEXT PRIMARY KEY,
    windows TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- A search looks for each word by itself, in more fields and more spellings. `search_text` goes on as the plain
-- copy by which customers are compared; what is searched are lines of all spellings, each between line feeds.
DROP TABLE search;
CREATE TABLE search_words (
    customer INTEGER PRIMARY KEY,
    name TEXT, dba TEXT, number TEXT, account TEXT, address TEXT, city TEXT, state TEXT, phone TEXT,
    email TEXT, equipment TEXT, contact TEXT, reference TEXT, county TEXT, rep TEXT
) STRICT;
CREATE INDEX search_words_name ON search_words (name);
CREATE VIRTUAL TABLE search USING fts5 (
    name, dba, number, account, address, city, state, phone, email, equipment, contact, reference, county, rep,
    content = 'search_words', content_rowid = 'customer', tokenize = 'trigram', detail = column,
    columnsize = 0
);
INSERT INTO search (search, rank) VALUES ('hashsize', 33554432);
DROP TRIGGER customer_changed;
CREATE TRIGGER customer_changed AFTER UPDATE OF number, name, dba, account, address, city, state,
    postal_code, phone, fax, reference, county, sales_rep ON customer BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.id);
END;
CREATE TRIGGER customer_rep_linked AFTER INSERT ON customer_rep BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.customer);
END;
CREATE TRIGGER customer_rep_unlinked AFTER DELETE ON customer_rep BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.customer);
END;
CREATE TRIGGER rep_renamed AFTER UPDATE OF name ON rep BEGIN
    INSERT OR IGNORE INTO search_stale SELECT customer FROM customer_rep WHERE rep = new.id;
END;
-- Folded by the program within this migration.
DELETE FROM search_text;
INSERT OR IGNORE INTO search_stale SELECT id FROM customer;
-- Numbers that customers had before and are still known by, the number of a customer merged into another among
-- them. Whoever is given such a number takes it over. By triggers, so that no way of changing a number can
-- forget it.
CREATE TABLE former_number (
    number TEXT PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX former_number_customer ON former_number (customer);
CREATE TRIGGER former_number_added AFTER INSERT ON former_number BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.customer);
END;
CREATE TRIGGER former_number_removed AFTER DELETE ON former_number BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.customer);
END;
CREATE TRIGGER customer_number_left AFTER UPDATE OF number ON customer WHEN new.number <> old.number BEGIN
    DELETE FROM former_number WHERE number IN (new.number, old.number);
    INSERT INTO former_number VALUES (old.number, new.id);
END;
CREATE TRIGGER customer_number_taken AFTER INSERT ON customer
    WHEN EXISTS (SELECT 1 FROM former_number WHERE number = new.number) BEGIN
    DELETE FROM former_number WHERE number = new.number;
END;
-- Those of changes before this version: where each led, one change after the other.
INSERT OR IGNORE INTO former_number (number, customer)
    WITH RECURSIVE led (start, first, at, number) AS (
        SELECT before, id, id, after FROM renumbered
        UNION ALL
        SELECT led.start, led.first, r.id, r.after FROM led JOIN renumbered r ON r.id =
            (SELECT min(n.id) FROM renumbered n WHERE n.before = led.number AND n.id > led.at)
    )
    SELECT led.start, c.id FROM led JOIN customer c ON c.number = led.number
    WHERE NOT EXISTS (SELECT 1 FROM renumbered n WHERE n.before = led.number AND n.id > led.at)
        AND NOT EXISTS (SELECT 1 FROM customer o WHERE o.number = led.start)
        AND NOT EXISTS (SELECT 1 FROM removed_customer o WHERE o.number = led.start)
    ORDER BY led.first DESC;
-- Contacts that were two of one customer after a merge and became one, as [[id before, id after], …]: their
-- mails follow.
ALTER TABLE renumbered ADD COLUMN contacts TEXT;
-- Customers whose words were erased, in order: those in the spool go as soon as what is under way has ended.
CREATE TABLE erased (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL, time INTEGER NOT NULL
) STRICT;

-- Which database this is: the spool knows it by that, and a copy of it is the same. One that an older version made
-- takes it from its first change, so that copies which are brought up to date apart from each other agree.
CREATE TABLE identity (id TEXT NOT NULL) STRICT;
INSERT INTO identity VALUES (coalesce(
    (SELECT substr(lower(hex(time || ' ' || coalesce(record, 0) || ' ' || kind || ' ' || user)), 1, 64)
        FROM change ORDER BY id LIMIT 1),
    lower(hex(randomblob(16)))));

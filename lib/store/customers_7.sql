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

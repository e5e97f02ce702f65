-- Search. Texts are folded (case, accents, phone numbers to digits) by the record functions, since SQL
-- that calls a function of ours would make a database that no other tool may write to. Triggers only note
-- which customers were changed; whoever writes next through the record functions folds those again. What is
-- added is noted by the record functions, and the index is written by them, since triggers on INSERT and
-- FTS5 in triggers (it flushes what it has gathered at each statement there) cost an import six times its time.
-- What another tool adds is found after a reindex.
CREATE TABLE search_stale (customer INTEGER PRIMARY KEY) STRICT;
CREATE TABLE search_text (
    customer INTEGER PRIMARY KEY,
    name TEXT, dba TEXT, number TEXT, account TEXT, address TEXT, city TEXT, state TEXT, phone TEXT,
    email TEXT, equipment TEXT, contact TEXT
) STRICT;
CREATE INDEX search_text_name ON search_text (name);
CREATE INDEX search_text_state ON search_text (state) WHERE state IS NOT NULL;
CREATE VIRTUAL TABLE search USING fts5 (
    name, dba, number, account, address, city, state, phone, email, equipment, contact,
    content = 'search_text', content_rowid = 'customer', tokenize = 'trigram', detail = column,
    columnsize = 0
);
-- How much the index gathers before it writes: an import in small pieces would merge them again and again.
INSERT INTO search (search, rank) VALUES ('hashsize', 33554432);

CREATE TRIGGER customer_changed AFTER UPDATE OF number, name, dba, account, address, city, state,
    postal_code, phone, fax ON customer BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.id);
END;
CREATE TRIGGER customer_removed AFTER DELETE ON customer BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.id);
END;

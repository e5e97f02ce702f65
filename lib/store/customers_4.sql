-- Search. Texts are folded (case, accents, phone numbers to digits) by the record functions, since SQL
-- that calls a function of ours would make a database that no other tool may write to. Triggers only note
-- which customers are to be folded again; whoever writes next through the record functions does it.
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
    content = 'search_text', content_rowid = 'customer', tokenize = 'trigram', detail = column
);

CREATE TRIGGER search_text_added AFTER INSERT ON search_text BEGIN
    INSERT INTO search (rowid, name, dba, number, account, address, city, state, phone, email, equipment, contact)
    VALUES (new.customer, new.name, new.dba, new.number, new.account, new.address, new.city, new.state,
            new.phone, new.email, new.equipment, new.contact);
END;
CREATE TRIGGER search_text_removed AFTER DELETE ON search_text BEGIN
    INSERT INTO search (search, rowid, name, dba, number, account, address, city, state, phone, email,
                        equipment, contact)
    VALUES ('delete', old.customer, old.name, old.dba, old.number, old.account, old.address, old.city,
            old.state, old.phone, old.email, old.equipment, old.contact);
END;

CREATE TRIGGER customer_added AFTER INSERT ON customer BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.id);
END;
CREATE TRIGGER customer_changed AFTER UPDATE OF number, name, dba, account, address, city, state,
    postal_code, phone, fax ON customer BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.id);
END;
CREATE TRIGGER customer_removed AFTER DELETE ON customer BEGIN
    DELETE FROM search_text WHERE customer = old.id;
    DELETE FROM search_stale WHERE customer = old.id;
END;

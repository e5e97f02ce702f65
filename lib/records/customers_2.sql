-- The other kinds of record.
CREATE TABLE comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    job TEXT, text TEXT NOT NULL, author TEXT, created INTEGER
) STRICT;
CREATE INDEX comment_customer ON comment (customer);

CREATE TABLE system_type (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, about TEXT
) STRICT;
CREATE TABLE system_field (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    system_type INTEGER NOT NULL REFERENCES system_type (id) ON DELETE CASCADE,
    name TEXT NOT NULL, needed INTEGER NOT NULL DEFAULT 0, secret INTEGER NOT NULL DEFAULT 0, about TEXT,
    UNIQUE (system_type, name)
) STRICT;
CREATE TABLE system (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    type TEXT NOT NULL REFERENCES system_type (name) ON UPDATE CASCADE ON DELETE RESTRICT,
    label TEXT, location TEXT
) STRICT;
CREATE INDEX system_customer ON system (customer);
CREATE INDEX system_of_type ON system (type);
CREATE TABLE system_value ( -- `sealed` instead of `value` where the field is secret
    system INTEGER NOT NULL REFERENCES system (id) ON DELETE CASCADE,
    field INTEGER NOT NULL REFERENCES system_field (id) ON DELETE CASCADE,
    value TEXT, sealed BLOB,
    PRIMARY KEY (system, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX system_value_field ON system_value (field);

CREATE TABLE asset (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, serial TEXT, size TEXT, position TEXT, latitude TEXT, longitude TEXT,
    since TEXT, job TEXT
) STRICT;
CREATE INDEX asset_customer ON asset (customer);

CREATE TABLE third_party (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    name TEXT NOT NULL, role TEXT NOT NULL, contract TEXT, "from" TEXT, until TEXT, items TEXT, notes TEXT
) STRICT;
CREATE INDEX third_party_customer ON third_party (customer);

CREATE TABLE rep (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, email TEXT, phone TEXT, title TEXT
) STRICT;
CREATE TABLE customer_rep ( -- the first one is the customer's sales_rep
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    rep INTEGER NOT NULL REFERENCES rep (id) ON DELETE CASCADE,
    PRIMARY KEY (customer, rep)
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_rep_rep ON customer_rep (rep);

CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, due TEXT, text TEXT NOT NULL, who TEXT, phone TEXT, contact TEXT,
    state TEXT NOT NULL, author TEXT, created INTEGER
) STRICT;
CREATE INDEX activity_customer ON activity (customer);

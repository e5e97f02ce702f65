-- Quotes, sales and files.
CREATE TABLE quote (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    number TEXT NOT NULL, state TEXT NOT NULL, date TEXT, until TEXT, currency TEXT, notes TEXT
) STRICT;
CREATE INDEX quote_customer ON quote (customer);
CREATE TABLE quote_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    quote INTEGER NOT NULL REFERENCES quote (id) ON DELETE CASCADE,
    text TEXT NOT NULL, quantity TEXT NOT NULL, price TEXT NOT NULL
) STRICT;
CREATE INDEX quote_item_quote ON quote_item (quote);

CREATE TABLE sale (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    job TEXT, result TEXT, product TEXT, units TEXT, units_sold TEXT, amount TEXT, contract_amount TEXT,
    balance TEXT, method TEXT, commission TEXT,
    appointment TEXT, sale TEXT, ordered TEXT, received TEXT, scheduled TEXT, completed TEXT
) STRICT;
CREATE INDEX sale_customer ON sale (customer);
CREATE INDEX sale_job ON sale (job) WHERE job IS NOT NULL;
CREATE TABLE payment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sale_id INTEGER NOT NULL REFERENCES sale (id) ON DELETE CASCADE,
    amount TEXT NOT NULL, day TEXT NOT NULL, method TEXT
) STRICT;
CREATE INDEX payment_sale ON payment (sale_id);

CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    description TEXT NOT NULL, job TEXT, name TEXT, type TEXT, size INTEGER, hash TEXT,
    author TEXT, created INTEGER
) STRICT;
CREATE INDEX document_customer ON document (customer);
CREATE INDEX document_hash ON document (hash);
CREATE TABLE picture (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    description TEXT NOT NULL, job TEXT, name TEXT, type TEXT, size INTEGER, hash TEXT,
    author TEXT, created INTEGER
) STRICT;
CREATE INDEX picture_customer ON picture (customer);
CREATE INDEX picture_hash ON picture (hash);

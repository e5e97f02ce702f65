-- Customers and what the rules read of them. Days are YYYY-MM-DD, times milliseconds since 1970 in UTC, sets
-- the words of the contract with commas. Ids are never used again: the history and the spool refer to them.
CREATE TABLE customer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL UNIQUE CHECK (number <> ''),
    name TEXT NOT NULL, dba TEXT,
    parent INTEGER REFERENCES customer (id) ON DELETE RESTRICT,
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('new', 'released', 'active', 'inactive')),
    kind TEXT, account TEXT,
    address TEXT, city TEXT, state TEXT, postal_code TEXT, county TEXT, region TEXT, country TEXT,
    phone TEXT, extension TEXT, fax TEXT,
    timezone TEXT, locale TEXT, reference TEXT, renewal TEXT, sales_rep TEXT, disclaimer TEXT,
    location_notes TEXT
) STRICT;
CREATE INDEX customer_parent ON customer (parent) WHERE parent IS NOT NULL;
CREATE INDEX customer_sales_rep ON customer (sales_rep) WHERE sales_rep IS NOT NULL;

CREATE TABLE contact (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    name TEXT, first_name TEXT, last_name TEXT, title TEXT, email TEXT, alt_email TEXT,
    home_phone TEXT, cell_phone TEXT, work_phone TEXT,
    notify TEXT NOT NULL DEFAULT 'dispatched,started,completed,failed,paused',
    all_sites INTEGER NOT NULL DEFAULT 0, locale TEXT,
    email_invalid INTEGER, email_invalid_why TEXT, alt_email_invalid INTEGER, alt_email_invalid_why TEXT
) STRICT;
CREATE INDEX contact_customer ON contact (customer);

CREATE TABLE suspension (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL, "from" TEXT NOT NULL, until TEXT, note TEXT NOT NULL,
    author TEXT, created INTEGER, removed INTEGER, removed_by TEXT
) STRICT;
CREATE INDEX suspension_customer ON suspension (customer);

CREATE TABLE hours_week (
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- 0 is Monday
    windows TEXT NOT NULL,
    PRIMARY KEY (customer, weekday)
) STRICT, WITHOUT ROWID;
CREATE TABLE hours_date (
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    windows TEXT NOT NULL,
    PRIMARY KEY (customer, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    text TEXT NOT NULL, urgent INTEGER NOT NULL DEFAULT 0, author TEXT, created INTEGER
) STRICT;
CREATE INDEX note_customer ON note (customer);

-- Every change to any record. `customer` outlives the customer, so it is no foreign key.
CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL, user TEXT NOT NULL,
    kind TEXT NOT NULL, record INTEGER, customer INTEGER, action TEXT NOT NULL,
    before TEXT, after TEXT
) STRICT;
CREATE INDEX change_customer ON change (customer);
CREATE TABLE removed_customer (
    customer INTEGER PRIMARY KEY,
    number TEXT NOT NULL
) STRICT;

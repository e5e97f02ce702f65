-- The center's own: who may come in, and who is in. Times are milliseconds since 1970, UTC.
CREATE TABLE account (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL CHECK (role IN ('reader', 'clerk', 'manager', 'admin')),
	password TEXT,                     -- as crypto_pwhash_str() has it; NULL: none was set yet
	token BLOB UNIQUE,                 -- BLAKE2b of the API token; NULL: none
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	key BLOB NOT NULL UNIQUE,          -- BLAKE2b of what the cookie holds
	created INTEGER NOT NULL,
	used INTEGER NOT NULL,
	address TEXT NOT NULL,
	agent TEXT NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);

-- Links to set a password, good once.
CREATE TABLE link (
	key BLOB PRIMARY KEY,              -- BLAKE2b of what the link holds
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_account ON link (account);

-- Wrong passwords in a row, per name as it was typed and network it came from.
CREATE TABLE failure (
	name TEXT NOT NULL,
	network TEXT NOT NULL,
	n INTEGER NOT NULL,
	last INTEGER NOT NULL,
	PRIMARY KEY (name, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_last ON failure (last);

CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	user TEXT NOT NULL,
	action TEXT NOT NULL,              -- login, login-failed, logout, secret, export, account
	about TEXT NOT NULL,
	address TEXT NOT NULL
) STRICT;

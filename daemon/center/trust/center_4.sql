-- Lists of customers that an account has saved: what is chosen, as the query of /lists.
CREATE TABLE list (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	name TEXT NOT NULL,
	shared INTEGER NOT NULL CHECK (shared IN (0, 1)), -- whether all accounts see it
	query TEXT NOT NULL,
	UNIQUE (account, name)
) STRICT;

-- The language of an account's pages, as "de"; empty: the browser's.
ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT '';

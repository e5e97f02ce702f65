-- The names that the rest of the program has: office writes, superseded in flight, recheck.
ALTER TABLE chore RENAME TO office_write;
DROP INDEX chore_refused;
CREATE INDEX office_write_refused ON office_write (seq) WHERE kind = 'refused';
ALTER TABLE notice RENAME COLUMN overtaken TO superseded;
ALTER TABLE request RENAME COLUMN look TO recheck;

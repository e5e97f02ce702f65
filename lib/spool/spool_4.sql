-- What the engine needs since November 2026, a paragraph each.
-- Jobs of customers that were erased: `erase` is 1 as long as words of theirs are here, 2 once they have gone.
-- meta.erased is the last row of customers.db's `erased` that was followed.
ALTER TABLE job ADD COLUMN erase INTEGER;
CREATE INDEX job_erase ON job (id) WHERE erase = 1;
INSERT INTO meta (key, value) VALUES ('erased', 0);

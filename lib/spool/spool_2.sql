-- Jobs follow their customer to another number. `began_as` is the one under which the job was first heard of, where
-- that is another: what the thread of its mails is made from. meta.renumbered is the last row of customers.db's
-- `renumbered` that was followed.
ALTER TABLE job ADD COLUMN began_as TEXT;
INSERT INTO meta (key, value) VALUES ('renumbered', 0);

-- A customer's jobs, the latest first.
CREATE INDEX job_customer ON job (customer);

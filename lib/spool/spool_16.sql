-- A customer's jobs: what the index of `job` by customer was for. Jobs come in no order of customers, so that each would
-- be at a place of its own: those behind meta.jobs_listed aren't here yet, and are found by their ids (spool_jobs.c).
CREATE TABLE customer_job (
  customer TEXT NOT NULL,
  job      INTEGER NOT NULL,
  PRIMARY KEY (customer, job)
) STRICT, WITHOUT ROWID;
INSERT INTO customer_job SELECT customer, id FROM job ORDER BY customer, id;
INSERT INTO meta (key, value) SELECT 'jobs_listed', coalesce(max(id), 0) FROM job;
DROP INDEX job_customer;

-- A request is forgotten a while after its last answer, not after it came: a held job may wait for longer than that.
DROP INDEX request_received;
CREATE INDEX request_changed ON request (changed);
-- The answer of one that is still held stays as long as it is; the held ones of a job.
CREATE INDEX request_held_answer ON request (answer) WHERE status = 'held';
CREATE INDEX request_held_job ON request (job, id) WHERE status = 'held';

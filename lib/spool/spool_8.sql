-- What waits for a customer, to be found when that one has changed.
CREATE INDEX waiting_customer ON waiting (customer);
CREATE INDEX request_watched_job ON request (job, id) WHERE watched > 0;

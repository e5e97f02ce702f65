-- A mail of one event names it itself. Rows of `notice` are for mails of several, for events that left their mail, and
-- for those that are overtaken while it is with a mailer. `event` has no foreign key, which would need an index of
-- its own: the purge asks by the job before an event goes.
ALTER TABLE mail ADD COLUMN event INTEGER;
ALTER TABLE mail ADD COLUMN job INTEGER REFERENCES job (id);
CREATE INDEX mail_job ON mail (job);

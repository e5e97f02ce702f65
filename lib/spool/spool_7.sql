-- Old records are found by their ids, which follow time (spool_purge.c): indexes that only that needed are gone.
DROP INDEX event_received;
DROP INDEX mail_changed;
DROP INDEX outcome_time;
DROP INDEX request_changed;
-- When a mail was last delivered, written once a turn.
INSERT INTO meta (key, value) SELECT 'last_sent', coalesce(max(changed), 0) FROM mail WHERE status = 'sent';

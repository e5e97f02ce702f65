-- Traces and contexts are written in short (squeeze.c) beside the texts of before, which stay as they are: one of the
-- two is empty.
ALTER TABLE event ADD COLUMN short_trace BLOB;
ALTER TABLE mail_context ADD COLUMN short_context BLOB;

-- Outcomes of events are written in short (outcome_pack.c); a program of before can't read them. Those that are
-- there stay as they are.
UPDATE meta SET value = value WHERE key = 'published';

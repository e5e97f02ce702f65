-- What the gate's rules saw when a request was last decided: JSON, as of events.
ALTER TABLE request ADD COLUMN trace TEXT NOT NULL DEFAULT '[]';

-- What the office asked for in November 2026, a paragraph each.

-- What a sale has besides.
ALTER TABLE sale ADD COLUMN status TEXT;
ALTER TABLE sale ADD COLUMN account_notes TEXT;
ALTER TABLE sale ADD COLUMN commission_paid TEXT;
ALTER TABLE sale ADD COLUMN rto TEXT;
ALTER TABLE sale ADD COLUMN rereceived TEXT;

-- Dates that hold for every customer that doesn't set them itself: holidays.
CREATE TABLE office_date (
    day TEXT PRIMARY KEY,
    windows TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the office asked for in November 2026, a paragraph each.

-- Dates that hold for every customer that doesn't set them itself: holidays.
CREATE TABLE office_date (
    day TEXT PRIMARY KEY,
    windows TEXT NOT NULL
) STRICT, WITHOUT ROWID;

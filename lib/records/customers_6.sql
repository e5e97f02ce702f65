-- Numbers that customers had before, in the order of the changes (`id`): the spool knows a job by its customer's
-- number and follows. By a trigger, so that no way of changing a number can forget it.
CREATE TABLE renumbered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    before TEXT NOT NULL, after TEXT NOT NULL
) STRICT;
CREATE TRIGGER customer_renumbered AFTER UPDATE OF number ON customer WHEN new.number <> old.number BEGIN
    INSERT INTO renumbered (before, after) VALUES (old.number, new.number);
END;

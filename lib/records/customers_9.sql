-- Customers of whom something has changed that the rules see, each by its last change: the engine looks again at
-- what waits for them, and for nobody else. `customer` 0 is everybody; `number` is of one that was removed. What
-- sites inherit is worked out by who reads this. By triggers, so that no way of writing can forget it; without a
-- conflict clause, since that of the statement which fires a trigger would take its place.
CREATE TABLE recheck (
    seq INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    number TEXT
) STRICT;
CREATE INDEX recheck_customer ON recheck (customer);
CREATE TRIGGER recheck_once AFTER INSERT ON recheck BEGIN
    DELETE FROM recheck WHERE customer = new.customer AND seq < new.seq;
END;

CREATE TRIGGER customer_recheck_added AFTER INSERT ON customer BEGIN
    INSERT INTO recheck (customer) VALUES (new.id);
END;
CREATE TRIGGER customer_recheck_changed AFTER UPDATE OF number, parent, status, timezone ON customer
    WHEN new.number IS NOT old.number OR new.parent IS NOT old.parent OR new.status IS NOT old.status
        OR new.timezone IS NOT old.timezone BEGIN
    INSERT INTO recheck (customer) VALUES (new.id);
END;
CREATE TRIGGER customer_recheck_removed AFTER DELETE ON customer BEGIN
    INSERT INTO recheck (customer, number) VALUES (old.id, old.number);
END;
CREATE TRIGGER former_number_recheck_added AFTER INSERT ON former_number BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER former_number_recheck_changed AFTER UPDATE ON former_number BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;

-- Nothing waits for a contact that is new.
CREATE TRIGGER contact_recheck_changed AFTER UPDATE OF customer, email, alt_email, notify, all_sites, email_invalid,
    alt_email_invalid ON contact
    WHEN new.customer IS NOT old.customer OR new.email IS NOT old.email OR new.alt_email IS NOT old.alt_email
        OR new.notify IS NOT old.notify OR new.all_sites IS NOT old.all_sites
        OR new.email_invalid IS NOT old.email_invalid OR new.alt_email_invalid IS NOT old.alt_email_invalid BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER contact_recheck_moved AFTER UPDATE OF customer ON contact WHEN new.customer <> old.customer BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;
CREATE TRIGGER contact_recheck_removed AFTER DELETE ON contact BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;

CREATE TRIGGER suspension_recheck_added AFTER INSERT ON suspension BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER suspension_recheck_changed AFTER UPDATE ON suspension BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER suspension_recheck_moved AFTER UPDATE OF customer ON suspension
    WHEN new.customer <> old.customer BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;
CREATE TRIGGER suspension_recheck_removed AFTER DELETE ON suspension BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;

CREATE TRIGGER hours_week_recheck_added AFTER INSERT ON hours_week BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER hours_week_recheck_changed AFTER UPDATE ON hours_week BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER hours_week_recheck_moved AFTER UPDATE OF customer ON hours_week
    WHEN new.customer <> old.customer BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;
CREATE TRIGGER hours_week_recheck_removed AFTER DELETE ON hours_week BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;
CREATE TRIGGER hours_date_recheck_added AFTER INSERT ON hours_date BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER hours_date_recheck_changed AFTER UPDATE ON hours_date BEGIN
    INSERT INTO recheck (customer) VALUES (new.customer);
END;
CREATE TRIGGER hours_date_recheck_moved AFTER UPDATE OF customer ON hours_date
    WHEN new.customer <> old.customer BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;
CREATE TRIGGER hours_date_recheck_removed AFTER DELETE ON hours_date BEGIN
    INSERT INTO recheck (customer) VALUES (old.customer);
END;

CREATE TRIGGER office_date_recheck_added AFTER INSERT ON office_date BEGIN
    INSERT INTO recheck (customer) VALUES (0);
END;
CREATE TRIGGER office_date_recheck_changed AFTER UPDATE ON office_date BEGIN
    INSERT INTO recheck (customer) VALUES (0);
END;
CREATE TRIGGER office_date_recheck_removed AFTER DELETE ON office_date BEGIN
    INSERT INTO recheck (customer) VALUES (0);
END;

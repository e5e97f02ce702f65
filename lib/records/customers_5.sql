-- What else a search looks at.
CREATE TRIGGER contact_changed AFTER UPDATE ON contact BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.customer);
END;
CREATE TRIGGER contact_removed AFTER DELETE ON contact BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.customer);
END;
CREATE TRIGGER system_changed AFTER UPDATE ON system BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.customer);
END;
CREATE TRIGGER system_removed AFTER DELETE ON system BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.customer);
END;
CREATE TRIGGER asset_changed AFTER UPDATE ON asset BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (new.customer);
END;
CREATE TRIGGER asset_removed AFTER DELETE ON asset BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (old.customer);
END;

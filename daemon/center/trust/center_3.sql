-- Refused logins are many where somebody guesses: only the latest are kept.
CREATE INDEX audit_action ON audit (action, id);

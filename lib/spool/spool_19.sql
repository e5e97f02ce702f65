-- Answers to wishes for fewer mails that came by mail (engine/opt_out_answer.c): the office's mail, and to which contact.
CREATE TABLE opt_out_answer (
  mail    INTEGER PRIMARY KEY REFERENCES mail (id),
  contact INTEGER NOT NULL,
  time    INTEGER NOT NULL
) STRICT;
CREATE INDEX opt_out_answer_contact ON opt_out_answer (contact, time);

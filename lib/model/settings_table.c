/* SPDX-License-Identifier: MIT */
/* The sections of the configuration, and all keys of its tables as one. */
#include "model/settings_table.h"

const struct setting_section settings_sections[] = {
        {"redis", "Where job events come from and outcomes go to."},
        {"customers", "The office's database of customers."},
        {"spool", "The daemon's own database: events, decisions, mails and their outcomes."},
        {"mail", "What mails look like, and how they are sent."},
        {"smtp", "The mail servers that mails are handed to (transport = smtp). A section "
                 "[smtp.NAME] is a relay with settings of its own: it has the same keys, and what "
                 "it doesn't set is as in [smtp], except rate. Status, metrics and log call the "
                 "relay NAME. Those of [smtp] relay come first if it is set, then the sections in "
                 "order."},
        {"rules", "Settings for all rules."},
        {"office", "The people who work with dispatchd."},
        {"gate", "Answers to the dispatch software's requests to create or dispatch a job."},
        {"log", "What the daemon logs."},
        {"http", "Health, metrics, and questions to the dispatch gate."},
        {"bounce", "Reports about mails, opt-out and replies: where they come to, and the key that "
                   "signs the addresses and links which mails bear for them."},
        {"company", "What templates see as company."},
        {"center", "The customer center, dispatch-center: the pages of the office, and their API. "
                   "dispatch-center reads it when it starts."},
        {"notify",
         "When customers are notified of a job's states. A section [notify.STATE] (%s) has the "
         "same keys for that state alone and wins over [notify]."},
};
const size_t settings_sections_len = sizeof settings_sections / sizeof settings_sections[0];

static const struct setting_rows *const tables[] = {&settings_rows_mail, &settings_rows_office};
enum { TABLES = sizeof tables / sizeof tables[0] };

size_t setting_count(void)
{
	size_t n = 0;
	for (size_t i = 0; i < TABLES; i++)
		n += tables[i]->len;
	return n;
}

const struct setting *setting_at(size_t number)
{
	for (size_t i = 0; i < TABLES; i++) {
		if (number < tables[i]->len)
			return &tables[i]->row[number];
		number -= tables[i]->len;
	}
	bug("there is no key %zu", number);
}

size_t setting_number(const struct setting *row)
{
	size_t n = 0;
	for (size_t i = 0; i < TABLES; i++) {
		if (row >= tables[i]->row && row < tables[i]->row + tables[i]->len)
			return n + (size_t)(row - tables[i]->row);
		n += tables[i]->len;
	}
	bug("%s is in no table of keys", row->name);
}

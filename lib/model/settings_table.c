/* SPDX-License-Identifier: MIT */
/* The sections of the configuration, and all keys of its tables as one. */
#include "model/settings_table.h"

#include <string.h>

const struct setting_section settings_sections[] = {
        {.name = "redis", .help = "Where job events come from and outcomes go to."},
        {.name = "customers", .help = "The office's database of customers."},
        {.name = "spool",
         .help = "The daemon's own database: events, decisions, mails and their outcomes."},
        {.name = "mail", .help = "What mails look like, and how they are sent."},
        {.name = "smtp",
         .help = "The mail servers that mails are handed to (transport = smtp). A section "
                 "[smtp.NAME] is a relay with settings of its own: it has the same keys, and what "
                 "it doesn't set comes from [smtp]. One with another user needs a password of its "
                 "own: password_file, oauth_token_file or the credential smtp-NAME-password. "
                 "Status, metrics and log call the relay NAME. The relays of [smtp] come first if "
                 "relay is set there, then the sections in order.",
         .example = ";[smtp.backup]\n;relay = backup.example.com:587\n;user = example-hauling\n"
                    ";password_file = /etc/dispatchd/backup-password\n"},
        {.name = "rules", .help = "Settings for all rules."},
        {.name = "office", .help = "The people who work with dispatchd."},
        {.name = "gate",
         .help = "Answers to the dispatch software's requests to create or dispatch a job."},
        {.name = "log", .help = "What the daemon logs."},
        {.name = "http", .help = "Health, metrics, and questions to the dispatch gate."},
        {.name = "bounce",
         .help = "Reports about mails, opt-out and replies: where they come to, and the key that "
                 "signs the addresses and links which mails bear for them."},
        {.name = "company", .help = "What templates see as company."},
        {.name = "center",
         .help = "The customer center, dispatch-center: the pages of the office, and their API. "
                 "dispatch-center reads it when it starts."},
        {.name = "cluster",
         .help = "A standby: a second machine that follows and takes over by itself. See "
                 "dispatchd-cluster(7)."},
        {.name = "notify",
         .help = "When customers are notified of a job's states. A section [notify.STATE] (%s) has "
                 "the "
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

const struct setting *setting_find(const char *section, const char *key)
{
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->key, key) == 0 &&
		    strcmp(setting_at(i)->section, section) == 0)
			return setting_at(i);
	return NULL;
}

void *setting_member(struct settings *settings, const struct setting *row, enum job_state state)
{
	bool notify = strcmp(row->section, "notify") == 0;
	char *base = notify ? (char *)&settings->notify[state] : (char *)settings;
	return base + row->offset;
}

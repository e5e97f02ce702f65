/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SETTINGS_TABLE_H
#define MODEL_SETTINGS_TABLE_H

#include "base/error.h"
#include "base/mem.h"
#include "base/zone.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The tables of keys, for the files model/settings*.c alone. A row is the only place that knows a
 * key: reader, faults, sample, manual, dump and reload all follow it.
 */
/* What a value is, and the member that holds it. */
enum setting_kind {
	SETTING_TEXT,      /* const char * */
	SETTING_NAME,      /* const char *: a key or channel of Redis, no spaces */
	SETTING_PATH,      /* const char * */
	SETTING_REDIS_URL, /* const char * */
	SETTING_LISTEN,    /* const char *: base/endpoint.h */
	SETTING_MAILBOX,   /* const char *: name and address */
	SETTING_ADDRESS,   /* const char *: an address alone */
	SETTING_ZONE,      /* const char *: an IANA name */
	SETTING_LIST,      /* const char *const *, NULL-terminated */
	SETTING_RELAYS,    /* the same, each base/endpoint.h */
	SETTING_HOSTS,     /* the same, each a host's name */
	SETTING_HELO,      /* const char *: a full name or an address literal */
	SETTING_DURATION,  /* int64_t, milliseconds */
	SETTING_SIZE,      /* int64_t, bytes */
	SETTING_COUNT,     /* int64_t */
	SETTING_RATE,      /* double, a second; empty is 0 */
	SETTING_LIMIT,     /* struct limit: 20/1h; empty is none */
	SETTING_CHOICE,    /* an enum, the index into `choices` */
	SETTING_KIND_COUNT,
};

struct setting {
	const char *section, *key;
	const char *name; /* "section.key" */
	enum setting_kind kind;
	size_t offset;        /* in struct settings; for [notify] in struct notify_settings */
	int64_t min, max;     /* DURATION, SIZE, COUNT */
	size_t max_len;       /* texts; 0: as long as a line may be */
	const char *choices;  /* CHOICE: "smtp maildir" */
	const char *fallback; /* the default, as it would be written; read like any value */
	const char *example;  /* for the sample, where the default shows nothing */
	const char *help;     /* whole sentences */
	bool required;        /* may not be empty */
	bool reload;          /* a reload may change it */
	bool secret; /* may hold a password: sample and manual say who may read the file then */
};

struct setting_section {
	const char *name;
	const char *help;    /* %s: the states of a job */
	const char *example; /* lines for the sample behind the keys; NULL: none */
};

/* The tables, a file each. */
struct setting_rows {
	const struct setting *row;
	size_t len;
};
extern const struct setting_rows settings_rows_mail, settings_rows_office;

/* The keys of all tables, numbered from 0 in their order. */
size_t setting_count(void);
const struct setting *setting_at(size_t number);
size_t setting_number(const struct setting *row);
enum { SETTING_ROWS_MAX = 128 };
/* By names as they are in the table; NULL where there is none. */
const struct setting *setting_find(const char *section, const char *key);

extern const struct setting_section settings_sections[];
extern const size_t settings_sections_len;

/* Built-in [notify] defaults that differ by state, above those in the table. */
struct setting_by_state {
	const char *key;
	unsigned states;
	const char *value;
};
extern const struct setting_by_state settings_by_state[];
extern const size_t settings_by_state_len;

/* The state that section "notify.failed" is about; JOB_NONE for any other section. */
enum job_state settings_section_state(const char *section);

/* Where a row's value lies. For [notify] that is in the state's struct. */
void *setting_member(struct settings *settings, const struct setting *row, enum job_state state);

/* What one key says about another. */
struct setting_check {
	const char *section, *key; /* which the fault names */
	/* Another key of the section, whose line is named where `key` isn't set. */
	const char *because;
	bool (*holds)(const struct settings *settings, struct arena *arena, struct error *err);
};
extern const struct setting_check setting_checks[];
extern const size_t setting_checks_len;

/* What reading a value needs. */
struct setting_reader {
	struct arena *arena; /* holds the texts */
	struct zones *zones;
};

/* Reads `text` into `member` as the row says. On a fault `err` says what was expected, without the
 * key's name, and `member` is untouched. */
bool setting_read(const struct setting_reader *reader, const struct setting *row, const char *text,
                  void *member, struct error *err) MUST_CHECK;

/* The value as it would be written. In the arena. */
const char *setting_format(const struct setting *row, const void *member, struct arena *arena);

/* "duration, 1s to 1000d", "one of smtp, maildir", … In the arena. */
const char *setting_describe(const struct setting *row, struct arena *arena);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SETTINGS_H
#define MODEL_SETTINGS_H

#include "base/error.h"
#include "model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The configuration as the programs use it: one struct, filled by one table of keys
 * (model/settings.c, on base/conf). Immutable once loaded; a reload makes a new one. Texts are
 * never NULL; lists are NULL-terminated arrays. All memory belongs to the struct.
 */
enum transport { TRANSPORT_SMTP, TRANSPORT_MAILDIR };
/* TLS_IMPLICIT: from the first byte on, verified as with TLS_REQUIRED. */
enum tls_mode { TLS_NONE, TLS_OPPORTUNISTIC, TLS_REQUIRED, TLS_IMPLICIT };
enum hours_policy { HOURS_DEFER, HOURS_SUPPRESS, HOURS_SEND };
enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
};
enum gate_policy { GATE_FLAG, GATE_HOLD, GATE_DENY };

struct notify_settings { /* resolved: [notify.STATE] over [notify] over the built-in default */
	enum hours_policy outside_hours;
	int64_t shelf_life_ms;
	int64_t group_wait_ms;
};

struct settings_places; /* where keys are */

/* Mail servers: [smtp], or a [smtp.NAME], in which what it doesn't set is [smtp]'s. */
struct relay_settings {
	const char *section; /* "smtp", "smtp.NAME" */
	const char *name;    /* "NAME"; "": [smtp], whose relays are named as they are written */
	/* Each as base/endpoint.h takes it; one at least, in [smtp.NAME] just one. */
	const char *const *relay;
	enum tls_mode tls;
	const char *helo; /* what EHLO says; "": found out (dispatchd/mailer/helo.h) */
	const char *ca_file, *user;
	/* The token, where both are set. A [smtp.NAME] that sets one of the two, or another user
	 * than [smtp], inherits neither, and `own_login` is true. */
	const char *password_file, *oauth_token_file;
	bool own_login;
	const char *client_cert, *client_key; /* "": none; the key may be in the certificate's */
	int64_t weight;                       /* 0: tried in order */
	int64_t connections;
	double rate; /* mails a second; 0: no limit */
};
enum { RELAY_SECTIONS_MAX = 32 };

/* How long a token behind [bounce] address is (mail/token.h). */
enum { BOUNCE_TOKEN_LENGTH = 31 };

/* The largest that [rules] per_contact may be. */
enum { PER_CONTACT_MAX = 1000 };

/* At most so many within so long; `most` 0: no limit. */
struct limit {
	int64_t most, window_ms;
};

struct settings {
	const char *file; /* the main file's path, for messages */
	const struct settings_places *places;

	struct {
		/* base/redis_url.h takes the url apart */
		const char *url, *ca_file, *password_file;
		const char *stream, *list, *channel, *requests, *outcomes, *dead, *dispatch,
		        *customers;
		const char *group, *consumer;
		int64_t outcomes_max, dead_max;
		int64_t claim_after_ms, keep_ms;
		int64_t max_event_size;
	} redis;
	struct {
		const char *path, *key_file;
		int64_t grace_ms;
		int64_t max_file_size;
	} customers;
	struct {
		const char *path;
		int64_t keep_ms;
	} spool;
	struct {
		enum transport transport;
		const char *maildir, *from, *envelope_from, *templates;
		int64_t max_age_ms;
		const char *redirect_to; /* where every mail goes instead; "": none does */
	} mail;
	struct relay_settings smtp; /* with what counts over all relays */
	/* The sections with relays in force, in the order in which they are tried: [smtp], if it
	 * sets relay or is the only one, then each [smtp.NAME] in the order of the files. */
	const struct relay_settings *relays;
	size_t n_relays;
	struct {
		const char *timezone;
		struct limit per_contact, burst;
	} rules;
	struct {
		const char *email;
		const char *const *managers;
	} office;
	struct {
		enum gate_policy outside_hours;
		int64_t hold_max_ms;
	} gate;
	struct {
		enum log_level level;
	} log;
	struct {
		const char *listen;       /* as base/endpoint.h takes it; "": off */
		const char *const *hosts; /* see base/hostname.h */
		const char *group;        /* of a Unix socket; "": the daemon's */
	} http;
	struct {
		const char *group;     /* of the socket for reports; "": the daemon's */
		const char *address;   /* where reports come to; "": none are taken */
		const char *delimiter; /* one character, between its local part and a token */
		const char *key_file;  /* as mail/token.h reads it; "": the credential */
	} bounce;
	struct {
		/* What templates call `company`; the name falls back on that in mail.from. */
		const char *name, *phone, *website;
	} company;
	struct {
		const char *listen; /* as base/endpoint.h takes it */
		const char *url;    /* as a browser sees the center; "": as it asks */
		const char *tls_cert, *tls_key;
		const char *user; /* that it runs as */
		const char *user_header, *proxy_user;
		const char *path; /* of center.db */
		const char *billing_url, *dms_url, *dispatch_url, *map_url;
		const char *tiles, *tiles_note;
		int64_t max_upload;
	} center;
	struct {
		const char *name; /* "": no cluster, and nothing else of this is used */
		int64_t lease_ms;
		const char *wait; /* a digit; "": as Redis has it when the lease is taken */
		const char *key_file;
		int64_t journal_max;
	} cluster;
	struct notify_settings notify[JOB_STATE_COUNT];
};

/* Called for each fault in the order of files and lines; `text` is "FILE:LINE: message" (line left
 * out where there is none). */
typedef void settings_fault(void *arg, const char *text);

/*
 * Reads FILE and its conf.d/. All faults are reported, then NULL is returned if there was any.
 * `ret_code` gets the exit status: 78 for faults in the text, 66 where the file is missing, 77/74
 * where it can't be read.
 *
 * `wanted` says what the caller uses: names of sections ("redis"; "notify" means those of the
 * states, too) or of single keys ("customers.path"), NULL-terminated; NULL is all. Faults elsewhere
 * are passed over, and what lies there keeps its default. So dispatchctl works while [mail] is
 * still unfinished.
 */
struct settings *settings_load(const char *file, const char *const *wanted, settings_fault *fault,
                               void *arg, int *ret_code);
/* The same for further checks: with faults, too, there are settings, in which the
 * default replaces what was at fault. NULL only where FILE can't be read. `ret_code` is 0 without
 * a fault. */
struct settings *settings_read(const char *file, const char *const *wanted, settings_fault *fault,
                               void *arg, int *ret_code);
struct settings *settings_free(struct settings *settings);

/* Whether the key ("mail.templates") has its default, written down or not. */
bool settings_has_default(const struct settings *settings, const char *name);

/* Whether the configuration sets the key, and where, as "FILE:LINE". One that is
 * not set would belong below the header of its section, else at the end of the main file. */
bool settings_given(const struct settings *settings, const char *name);
const char *settings_place(const struct settings *settings, const char *name);
/* The same for a key of relays[relay]: where the value in force is set, else that of `because`
 * (NULL: no other), else where the key would be. */
const char *settings_relay_place(const struct settings *settings, size_t relay, const char *key,
                                 const char *because);

/* Called for each key in force: `section` is "notify.failed" for what differs by state, passwords
 * in `value` are left out, `place` is where it is set, "FILE:LINE", NULL for a default. What a
 * [smtp.NAME] has from [smtp] is there with its place. The texts
 * are valid during the call. */
typedef void settings_value(void *arg, const char *section, const char *key, const char *value,
                            const char *place);
void settings_list(const struct settings *settings, settings_value *value, void *arg);

/* `-c FILE` (may be NULL), else $DISPATCHD_CONF, else /etc/dispatchd/dispatchd.conf. */
const char *settings_path(const char *option);

/* Names of keys in which two configurations differ that a reload can't change ("redis.url"), in
 * static memory of the table, with a NULL behind them; for the message that a restart is needed.
 * `max` counts the NULL. Returns how many were stored. */
size_t settings_fixed_differences(const struct settings *a, const struct settings *b,
                                  const char **names, size_t max);

/* Of all that the rules go by, and of `more`, as hexadecimal text: another where anything of it has
 * changed. */
enum { SETTINGS_DIGEST_SIZE = 65 };
void settings_rules_digest(const struct settings *settings, const char *more,
                           char ret[SETTINGS_DIGEST_SIZE]);

/* The annotated sample file, and the manual's section (mdoc), both from the table. */
void settings_print_sample(FILE *out);
void settings_print_manual(FILE *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_BOUNCE_H
#define SPOOL_SPOOL_BOUNCE_H

#include "spool/spool.h"

#include <jansson.h>

/*
 * Reports about mails, each once, and what is remembered of addresses that were busy. The words
 * (kind, verdict) are those of mail/report.h, and what a report did is the engine's.
 */

enum { BOUNCE_DIGEST_SIZE = 32 };

struct spool_bounce {
	int64_t id;
	struct instant time;
	const char *kind, *verdict;
	int64_t mail;           /* 0: nobody knows which */
	int64_t contact;        /* 0: none */
	const char *address;    /* the recipient's */
	const char *code;       /* "5.1.1"; "" for none */
	const char *text;       /* the mail server's words */
	const char *took;       /* what it did */
	const char *why;        /* that it did nothing; "" else */
	const char *sender;     /* who sent it, or reported it by hand */
	const char *message_id; /* of the mail that it is about, as it says */
	unsigned char digest[BOUNCE_DIGEST_SIZE];
	bool has_digest;
};

/* Whether a report with that digest is on record, or one that says the same about the same mail. */
bool spool_bounce_known(struct spool *spool, const struct spool_bounce *bounce);
/* One that is not known; sets its id. Of those that are about no known mail the latest
 * BOUNCE_UNKNOWN_MAX are kept. */
enum { BOUNCE_UNKNOWN_MAX = 10000 };
void spool_bounce_add(struct spool *spool, struct spool_bounce *bounce);
/* The first one about the mail whose `why` is that and whose id is above `after`; false where there
 * is none. */
bool spool_bounce_find(struct spool *spool, int64_t mail, const char *why, int64_t after,
                       struct arena *arena, struct spool_bounce *ret);
/* When the latest one of that `why` came, if it came since; INSTANT_NONE else. */
struct instant spool_bounce_last(struct spool *spool, const char *why, struct instant since);
void spool_bounce_set_took(struct spool *spool, int64_t id, const char *took);
void spool_bounce_set_why(struct spool *spool, int64_t id, const char *why);
/* How many refused a mail since; the latest of them in the arena, at most `max`. */
int64_t spool_bounces_refused(struct spool *spool, struct instant since);
struct spool_bounce *spool_bounces_refused_last(struct spool *spool, size_t max,
                                                struct arena *arena, size_t *ret_n);
/* How many reports of that `why` came since. */
int64_t spool_bounces_because(struct spool *spool, const char *why, struct instant since);

/* When the office was last alarmed that mails are refused; INSTANT_NONE: never. */
struct instant spool_refusals_alarmed(struct spool *spool);
void spool_set_refusals_alarmed(struct spool *spool, struct instant now);

/* -- which mail -- */

/* About how many mails were made since; counts to `max`. */
int64_t spool_mails_since(struct spool *spool, struct instant since, int64_t max);
/* The latest mail of that Message-ID made since, among the latest MAILS_SEARCHED_MAX; 0: none. */
enum { MAILS_SEARCHED_MAX = 200000 };
int64_t spool_mail_of_message_id(struct spool *spool, const char *message_id, struct instant since);
/* Whether such an id was ever given to a mail. */
bool spool_mail_id_known(struct spool *spool, int64_t id);
/* Addresses to which the mail went or was to go, besides the one in its row. */
const char **spool_mail_addresses(struct spool *spool, int64_t mail, struct arena *arena,
                                  size_t *ret_n);
/* The server's words of one that is new. */
void spool_mail_set_reply(struct spool *spool, int64_t mail, const char *reply);

/* -- days on which an address was busy -- */

struct spool_strikes {
	int n;                /* days */
	struct instant last;  /* INSTANT_NONE: none */
	struct instant taken; /* when a mail was first taken after the last one; INSTANT_NONE */
};
/* Those of days from `since` on. */
void spool_strikes(struct spool *spool, int64_t contact, const char *address, struct day since,
                   struct spool_strikes *ret);
void spool_strike_add(struct spool *spool, int64_t contact, const char *address, struct day day,
                      struct instant now);
void spool_strikes_clear(struct spool *spool, int64_t contact, const char *address);
/* The relay took a mail to it. */
void spool_strikes_taken(struct spool *spool, int64_t contact, const char *address,
                         struct instant now);
/* Contacts that have any, in order, each once. */
int64_t *spool_struck(struct spool *spool, struct arena *arena, size_t *ret_n);

/* -- for people (spool_bounce_read.c): JSON that the caller json_decref()s -- */

struct spool_bounce_filter {
	bool unknown;      /* those alone that are about no known mail, nor a contact's wish */
	int64_t mail;      /* of this one; 0: any */
	int64_t before_id; /* below it alone; 0: from the latest */
	int64_t limit;
};
/* The latest first: id, time, kind, verdict, mail (or null), contact (or null), customer and jobs
 * of the mail, address, code, text, took, why, sender, message_id. */
bool spool_read_bounces(struct spool *spool, const struct spool_bounce_filter *filter, json_t **ret,
                        struct error *err) MUST_CHECK;
/* What the office may want to know: `refused`, how many mails were refused since, 0 unless the
 * office was alarmed since; `busy`, addresses that were busy on two days or more since
 * `busy_since`,
 * [{"contact", "address", "days"}]. */
bool spool_read_bounce_troubles(struct spool *spool, struct instant since,
                                struct instant busy_since, json_t **ret,
                                struct error *err) MUST_CHECK;
/* Code 66: no such report. */
bool spool_read_bounce(struct spool *spool, int64_t id, json_t **ret, struct error *err) MUST_CHECK;

#endif

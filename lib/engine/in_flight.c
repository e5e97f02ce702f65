/* SPDX-License-Identifier: MIT */
/* Mails in flight, by id: one block of memory each, in chains of a table of fixed size. */
#include "engine/in_flight.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHAINS = 1024,
	KEPT_MAX =
	        16384, /* more than any pool has room for; those beyond are read from the spool */
};

struct entry_in_flight {
	struct entry_in_flight *next;
	struct in_flight_mail kept;
};

struct in_flight {
	struct entry_in_flight *chains[CHAINS];
	size_t n;
	/* of the turn: what it dispatches, and what is gone when it ends */
	struct entry_in_flight *noted, *dropped;
};

struct in_flight *in_flight_new(void)
{
	return mem_alloc(sizeof(struct in_flight));
}

static struct entry_in_flight *free_all(struct entry_in_flight *list)
{
	while (list != NULL) {
		struct entry_in_flight *next = list->next;
		free(list);
		list = next;
	}
	return NULL;
}

struct in_flight *in_flight_free(struct in_flight *in_flight)
{
	if (in_flight == NULL)
		return NULL;
	for (size_t i = 0; i < CHAINS; i++)
		free_all(in_flight->chains[i]);
	free_all(in_flight->noted);
	free_all(in_flight->dropped);
	free(in_flight);
	return NULL;
}

static struct entry_in_flight **chain_of(struct in_flight *in_flight, int64_t mail)
{
	return &in_flight->chains[(uint64_t)mail % CHAINS];
}

static struct entry_in_flight **find_in(struct entry_in_flight **at, int64_t mail)
{
	while (*at != NULL && (*at)->kept.mail.id != mail)
		at = &(*at)->next;
	return at;
}

/* ---- A mail with all its texts in one block ---- */

/* Where the copies go; with no place, their sizes are added up. */
struct texts {
	char *at;
	size_t size;
};

static void keep_text(struct texts *texts, const char **text)
{
	size_t size = strlen(*text) + 1;
	texts->size += size;
	if (texts->at == NULL)
		return;
	*text = memcpy(texts->at, *text, size);
	texts->at += size;
}

static void keep_mail_texts(struct texts *texts, struct spool_mail *mail)
{
	keep_text(texts, &mail->state);
	keep_text(texts, &mail->address);
	if (mail->redirected != NULL)
		keep_text(texts, &mail->redirected);
	keep_text(texts, &mail->message_id);
	keep_text(texts, &mail->thread_id);
	keep_text(texts, &mail->reply);
}

static void keep_event_texts(struct texts *texts, struct job_event *event)
{
	keep_text(texts, &event->id);
	keep_text(texts, &event->source);
	keep_text(texts, &event->job);
	keep_text(texts, &event->customer);
}

/* As spool_event_load() gives it. */
static struct spool_event event_to_keep(const struct spool_event *event)
{
	struct spool_event kept = *event;
	kept.trace = "";
	kept.event.data = "{}";
	kept.event.named = NULL;
	kept.event.entry_id = "";
	return kept;
}

static size_t size_of_texts(struct spool_mail mail, const struct spool_event *const *events,
                            size_t n)
{
	struct texts texts = {0};
	keep_mail_texts(&texts, &mail);
	for (size_t i = 0; i < n; i++) {
		struct job_event event = events[i]->event;
		keep_event_texts(&texts, &event);
	}
	return texts.size;
}

static struct entry_in_flight *entry_new(const struct spool_mail *mail,
                                         const struct spool_notice *notices,
                                         const struct spool_event *const *events, size_t n)
{
	size_t size = sizeof(struct entry_in_flight) +
	              n * (sizeof(struct spool_event) + sizeof(struct spool_notice));
	struct entry_in_flight *entry = mem_alloc(size + size_of_texts(*mail, events, n));
	struct spool_event *own_events = (struct spool_event *)(entry + 1);
	struct spool_notice *own_notices = (struct spool_notice *)(own_events + n);
	struct texts texts = {.at = (char *)(own_notices + n)};
	entry->kept = (struct in_flight_mail){
	        .mail = *mail, .notices = own_notices, .events = own_events, .n = n};
	keep_mail_texts(&texts, &entry->kept.mail);
	for (size_t i = 0; i < n; i++) {
		own_notices[i] = notices[i];
		own_events[i] = event_to_keep(events[i]);
		keep_event_texts(&texts, &own_events[i].event);
	}
	return entry;
}

/* ---- What a turn does ---- */

void in_flight_note(struct in_flight *in_flight, const struct spool_mail *mail,
                    const struct spool_notice *notices, const struct spool_event *const *events,
                    size_t n)
{
	if (in_flight->n >= KEPT_MAX)
		return;
	struct entry_in_flight *entry = entry_new(mail, notices, events, n);
	entry->next = in_flight->noted;
	in_flight->noted = entry;
	in_flight->n++;
}

const struct in_flight_mail *in_flight_find(struct in_flight *in_flight, int64_t mail)
{
	const struct entry_in_flight *entry = *find_in(chain_of(in_flight, mail), mail);
	return entry != NULL ? &entry->kept : NULL;
}

static void drop_at(struct in_flight *in_flight, struct entry_in_flight **at)
{
	struct entry_in_flight *entry = *at;
	*at = entry->next;
	entry->next = in_flight->dropped;
	in_flight->dropped = entry;
	in_flight->n--;
}

void in_flight_drop(struct in_flight *in_flight, int64_t mail)
{
	struct entry_in_flight **at = find_in(chain_of(in_flight, mail), mail);
	if (*at != NULL)
		drop_at(in_flight, at);
	at = find_in(&in_flight->noted, mail);
	if (*at != NULL)
		drop_at(in_flight, at);
}

void in_flight_drop_all(struct in_flight *in_flight)
{
	for (size_t i = 0; i < CHAINS; i++)
		while (in_flight->chains[i] != NULL)
			drop_at(in_flight, &in_flight->chains[i]);
	while (in_flight->noted != NULL)
		drop_at(in_flight, &in_flight->noted);
}

void in_flight_end_turn(struct in_flight *in_flight, bool on_disk)
{
	while (!on_disk && in_flight->noted != NULL)
		drop_at(in_flight, &in_flight->noted);
	while (in_flight->noted != NULL) {
		struct entry_in_flight *entry = in_flight->noted;
		struct entry_in_flight **chain = chain_of(in_flight, entry->kept.mail.id);
		in_flight->noted = entry->next;
		entry->next = *chain;
		*chain = entry;
	}
	in_flight->dropped = free_all(in_flight->dropped);
}

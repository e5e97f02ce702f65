/* SPDX-License-Identifier: MIT */
/*
 * What the daemon has to write into customers.db: addresses that were refused, customers from the
 * feed. Each is a row of the spool first; a thread of its own carries them out (office_writer.c),
 * in order and idempotently, with its own connection (invariant 6).
 *
 *   engine: row ─▶ turn ─▶ office_writer_run() ─▶ result ─▶ engine: row removed
 */
#include "engine/office_write.h"

#include "base/jsontext.h"
#include "engine/engine_private.h"
#include "engine/office_writer.h"
#include "engine/outcome.h"
#include "engine/report.h"

#include <jansson.h>
#include <string.h>
#include <syslog.h>

enum { OFFICE_WRITES_MAX = 256 };

void engine_process_customer(struct engine *engine, const struct entry *entry)
{
	if (entry->unread) {
		engine_refuse_unread(engine, entry);
		return;
	}
	if (entry->n_fields != 1 || entry->fields[0].name_len != 8 ||
	    memcmp(entry->fields[0].name, "customer", 8) != 0) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   "an entry of the customers feed has one field, customer");
		return;
	}
	struct error err;
	json_t *json = jsontext_read(entry->fields[0].value, entry->fields[0].value_len, &err);
	if (!json_is_object(json)) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   json ? "customer is not a JSON object" : err.text);
	} else {
		const struct entry_field *field = &entry->fields[0];
		struct spool_office_write write = {
		        .kind = "customer",
		        .time = entry_time(entry),
		        .detail = arena_strndup(engine->arena, field->value, field->value_len),
		        .entry = entry->id,
		};
		spool_office_write_add(engine->spool, &write);
	}
	json_decref(json);
}

void engine_process_feed(struct engine *engine)
{
	for (size_t i = 0; i < engine->in->n_entries; i++) {
		if (engine->in->entries[i]->feed == FEED_CUSTOMERS)
			engine_process_customer(engine, engine->in->entries[i]);
	}
	engine->feed_oldest = spool_feed_oldest(engine->spool);
	if (engine->in->feed_unread)
		engine->feed_oldest.ms = 0; /* there may be older ones in Redis */
}

static void feed_refused(struct engine *engine, const struct spool_office_write *write,
                         const char *text)
{
	struct entry_field field = {"customer", 8, write->detail, strlen(write->detail)};
	struct entry entry = {.feed = FEED_CUSTOMERS,
	                      .id = write->entry,
	                      .fields = &field,
	                      .n_fields = 1,
	                      .received = write->time};
	engine_dead_letter(engine, &entry, REASON_MALFORMED, text);
}

void engine_record_office_writes(struct engine *engine)
{
	const struct turn_input *in = engine->in;
	for (size_t i = 0; i < in->n_office_writes_done; i++) {
		const struct office_write_result *result = &in->office_writes_done[i];
		struct spool_office_write write;
		if (!result->refused ||
		    !spool_office_write_load(engine->spool, result->seq, engine->arena, &write))
			continue;
		if (strcmp(write.kind, "customer") == 0)
			feed_refused(engine, &write, result->text);
		else
			engine_report(engine, LOG_ERR, "office write %lld (%s): %s",
			              (long long)write.seq, write.kind, result->text);
	}
	if (in->n_office_writes_done > 0)
		spool_office_writes_done(engine->spool,
		                         in->office_writes_done[in->n_office_writes_done - 1].seq);
}

void engine_dispatch_office_writes(struct engine *engine)
{
	if (!engine->in->office_writes_wanted)
		return;
	struct office_writes *writes = mem_alloc(sizeof *writes);
	writes->arena = arena_new();
	writes->rows =
	        spool_office_writes(engine->spool, OFFICE_WRITES_MAX, writes->arena, &writes->n);
	engine->out->office_writes = writes->n > 0 ? writes : office_writes_free(writes);
}

/* SPDX-License-Identifier: MIT */
#include "engine/turn_journal.h"

#include "engine/engine_private.h"
#include "records/customers.h"
#include "spool/spool_journal.h"

/* What the turn has changed, as an entry's body; empty where it has changed nothing. */
static void collect(struct engine *engine, struct buf *ret)
{
	struct buf changes = {0};
	spool_changes(engine->spool, &changes);
	if (changes.len > 0)
		journal_add_part(ret, &(struct journal_part){.kind = JOURNAL_SPOOL,
		                                             .bytes = changes.data,
		                                             .len = changes.len});
	buf_free(&changes);
}

static void append(struct engine *engine, const struct buf *body)
{
	const struct engine_journal *journal = engine->journal;
	struct journal_position before = spool_position(engine->spool);
	struct journal_entry entry = {.kind = JOURNAL_TURN,
	                              .spool = spool_schema_version(),
	                              .customers = customers_schema_version(),
	                              .body = body->data,
	                              .len = body->len};
	struct error fault;
	if (spool_failed(engine->spool))
		return;
	if (!journal->append(journal->arg, &before, &entry, &fault)) {
		spool_fail(engine->spool, &fault);
		return;
	}
	struct journal_position after = journal_behind(&entry);
	engine->appended = true;
	spool_set_position(engine->spool, &after);
}

void engine_append_turn(struct engine *engine)
{
	struct buf body = {0};
	if (engine->journal == NULL || spool_failed(engine->spool))
		return;
	collect(engine, &body);
	if (body.len > 0)
		append(engine, &body);
	buf_free(&body);
}

void engine_appended(struct engine *engine, bool committed)
{
	engine->ahead |= engine->appended && !committed;
	engine->appended = false;
}

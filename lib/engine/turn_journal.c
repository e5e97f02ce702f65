/* SPDX-License-Identifier: MIT */
#include "engine/turn_journal.h"

#include "engine/engine_private.h"
#include "journal/pack.h"
#include "records/customers.h"
#include "records/customers_changes.h"
#include "spool/spool_journal.h"

enum { OFFICE_BYTES_A_TURN = 8 << 20 };

/* What the office has changed since, as this turn sees it. */
static void collect_office(struct engine *engine, struct buf *ret)
{
	struct customers_change *rows;
	struct error fault;
	size_t n;
	if (!customers_changes_after(engine->customers, engine->office_sent, OFFICE_BYTES_A_TURN,
	                             engine->arena, &rows, &n, &fault)) {
		spool_fail(engine->spool, &fault);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		journal_add_part(ret, &(struct journal_part){.kind = JOURNAL_CUSTOMERS,
		                                             .id = rows[i].id,
		                                             .bytes = rows[i].bytes,
		                                             .len = rows[i].len});
		engine->office_new = rows[i].id;
	}
	engine->out->more |= n > 0; /* there may be more of them */
}

/* What the turn has changed, as an entry's body; empty where it has changed nothing. */
static void collect(struct engine *engine, struct buf *ret)
{
	struct buf changes = {0};
	collect_office(engine, ret);
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
		engine->journal_over = true;
		spool_fail(engine->spool, &fault);
		return;
	}
	struct journal_position after = journal_behind(&entry);
	engine->appended = true;
	spool_set_position(engine->spool, &after);
}

void engine_append_turn(struct engine *engine)
{
	struct buf body = {0}, packed = {0};
	struct error fault;
	if (engine->journal == NULL || spool_failed(engine->spool))
		return;
	collect(engine, &body);
	if (!journal_pack(body.data, body.len, &packed, &fault))
		spool_fail(engine->spool, &fault);
	else if (packed.len > 0)
		append(engine, &packed);
	buf_free(&body);
	buf_free(&packed);
}

void engine_appended(struct engine *engine, bool committed)
{
	engine->journal_over |= engine->appended && !committed;
	if (engine->appended && committed && engine->office_new > engine->office_sent) {
		engine->office_sent = engine->office_new;
		engine->out->office_sent = engine->office_new;
	}
	engine->appended = false;
}

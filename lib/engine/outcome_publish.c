/* SPDX-License-Identifier: MIT */
/* Rows of the spool's outbox as Redis gets them: to which stream, and with which fields. */
#include "engine/outcome_publish.h"

#include "db/fields.h"
#include "engine/engine_private.h"

#include <string.h>

/* Names and values go into one piece of the arena. */
static void copy_fields(const struct entry_field *fields, size_t n, struct arena *arena,
                        struct entry_field *ret)
{
	size_t size = 0;
	for (size_t i = 0; i < n; i++)
		size += fields[i].name_len + fields[i].value_len + 2;
	char *at = arena_alloc(arena, size);
	for (size_t i = 0; i < n; i++) {
		const struct entry_field *from = &fields[i];
		ret[i] = (struct entry_field){at, from->name_len, at + from->name_len + 1,
		                              from->value_len};
		memcpy(at, from->name, from->name_len);
		at += from->name_len;
		*at++ = '\0';
		memcpy(at, from->value, from->value_len);
		at += from->value_len;
		*at++ = '\0';
	}
}

/* Its id, then the fields as the row has them. */
static void set_fields(const struct engine *engine, const struct spool_outcome *outcome,
                       struct arena *arena, struct publication *row)
{
	size_t n;
	const struct entry_field *fields = spool_outcome_fields(outcome, engine->arena, &n);
	struct entry_field *all = arena_new_array(arena, n + 1, struct entry_field);
	const char *name = outcome->outbox == OUTBOX_DEAD ? "dead_id" : "id";
	const char *id = arena_printf(arena, "%s-%lld", spool_instance(engine->spool),
	                              (long long)(outcome->again ? outcome->again : outcome->seq));
	all[0] = (struct entry_field){name, strlen(name), id, strlen(id)};
	copy_fields(fields, n, arena, all + 1);
	row->fields = all;
	row->n_fields = n + 1;
}

/* The stream's key and bound. */
static void set_stream(const struct settings *settings, const struct spool_outcome *outcome,
                       struct arena *arena, struct publication *row)
{
	const char *stream = settings->redis.outcomes;
	row->maxlen = settings->redis.outcomes_max;
	if (outcome->outbox == OUTBOX_DEAD) {
		stream = settings->redis.dead;
		row->maxlen = settings->redis.dead_max;
		row->at_most = true;
	} else if (outcome->outbox == OUTBOX_DISPATCH) {
		stream = outcome->key;
		row->maxlen = 0;
	}
	row->stream = arena_strdup(arena, stream);
}

static void publish(const struct engine *engine, const struct spool_outcome *outcome,
                    struct publications *to)
{
	struct publication *row = &to->rows[to->n++];
	row->seq = outcome->seq;
	row->job = outcome->job;
	row->weight = spool_outcome_weight(outcome);
	to->weight += row->weight;
	set_stream(engine->settings, outcome, to->arena, row);
	set_fields(engine, outcome, to->arena, row);
}

static struct publications *outcomes_due(const struct engine *engine, size_t max)
{
	size_t n;
	const struct spool_outcome *outcomes =
	        spool_outcomes_after(engine->spool, engine->handed, max, engine->arena, &n);
	struct publications *publications = n > 0 ? publications_new(n) : NULL;
	for (size_t i = 0; i < n; i++)
		publish(engine, &outcomes[i], publications);
	return publications;
}

void engine_publish_outcomes(struct engine *engine)
{
	if (engine->in->again) { /* as if what came later had not been given yet */
		engine->again = true;
		if (engine->in->again_after < engine->handed)
			engine->handed = engine->in->again_after;
	}
	size_t max = engine->in->outcomes_max;
	struct publications *due = max > 0 ? outcomes_due(engine, max) : NULL;
	if (due != NULL)
		due->again = engine->again;
	engine->out->publications = due;
	engine->out->more |= due != NULL && due->weight >= max;
	engine->unpublished = spool_unpublished(engine->spool);
}

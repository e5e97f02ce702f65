/* SPDX-License-Identifier: MIT */
/*
 * What a mail's template sees, recorded with the mail. The data of its event, which is most of it,
 * is in the event's row as well: where both are the same bytes, the context has but the place.
 *
 *	CUT, the event's id, the place of its data, the rest (squeeze.c)   or
 *	all of it (squeeze.c)
 */
#include "base/varint.h"
#include "spool/spool_private.h"

#include <string.h>

enum { CUT = 0x80 };         /* no dictionary's number */
enum { DATA_WORTH_IT = 16 }; /* bytes */

/* Where the data is in the context; NULL where it isn't as it is in the event. */
static const char *find_data(const char *context, const struct spool_event *event)
{
	if (event == NULL || strlen(event->event.data) < DATA_WORTH_IT)
		return NULL;
	return strstr(context, event->event.data);
}

static void add_cut(struct spool *spool, const char *context, const char *at,
                    const struct spool_event *event)
{
	struct buf *rest = &spool->all;
	buf_reset(rest);
	buf_add(rest, context, (size_t)(at - context));
	buf_adds(rest, at + strlen(event->event.data));
	buf_addc(&spool->brief, (char)CUT);
	varint_add(&spool->brief, (uint64_t)event->id);
	varint_add(&spool->brief, (uint64_t)(at - context));
	squeeze(&spool->squeezer, SQUEEZE_CONTEXT, rest->data, rest->len, &spool->brief);
}

void spool_mail_set_context(struct spool *spool, int64_t mail, const char *context,
                            const struct spool_event *event)
{
	struct db_query *q = spool_query(
	        spool,
	        context ? "INSERT INTO mail_context (mail, context, short_context) VALUES (?1, "
	                  "'', ?2) ON CONFLICT (mail) DO UPDATE SET context = '', "
	                  "short_context = excluded.short_context"
	                : "DELETE FROM mail_context WHERE mail = ?1 AND ?2 IS NULL");
	const char *at = context ? find_data(context, event) : NULL;
	buf_reset(&spool->brief);
	db_bind_int(q, 1, mail);
	if (at != NULL) {
		add_cut(spool, context, at, event);
		db_bind_static_blob(q, 2, spool->brief.data, spool->brief.len);
	} else {
		spool_bind_short(spool, q, 2, SQUEEZE_CONTEXT, context);
	}
	spool_run(spool, q);
}

/* NULL where the bytes are damaged. */
static const char *mend(struct spool *spool, const unsigned char *bytes, size_t len,
                        struct arena *arena)
{
	uint64_t event = 0, place = 0;
	size_t at = 1 + varint_read(bytes + 1, len - 1, &event);
	at += varint_read(bytes + at, len - at, &place);
	const char *rest = unsqueeze(bytes + at, len - at, arena);
	if (rest == NULL || place > strlen(rest))
		return NULL;
	return arena_printf(arena, "%.*s%s%s", (int)place, rest,
	                    spool_event_data(spool, (int64_t)event, arena), rest + place);
}

const char *spool_mail_context(struct spool *spool, int64_t mail, struct arena *arena)
{
	struct db_query *q = spool_query(
	        spool, "SELECT context, short_context FROM mail_context WHERE mail = ?1");
	size_t len = 0;
	db_bind_int(q, 1, mail);
	if (!spool_row(spool, q))
		return NULL;
	const unsigned char *bytes = db_peek_blob(q, 1, &len);
	const char *context = len > 0 && bytes[0] == CUT ? mend(spool, bytes, len, arena)
	                                                 : spool_text(q, 0, arena);
	db_finish(q);
	return context ? context : "";
}

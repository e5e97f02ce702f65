/* SPDX-License-Identifier: MIT */
/* What can still be read of an entry that is put aside, so that its publisher finds it among the
 * outcomes. */
#include "base/jsontext.h"
#include "model/event_raw.h"

/* As large as max_event_size may be. A larger entry is not parsed only to name it. */
enum { SKETCH_BYTES_MAX = 64 << 20 };

static void sketch_json(const struct entry_field *field, struct arena *arena, struct event_raw *raw)
{
	if (field->value_len > SKETCH_BYTES_MAX)
		return;
	struct event_mends mends = {0};
	json_t *event =
	        jsontext_read_mended(field->value, field->value_len, event_mended, &mends, NULL);
	if (json_is_object(event))
		event_raw_sketch_json(event, &mends, arena, raw);
	json_decref(event);
}

void event_sketch(const struct entry *entry, struct arena *arena, struct event_sketch *ret)
{
	struct event_raw raw = {0};
	const struct entry_field *event = event_field(entry);
	if (event != NULL)
		sketch_json(event, arena, &raw);
	else
		event_raw_sketch_fields(entry, arena, &raw);
	*ret = (struct event_sketch){
	        .id = event_raw_told(&raw, ATTR_ID),
	        .source = event_raw_told(&raw, ATTR_SOURCE),
	        .job = event_raw_told(&raw, ATTR_JOB),
	        .customer = event_raw_told(&raw, ATTR_CUSTOMER),
	        .type = event_raw_told(&raw, ATTR_TYPE),
	};
}

/* SPDX-License-Identifier: MIT */
/* What both readers do with an entry's raw form. */
#include "model/event_raw.h"

#include <stdlib.h>
#include <string.h>

void event_raw_set(struct event_raw *raw, const char *name, size_t name_len, const char *value,
                   size_t value_len, bool replace)
{
	char *key = strndup(name, name_len);
	if (key == NULL)
		bug("out of memory");
	if (replace || json_object_get(raw->data, key) == NULL)
		(void)json_object_set_new(raw->data, key, json_stringn(value, value_len));
	free(key);
}

const struct entry_field *event_field(const struct entry *entry)
{
	for (size_t i = 0; i < entry->n_fields; i++)
		if (entry->fields[i].name_len == 5 &&
		    memcmp(entry->fields[i].name, "event", 5) == 0)
			return &entry->fields[i];
	return NULL;
}

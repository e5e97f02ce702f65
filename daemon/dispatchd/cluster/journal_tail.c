/* SPDX-License-Identifier: MIT */
#include "dispatchd/cluster/journal_tail.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t weight(const struct kept_entry *kept)
{
	return sizeof *kept + kept->entry.len;
}

static void drop_first(struct journal_tail *tail)
{
	struct kept_entry *kept = tail->first;
	tail->first = kept->next;
	if (tail->first == NULL)
		tail->last = NULL;
	tail->bytes -= weight(kept);
	free(kept);
}

void journal_tail_keep(struct journal_tail *tail, const struct journal_position *before,
                       const struct journal_entry *entry)
{
	struct kept_entry *kept = mem_alloc(sizeof *kept + entry->len);
	char *body = (char *)(kept + 1);
	kept->before = *before;
	kept->entry = *entry;
	kept->entry.body = body;
	if (entry->len > 0)
		memcpy(body, entry->body, entry->len);
	*(tail->last ? &tail->last->next : &tail->first) = kept;
	tail->last = kept;
	tail->bytes += weight(kept);
	while (tail->first != kept && tail->bytes > JOURNAL_TAIL_BYTES)
		drop_first(tail);
}

const struct kept_entry *journal_tail_behind(const struct journal_tail *tail,
                                             const struct journal_position *position)
{
	const struct kept_entry *kept = tail->first;
	while (kept != NULL && kept->before.number != position->number)
		kept = kept->next;
	bool follows = kept != NULL &&
	               memcmp(kept->before.seal, position->seal, sizeof position->seal) == 0;
	return follows ? kept : NULL;
}

void journal_tail_clear(struct journal_tail *tail)
{
	while (tail->first != NULL)
		drop_first(tail);
}

/* SPDX-License-Identifier: MIT */
#include "mail/report_queue.h"

#include "mail/report_fields.h"

#include <string.h>
#include <strings.h>

enum { ID_MIN = 5, ID_MAX = 128 };

struct ids {
	struct arena *arena;
	const char **list;
	size_t n, max;
};

static void add(struct ids *ids, const char *id, size_t len)
{
	if (ids->n == ids->max || len < ID_MIN || len > ID_MAX)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (strlen(ids->list[i]) == len && strncmp(ids->list[i], id, len) == 0)
			return;
	ids->list[ids->n++] = arena_strndup(ids->arena, id, len);
}

/* "… by relay.example.com (Postfix) with ESMTP id 4F1A23 for <a@example.com>; Mon, …" */
static void add_received(struct ids *ids, const char *value)
{
	for (const char *at = value; (at = strcasestr(at, " id ")) != NULL;) {
		at += 4;
		at += strspn(at, " ");
		add(ids, at, strcspn(at, " ;()<>"));
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);
	return len >= n && strcasecmp(text + len - n, end) == 0;
}

static void add_returned(struct ids *ids, const char *header)
{
	struct mail_report_field field;
	while (mail_report_field_next(&header, ids->arena, &field))
		if (strcasecmp(field.name, "Received") == 0)
			add_received(ids, field.value);
}

/* All its blocks. */
static void add_status(struct ids *ids, const char *status)
{
	struct mail_report_field field;
	while (*status != '\0')
		if (mail_report_field_next(&status, ids->arena, &field) &&
		    ends_with(field.name, "Queue-ID"))
			add(ids, field.value, strcspn(field.value, " ;"));
}

size_t mail_report_queue_ids(const struct mail_report_mail *mail, struct arena *arena,
                             const char **ret, size_t max)
{
	struct ids ids = {.arena = arena, .list = ret, .max = max};
	for (size_t i = 0; i < mail->n_parts; i++) {
		if (mail->parts[i].type == MAIL_REPORT_STATUS)
			add_status(&ids, mail->parts[i].text);
		else if (mail->parts[i].type == MAIL_REPORT_RETURNED)
			add_returned(&ids, mail->parts[i].text);
	}
	return ids.n;
}

/* SPDX-License-Identifier: MIT */
#include "center/pages/jumps.h"

#include "base/buf.h"
#include "center/http/request.h"

#include <string.h>

/* The value of the field that a brace names; nothing where the customer has none of that name. */
static void add_field(struct buf *out, const json_t *customer, const char *name, size_t len)
{
	json_t *value = json_object_getn(customer, name, len);
	if (json_is_string(value))
		request_encode(json_string_value(value), out);
}

static void expand(struct buf *out, const char *url, const json_t *customer)
{
	while (*url != '\0') {
		size_t plain = strcspn(url, "{");
		buf_add(out, url, plain);
		url += plain;
		if (*url == '\0')
			break;
		size_t len = strcspn(url + 1, "}");
		add_field(out, customer, url + 1, len);
		url += 1 + len + (url[1 + len] == '}');
	}
}

json_t *jumps_of(const struct settings *settings, const json_t *customer)
{
	const struct {
		const char *name, *url;
	} rows[] = {{"billing", settings->center.billing_url},
	            {"dms", settings->center.dms_url},
	            {"dispatch", settings->center.dispatch_url},
	            {"map", settings->center.map_url}};
	json_t *jumps = json_object();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = {0};
		if (*rows[i].url == '\0')
			continue;
		expand(&out, rows[i].url, customer);
		json_object_set_new(jumps, rows[i].name, json_string(buf_text(&out)));
		buf_free(&out);
	}
	return jumps;
}

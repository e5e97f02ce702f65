/* SPDX-License-Identifier: MIT */
#include "engine/check.h"

#include "mail/failure.h"
#include "spool/spool_read.h"

#include <stdio.h>

static void found_failures(json_t *findings, const char *where, const json_t *of)
{
	char text[1000];
	const char *reply = json_string_value(json_object_get(of, "reply"));
	(void)snprintf(text, sizeof text,
	               "the last %" JSON_INTEGER_FORMAT
	               " mails failed%s%s, none was delivered: %.700s",
	               json_integer_value(json_object_get(of, "failures")),
	               *where ? " at relay " : "", where, reply ? reply : "");
	json_t *sentence = json_string(text); /* NULL if the reply was cut within a character */
	json_array_append_new(
	        findings,
	        json_pack("{s:s, s:o}", "finding", "relay", "text",
	                  sentence ? sentence : json_string("many mails in a row failed")));
}

/* A running daemon counts per relay, including mails that it retries; the spool has earlier counts.
 */
static bool found_by_daemon(const json_t *status, json_t *findings)
{
	size_t i, n = json_array_size(findings);
	const json_t *relay;
	json_array_foreach(json_object_get(status, "relays"), i, relay)
	{
		if (json_is_true(json_object_get(relay, "failing")))
			found_failures(findings, json_string_value(json_object_get(relay, "name")),
			               relay);
	}
	return json_array_size(findings) > n;
}

bool check_relays(const json_t *status, struct spool *spool, json_t *findings, struct error *err)
{
	json_t *failures;
	if (found_by_daemon(status, findings))
		return true;
	if (!spool_read_failures(spool, &failures, err))
		return false;
	if (json_integer_value(json_object_get(failures, "failures")) >= FAILURES_MANY)
		found_failures(findings, "", failures);
	json_decref(failures);
	return true;
}

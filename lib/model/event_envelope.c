/* SPDX-License-Identifier: MIT */
/*
 * What CloudEvents' envelope says about an event's data: the version, the type of the content, and
 * data that come as base64. Both spellings ask here. What can't be honored is a fault, never left
 * out.
 */
#include "base/jsontext.h"
#include "base/utf8.h"
#include "model/event_raw.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

static const char blanks[] = " \t\r\n";

/* 1, 1.0, 1.0.2, … */
static bool is_version_1(const char *text)
{
	if (*text++ != '1')
		return false;
	while (*text == '.') {
		size_t digits = strspn(text + 1, "0123456789");
		if (digits == 0)
			return false;
		text += 1 + digits;
	}
	return *text == '\0';
}

/* RFC 2045, section 5.1: what a type or a subtype is made of. */
static size_t token_len(const char *text)
{
	return strspn(
	        text,
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`{|}~");
}

/* ANY/json or ANY/ANY+json, in any case, with any parameters. */
static bool is_json_type(const char *text)
{
	static const char json[] = "json", suffix[] = "+json";
	text += strspn(text, blanks);
	size_t type = token_len(text);
	if (type == 0 || text[type] != '/')
		return false;
	const char *subtype = text + type + 1;
	size_t len = token_len(subtype);
	const char *end = subtype + len + strspn(subtype + len, blanks);
	if (*end != '\0' && *end != ';')
		return false;
	return (len == strlen(json) && strncasecmp(subtype, json, len) == 0) ||
	       (len > strlen(suffix) &&
	        strncasecmp(subtype + len - strlen(suffix), suffix, strlen(suffix)) == 0);
}

bool event_envelope_check(const char *specversion, const char *datacontenttype, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	if (specversion != NULL && *specversion != '\0' && !is_version_1(specversion))
		return error_set(
		        err, EX_DATAERR,
		        "specversion must be 1.0 or another 1.x of CloudEvents (found \"%s\")",
		        utf8_quote(specversion, strlen(specversion), quote));
	if (datacontenttype != NULL && *datacontenttype != '\0' && !is_json_type(datacontenttype))
		return error_set(err, EX_DATAERR,
		                 "datacontenttype must be application/json or another type of JSON "
		                 "(found \"%s\")",
		                 utf8_quote(datacontenttype, strlen(datacontenttype), quote));
	return true;
}

static bool decode(const char *base64, size_t len, unsigned char *bytes, size_t *ret_len)
{
	static const int variants[] = {sodium_base64_VARIANT_ORIGINAL,
	                               sodium_base64_VARIANT_ORIGINAL_NO_PADDING};
	for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
		if (sodium_base642bin(bytes, len, base64, len, blanks, ret_len, NULL,
		                      variants[i]) == 0)
			return true;
	return false;
}

json_t *event_data_decode(const char *base64, size_t len, jsontext_mended *mended, void *arg,
                          struct error *err)
{
	size_t n;
	json_t *data = NULL;
	unsigned char *bytes = mem_alloc(len + 1);
	if (!decode(base64, len, bytes, &n))
		(void)error_set(err, EX_DATAERR, "data_base64 is not base64 (RFC 4648)");
	else if (!utf8_valid((const char *)bytes, n) || memchr(bytes, '\0', n) != NULL)
		(void)error_set(err, EX_DATAERR, "data_base64 does not hold UTF-8 text");
	else if ((data = jsontext_read_mended((const char *)bytes, n, mended, arg, err)) == NULL)
		(void)error_prefix(err, "data_base64 does not hold JSON");
	free(bytes);
	if (data == NULL || json_is_object(data))
		return data;
	(void)error_set(err, EX_DATAERR, "data_base64 holds %s; expected a JSON object",
	                jsontext_kind(data));
	json_decref(data);
	return NULL;
}

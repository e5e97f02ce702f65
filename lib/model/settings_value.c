/* SPDX-License-Identifier: MIT */
/* One row a kind of value: how it is read, written and described. */
#include "base/address.h"
#include "base/endpoint.h"
#include "base/hostname.h"
#include "base/redis_url.h"
#include "base/units.h"
#include "model/settings_table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

_Static_assert(sizeof(enum transport) == sizeof(int), "choices are stored as int");

enum { LIST_MAX = 64, RATE_MAX = 100000, LIMIT_MAX = 1000000 };
#define LIMIT_WINDOW_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)

typedef bool read_fn(const struct setting_reader *reader, const struct setting *row,
                     const char *text, void *member, struct error *err);
typedef const char *format_fn(const struct setting *row, const void *member, struct arena *arena);
typedef const char *describe_fn(const struct setting *row, struct arena *arena);

struct kind {
	read_fn *read;
	format_fn *format;
	describe_fn *describe;
	const char *what; /* "a mail address"; for faults and the manual */
};
static const struct kind kinds[SETTING_KIND_COUNT];

static bool setting_refuse(const struct setting *row, const char *text, struct arena *arena,
                           struct error *err)
{
	return error_set(err, EX_CONFIG, "must be %s (got \"%s\")", setting_describe(row, arena),
	                 text);
}

/* ---- texts */

static bool store_text(const struct setting_reader *reader, const char *text, void *member)
{
	*(const char **)member = arena_strdup(reader->arena, text);
	return true;
}

static bool read_text(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	if (row->max_len > 0 && strlen(text) > row->max_len)
		return error_set(err, EX_CONFIG, "must be at most %zu bytes long (got %zu)",
		                 row->max_len, strlen(text));
	return store_text(reader, text, member);
}

static bool read_name(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	if (strpbrk(text, " \t") != NULL)
		return error_set(err, EX_CONFIG, "must not contain spaces (got \"%s\")", text);
	return read_text(reader, row, text, member, err);
}

static bool read_redis_url(const struct setting_reader *reader, const struct setting *row,
                           const char *text, void *member, struct error *err)
{
	(void)row;
	struct redis_url url;
	return redis_url_parse(text, reader->arena, &url, err) && store_text(reader, text, member);
}

static bool read_listen(const struct setting_reader *reader, const struct setting *row,
                        const char *text, void *member, struct error *err)
{
	(void)row;
	struct endpoint endpoint;
	return endpoint_parse_own(text, &endpoint, err) && store_text(reader, text, member);
}

static bool read_helo(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	if (!hostname_full(text) && !hostname_literal(text))
		return setting_refuse(row, text, reader->arena, err);
	return store_text(reader, text, member);
}

static bool read_mailbox(const struct setting_reader *reader, const struct setting *row,
                         const char *text, void *member, struct error *err)
{
	struct mailbox mailbox;
	struct error why = {0};
	if (!mailbox_parse(text, &mailbox, &why))
		return error_set(err, EX_CONFIG, "must be %s (got \"%s\"): %s",
		                 kinds[row->kind].what, text, why.text);
	return store_text(reader, text, member);
}

static bool read_address(const struct setting_reader *reader, const struct setting *row,
                         const char *text, void *member, struct error *err)
{
	struct error why = {0};
	if (!address_check(text, &why))
		return error_set(err, EX_CONFIG, "must be %s (got \"%s\"): %s",
		                 kinds[row->kind].what, text, why.text);
	return store_text(reader, text, member);
}

static bool read_zone(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	if (zone_find(reader->zones, text) == NULL)
		return setting_refuse(row, text, reader->arena, err);
	return store_text(reader, text, member);
}

static const char *format_text(const struct setting *row, const void *member, struct arena *arena)
{
	(void)row, (void)arena;
	return *(const char *const *)member;
}

/* ---- lists: commas or spaces between */

static const char **split(const char *text, struct arena *arena, size_t *ret_n)
{
	const char **list = arena_new_array(arena, LIST_MAX + 2, const char *);
	size_t n = 0;
	for (const char *p = text + strspn(text, ", \t"); *p != '\0' && n <= LIST_MAX;) {
		size_t len = strcspn(p, ", \t");
		list[n++] = arena_strndup(arena, p, len);
		p += len;
		p += strspn(p, ", \t");
	}
	*ret_n = n;
	return list;
}

static bool read_list(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	(void)row;
	size_t n;
	const char **list = split(text, reader->arena, &n);
	if (n > LIST_MAX)
		return error_set(err, EX_CONFIG, "must have at most %d entries", LIST_MAX);
	*(const char *const **)member = list;
	return true;
}

static bool read_relays(const struct setting_reader *reader, const struct setting *row,
                        const char *text, void *member, struct error *err)
{
	size_t n;
	const char **list = split(text, reader->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct endpoint endpoint;
		if (!endpoint_parse(list[i], ENDPOINT_SMTP_PORT, &endpoint, err))
			return false;
	}
	if (n == 0)
		return setting_refuse(row, text, reader->arena, err);
	return read_list(reader, row, text, member, err);
}

/* Names in DNS or of containers, where an underscore is usual. */
static bool is_host(const char *text)
{
	static const char known[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	return *text != '.' && strlen(text) <= HOSTNAME_MAX && strspn(text, known) == strlen(text);
}

static bool read_hosts(const struct setting_reader *reader, const struct setting *row,
                       const char *text, void *member, struct error *err)
{
	size_t n;
	const char **list = split(text, reader->arena, &n);
	for (size_t i = 0; i < n; i++)
		if (!is_host(list[i]))
			return error_set(err, EX_CONFIG,
			                 "must be host names without a port; addresses need not be "
			                 "listed (got \"%s\")",
			                 list[i]);
	return read_list(reader, row, text, member, err);
}

static const char *format_list(const struct setting *row, const void *member, struct arena *arena)
{
	(void)row;
	const char *text = "";
	for (const char *const *item = *(const char *const *const *)member; *item != NULL; item++)
		text = *text == '\0' ? *item : arena_printf(arena, "%s, %s", text, *item);
	return text;
}

/* ---- numbers */

static bool in_range(const struct setting *row, int64_t value)
{
	return value >= row->min && value <= row->max;
}

static bool read_duration(const struct setting_reader *reader, const struct setting *row,
                          const char *text, void *member, struct error *err)
{
	int64_t value;
	if (!duration_parse(text, &value) || !in_range(row, value))
		return setting_refuse(row, text, reader->arena, err);
	*(int64_t *)member = value;
	return true;
}

static const char *format_duration(const struct setting *row, const void *member,
                                   struct arena *arena)
{
	(void)row;
	char text[UNITS_TEXT_MAX];
	return arena_strdup(arena, duration_format(*(const int64_t *)member, text));
}

static const char *describe_duration(const struct setting *row, struct arena *arena)
{
	return arena_printf(arena, "a duration between %s and %s (500ms, 30s, 5m, 12h, 90d)",
	                    format_duration(row, &row->min, arena),
	                    format_duration(row, &row->max, arena));
}

static bool read_size(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	int64_t value;
	if (!size_parse(text, &value) || !in_range(row, value))
		return setting_refuse(row, text, reader->arena, err);
	*(int64_t *)member = value;
	return true;
}

static const char *format_size(const struct setting *row, const void *member, struct arena *arena)
{
	(void)row;
	char text[UNITS_TEXT_MAX];
	return arena_strdup(arena, size_format(*(const int64_t *)member, text));
}

static const char *describe_size(const struct setting *row, struct arena *arena)
{
	return arena_printf(arena, "a size between %s and %s", format_size(row, &row->min, arena),
	                    format_size(row, &row->max, arena));
}

static bool read_count(const struct setting_reader *reader, const struct setting *row,
                       const char *text, void *member, struct error *err)
{
	size_t len = strlen(text);
	long long value =
	        len > 0 && len <= 15 && strspn(text, "0123456789") == len ? atoll(text) : -1;
	if (value < 0 || !in_range(row, value))
		return setting_refuse(row, text, reader->arena, err);
	*(int64_t *)member = value;
	return true;
}

static const char *format_count(const struct setting *row, const void *member, struct arena *arena)
{
	(void)row;
	return arena_printf(arena, "%" PRId64, *(const int64_t *)member);
}

static const char *describe_count(const struct setting *row, struct arena *arena)
{
	return arena_printf(arena, "an integer between %" PRId64 " and %" PRId64, row->min,
	                    row->max);
}

/* Digits with at most one point among them: no locale, exponent, sign, "nan" or "inf". */
static bool plain_decimal(const char *text)
{
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	return whole > 0 && *rest == '\0' && strlen(text) <= 15;
}

static bool read_rate(const struct setting_reader *reader, const struct setting *row,
                      const char *text, void *member, struct error *err)
{
	double value = 0, unit = 1;
	if (!plain_decimal(text))
		return setting_refuse(row, text, reader->arena, err);
	const char *point = strchr(text, '.');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '.')
			continue;
		value = value * 10 + (*p - '0');
		unit *= point != NULL && p > point ? 10 : 1;
	}
	value /= unit;
	if (value < 0.001 || value > RATE_MAX)
		return setting_refuse(row, text, reader->arena, err);
	*(double *)member = value;
	return true;
}

static const char *format_rate(const struct setting *row, const void *member, struct arena *arena)
{
	(void)row;
	double value = *(const double *)member;
	return value > 0 ? arena_printf(arena, "%.6g", value) : "";
}

/* ---- limits */

static bool read_limit(const struct setting_reader *reader, const struct setting *row,
                       const char *text, void *member, struct error *err)
{
	struct limit limit;
	char *end;
	errno = 0;
	limit.most = strtoll(text, &end, 10);
	bool good = *text >= '0' && *text <= '9' && errno == 0 && *end == '/' && limit.most >= 1 &&
	            limit.most <= (row->max > 0 ? row->max : LIMIT_MAX) &&
	            duration_parse(end + 1, &limit.window_ms) && limit.window_ms >= 1 &&
	            limit.window_ms <= LIMIT_WINDOW_MAX_MS;
	if (!good)
		return setting_refuse(row, text, reader->arena, err);
	*(struct limit *)member = limit;
	return true;
}

static const char *describe_limit(const struct setting *row, struct arena *arena)
{
	return arena_printf(arena,
	                    "a number from 1 to %" PRId64 " and a duration of at most 7d, such as "
	                    "20/1h",
	                    row->max > 0 ? row->max : (int64_t)LIMIT_MAX);
}

static const char *format_limit(const struct setting *row, const void *member, struct arena *arena)
{
	const struct limit *limit = member;
	if (limit->most == 0)
		return "";
	return arena_printf(arena, "%" PRId64 "/%s", limit->most,
	                    format_duration(row, &limit->window_ms, arena));
}

/* ---- choices */

static bool read_choice(const struct setting_reader *reader, const struct setting *row,
                        const char *text, void *member, struct error *err)
{
	int i = 0;
	size_t text_len = strlen(text);
	for (const char *p = row->choices; *p != '\0'; i++) {
		size_t len = strcspn(p, " ");
		if (len == text_len && memcmp(p, text, len) == 0) {
			*(int *)member = i;
			return true;
		}
		p += len;
		p += strspn(p, " ");
	}
	return setting_refuse(row, text, reader->arena, err);
}

static const char *format_choice(const struct setting *row, const void *member, struct arena *arena)
{
	const char *p = row->choices;
	for (int i = *(const int *)member; i > 0; i--)
		p = strchr(p, ' ') + 1;
	return arena_strndup(arena, p, strcspn(p, " "));
}

static const char *describe_choice(const struct setting *row, struct arena *arena)
{
	const char *text = "one of ";
	for (const char *p = row->choices; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		text = arena_printf(arena, "%s%.*s%s", text, (int)len, p, p[len] ? ", " : "");
		p += len;
	}
	return text;
}

/* ---- */

static const struct kind kinds[SETTING_KIND_COUNT] = {
        [SETTING_TEXT] = {.read = read_text, .format = format_text, .what = "a text"},
        [SETTING_NAME] = {.read = read_name, .format = format_text, .what = "a name in Redis"},
        [SETTING_PATH] = {.read = read_text, .format = format_text, .what = "a path"},
        [SETTING_REDIS_URL] = {.read = read_redis_url,
                               .format = format_text,
                               .what = ("redis://HOST:PORT/DB, rediss://HOST:PORT/DB, "
                                        "unix:///PATH?db=DB or "
                                        "sentinel://HOST:PORT,HOST:PORT/SERVICE/DB")},
        [SETTING_LISTEN] = {.read = read_listen,
                            .format = format_text,
                            .what = "HOST:PORT, [IPV6]:PORT or unix:PATH"},
        [SETTING_MAILBOX] = {.read = read_mailbox,
                             .format = format_text,
                             .what = "NAME <ADDRESS> or a mail address alone"},
        [SETTING_ADDRESS] = {.read = read_address, .format = format_text, .what = "a mail address"},
        [SETTING_ZONE] = {.read = read_zone,
                          .format = format_text,
                          .what = "an IANA time zone (Europe/Berlin) that this system knows"},
        [SETTING_LIST] = {.read = read_list,
                          .format = format_list,
                          .what = "a list separated by commas"},
        [SETTING_RELAYS] = {.read = read_relays,
                            .format = format_list,
                            .what = "one or more of HOST:PORT, [IPV6]:PORT or unix:PATH"},
        [SETTING_HOSTS] = {.read = read_hosts,
                           .format = format_list,
                           .what = "host names separated by commas"},
        [SETTING_HELO] = {.read = read_helo,
                          .format = format_text,
                          .what = "a full host name (letters, digits and hyphens, with a dot, not "
                                  "at the end: mail.example.com) or an address literal "
                                  "([192.0.2.1], [IPv6:2001:db8::1])"},
        [SETTING_DURATION] = {.read = read_duration,
                              .format = format_duration,
                              .describe = describe_duration},
        [SETTING_SIZE] = {.read = read_size, .format = format_size, .describe = describe_size},
        [SETTING_COUNT] = {.read = read_count, .format = format_count, .describe = describe_count},
        [SETTING_RATE] = {.read = read_rate,
                          .format = format_rate,
                          .what = "a number per second between 0.001 and 100000"},
        [SETTING_LIMIT] = {.read = read_limit, .format = format_limit, .describe = describe_limit},
        [SETTING_CHOICE] = {.read = read_choice,
                            .format = format_choice,
                            .describe = describe_choice},
};

/* What an empty value leaves: nothing, where the default is nothing too. */
static bool read_empty(const struct setting_reader *reader, const struct setting *row, void *member)
{
	if (row->kind == SETTING_LIST || row->kind == SETTING_HOSTS)
		*(const char *const **)member = arena_new_array(reader->arena, 1, const char *);
	else if (row->kind == SETTING_RATE)
		*(double *)member = 0;
	else if (row->kind == SETTING_LIMIT)
		*(struct limit *)member = (struct limit){0};
	else
		*(const char **)member = "";
	return true;
}

bool setting_read(const struct setting_reader *reader, const struct setting *row, const char *text,
                  void *member, struct error *err)
{
	bool number = row->kind == SETTING_DURATION || row->kind == SETTING_SIZE ||
	              row->kind == SETTING_COUNT || row->kind == SETTING_CHOICE;
	if (*text == '\0' && !number && !row->required)
		return read_empty(reader, row, member);
	if (*text == '\0')
		return error_set(err, EX_CONFIG, "must not be empty; expected %s",
		                 setting_describe(row, reader->arena));
	return kinds[row->kind].read(reader, row, text, member, err);
}

const char *setting_format(const struct setting *row, const void *member, struct arena *arena)
{
	return kinds[row->kind].format(row, member, arena);
}

const char *setting_describe(const struct setting *row, struct arena *arena)
{
	const struct kind *kind = &kinds[row->kind];
	return kind->describe ? kind->describe(row, arena) : kind->what;
}

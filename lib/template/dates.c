/* SPDX-License-Identifier: MIT */
/*
 * Times in mails: the zone's offset by the system's zone data, names and order by ICU in the
 * reader's language. ICU never sees a zone (its own zone data is years old): it formats the wall
 * time as if it were UTC.
 *
 * Opening a formatter takes 75 µs, using it 6, so a few are kept, and of each what it made last,
 * since a mail has its times in the text and once more in the HTML; a new one replaces the oldest.
 */
#include "template/dates.h"

#include "base/instant.h"
#include "base/mem.h"
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

enum { SLOTS = 24, LOCALE_MAX = 40, PATTERN_MAX = 200, OUT_MAX = 300, MADE = 4, MADE_MAX = 62 };

struct style {
	const char *name;
	const char *skeleton; /* what ICU finds the locale's own pattern for (UTS 35) */
	const char *pattern;  /* without a locale */
};
static const struct style styles[] = {
        {.name = "full", .skeleton = "yMMMMEEEEdjmm", .pattern = "EEEE, d MMMM y, HH:mm"},
        {.name = "short", .skeleton = "yMMMdjmm", .pattern = "d MMM y, HH:mm"},
        {.name = "day", .skeleton = "yMMMMEEEEd", .pattern = "EEEE, d MMMM y"},
        {.name = "time", .skeleton = "jmm", .pattern = "HH:mm"},
};
enum { STYLE_FULL = 0, STYLE_DAY = 2 };

struct made {
	int64_t wall_ms;
	unsigned char len; /* 0: nothing yet */
	char text[MADE_MAX];
};

struct slot {
	char locale[LOCALE_MAX];
	const struct style *style;
	UDateFormat *format; /* NULL if ICU can't */
	struct made made[MADE];
	size_t next_made; /* the one to be used again */
};

struct dates {
	struct zones *zones;
	struct slot slots[SLOTS];
	size_t next; /* the slot to be used again: the oldest */
};

struct dates *dates_new(void)
{
	struct dates *dates = mem_alloc(sizeof *dates);
	dates->zones = zones_new();
	return dates;
}

struct dates *dates_free(struct dates *dates)
{
	if (dates == NULL)
		return NULL;
	for (size_t i = 0; i < SLOTS; i++)
		if (dates->slots[i].format != NULL)
			udat_close(dates->slots[i].format);
	zones_free(dates->zones);
	free(dates);
	return NULL;
}

static struct zones *get_zones(struct dates *dates)
{
	if (zones_stale(dates->zones)) {
		zones_free(dates->zones);
		dates->zones = zones_new();
	}
	return dates->zones;
}

/* The pattern of a style in a locale. */
static int32_t find_pattern(const struct style *style, const char *locale,
                            UChar pattern[PATTERN_MAX])
{
	UErrorCode status = U_ZERO_ERROR;
	UChar skeleton[32];
	u_uastrcpy(pattern, style->pattern);
	int32_t len = (int32_t)strlen(style->pattern);
	if (*locale == '\0')
		return len;
	UDateTimePatternGenerator *generator = udatpg_open(locale, &status);
	if (U_FAILURE(status))
		return len;
	u_uastrcpy(skeleton, style->skeleton);
	UChar best[PATTERN_MAX];
	int32_t n = udatpg_getBestPattern(generator, skeleton, -1, best, PATTERN_MAX, &status);
	if (U_SUCCESS(status) && n > 0 && n < PATTERN_MAX) {
		u_memcpy(pattern, best, n);
		len = n;
	}
	udatpg_close(generator);
	return len;
}

/* NULL if ICU can't. */
static UDateFormat *open_format(const struct style *style, const char *locale)
{
	static const UChar utc[] = {'U', 'T', 'C', 0};
	UErrorCode status = U_ZERO_ERROR;
	UChar pattern[PATTERN_MAX];
	char tag[LOCALE_MAX], name[ULOC_FULLNAME_CAPACITY];

	for (size_t i = 0; i < sizeof tag && (tag[i] = locale[i]) != '\0'; i++)
		tag[i] = tag[i] == '_' ? '-' : tag[i];
	(void)uloc_forLanguageTag(tag, name, sizeof name, NULL, &status);
	if (U_FAILURE(status) || status == U_STRING_NOT_TERMINATED_WARNING)
		name[0] = '\0';
	status = U_ZERO_ERROR;
	int32_t len = find_pattern(style, name, pattern);
	UDateFormat *format = udat_open(UDAT_PATTERN, UDAT_PATTERN, *name != '\0' ? name : "en",
	                                utc, -1, pattern, len, &status);
	return U_SUCCESS(status) ? format : NULL;
}

static struct slot *get_slot(struct dates *dates, const struct style *style, const char *locale)
{
	if (strlen(locale) >= LOCALE_MAX)
		locale = "";
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &dates->slots[i];
		if (slot->style == style && strcmp(slot->locale, locale) == 0)
			return slot;
	}
	struct slot *slot = &dates->slots[dates->next];
	dates->next = (dates->next + 1) % SLOTS;
	if (slot->format != NULL)
		udat_close(slot->format);
	*slot = (struct slot){.style = style, .format = open_format(style, locale)};
	strcpy(slot->locale, locale);
	return slot;
}

static bool add_made(struct buf *ret, int64_t wall_ms, const struct slot *slot)
{
	for (size_t i = 0; i < MADE; i++) {
		const struct made *made = &slot->made[i];
		if (made->len > 0 && made->wall_ms == wall_ms) {
			buf_add(ret, made->text, made->len);
			return true;
		}
	}
	return false;
}

static void keep_made(struct slot *slot, int64_t wall_ms, const char *text, size_t len)
{
	struct made *made = &slot->made[slot->next_made];
	if (len == 0 || len > sizeof made->text)
		return;
	slot->next_made = (slot->next_made + 1) % MADE;
	made->wall_ms = wall_ms;
	made->len = (unsigned char)len;
	memcpy(made->text, text, len);
}

/* No-break spaces become plain ones: they have no use in a mail, and old mail programs show some
 * of them as boxes. */
static void add_utf16(struct buf *ret, UChar *text, int32_t len)
{
	char out[3 * OUT_MAX + 1];
	int32_t n = 0;
	UErrorCode status = U_ZERO_ERROR;
	for (int32_t i = 0; i < len; i++)
		if (text[i] == 0xa0 || text[i] == 0x202f)
			text[i] = ' ';
	u_strToUTF8(out, sizeof out, &n, text, len, &status);
	if (U_SUCCESS(status))
		buf_add(ret, out, (size_t)n);
}

/* False if ICU can't. */
static bool add_time(struct buf *ret, int64_t wall_ms, const struct style *style,
                     const struct dates_reader *reader)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar out[OUT_MAX];
	struct slot *slot = get_slot(reader->dates, style, reader->locale);
	if (slot->format == NULL)
		return false;
	if (add_made(ret, wall_ms, slot))
		return true;
	int32_t len = udat_format(slot->format, (UDate)wall_ms, out, OUT_MAX, NULL, &status);
	if (U_FAILURE(status) || len > OUT_MAX)
		return false;
	size_t from = ret->len;
	add_utf16(ret, out, len);
	keep_made(slot, wall_ms, buf_text(ret) + from, ret->len - from);
	return true;
}

/* The offset that an RFC 3339 text, known to be one, ends with. */
static int written_offset_s(const char *text, size_t len)
{
	enum { OFFSET_LEN = 6 }; /* +hh:mm */
	const char *p = text + len - OFFSET_LEN;
	if (text[len - 1] == 'Z' || text[len - 1] == 'z')
		return 0;
	int minutes = ((p[1] - '0') * 10 + p[2] - '0') * 60 + (p[4] - '0') * 10 + p[5] - '0';
	return (*p == '-' ? -60 : 60) * minutes;
}

static bool format_text(const struct dates_reader *reader, const char *text,
                        const struct style *style, struct buf *ret)
{
	struct instant at;
	struct day day;
	if (day_parse(text, &day))
		return add_time(ret, (int64_t)day.n * 86400000, &styles[STYLE_DAY], reader);
	if (!instant_parse(text, &at))
		return false;
	const struct zone *zone = *reader->timezone != '\0'
	                                  ? zone_find(get_zones(reader->dates), reader->timezone)
	                                  : NULL;
	int offset_s =
	        zone != NULL ? zone_offset_s(zone, at) : written_offset_s(text, strlen(text));
	return add_time(ret, at.ms + offset_s * (int64_t)1000, style, reader);
}

static const struct style *find_style(const char *name)
{
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
		if (strcmp(styles[i].name, name) == 0)
			return &styles[i];
	return NULL;
}

void dates_helper(void *arg, const char *text, struct buf *ret)
{
	enum { TIME_MAX = 64 };
	char time[TIME_MAX];
	const struct style *style = &styles[STYLE_FULL];
	const char *bar = strrchr(text, '|');
	size_t len = bar ? (size_t)(bar - text) : strlen(text);

	if (bar != NULL && find_style(bar + 1) != NULL)
		style = find_style(bar + 1);
	else
		len = strlen(text);
	if (len < sizeof time) {
		memcpy(time, text, len);
		time[len] = '\0';
		if (format_text(arg, time, style, ret))
			return;
	}
	buf_add(ret, text, len);
}

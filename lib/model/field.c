/* SPDX-License-Identifier: MIT */
/*
 * What a value of each type of field looks like: one function and one row a type. A value comes as
 * text from wherever (option, cell, JSON) and leaves in the one spelling in which it is kept.
 */
#include "base/address.h"
#include "base/utf8.h"
#include "model/key.h"
#include "model/kind.h"
#include "model/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unicode/uloc.h>

enum { LINE_MAX_CHARS = 500, TEXT_MAX_CHARS = 20000, PHONE_MAX_CHARS = 40, PHONE_MIN_DIGITS = 3 };

struct check {
	const struct field *field;
	const char *text; /* trimmed, valid UTF-8, not empty, no NUL; of a key: clean (key.h) */
	struct zones *zones;
	struct arena *arena;
};

/* Gives the canonical text, NULL where it is none. */
typedef const char *check_fn(const struct check *check);

static const char *check_any(const struct check *check)
{
	return check->text;
}

static const char *check_choice(const struct check *check)
{
	for (const char *const *choice = check->field->choices; *choice; choice++) {
		if (strcasecmp(*choice, check->text) == 0)
			return *choice;
	}
	return NULL;
}

static const char *check_day(const struct check *check)
{
	struct day day;
	return day_parse(check->text, &day) ? check->text : NULL;
}

static const char *check_instant(const struct check *check)
{
	struct instant at;
	return instant_parse(check->text, &at) ? check->text : NULL;
}

/* "2026-12-24", "2026-12-24T09:30" as the customer's clock shows it, or with an offset. */
static const char *check_moment(const struct check *check)
{
	struct day day;
	struct instant at;
	if (strlen(check->text) <= 10)
		return check_day(check);
	char *text = arena_strdup(check->arena, check->text);
	if (!day_parse(arena_strndup(check->arena, text, 10), &day) ||
	    strchr("Tt ", text[10]) == NULL)
		return NULL;
	text[10] = 'T';
	const char *time = text + 11;
	bool alone = strspn(time, "0123456789:") == strlen(time);
	const char *whole =
	        alone ? arena_printf(check->arena, "%s%sZ", text, strlen(time) == 5 ? ":00" : "")
	              : text;
	return instant_parse(whole, &at) ? text : NULL;
}

static const char *check_flag(const struct check *check)
{
	static const char *const yes[] = {"true", "yes", "1", NULL}, *const no[] = {"false", "no",
	                                                                            "0", NULL};
	for (size_t i = 0; yes[i]; i++) {
		if (strcmp(check->text, yes[i]) == 0)
			return "true";
		if (strcmp(check->text, no[i]) == 0)
			return "false";
	}
	return NULL;
}

/* Digits before and behind a point; `places` behind at most. The spelling is kept but for zeros in
 * front. */
static const char *decimal(const struct check *check, bool sign, size_t whole_max, size_t places)
{
	const char *p = check->text;
	bool negative = sign && *p == '-';
	p += negative;
	size_t digits = strspn(p, "0123456789");
	const char *point = p + digits;
	size_t behind = *point == '.' ? strspn(point + 1, "0123456789") : 0;
	const char *end = *point == '.' ? point + 1 + behind : point;
	if (digits == 0 || *end != '\0' || (*point == '.' && behind == 0) || behind > places)
		return NULL;
	for (; digits > 1 && *p == '0'; digits--)
		p++;
	if (digits > whole_max)
		return NULL;
	return arena_printf(check->arena, "%s%s", negative ? "-" : "", p);
}

static const char *check_unsigned(const struct check *check)
{
	return decimal(check, false, 15, 0);
}

static const char *check_amount(const struct check *check)
{
	return decimal(check, true, 12, 4);
}

static const char *check_degrees(const struct check *check)
{
	const char *text = decimal(check, true, 3, 8);
	if (text == NULL)
		return NULL;
	double value = strtod(text, NULL);
	return value >= -180 && value <= 180 ? text : NULL;
}

static const char *check_share(const struct check *check)
{
	const char *text = decimal(check, false, 1, 8);
	return text && strtod(text, NULL) <= 1 ? text : NULL;
}

static const char *check_email(const struct check *check)
{
	return address_check(check->text, NULL) ? check->text : NULL;
}

static const char *check_phone(const struct check *check)
{
	size_t digits = 0;
	for (const char *p = check->text; *p; p++) {
		if (*p >= '0' && *p <= '9')
			digits++;
		else if (strchr("+-()./ #*,", *p) == NULL && !isalpha((unsigned char)*p))
			return NULL; /* letters: 1-800-EXAMPLE, ext. 12 */
	}
	return digits >= PHONE_MIN_DIGITS ? check->text : NULL;
}

static const char *check_zone(const struct check *check)
{
	return zone_find(check->zones, check->text) ? check->text : NULL;
}

/* Well formed for BCP 47, and a language and a country that ICU has heard of. */
static const char *check_locale(const struct check *check)
{
	char id[ULOC_FULLNAME_CAPACITY], tag[ULOC_FULLNAME_CAPACITY],
	        country[ULOC_COUNTRY_CAPACITY];
	char *with_hyphens = arena_strdup(check->arena, check->text);
	for (char *p = with_hyphens; (p = strchr(p, '_')) != NULL;)
		*p = '-';
	UErrorCode status = U_ZERO_ERROR;
	int32_t parsed = 0;
	(void)uloc_forLanguageTag(with_hyphens, id, sizeof id, &parsed, &status);
	if (U_FAILURE(status) || (size_t)parsed != strlen(with_hyphens) ||
	    *uloc_getISO3Language(id) == '\0')
		return NULL;
	int32_t has_country = uloc_getCountry(id, country, sizeof country, &status);
	if (has_country > 0 && !isdigit((unsigned char)country[0]) &&
	    *uloc_getISO3Country(id) == '\0')
		return NULL;
	status = U_ZERO_ERROR;
	int32_t len = uloc_toLanguageTag(id, tag, sizeof tag, true, &status);
	if (U_FAILURE(status) || len <= 0 || len >= (int32_t)sizeof tag)
		return NULL;
	return arena_strndup(check->arena, tag, (size_t)len);
}

/* Words as people and spreadsheets write them. */
static const char *in_lower_case(const struct check *check)
{
	char *text = arena_strdup(check->arena, check->text);
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static const char *check_states(const struct check *check)
{
	unsigned states;
	char text[WORDS_TEXT_MAX];
	return states_parse(in_lower_case(check), &states)
	               ? arena_strdup(check->arena, states_format(states, text))
	               : NULL;
}

static const char *check_scopes(const struct check *check)
{
	unsigned scopes;
	char text[WORDS_TEXT_MAX];
	return scopes_parse(in_lower_case(check), &scopes)
	               ? arena_strdup(check->arena, scopes_format(scopes, text))
	               : NULL;
}

static const struct {
	check_fn *check;
	int max; /* characters */
	const char *expected;
} types[] = {
        [FIELD_LINE] = {.check = check_any, .max = LINE_MAX_CHARS, .expected = "one line of text"},
        [FIELD_TEXT] = {.check = check_any, .max = TEXT_MAX_CHARS, .expected = "text"},
        [FIELD_CHOICE] = {.check = check_choice, .max = 40, .expected = "one of the choices"},
        [FIELD_DAY] = {.check = check_day, .max = 10, .expected = "a day (YYYY-MM-DD)"},
        [FIELD_INSTANT] = {.check = check_instant,
                           .max = 40,
                           .expected = "a time (RFC 3339 with an offset)"},
        [FIELD_MOMENT] = {.check = check_moment,
                          .max = 40,
                          .expected = "a day (2026-12-24) or a day and a time (2026-12-24T09:30)"},
        [FIELD_FLAG] = {.check = check_flag, .max = 5, .expected = "true or false"},
        [FIELD_UNSIGNED] = {.check = check_unsigned,
                            .max = 20,
                            .expected = "an integer, 0 or more"},
        [FIELD_AMOUNT] =
                {.check = check_amount,
                 .max = 20,
                 .expected = "a decimal number (1234.50; at most four digits after the point)"},
        [FIELD_DEGREES] = {.check = check_degrees,
                           .max = 20,
                           .expected = "degrees (-180 to 180, as 39.7392)"},
        [FIELD_SHARE] = {.check = check_share,
                         .max = 20,
                         .expected = "a number between 0 and 1 (0.25)"},
        [FIELD_EMAIL] = {.check = check_email,
                         .max = 254,
                         .expected = "a mail address (name@example.com)"},
        [FIELD_PHONE] = {.check = check_phone,
                         .max = PHONE_MAX_CHARS,
                         .expected = "a phone number (three digits or more)"},
        [FIELD_ZONE] = {.check = check_zone,
                        .max = 64,
                        .expected = "an IANA time zone (America/Denver)"},
        [FIELD_LOCALE] = {.check = check_locale,
                          .max = 64,
                          .expected = "a language tag (en-US, fr)"},
        [FIELD_STATES] = {.check = check_states, .max = 80}, /* see field_expected() */
        [FIELD_SCOPES] = {.check = check_scopes,
                          .max = 80,
                          .expected = "one or more of jobs, routes, emails"},
        [FIELD_CUSTOMER] = {.check = check_any, .max = 128, .expected = "a customer's number"},
        [FIELD_NAME] = {.check = check_any, .max = 128, .expected = "a name of its own"},
};

const char *field_expected(const struct field *field, struct arena *arena)
{
	char states[JOB_STATES_TEXT_MAX];
	if (field->type == FIELD_STATES)
		return arena_printf(arena, "job states (%s), all or none",
		                    job_states_join("", ",", ",", states));
	if (field->type != FIELD_CHOICE)
		return types[field->type].expected;
	const char *text = "one of ";
	for (const char *const *choice = field->choices; *choice; choice++)
		text = arena_printf(arena, "%s%s%s", text, choice == field->choices ? "" : ", ",
		                    *choice);
	return text;
}

/* -- what holds for every type ----------------------------------------------------------------- */

static bool fault(const struct field *field, struct error *err, const char *what)
{
	return error_set(err, EX_DATAERR, "%s: %s", field->name, what);
}

/* U+2028 and U+2029, the separators of lines and paragraphs. */
static bool is_separator(const char *text, size_t len)
{
	return len >= 3 &&
	       (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0);
}

/* C1 controls and all of C0 but tab, line feed and, before one, carriage return. */
static bool has_bad_control(const char *text, size_t len, bool lines)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;
		bool allowed = lines && (c == '\n' || c == '\t' || c == '\r');
		if (c1 || ((c < 0x20 || c == 0x7f) && !allowed) ||
		    (!lines && c == 0xe2 && is_separator(text + i, len - i)))
			return true;
	}
	return false;
}

static bool check_shape(const struct field *field, const char *text, size_t len, struct error *err)
{
	size_t max = (size_t)(field->max ? field->max : types[field->type].max);
	if (!utf8_valid(text, len))
		return fault(field, err, "is not valid UTF-8");
	if (has_bad_control(text, len, field->type == FIELD_TEXT))
		return fault(field, err, "has a line break or control character in it");
	if (utf8_length(text, len) <= max)
		return true;
	return error_set(err, EX_DATAERR, "%s: is longer than %zu characters", field->name, max);
}

static enum field_key key_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_LINE:
	case FIELD_NAME:
		return field->type == FIELD_NAME && field->key == KEY_NONE ? KEY_EXACT : field->key;
	case FIELD_TEXT:
		return KEY_NONE;
	case FIELD_PHONE:
	case FIELD_CUSTOMER:
		return KEY_DIGITS;
	default:
		return KEY_EXACT;
	}
}

/* Whether it is kept as text; of a number or a day its own type says what it may look like. */
static bool is_text(const struct field *field)
{
	return field->type == FIELD_LINE || field->type == FIELD_NAME ||
	       field->type == FIELD_PHONE || field->type == FIELD_CUSTOMER;
}

/* The text that is looked at by type; *ret is NULL where there is none. */
static bool clean(const struct field *field, const char *text, size_t len, struct arena *arena,
                  const char **ret, struct error *err)
{
	enum field_key key = key_of(field);
	*ret = NULL;
	key_trim(&text, &len);
	if (len > 0 && key != KEY_NONE && is_text(field) &&
	    !key_unsheet(field->name, key == KEY_DIGITS, &text, &len, err))
		return false;
	if (len == 0)
		return true;
	if (!check_shape(field, text, len, err))
		return false;
	if (key != KEY_NONE)
		return key_clean(field->name, text, len, arena, ret, err);
	*ret = arena_strndup(arena, text, len);
	return true;
}

/* Letters that are fine to people, but not to mail servers; `err` is set. */
static bool address_is_foreign(const struct field *field, const char *text, struct error *err)
{
	char quote[UTF8_QUOTE_MAX], ascii[ADDRESS_MAX + 1];
	const char *quoted = utf8_quote(text, strlen(text), quote);
	if (address_to_ascii(text, ascii)) {
		error_set(err, EX_DATAERR,
		          "%s: '%s' has letters in its domain that mail servers don't know; write "
		          "%s",
		          field->name, quoted, ascii);
		return true;
	}
	if (!address_needs_smtputf8(text))
		return false;
	error_set(err, EX_DATAERR,
	          "%s: '%s' has letters before the @ that only mail servers with SMTPUTF8 take, "
	          "which dispatchd doesn't use; another address is needed",
	          field->name, quoted);
	return true;
}

bool field_check(const struct field *field, const char *text, size_t len, struct zones *zones,
                 struct arena *arena, const char **ret, struct error *err)
{
	struct check check = {.field = field, .zones = zones, .arena = arena};
	if (memchr(text, '\0', len))
		return fault(field, err, "has a NUL in it");
	if (!clean(field, text, len, arena, &check.text, err))
		return false;
	if (check.text == NULL) {
		*ret = NULL;
		return true;
	}
	const char *value = types[field->type].check(&check);
	if (value == NULL) {
		char quote[UTF8_QUOTE_MAX];
		if (field->type == FIELD_EMAIL && address_is_foreign(field, check.text, err))
			return false;
		return error_set(err, EX_DATAERR, "%s: must be %s (got \"%s\")", field->name,
		                 field_expected(field, arena),
		                 utf8_quote(check.text, strlen(check.text), quote));
	}
	*ret = value;
	return true;
}

bool field_emptied(const struct field *field, bool adding, const char **ret, struct error *err)
{
	*ret = field->initial;
	if (!adding && field->type == FIELD_STATES)
		*ret = "none"; /* who takes away all states wants none */
	if (field->required && (*ret == NULL || (!adding && field->type == FIELD_CHOICE)))
		return error_set(err, EX_DATAERR, "%s: is required and can't be empty",
		                 field->name);
	return true;
}

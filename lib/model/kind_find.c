/* SPDX-License-Identifier: MIT */
/* Finding a kind, a field of it, what search finds a field by. */
#include "model/kind.h"

#include "base/nearest.h"

#include <string.h>

/* People type `third_party` and `--postal-code`: the two signs are one here. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
			return false;
		if (*a == '\0')
			return true;
	}
}

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < n_kinds; i++) {
		if (same_name(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

const struct field *kind_field(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (same_name(kind->fields[i].name, name))
			return &kind->fields[i];
	}
	return NULL;
}

bool kind_has_extra(const struct kind *kind, const char *key)
{
	for (const char *const *extra = kind->extra; extra && *extra; extra++) {
		if (strcmp(*extra, key) == 0)
			return true;
	}
	return kind->any_key;
}

bool kind_is_of_customer(const struct kind *kind)
{
	return kind->owner && kind_find(kind->owner)->is_customer;
}

size_t kind_field_index(const struct kind *kind, const struct field *field)
{
	return (size_t)(field - kind->fields);
}

const char *kind_nearest(const struct kind *kind, const char *name)
{
	struct nearest nearest = {.typed = name};
	for (size_t i = 0; i < kind->n_fields; i++)
		nearest_try(&nearest, kind->fields[i].name);
	return nearest.name;
}

static const char *const by_names[BY_COUNT + 1] = {
        [BY_NONE] = "",
        [BY_NAME] = "name",
        [BY_DBA] = "dba",
        [BY_NUMBER] = "number",
        [BY_ACCOUNT] = "account",
        [BY_ADDRESS] = "address",
        [BY_CITY] = "city",
        [BY_STATE] = "state",
        [BY_PHONE] = "phone",
        [BY_EMAIL] = "email",
        [BY_EQUIPMENT] = "equipment",
        [BY_CONTACT] = "contact",
        [BY_REFERENCE] = "reference",
        [BY_COUNTY] = "county",
        [BY_REP] = "rep",
        [BY_ALL] = "all",
};

const char *search_by_name(enum search_by by)
{
	return by_names[by];
}

bool search_by_find(const char *name, enum search_by *ret)
{
	for (int by = BY_NAME; by <= BY_ALL; by++) {
		if (strcmp(by_names[by], name) == 0) {
			*ret = (enum search_by)by;
			return true;
		}
	}
	return false;
}

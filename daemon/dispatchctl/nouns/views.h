/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_VIEWS_H
#define DISPATCHCTL_NOUNS_VIEWS_H

#include "dispatchctl/base/ctl.h"
#include "model/kind.h"

/* How records look to a person: columns of a kind's list, lines of its sheet. Both in the arena. */
struct view {
	struct column *columns;
	size_t n;
};
struct view view_of_list(const struct kind *kind, bool with_owner, struct arena *arena);
struct view view_of_sheet(const struct kind *kind, struct arena *arena);

/* "postal_code" is "Postal code". In the arena. */
const char *view_title(const char *name, struct arena *arena);

/* Prints a customer with all its records; takes the reference. */
void view_customer(struct ctl *ctl, json_t *customer);
/* A customer's hours, as hours_show() returns them. */
void view_hours(struct ctl *ctl, const json_t *hours);

/* Changes as customer_history() returns them; takes the reference. (view_changes.c) */
void view_changes(struct ctl *ctl, json_t *rows);

#endif

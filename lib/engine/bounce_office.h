/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_OFFICE_H
#define ENGINE_BOUNCE_OFFICE_H

#include "model/customer.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;
struct bounce_act;

/* Whether any contact that wants mails has an address where they can go. False for NULL. */
bool engine_can_reach(struct engine *engine, const struct customer *customer);
/* The office's one mail, where that isn't so anymore of the customer of the mail's event. */
void engine_bounce_unreachable(struct engine *engine, const struct bounce_act *act);

/*
 * A mail was refused for what it is: the office is alarmed, once a day at most, where there were
 * REFUSALS_AN_HOUR, or at least REFUSALS_FEW and REFUSALS_PERCENT of the mails made in a day.
 */
enum { REFUSALS_AN_HOUR = 5, REFUSALS_FEW = 2, REFUSALS_PERCENT = 2 };
void engine_bounce_refused(struct engine *engine);

#endif

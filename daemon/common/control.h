/* SPDX-License-Identifier: MIT */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include "base/error.h"
#include "model/settings.h"

#include <jansson.h>

/*
 * Asks the daemon on its control socket, `control.sock` beside spool.db: one JSON object a line
 * there, one back.
 */
enum control_answer {
	CONTROL_ANSWERED, /* *ret is the answer, the caller's */
	CONTROL_ABSENT,   /* no daemon runs here; `err` has what was tried */
	CONTROL_REFUSED,  /* it answered with a fault, which is in `err` */
	CONTROL_FAULT,    /* it didn't answer; `err` has the reason */
};
enum control_answer control_ask(const struct settings *settings, const json_t *request,
                                json_t **ret, struct error *err) MUST_CHECK;

#endif

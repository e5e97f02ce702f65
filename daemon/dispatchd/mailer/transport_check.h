/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_TRANSPORT_CHECK_H
#define DISPATCHD_MAILER_TRANSPORT_CHECK_H

#include "base/error.h"
#include "model/settings.h"

/* What can be checked of a relay's section without sending anything, each by itself so that every
 * fault is reported. */
enum transport_part {
	TRANSPORT_PART_LOGIN,       /* user and password */
	TRANSPORT_PART_TOKEN,       /* its file, which may still come: another program's */
	TRANSPORT_PART_CERTIFICATE, /* ours */
	TRANSPORT_PART_DATES,       /* of that: whether it is in force now */
	TRANSPORT_PART_KEY,         /* of that */
	TRANSPORT_PART_RELAYS,      /* relays and authorities */
	TRANSPORT_PART_COUNT
};

/* Whether that part holds for the transport, or is nothing to it. */
bool transport_check_relay(enum transport transport, const struct relay_settings *relay,
                           enum transport_part part, struct error *err) MUST_CHECK;
/* What it needs besides: whether a folder can be written. */
bool transport_check(const struct settings *settings, struct error *err) MUST_CHECK;

#endif

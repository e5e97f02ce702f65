/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_TRANSPORT_CHECK_H
#define DISPATCHD_MAILER_TRANSPORT_CHECK_H

#include "base/error.h"
#include "model/settings.h"

/* What can be checked of a transport's settings without sending anything, each by itself so that
 * every fault is reported. */
enum transport_part {
	TRANSPORT_PART_LOGIN,       /* user and password */
	TRANSPORT_PART_TOKEN,       /* its file, which may still come: another program's */
	TRANSPORT_PART_CERTIFICATE, /* ours */
	TRANSPORT_PART_KEY,         /* of that */
	TRANSPORT_PART_RELAYS,      /* relays and authorities */
	TRANSPORT_PART_FOLDER,      /* whether it can be written */
	TRANSPORT_PART_COUNT
};

/* Whether that part holds for the transport that the settings name, or is nothing to it. */
bool transport_check(const struct settings *settings, enum transport_part part,
                     struct error *err) MUST_CHECK;

#endif

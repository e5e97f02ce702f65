/* SPDX-License-Identifier: MIT */
/* The table of transports. */
#include "dispatchd/mailer/transport.h"

const struct transport_row *const transport_rows[] = {
        [TRANSPORT_SMTP] = &transport_smtp,
        [TRANSPORT_MAILDIR] = &transport_maildir,
};
const size_t transport_rows_len = sizeof transport_rows / sizeof transport_rows[0];

bool transport_check_relay(enum transport transport, const struct relay_settings *relay,
                           enum transport_part part, struct error *err)
{
	const struct transport_row *row = transport_rows[transport];

	return !row->check_relay[part] || row->check_relay[part](relay, err);
}

bool transport_check(const struct settings *settings, struct error *err)
{
	const struct transport_row *row = transport_rows[settings->mail.transport];

	return !row->check || row->check(settings, err);
}

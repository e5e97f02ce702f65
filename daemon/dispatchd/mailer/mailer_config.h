/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_CONFIG_H
#define DISPATCHD_MAILER_CONFIG_H

#include "base/address.h"
#include "dispatchd/mailer/transport.h"
#include "mail/templates.h"
#include "mail/token.h"
#include "model/settings.h"

#include <stdatomic.h>

/*
 * What a mailer needs of the settings, made ready: the transport and what mails can be handed to,
 * the sender, limits. Immutable, shared by reference: a reload makes a new one, and a connection
 * keeps the one that it was opened with.
 */
struct mailer_config {
	atomic_uint refs;
	const struct transport_row *transport;
	struct transport_targets targets;
	char *envelope;      /* the address of the sender */
	struct mailbox from; /* [mail] from */
	char *redirect_to;   /* [mail] redirect_to, for mails that somebody tries out; "": none */
	/* Of [bounce]: keys that sign; none, and "", where mails bear no tokens. */
	struct token_keys keys;
	char *bounce, *delimiter;
	size_t connections;
	double rate;
	struct templates *templates;
};

/* With one reference, the caller's. Takes one of its own to `templates` (NULL: none are needed);
 * reads password and authorities, and keeps nothing of `settings`. */
struct mailer_config *mailer_config_new(const struct settings *settings,
                                        struct templates *templates, struct error *err) MUST_CHECK;
/* The keys of [bounce]; none without an address. Codes 78, 77, 74. */
bool mailer_config_keys(const struct settings *settings, struct token_keys *ret,
                        struct error *err) MUST_CHECK;
struct mailer_config *mailer_config_ref(struct mailer_config *config);
/* Takes NULL; returns NULL. */
struct mailer_config *mailer_config_unref(struct mailer_config *config);

#endif

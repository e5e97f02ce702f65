/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_CONFIG_H
#define DISPATCHD_MAILER_CONFIG_H

#include "dispatchd/mailer/esmtp.h"
#include "dispatchd/mailer/secret.h"
#include "mail/templates.h"
#include "model/settings.h"

#include <stdatomic.h>

/*
 * What a mailer needs of the settings, made ready: relays taken apart, the password read, one
 * SSL_CTX a relay. Immutable, shared by reference: a reload makes a new one, and a connection keeps
 * the one that it was opened with.
 */
struct mailer_config {
	atomic_uint refs;
	enum transport transport;
	char *maildir;
	char *from;     /* for the header */
	char *envelope; /* its address */
	char *user;
	char password[SECRET_MAX + 1];
	char *helo;
	struct esmtp_target *relays; /* in the order of the configuration */
	size_t n_relays;
	size_t connections;
	double rate;
	struct templates *templates;
};

/* With one reference, the caller's. Takes one of its own to `templates` (NULL: none are needed);
 * reads password and authorities, and keeps nothing of `settings`. */
struct mailer_config *mailer_config_new(const struct settings *settings,
                                        struct templates *templates, struct error *err) MUST_CHECK;
/* Whether parts of it could be made ready: user and password; relays and authorities. */
bool mailer_config_check_login(const struct settings *settings, struct error *err) MUST_CHECK;
bool mailer_config_check_relays(const struct settings *settings, struct error *err) MUST_CHECK;
struct mailer_config *mailer_config_ref(struct mailer_config *config);
struct mailer_config *
mailer_config_unref(struct mailer_config *config); /* takes NULL; returns NULL */

#endif

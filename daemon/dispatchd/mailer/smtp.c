/* SPDX-License-Identifier: MIT */
/*
 * The SMTP transport: prepares [smtp] and each [smtp.NAME] once: parses relays, reads passwords,
 * authorities and certificates.
 * A connection itself is esmtp.c's.
 */
#include "base/mem.h"
#include "dispatchd/mailer/access_token.h"
#include "dispatchd/mailer/client_certificate.h"
#include "dispatchd/mailer/esmtp.h"
#include "dispatchd/mailer/secret.h"
#include "dispatchd/mailer/smtp_credential.h"
#include "dispatchd/mailer/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Of a section, with all relays that it names. */
struct smtp_login {
	char *user, *helo;
	char *token_file; /* "": login by password */
	char password[SECRET_MAX + 1];
};

struct smtp_relays {
	struct smtp_login *logins;
	size_t n_logins;
	struct esmtp_target *relays; /* in the order of the configuration */
	struct transport_target *targets;
	size_t n_relays;
};

/* An access token is whoever's who has it (RFC 6750, section 5.3): it goes to nobody unknown. Each
 * connection reads it. */
static bool smtp_login_by_token(const struct relay_settings *relay, struct error *err)
{
	return relay->tls == TLS_REQUIRED || relay->tls == TLS_IMPLICIT ||
	       error_set(err, EX_CONFIG, "[%s] oauth_token_file needs tls = required or implicit",
	                 relay->section);
}

/* The section's own, from a file or the credential; else, unless it needs one of its own, [smtp]'s.
 * "" where there is none. */
static bool smtp_read_password(struct smtp_login *login, const struct relay_settings *relay,
                               const char *credential, struct error *err)
{
	bool inherits = relay->name[0] != '\0' && !relay->own_login;

	if (!secret_read(inherits ? "" : relay->password_file, credential, login->password, err))
		return false;
	return !inherits || login->password[0] != '\0' ||
	       secret_read(relay->password_file, "smtp-password", login->password, err);
}

static bool smtp_read_login(struct smtp_login *login, const struct relay_settings *relay,
                            struct error *err)
{
	char credential[SMTP_CREDENTIAL_SIZE];

	login->user = mem_strdup(relay->user);
	login->helo = mem_strdup(relay->helo);
	login->token_file = mem_strdup(relay->oauth_token_file);
	if (login->token_file[0] != '\0')
		return smtp_login_by_token(relay, err);
	if (login->user[0] == '\0')
		return true;
	if (strlen(login->user) > SECRET_MAX)
		return error_set(err, EX_CONFIG, "[%s] user must have at most %d bytes",
		                 relay->section, SECRET_MAX);
	smtp_credential(relay, credential);
	if (!smtp_read_password(login, relay, credential, err))
		return error_prefix(err, "[%s] password_file", relay->section);
	if (login->password[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[%s] user is set, but there is no password: set password_file "
		                 "or the credential %s",
		                 relay->section, credential);
	return true;
}

static void smtp_login_clear(struct smtp_login *login)
{
	free(login->user);
	free(login->helo);
	free(login->token_file);
	secret_wipe(login->password, sizeof login->password);
}

static size_t count_relays(const struct settings *settings)
{
	size_t n = 0;

	for (size_t i = 0; i < settings->n_relays; i++)
		for (const char *const *relay = settings->relays[i].relay; *relay; relay++)
			n++;
	return n;
}

/* What [smtp] has is for all relays together: a limit of its own has one that is below that. */
static double own_rate(const struct relay_settings *relay, const struct relay_settings *smtp)
{
	bool own = relay->name[0] != '\0' && (smtp->rate == 0 || relay->rate < smtp->rate);

	return own ? relay->rate : 0;
}

/* Relays that follow one another share a rank if they have weights. */
static void smtp_describe(const struct smtp_relays *smtp, size_t i, const struct settings *settings,
                          const struct relay_settings *relay)
{
	struct transport_target *target = &smtp->targets[i];

	*target = (struct transport_target){
	        .name = smtp->relays[i].name,
	        .address = smtp->relays[i].address,
	        .weight = (unsigned)relay->weight,
	        .connections = relay->connections < settings->smtp.connections
	                               ? (unsigned)relay->connections
	                               : 0,
	        .rate = own_rate(relay, &settings->smtp),
	};
	if (i > 0) {
		const struct transport_target *before = &smtp->targets[i - 1];
		target->rank = before->rank + (target->weight == 0 || before->weight == 0);
	}
}

static bool smtp_make_section(struct smtp_relays *smtp, const struct settings *settings,
                              const struct relay_settings *relay, const struct smtp_login *login,
                              struct error *err)
{
	for (const char *const *address = relay->relay; *address; address++) {
		size_t i = smtp->n_relays++;
		struct esmtp_target *target = &smtp->relays[i];
		target->helo = login->helo;
		target->user = login->user;
		target->password = login->password;
		target->token_file = login->token_file;
		if (!esmtp_target_set(target, *address, relay, err) ||
		    !client_certificate_use(target->ssl, relay, err))
			return false;
		smtp_describe(smtp, i, settings, relay);
	}
	return true;
}

static bool smtp_make_relays(struct smtp_relays *smtp, const struct settings *settings,
                             struct error *err)
{
	size_t n = count_relays(settings);

	if (n == 0)
		return error_set(err, EX_CONFIG, "[smtp] relay names none");
	smtp->relays = mem_alloc(n * sizeof smtp->relays[0]);
	smtp->targets = mem_alloc(n * sizeof smtp->targets[0]);
	for (size_t i = 0; i < settings->n_relays; i++)
		if (!smtp_make_section(smtp, settings, &settings->relays[i], &smtp->logins[i], err))
			return false;
	return true;
}

static bool smtp_read_logins(struct smtp_relays *smtp, const struct settings *settings,
                             struct error *err)
{
	smtp->logins = mem_alloc(settings->n_relays * sizeof smtp->logins[0]);
	while (smtp->n_logins < settings->n_relays) {
		size_t i = smtp->n_logins++;
		if (!smtp_read_login(&smtp->logins[i], &settings->relays[i], err))
			return false;
	}
	return true;
}

static void smtp_free(struct smtp_relays *smtp)
{
	if (!smtp)
		return;
	for (size_t i = 0; i < smtp->n_relays; i++)
		esmtp_target_clear(&smtp->relays[i]);
	for (size_t i = 0; i < smtp->n_logins; i++)
		smtp_login_clear(&smtp->logins[i]);
	free(smtp->logins);
	free(smtp->relays);
	free(smtp->targets);
	free(smtp);
}

static bool smtp_targets(const struct settings *settings, struct transport_targets *ret,
                         struct error *err)
{
	struct smtp_relays *smtp = mem_alloc(sizeof *smtp);

	ret->own = smtp;
	if (!smtp_read_logins(smtp, settings, err) || !smtp_make_relays(smtp, settings, err))
		return false;
	ret->list = smtp->targets;
	ret->n = smtp->n_relays;
	return true;
}

static void smtp_clear(struct transport_targets *targets)
{
	smtp_free(targets->own);
	*targets = (struct transport_targets){0};
}

static void smtp_run(const struct transport_targets *targets, size_t target,
                     const struct mailer_limits *limits, struct watch *watch,
                     const struct transport_feed *feed)
{
	const struct smtp_relays *smtp = targets->own;

	watch_begin(watch);
	esmtp_run(&smtp->relays[target], limits, watch, feed);
}

/* ---- checks of a section, as the configuration would read it ---- */

static bool smtp_check_login(const struct relay_settings *relay, struct error *err)
{
	struct smtp_login login = {.user = NULL};
	bool ok = smtp_read_login(&login, relay, err);

	smtp_login_clear(&login);
	return ok;
}

static bool smtp_check_token(const struct relay_settings *relay, struct error *err)
{
	char token[ACCESS_TOKEN_MAX + 1];
	bool ok = relay->oauth_token_file[0] == '\0' ||
	          access_token_read(relay->oauth_token_file, token, err) ||
	          error_prefix(err, "[%s] oauth_token_file", relay->section);

	secret_wipe(token, sizeof token);
	return ok;
}

static bool smtp_check_relays(const struct relay_settings *relay, struct error *err)
{
	bool ok = true;

	for (const char *const *address = relay->relay; *address && ok; address++) {
		struct esmtp_target target = {.host = NULL};
		ok = esmtp_target_set(&target, *address, relay, err);
		esmtp_target_clear(&target);
	}
	return ok;
}

const struct transport_row transport_smtp = {
        .name = "smtp",
        .connects = true,
        .targets = smtp_targets,
        .clear = smtp_clear,
        .run = smtp_run,
        .check_relay = {[TRANSPORT_PART_LOGIN] = smtp_check_login,
                        [TRANSPORT_PART_TOKEN] = smtp_check_token,
                        [TRANSPORT_PART_CERTIFICATE] = client_certificate_check,
                        [TRANSPORT_PART_DATES] = client_certificate_in_force,
                        [TRANSPORT_PART_KEY] = client_key_check,
                        [TRANSPORT_PART_RELAYS] = smtp_check_relays},
};

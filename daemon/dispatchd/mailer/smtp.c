/* SPDX-License-Identifier: MIT */
/*
 * The SMTP transport: prepares [smtp] once: parses relays, reads the password and the authorities.
 * A connection itself is esmtp.c's.
 */
#include "base/mem.h"
#include "dispatchd/mailer/access_token.h"
#include "dispatchd/mailer/esmtp.h"
#include "dispatchd/mailer/secret.h"
#include "dispatchd/mailer/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct smtp_relays {
	char *user;
	char password[SECRET_MAX + 1];
	char *helo;
	char *token_file;            /* "": login by password */
	struct esmtp_target *relays; /* in the order of the configuration */
	size_t n_relays;
};

/* An access token is whoever's who has it (RFC 6750, section 5.3): it goes to nobody unknown. Each
 * connection reads it. */
static bool smtp_login_by_token(const struct settings *settings, struct error *err)
{
	return settings->smtp.tls == TLS_REQUIRED || settings->smtp.tls == TLS_IMPLICIT ||
	       error_set(err, EX_CONFIG,
	                 "[smtp] oauth_token_file needs tls = required or implicit");
}

static bool smtp_read_login(struct smtp_relays *smtp, const struct settings *settings,
                            struct error *err)
{
	smtp->user = mem_strdup(settings->smtp.user);
	smtp->token_file = mem_strdup(settings->smtp.oauth_token_file);
	if (smtp->token_file[0] != '\0')
		return smtp_login_by_token(settings, err);
	if (smtp->user[0] == '\0')
		return true;
	if (strlen(smtp->user) > SECRET_MAX)
		return error_set(err, EX_CONFIG, "[smtp] user must have at most %d bytes",
		                 SECRET_MAX);
	if (!secret_read(settings->smtp.password_file, "smtp-password", smtp->password, err))
		return error_prefix(err, "[smtp] password_file");
	if (smtp->password[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[smtp] user is set, but there is no password: set password_file "
		                 "or the credential smtp-password");
	return true;
}

static bool smtp_make_relays(struct smtp_relays *smtp, const struct settings *settings,
                             struct error *err)
{
	size_t n = 0;

	while (settings->smtp.relay[n])
		n++;
	if (n == 0)
		return error_set(err, EX_CONFIG, "[smtp] relay names none");
	smtp->helo = mem_strdup(settings->smtp.helo);
	smtp->relays = mem_alloc(n * sizeof smtp->relays[0]);
	while (smtp->n_relays < n) {
		const char *relay = settings->smtp.relay[smtp->n_relays];
		struct esmtp_target *target = &smtp->relays[smtp->n_relays++];
		target->helo = smtp->helo;
		target->user = smtp->user;
		target->password = smtp->password;
		target->token_file = smtp->token_file;
		if (!esmtp_target_set(target, relay, settings->smtp.tls, settings->smtp.ca_file,
		                      err))
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
	free(smtp->relays);
	free(smtp->helo);
	free(smtp->token_file);
	free(smtp->user);
	secret_wipe(smtp->password, sizeof smtp->password);
	free(smtp);
}

static bool smtp_targets(const struct settings *settings, struct transport_targets *ret,
                         struct error *err)
{
	struct smtp_relays *smtp = mem_alloc(sizeof *smtp);

	ret->own = smtp;
	if (!smtp_read_login(smtp, settings, err) || !smtp_make_relays(smtp, settings, err))
		return false;
	ret->names = mem_alloc(smtp->n_relays * sizeof ret->names[0]);
	for (; ret->n < smtp->n_relays; ret->n++)
		ret->names[ret->n] = smtp->relays[ret->n].name;
	return true;
}

static void smtp_clear(struct transport_targets *targets)
{
	smtp_free(targets->own);
	free(targets->names);
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

/* One part alone, as the configuration would read it. */
static bool smtp_check_part(bool (*part)(struct smtp_relays *smtp, const struct settings *settings,
                                         struct error *err),
                            const struct settings *settings, struct error *err)
{
	struct smtp_relays *smtp = mem_alloc(sizeof *smtp);
	bool ok = part(smtp, settings, err);

	smtp_free(smtp);
	return ok;
}

static bool smtp_check_login(const struct settings *settings, struct error *err)
{
	return smtp_check_part(smtp_read_login, settings, err);
}

static bool smtp_check_token(const struct settings *settings, struct error *err)
{
	const char *file = settings->smtp.oauth_token_file;
	char token[ACCESS_TOKEN_MAX + 1];
	bool ok = file[0] == '\0' || access_token_read(file, token, err) ||
	          error_prefix(err, "[smtp] oauth_token_file");

	secret_wipe(token, sizeof token);
	return ok;
}

static bool smtp_check_relays(const struct settings *settings, struct error *err)
{
	return smtp_check_part(smtp_make_relays, settings, err);
}

const struct transport_row transport_smtp = {
        .name = "smtp",
        .connects = true,
        .targets = smtp_targets,
        .clear = smtp_clear,
        .run = smtp_run,
        .check = {[TRANSPORT_PART_LOGIN] = smtp_check_login,
                  [TRANSPORT_PART_TOKEN] = smtp_check_token,
                  [TRANSPORT_PART_RELAYS] = smtp_check_relays},
};

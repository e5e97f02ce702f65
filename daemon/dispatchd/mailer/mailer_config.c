/* SPDX-License-Identifier: MIT */
/*
 * What mailers need of the settings, made ready once: relays, password, authorities, limits.
 * Immutable and counted by reference, so that a reload replaces it under connections that are open.
 */
#include "dispatchd/mailer/mailer_config.h"

#include "base/address.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool set_envelope(struct mailer_config *config, const struct settings *settings,
                         struct error *err)
{
	bool own = settings->mail.envelope_from[0] != '\0';
	struct mailbox mailbox;

	if (!mailbox_parse(own ? settings->mail.envelope_from : settings->mail.from, &mailbox, err))
		return error_prefix(err, "[mail] %s", own ? "envelope_from" : "from");
	config->envelope = mem_strdup(mailbox.address);
	return true;
}

static bool set_login(struct mailer_config *config, const struct settings *settings,
                      struct error *err)
{
	config->user = mem_strdup(settings->smtp.user);
	if (config->user[0] == '\0')
		return true;
	if (strlen(config->user) > SECRET_MAX)
		return error_set(err, EX_CONFIG, "[smtp] user has at most %d bytes", SECRET_MAX);
	if (!secret_read(settings->smtp.password_file, "smtp-password", config->password, err))
		return error_prefix(err, "[smtp] password_file");
	if (config->password[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[smtp] user is set, but there is no password: set password_file "
		                 "or the credential smtp-password");
	return true;
}

static bool set_relays(struct mailer_config *config, const struct settings *settings,
                       struct error *err)
{
	size_t n = 0;

	while (settings->smtp.relay[n])
		n++;
	if (n == 0)
		return error_set(err, EX_CONFIG, "[smtp] relay names none");
	config->helo = mem_strdup(settings->smtp.helo);
	config->relays = mem_alloc(n * sizeof config->relays[0]);
	while (config->n_relays < n) {
		const char *relay = settings->smtp.relay[config->n_relays];
		struct esmtp_target *target = &config->relays[config->n_relays++];
		target->helo = config->helo;
		target->user = config->user;
		target->password = config->password;
		if (!esmtp_target_set(target, relay, settings->smtp.tls, settings->smtp.ca_file,
		                      err))
			return false;
	}
	return true;
}

/* `part` alone, as the configuration would read it; a Maildir needs neither. */
static bool check_part(const struct settings *settings,
                       bool (*part)(struct mailer_config *config, const struct settings *settings,
                                    struct error *err),
                       struct error *err)
{
	struct mailer_config *config = mem_alloc(sizeof *config);

	atomic_init(&config->refs, 1);
	bool ok = settings->mail.transport != TRANSPORT_SMTP || part(config, settings, err);
	mailer_config_unref(config);
	return ok;
}

bool mailer_config_check_login(const struct settings *settings, struct error *err)
{
	return check_part(settings, set_login, err);
}

bool mailer_config_check_relays(const struct settings *settings, struct error *err)
{
	return check_part(settings, set_relays, err);
}

static bool fill(struct mailer_config *config, const struct settings *settings, struct error *err)
{
	config->transport = settings->mail.transport;
	config->maildir = mem_strdup(settings->mail.maildir);
	config->from = mem_strdup(settings->mail.from);
	config->connections =
	        settings->smtp.connections > 0 ? (size_t)settings->smtp.connections : 1;
	config->rate = settings->smtp.rate;
	if (!set_envelope(config, settings, err))
		return false;
	if (config->transport == TRANSPORT_SMTP)
		return set_login(config, settings, err) && set_relays(config, settings, err);
	if (config->maildir[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[mail] maildir is needed with transport = maildir");
	return true;
}

struct mailer_config *mailer_config_new(const struct settings *settings,
                                        struct templates *templates, struct error *err)
{
	struct mailer_config *config = mem_alloc(sizeof *config);

	atomic_init(&config->refs, 1);
	if (!fill(config, settings, err))
		return mailer_config_unref(config);
	config->templates = templates ? templates_ref(templates) : NULL;
	return config;
}

struct mailer_config *mailer_config_ref(struct mailer_config *config)
{
	atomic_fetch_add(&config->refs, 1);
	return config;
}

struct mailer_config *mailer_config_unref(struct mailer_config *config)
{
	if (!config || atomic_fetch_sub(&config->refs, 1) != 1)
		return NULL;
	for (size_t i = 0; i < config->n_relays; i++)
		esmtp_target_clear(&config->relays[i]);
	free(config->relays);
	free(config->maildir);
	free(config->from);
	free(config->envelope);
	free(config->helo);
	free(config->user);
	secret_wipe(config->password, sizeof config->password);
	if (config->templates)
		templates_unref(config->templates);
	free(config);
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * What mailers need of the settings, made ready once. Immutable and counted by reference, so that a
 * reload replaces it under connections that are open.
 */
#include "dispatchd/mailer/mailer_config.h"

#include "base/address.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sysexits.h>

static bool set_envelope(struct mailer_config *config, const struct settings *settings,
                         struct error *err)
{
	bool own = settings->mail.envelope_from[0] != '\0';
	struct mailbox mailbox;

	if (!mailbox_parse(settings->mail.from, &config->from, err))
		return error_prefix(err, "[mail] from");
	if (!mailbox_parse(own ? settings->mail.envelope_from : settings->mail.from, &mailbox, err))
		return error_prefix(err, "[mail] %s", own ? "envelope_from" : "from");
	config->envelope = mem_strdup(mailbox.address);
	config->redirect_to = mem_strdup(settings->mail.redirect_to);
	return true;
}

bool mailer_config_keys(const struct settings *settings, struct token_keys *ret, struct error *err)
{
	*ret = (struct token_keys){.n = 0};
	if (settings->bounce.address[0] == '\0')
		return true;
	if (!token_keys_read(settings->bounce.key_file, ret, err))
		return error_prefix(err, "[bounce] key_file");
	return ret->n > 0 || error_set(err, EX_CONFIG,
	                               "[bounce] address is set, but there is no key: set key_file "
	                               "or the credential bounce-key");
}

static bool set_bounce(struct mailer_config *config, const struct settings *settings,
                       struct error *err)
{
	config->bounce = mem_strdup(settings->bounce.address);
	config->delimiter = mem_strdup(settings->bounce.delimiter);
	return mailer_config_keys(settings, &config->keys, err);
}

static bool fill(struct mailer_config *config, const struct settings *settings, struct error *err)
{
	config->transport = transport_rows[settings->mail.transport];
	config->connections =
	        settings->smtp.connections > 0 ? (size_t)settings->smtp.connections : 1;
	config->rate = settings->smtp.rate;
	return set_envelope(config, settings, err) && set_bounce(config, settings, err) &&
	       config->transport->targets(settings, &config->targets, err);
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
	config->transport->clear(&config->targets);
	token_keys_wipe(&config->keys);
	free(config->envelope);
	free(config->redirect_to);
	free(config->bounce);
	free(config->delimiter);
	if (config->templates)
		templates_unref(config->templates);
	free(config);
	return NULL;
}

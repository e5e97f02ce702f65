/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/plan.h"

#include "base/address.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool plan_envelope(struct plan *plan, const struct settings *settings, struct error *err)
{
	bool own = settings->mail.envelope_from[0] != '\0';
	struct mailbox mailbox;

	if (!mailbox_parse(own ? settings->mail.envelope_from : settings->mail.from, &mailbox, err))
		return error_prefix(err, "[mail] %s", own ? "envelope_from" : "from");
	plan->envelope = mem_strdup(mailbox.address);
	return true;
}

static bool plan_login(struct plan *plan, const struct settings *settings, struct error *err)
{
	plan->user = mem_strdup(settings->smtp.user);
	if (plan->user[0] == '\0')
		return true;
	if (strlen(plan->user) > SECRET_MAX)
		return error_set(err, EX_CONFIG, "[smtp] user has at most %d bytes", SECRET_MAX);
	if (!secret_read(settings->smtp.password_file, "smtp-password", plan->password, err))
		return error_prefix(err, "[smtp] password_file");
	if (plan->password[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[smtp] user is set, but there is no password: set password_file "
		                 "or the credential smtp-password");
	return true;
}

static bool plan_relays(struct plan *plan, const struct settings *settings, struct error *err)
{
	size_t n = 0;

	while (settings->smtp.relay[n])
		n++;
	if (n == 0)
		return error_set(err, EX_CONFIG, "[smtp] relay names none");
	plan->helo = mem_strdup(settings->smtp.helo);
	plan->relays = mem_alloc(n * sizeof plan->relays[0]);
	while (plan->n_relays < n) {
		const char *relay = settings->smtp.relay[plan->n_relays];
		struct esmtp_target *target = &plan->relays[plan->n_relays++];
		target->helo = plan->helo;
		target->user = plan->user;
		target->password = plan->password;
		if (!esmtp_target_set(target, relay, settings->smtp.tls, settings->smtp.ca_file, err))
			return false;
	}
	return true;
}

/* `part` alone, as a plan would read it; a Maildir needs neither. */
static bool check_part(const struct settings *settings,
                       bool (*part)(struct plan *plan, const struct settings *settings, struct error *err),
                       struct error *err)
{
	struct plan *plan = mem_alloc(sizeof *plan);

	atomic_init(&plan->refs, 1);
	bool ok = settings->mail.transport != TRANSPORT_SMTP || part(plan, settings, err);
	plan_unref(plan);
	return ok;
}

bool plan_check_login(const struct settings *settings, struct error *err)
{
	return check_part(settings, plan_login, err);
}

bool plan_check_relays(const struct settings *settings, struct error *err)
{
	return check_part(settings, plan_relays, err);
}

static bool plan_fill(struct plan *plan, const struct settings *settings, struct error *err)
{
	plan->transport = settings->mail.transport;
	plan->maildir = mem_strdup(settings->mail.maildir);
	plan->from = mem_strdup(settings->mail.from);
	plan->connections = settings->smtp.connections > 0 ? (size_t)settings->smtp.connections : 1;
	plan->rate = settings->smtp.rate;
	if (!plan_envelope(plan, settings, err))
		return false;
	if (plan->transport == TRANSPORT_SMTP)
		return plan_login(plan, settings, err) && plan_relays(plan, settings, err);
	if (plan->maildir[0] == '\0')
		return error_set(err, EX_CONFIG, "[mail] maildir is needed with transport = maildir");
	return true;
}

struct plan *plan_new(const struct settings *settings, struct templates *templates, struct error *err)
{
	struct plan *plan = mem_alloc(sizeof *plan);

	atomic_init(&plan->refs, 1);
	if (!plan_fill(plan, settings, err))
		return plan_unref(plan);
	plan->templates = templates ? templates_ref(templates) : NULL;
	return plan;
}

struct plan *plan_ref(struct plan *plan)
{
	atomic_fetch_add(&plan->refs, 1);
	return plan;
}

struct plan *plan_unref(struct plan *plan)
{
	if (!plan || atomic_fetch_sub(&plan->refs, 1) != 1)
		return NULL;
	for (size_t i = 0; i < plan->n_relays; i++)
		esmtp_target_clear(&plan->relays[i]);
	free(plan->relays);
	free(plan->maildir);
	free(plan->from);
	free(plan->envelope);
	free(plan->helo);
	free(plan->user);
	secret_wipe(plan->password, sizeof plan->password);
	if (plan->templates)
		templates_unref(plan->templates);
	free(plan);
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* A relay as it is configured, taken apart. */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/endpoint.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

bool esmtp_target_set(struct esmtp_target *target, const char *address,
                      const struct relay_settings *relay, struct error *err)
{
	struct endpoint endpoint;
	enum tls_mode tls = relay->tls;

	if (strlen(address) >= sizeof target->address)
		return error_set(err, EX_CONFIG, "[%s] relay: %.40s…: is too long", relay->section,
		                 address);
	if (!endpoint_parse(address, tls == TLS_IMPLICIT ? ENDPOINT_SMTPS_PORT : ENDPOINT_SMTP_PORT,
	                    &endpoint, err))
		return error_prefix(err, "[%s] relay", relay->section);
	strcpy(target->address, address);
	snprintf(target->name, sizeof target->name, "%s",
	         relay->name[0] != '\0' ? relay->name : address);
	target->local = endpoint.path[0] != '\0';
	target->host = mem_strdup(target->local ? endpoint.path : endpoint.host);
	snprintf(target->port, sizeof target->port, "%d", endpoint.port);
	target->habits = mem_alloc(sizeof *target->habits);
	target->wanted = tls;
	target->tls = target->local ? TLS_NONE : tls;
	return tls_set_up(target, relay, err);
}

void esmtp_target_clear(struct esmtp_target *target)
{
	SSL_CTX_free(target->ssl);
	free(target->host);
	free(target->habits);
	target->ssl = NULL;
	target->host = NULL;
	target->habits = NULL;
}

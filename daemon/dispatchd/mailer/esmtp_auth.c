/* SPDX-License-Identifier: MIT */
/*
 * User and password for libesmtp. PLAIN and LOGIN send the password as it is, so they are permitted
 * only where nobody can listen: under TLS, to this very host (loopback, Unix socket), or where the
 * admin wrote `tls = none` and so asked for it. Otherwise only mechanisms that prove it without
 * sending it (CRAM-MD5) are left; if the relay has none, no mail goes out (esmtp_talk.c). Access
 * tokens are esmtp_oauth.c's: the library doesn't hear of a user then.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include <stdint.h>

static char *unconst(const char *text)
{
	return (char *)(uintptr_t)text; /* the library only copies from it */
}

static int on_question(auth_client_request_t request, char **result, int fields, void *arg)
{
	const struct esmtp *esmtp = arg;

	for (int i = 0; i < fields; i++) {
		if (request[i].flags & AUTH_USER)
			result[i] = unconst(esmtp->target->user);
		else if (request[i].flags & AUTH_PASS)
			result[i] = unconst(esmtp->target->password);
		else
			result[i] = NULL;
	}
	return 1;
}

bool auth_enter(struct esmtp *esmtp)
{
	if (esmtp->target->user[0] == '\0' || esmtp->target->token_file[0] != '\0')
		return true;
	esmtp->auth = auth_create_context();
	if (!esmtp->auth)
		return false;
	auth_set_mechanism_flags(esmtp->auth, 0,
	                         AUTH_PLUGIN_PLAIN | AUTH_PLUGIN_ANONYMOUS | AUTH_PLUGIN_EXTERNAL);
	auth_set_interact_cb(esmtp->auth, on_question, esmtp);
	return smtp_auth_set_context(esmtp->session, esmtp->auth) == 1;
}

bool auth_may_be_clear(const struct esmtp *esmtp)
{
	return esmtp->talk.tls_on || esmtp->net.loopback || esmtp->target->wanted == TLS_NONE;
}

void auth_permit(struct esmtp *esmtp)
{
	bool clear = auth_may_be_clear(esmtp);

	if (esmtp->auth)
		auth_set_mechanism_flags(esmtp->auth, clear ? AUTH_PLUGIN_PLAIN : 0,
		                         clear ? 0 : AUTH_PLUGIN_PLAIN);
}

void auth_leave(struct esmtp *esmtp)
{
	if (esmtp->auth)
		auth_destroy_context(esmtp->auth);
	esmtp->auth = NULL;
}

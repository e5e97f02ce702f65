/* SPDX-License-Identifier: MIT */
/*
 * Login with an access token: OAUTHBEARER (RFC 7628) and XOAUTH2, what Google and Microsoft had
 * before it. libesmtp knows neither, and its buffer for AUTH holds a token of 1.5 kB at most. So
 * libesmtp isn't told of a user, and what it is about to send as its first MAIL waits until this is
 * over:
 *
 *      AUTH XOAUTH2 BASE64            or, where that line would be longer than 512 bytes (RFC 4954,
 *                                     section 4), AUTH XOAUTH2, 334, BASE64
 *      235                            it goes on
 *      334 BASE64                     no: why, as JSON. It has to be answered, and then comes
 *      535                            the refusal
 *
 * The commands go straight through the connection's SSL, between two of libesmtp's, and the replies
 * are shown to the monitor, which keeps them as those to any AUTH. A token goes only over TLS, to a
 * relay that is verified.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/access_token.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/reply.h"
#include "dispatchd/mailer/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	SAID_MAX = ACCESS_TOKEN_MAX + 1200, /* with user and relay */
	ENCODED_MAX = (SAID_MAX + 2) / 3 * 4 + 1,
	COMMAND_MAX = 512, /* with its end (RFC 5321, section 4.5.3.1.4) */
	REPLY_MAX = 4096,  /* all lines */
};

/* One login; wiped when it is over. */
struct oauth {
	struct esmtp *esmtp;
	const struct oauth_mechanism *mechanism;
	struct error fault;
	bool has_token;
	char token[ACCESS_TOKEN_MAX + 1];
	char said[SAID_MAX];
	char line[ENCODED_MAX + COMMAND_MAX];
	char reply[REPLY_MAX];
	char status[64]; /* of the JSON that explains a refusal; "" for none */
};

/* ---- what is said ---- */

/* "," and "=" have a meaning in front of the first separator (RFC 5801, section 4). */
static void saslname(const char *name, char *ret, size_t size)
{
	size_t n = 0;

	for (; *name && n + 4 < size; name++)
		if (*name == ',' || *name == '=')
			n += (size_t)snprintf(ret + n, size - n, "=%02X", (unsigned char)*name);
		else
			ret[n++] = *name;
	ret[n] = '\0';
}

static void say_bearer(struct oauth *oauth)
{
	const struct esmtp_target *target = oauth->esmtp->target;
	char name[3 * SECRET_MAX + 1];

	saslname(target->user, name, sizeof name);
	snprintf(oauth->said, sizeof oauth->said,
	         "n,a=%s,\001host=%.254s\001port=%s\001auth=Bearer %s\001\001", name, target->host,
	         target->port, oauth->token);
}

static void say_xoauth2(struct oauth *oauth)
{
	snprintf(oauth->said, sizeof oauth->said, "user=%.255s\001auth=Bearer %s\001\001",
	         oauth->esmtp->target->user, oauth->token);
}

/* The standard first. */
static const struct oauth_mechanism {
	const char *name;
	void (*say)(struct oauth *oauth);
	const char *heard; /* answers the JSON */
} mechanisms[] = {
        {.name = "OAUTHBEARER", .say = say_bearer, .heard = "AQ=="},
        {.name = "XOAUTH2", .say = say_xoauth2, .heard = ""},
};

static bool offers(const char *offered, const char *name)
{
	size_t len;

	for (const char *p = offered + strspn(offered, " "); *p; p += len, p += strspn(p, " ")) {
		len = strcspn(p, " ");
		if (len == strlen(name) && strncasecmp(p, name, len) == 0)
			return true;
	}
	return false;
}

static const struct oauth_mechanism *choose_mechanism(const char *offered)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
		if (offers(offered, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

/* ---- the connection ---- */

static void await(struct oauth *oauth, short events)
{
	(void)tls_wait(&oauth->esmtp->net, events, CLOCK_NEVER_MS);
}

static bool send_line(struct oauth *oauth)
{
	size_t len = strlen(oauth->line), sent = 0;

	while (sent < len) {
		ssize_t n = secure_write(oauth->esmtp->talk.ssl, oauth->line + sent, len - sent);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			await(oauth, POLLOUT);
		else
			sent += (size_t)n;
	}
	return true;
}

/* Where the last line of a whole reply begins; NULL: there is more to come. */
static const char *last_line(const char *reply, size_t len)
{
	const char *line = len > 1 ? memrchr(reply, '\n', len - 1) : NULL;

	line = line ? line + 1 : reply;
	if (len < 4 || reply[len - 1] != '\n' || line[3] == '-')
		return NULL;
	return line;
}

/* Its code, or 0 where there is none; the text is in `reply`. */
static int read_reply(struct oauth *oauth)
{
	size_t len = 0;
	const char *line = NULL;

	while (!line && len < sizeof oauth->reply - 1) {
		ssize_t n = secure_read(oauth->esmtp->talk.ssl, oauth->reply + len,
		                        sizeof oauth->reply - 1 - len);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return 0;
		if (n < 0)
			await(oauth, POLLIN);
		else
			len += (size_t)n;
		line = last_line(oauth->reply, len);
	}
	if (!line)
		return 0;
	oauth->reply[len] = '\0';
	int code = atoi(line);
	talk_monitor(oauth->reply, (int)len, SMTP_CB_READING, oauth->esmtp);
	return code;
}

static int ask(struct oauth *oauth)
{
	return send_line(oauth) ? read_reply(oauth) : 0;
}

/* ---- the exchange ---- */

/* {"status": "401", "schemes": "bearer", …}; Google's has a number there. */
static void read_status(struct oauth *oauth)
{
	unsigned char text[REPLY_MAX];
	const char *base64 = oauth->reply + 4;
	size_t len = strlen(oauth->reply) > 4 ? strcspn(base64, "\r\n") : 0;
	int n = len > 0 && len % 4 == 0
	                ? EVP_DecodeBlock(text, (const unsigned char *)base64, (int)len)
	                : -1;
	for (; n > 0 && len > 0 && base64[len - 1] == '='; len--)
		n--;
	json_t *json = n > 0 ? jsontext_read((const char *)text, (size_t)n, NULL) : NULL;
	const json_t *status = json_object_get(json, "status");

	if (json_is_string(status))
		reply_clean(oauth->status, sizeof oauth->status, json_string_value(status),
		            json_string_length(status));
	else if (json_is_integer(status))
		snprintf(oauth->status, sizeof oauth->status, "%lld",
		         (long long)json_integer_value(status));
	json_decref(json);
}

/* The code of the last reply. */
static int oauth_exchange(struct oauth *oauth)
{
	const char *name = oauth->mechanism->name;
	char encoded[ENCODED_MAX];
	int code, len;

	oauth->mechanism->say(oauth);
	len = EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)oauth->said,
	                      (int)strlen(oauth->said));
	if (strlen("AUTH  \r\n") + strlen(name) + (size_t)len <= COMMAND_MAX) {
		snprintf(oauth->line, sizeof oauth->line, "AUTH %s %s\r\n", name, encoded);
		code = ask(oauth);
	} else {
		snprintf(oauth->line, sizeof oauth->line, "AUTH %s\r\n", name);
		code = ask(oauth);
		snprintf(oauth->line, sizeof oauth->line, "%s\r\n", encoded);
		code = code == 334 ? ask(oauth) : code;
	}
	secret_wipe(encoded, sizeof encoded);
	if (code != 334)
		return code;
	read_status(oauth);
	snprintf(oauth->line, sizeof oauth->line, "%s\r\n", oauth->mechanism->heard);
	return ask(oauth);
}

static void read_token(void *arg)
{
	struct oauth *oauth = arg;

	oauth->has_token =
	        access_token_read(oauth->esmtp->target->token_file, oauth->token, &oauth->fault);
}

/* Before anything is said; false: `why` is set. */
static bool oauth_prepare(struct oauth *oauth, char *why, size_t size)
{
	struct esmtp *esmtp = oauth->esmtp;
	const char *offered = esmtp->talk.offered;

	oauth->mechanism = choose_mechanism(offered);
	if (!esmtp->talk.tls_on || !tls_is_due(esmtp->target)) {
		snprintf(why, size, "AUTH: an access token goes only over TLS that is verified");
		return false;
	}
	if (!oauth->mechanism) {
		snprintf(why, size,
		         "AUTH: the relay offers %s; oauth_token_file is for OAUTHBEARER and "
		         "XOAUTH2",
		         offered[0] ? offered : "no way to log in");
		return false;
	}
	coroutine_aside(read_token, oauth);
	if (!oauth->has_token)
		snprintf(why, size, "AUTH: oauth_token_file: %s", oauth->fault.text);
	return oauth->has_token;
}

static void refused_text(const struct oauth *oauth, char *ret, size_t size)
{
	const struct talk *talk = &oauth->esmtp->talk;
	bool expired = talk->code == 535 || oauth->status[0] != '\0';

	snprintf(ret, size, "AUTH %s: the access token in %.200s is refused%s%s%s: %.200s",
	         oauth->mechanism->name, oauth->esmtp->target->token_file,
	         expired ? "; it may have expired" : "", oauth->status[0] ? ", status " : "",
	         oauth->status, talk->reply);
	reply_mask(ret, oauth->token);
}

static bool oauth_run(struct oauth *oauth, char *why, size_t size)
{
	struct esmtp *esmtp = oauth->esmtp;
	int code;

	if (!oauth_prepare(oauth, why, size)) {
		steps_end(esmtp->net.steps, true, why);
		return false;
	}
	snprintf(esmtp->talk.mechanism, sizeof esmtp->talk.mechanism, "%s", oauth->mechanism->name);
	esmtp->talk.token = oauth->token;
	code = oauth_exchange(oauth);
	esmtp->talk.token = NULL;
	tls_leave(&esmtp->net);
	if (code >= 400)
		refused_text(oauth, why, size);
	else if (code != 0 && code != 235)
		snprintf(why, size, "AUTH %s: the relay answered %d out of turn",
		         oauth->mechanism->name, code);
	return code == 235;
}

bool oauth_login(struct esmtp *esmtp, char *why, size_t size)
{
	struct oauth *oauth = mem_alloc(sizeof *oauth);
	bool ok;

	why[0] = '\0';
	oauth->esmtp = esmtp;
	esmtp->talk.stage = SMTP_AUTH;
	esmtp->talk.auth_begun = true;
	steps_begin(esmtp->net.steps, "login");
	watch_arm(esmtp->watch, esmtp->limits->auth_ms);
	ok = oauth_run(oauth, why, size);
	secret_wipe((char *)oauth, sizeof *oauth);
	free(oauth);
	return ok;
}

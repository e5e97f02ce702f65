/* SPDX-License-Identifier: MIT */
/*
 * TLS: one SSL_CTX a relay, made here and never left to libesmtp, whose own is freed by the first
 * session that ends, asks DNS for the name to verify, and sends no SNI. Immutable once made;
 * OpenSSL counts the references of sessions that run.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "common/tls_context.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/reply.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Why the handshake on this thread failed, where it was the certificate; until tls_leave(). */
static _Thread_local const char *verdict;

/* SNI (RFC 6066, section 3): names only, no addresses. With STARTTLS libesmtp makes the SSL, so it
 * is put in as the handshake starts. */
static void on_info(const SSL *ssl, int where, int result)
{
	const char *host = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)result;
	if (!(where & SSL_CB_HANDSHAKE_START) || !host || tls_is_address(host) ||
	    SSL_is_init_finished(ssl))
		return;
	SSL *own = (SSL *)(uintptr_t)ssl; /* OpenSSL hands a const one to this callback only */
	SSL_set_tlsext_host_name(own, host);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	if (!ok)
		verdict = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
	return ok;
}

static bool set_required(const struct esmtp_target *target, const struct relay_settings *relay,
                         struct error *err)
{
	if (!tls_context_trust(target->ssl, relay->ca_file, err))
		return error_prefix(err, "[%s] ca_file", relay->section);
	if (!tls_expect_name(SSL_CTX_get0_param(target->ssl), target->host))
		return error_set(err, EX_CONFIG,
		                 "[%s] relay: %s: no certificate can have that name",
		                 relay->section, target->address);
	SSL_CTX_set_verify(target->ssl, SSL_VERIFY_PEER, on_verify);
	return true;
}

bool tls_set_up(struct esmtp_target *target, const struct relay_settings *relay, struct error *err)
{
	target->ssl = tls_context_new();
	if (!target->ssl)
		return error_set(err, EX_SOFTWARE, "OpenSSL can't create a context");
	SSL_CTX_set_app_data(target->ssl, target->host);
	SSL_CTX_set_info_callback(target->ssl, on_info);
	return !tls_is_due(target) || set_required(target, relay, err);
}

bool tls_is_due(const struct esmtp_target *target)
{
	return target->tls == TLS_REQUIRED || target->tls == TLS_IMPLICIT;
}

/* A name for which it was made, of those that clients compare; its subject where it has none. */
static void certificate_name(const X509 *certificate, char *ret, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const ASN1_IA5STRING *text = NULL;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !text; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		text = name->type == GEN_DNS ? name->d.dNSName : NULL;
	}
	if (text)
		snprintf(ret, size, "%.*s", ASN1_STRING_length(text),
		         (const char *)ASN1_STRING_get0_data(text));
	else
		X509_NAME_oneline(X509_get_subject_name(certificate), ret, (int)size);
	GENERAL_NAMES_free(names);
}

void tls_words(const struct esmtp_target *target, const SSL *ssl, char *ret, size_t size)
{
	X509 *peer = SSL_get1_peer_certificate(ssl);
	char name[300], end[INSTANT_TEXT_MAX], text[DELIVERY_REPLY_MAX];
	bool verified = tls_is_due(target);

	if (peer) {
		certificate_name(peer, name, sizeof name);
		snprintf(text, sizeof text, "%s, certificate of %s until %s, %s",
		         SSL_get_version(ssl), name, tls_time_text(X509_get0_notAfter(peer), end),
		         verified ? "verified" : "not verified");
	} else {
		snprintf(text, sizeof text, "%s, no certificate", SSL_get_version(ssl));
	}
	X509_free(peer);
	reply_clean(ret, size, text, strlen(text));
}

void tls_enter(void)
{
	ERR_clear_error();
	verdict = NULL;
}

/* What a server answers that begins with its greeting, as is usual on ports 25 and 587. */
static bool is_cleartext(const struct net *net, unsigned long code)
{
	return net->target->tls == TLS_IMPLICIT && ERR_GET_LIB(code) == ERR_LIB_SSL &&
	       ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER;
}

void tls_leave(struct net *net)
{
	unsigned long code = ERR_peek_error();
	const char *why = verdict                   ? verdict
	                  : is_cleartext(net, code) ? "the relay doesn't begin with TLS; tls = "
	                                              "required is for STARTTLS"
	                  : code                    ? ERR_reason_error_string(code)
	                                            : NULL;

	if (why && net->tls_fault[0] == '\0')
		snprintf(net->tls_fault, sizeof net->tls_fault, "TLS: %s%s",
		         verdict ? "the certificate is refused: " : "", why);
	if (code || verdict)
		tls_enter();
}

short tls_wait(struct net *net, short events, int64_t until_ms)
{
	tls_leave(net);
	return coroutine_poll(net->watch->fd, events, until_ms);
}

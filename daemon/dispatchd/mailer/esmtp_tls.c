/* SPDX-License-Identifier: MIT */
/*
 * TLS: one SSL_CTX a relay, made here and never left to libesmtp, whose own is freed by the first
 * session that ends, asks DNS for the name to verify, and sends no SNI. Immutable once made;
 * OpenSSL counts the references of sessions that run.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/instant.h"
#include "dispatchd/mailer/client_certificate.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/reply.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

/* Why the handshake on this thread failed, where it was the certificate; until tls_leave(). */
static _Thread_local const char *verdict;

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* SNI (RFC 6066, section 3): names only, no addresses. With STARTTLS libesmtp makes the SSL, so it
 * is put in as the handshake starts. */
static void on_info(const SSL *ssl, int where, int result)
{
	const char *host = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)result;
	if (!(where & SSL_CB_HANDSHAKE_START) || !host || is_address(host) ||
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

static bool tls_set_name(SSL_CTX *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl);

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static bool set_required(SSL_CTX *ssl, const struct esmtp_target *target,
                         const struct relay_settings *relay, struct error *err)
{
	const char *ca_file = relay->ca_file;

	if (ca_file[0] != '\0' && SSL_CTX_load_verify_file(ssl, ca_file) != 1) {
		ERR_clear_error();
		return error_set(err, EX_CONFIG,
		                 "[%s] ca_file: %s: holds no certificates that can be read",
		                 relay->section, ca_file);
	}
	if (ca_file[0] == '\0' && SSL_CTX_set_default_verify_paths(ssl) != 1)
		return error_set(err, EX_CONFIG,
		                 "the system's certificate authorities can't be read");
	if (!tls_set_name(ssl, target->host))
		return error_set(err, EX_CONFIG,
		                 "[%s] relay: %s: no certificate can have that name",
		                 relay->section, target->address);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, on_verify);
	return true;
}

bool tls_context(struct esmtp_target *target, const struct relay_settings *relay, struct error *err)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());

	if (!ssl)
		return error_set(err, EX_SOFTWARE, "OpenSSL can't create a context");
	target->ssl = ssl;
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	/* Servers that just close are many; a reply is complete by its own form, a mail by its
	 * answer. */
	SSL_CTX_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_app_data(ssl, target->host);
	SSL_CTX_set_info_callback(ssl, on_info);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	return client_certificate_use(ssl, relay, err) &&
	       (!tls_is_due(target) || set_required(ssl, target, relay, err));
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

static const char *certificate_end(const X509 *certificate, char ret[INSTANT_TEXT_MAX])
{
	struct tm end = {0};

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return "?";
	return instant_format((struct instant){.ms = (int64_t)timegm(&end) * 1000}, 0, ret);
}

void tls_words(const struct esmtp_target *target, const SSL *ssl, char *ret, size_t size)
{
	X509 *peer = SSL_get1_peer_certificate(ssl);
	char name[300], end[INSTANT_TEXT_MAX], text[DELIVERY_REPLY_MAX];
	bool verified = tls_is_due(target);

	if (peer) {
		certificate_name(peer, name, sizeof name);
		snprintf(text, sizeof text, "%s, certificate of %s until %s, %s",
		         SSL_get_version(ssl), name, certificate_end(peer, end),
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

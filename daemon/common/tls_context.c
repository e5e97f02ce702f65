/* SPDX-License-Identifier: MIT */
#include "common/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

SSL_CTX *tls_context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* Servers that just close are many. What ends a connection early is found in what it
	 * carried: an answer is complete by its own form. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	return context;
}

bool tls_context_trust(SSL_CTX *context, const char *ca_file, struct error *err)
{
	if (ca_file[0] != '\0' && SSL_CTX_load_verify_file(context, ca_file) != 1) {
		ERR_clear_error();
		return error_set(err, EX_CONFIG, "%s: holds no certificates that can be read",
		                 ca_file);
	}
	if (ca_file[0] == '\0' && SSL_CTX_set_default_verify_paths(context) != 1)
		return error_set(err, EX_CONFIG,
		                 "the system's certificate authorities can't be read");
	return true;
}

bool tls_is_address(const char *host)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool tls_expect_name(X509_VERIFY_PARAM *param, const char *host)
{
	if (tls_is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

const char *tls_time_text(const ASN1_TIME *time, char ret[INSTANT_TEXT_MAX])
{
	struct tm tm = {0};
	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return strcpy(ret, "?");
	return instant_format((struct instant){.ms = (int64_t)timegm(&tm) * 1000}, 0, ret);
}

/* SPDX-License-Identifier: MIT */
#ifndef COMMON_TLS_CONTEXT_H
#define COMMON_TLS_CONTEXT_H

#include "base/error.h"
#include "base/instant.h"

#include <openssl/ssl.h>
#include <stdbool.h>

/*
 * What TLS as a client is like in all our connections: version, whom to believe, whose name the
 * server's certificate has to be for.
 */

/* TLS 1.2 or later, without renegotiation or kept sessions; verifies nothing yet. NULL where
 * OpenSSL can't make one. SSL_CTX_free() it. */
SSL_CTX *tls_context_new(void);
/* Reads the authorities: `ca_file`, or the system's where it is empty. False with code 78. */
bool tls_context_trust(SSL_CTX *context, const char *ca_file, struct error *err) MUST_CHECK;

/* Whether a host is an IP address: those aren't for SNI (RFC 6066, section 3). */
bool tls_is_address(const char *host);
/* The name or the address that the certificate has to be for (RFC 6125). False: none can be. */
bool tls_expect_name(X509_VERIFY_PARAM *param, const char *host) MUST_CHECK;

/* A certificate's date, RFC 3339; "?" where it can't be read. Returns `ret`. */
const char *tls_time_text(const ASN1_TIME *time, char ret[INSTANT_TEXT_MAX]);

#endif

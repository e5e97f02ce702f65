/* SPDX-License-Identifier: MIT */
/*
 * TLS as a client, by OpenSSL. Its queue of errors belongs to the thread, so each call empties it
 * before it asks for something.
 */
#include "common/tls_stream.h"

#include "base/mem.h"
#include "common/tls_context.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_trust {
	SSL_CTX *context;
};

struct tls_stream {
	SSL *ssl;
	bool wants_write;
	char why[256];
};

struct tls_trust *tls_trust_new(const char *ca_file, struct error *err)
{
	SSL_CTX *context = tls_context_new();
	if (!context)
		bug("OpenSSL can't create a context");
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (!tls_context_trust(context, ca_file, err)) {
		SSL_CTX_free(context);
		return NULL;
	}
	struct tls_trust *trust = mem_alloc(sizeof(*trust));
	trust->context = context;
	return trust;
}

struct tls_trust *tls_trust_free(struct tls_trust *trust)
{
	if (trust)
		SSL_CTX_free(trust->context);
	free(trust);
	return NULL;
}

static bool expect_name(SSL *ssl, const char *host)
{
	return tls_expect_name(SSL_get0_param(ssl), host) &&
	       (tls_is_address(host) || SSL_set_tlsext_host_name(ssl, host) == 1);
}

struct tls_stream *tls_stream_new(const struct tls_trust *trust, int fd, const char *host)
{
	SSL *ssl = SSL_new(trust->context);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || !expect_name(ssl, host)) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_connect_state(ssl);
	struct tls_stream *stream = mem_alloc(sizeof(*stream));
	stream->ssl = ssl;
	return stream;
}

struct tls_stream *tls_stream_free(struct tls_stream *stream)
{
	if (stream)
		SSL_free(stream->ssl);
	free(stream);
	return NULL;
}

static void note_fault(struct tls_stream *stream)
{
	long verdict = SSL_get_verify_result(stream->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	if (verdict != X509_V_OK)
		snprintf(stream->why, sizeof(stream->why), "TLS: the certificate is refused: %s",
		         X509_verify_cert_error_string(verdict));
	else
		snprintf(stream->why, sizeof(stream->why), "TLS: %s",
		         reason ? reason : "the connection is broken");
	ERR_clear_error();
}

/* What OpenSSL's `rc` means in read(2)'s and write(2)'s words. */
static ssize_t in_other_words(struct tls_stream *stream, int rc)
{
	int fault = errno, kind = SSL_get_error(stream->ssl, rc);
	stream->wants_write = kind == SSL_ERROR_WANT_WRITE;
	if (rc > 0)
		return rc;
	if (kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && fault == 0))
		return 0;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
	} else if (kind == SSL_ERROR_SYSCALL) {
		errno = fault;
	} else {
		note_fault(stream);
		errno = EPROTO;
	}
	return -1;
}

static int bounded(size_t size)
{
	return size < INT_MAX ? (int)size : INT_MAX;
}

ssize_t tls_stream_read(struct tls_stream *stream, void *bytes, size_t size)
{
	ERR_clear_error();
	errno = 0;
	return in_other_words(stream, SSL_read(stream->ssl, bytes, bounded(size)));
}

ssize_t tls_stream_write(struct tls_stream *stream, const void *bytes, size_t size)
{
	ERR_clear_error();
	errno = 0;
	ssize_t n = in_other_words(stream, SSL_write(stream->ssl, bytes, bounded(size)));
	if (n != 0)
		return n;
	errno = EPIPE; /* closed by the peer */
	return -1;
}

bool tls_stream_wants_write(const struct tls_stream *stream)
{
	return stream->wants_write;
}

bool tls_stream_pending(const struct tls_stream *stream)
{
	return SSL_pending(stream->ssl) > 0;
}

const char *tls_stream_why(const struct tls_stream *stream)
{
	return stream->why;
}

/* SPDX-License-Identifier: MIT */
#ifndef COMMON_TLS_STREAM_H
#define COMMON_TLS_STREAM_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * TLS from the first byte over a socket that is its owner's: read(2) and write(2) in other words,
 * for a loop (a socket that doesn't block) and for a program that waits. TLS 1.2 or later; the
 * server's certificate is always verified, and so is its name (RFC 6125; RFC 6066 for SNI).
 */
struct tls_trust; /* whom to believe */
struct tls_stream;

/* Reads the authorities: `ca_file`, or the system's where it is empty. NULL with code 78. */
struct tls_trust *tls_trust_new(const char *ca_file, struct error *err) MUST_CHECK;
struct tls_trust *tls_trust_free(struct tls_trust *trust); /* takes NULL; returns NULL */

/* `fd` stays the caller's, who closes it afterwards; `host` is the name or the address that the
 * certificate has to be for. Nothing is sent yet: the first read or write shakes hands. */
struct tls_stream *tls_stream_new(const struct tls_trust *trust, int fd,
                                  const char *host) MUST_CHECK;
struct tls_stream *tls_stream_free(struct tls_stream *stream); /* takes NULL; returns NULL */

/* As read(2) and write(2). -1 with EAGAIN: the socket isn't ready, for reading or, where
 * tls_stream_wants_write() says so, for writing. -1 with EPROTO: see tls_stream_why(). After a
 * write that had to wait, the next one begins with the same bytes. */
ssize_t tls_stream_read(struct tls_stream *stream, void *bytes, size_t size);
ssize_t tls_stream_write(struct tls_stream *stream, const void *bytes, size_t size);
/* What the last call waits for. */
bool tls_stream_wants_write(const struct tls_stream *stream);
/* Bytes that the next read gives without waiting for the socket. */
bool tls_stream_pending(const struct tls_stream *stream);
/* Of the last EPROTO: "TLS: the certificate is refused: hostname mismatch". */
const char *tls_stream_why(const struct tls_stream *stream);

#endif

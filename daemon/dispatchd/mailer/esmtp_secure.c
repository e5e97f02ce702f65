/* SPDX-License-Identifier: MIT */
/*
 * TLS from the first byte (RFC 8314, section 3.3), which libesmtp can't do: its bytes pass through
 * an SSL of ours on their way to the socket. OpenSSL's own read() and write() go to the descriptor
 * that the watch keeps; those of libesmtp's to its own, which is how esmtp_net.c tells them apart.
 *
 * Errors of OpenSSL are a thread's, and others of it go on where this waits: tls_leave() keeps ours
 * before that and leaves none behind.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "common/clock_ms.h"

#include <errno.h>
#include <poll.h>

/* What has to come before the call can go on; 0: nothing helps. */
static short awaited(const SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);

	return error == SSL_ERROR_WANT_READ ? POLLIN : error == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

static bool shake_hands(struct net *net)
{
	for (;;) {
		int result = SSL_connect(net->ssl);
		short events = result == 1 ? 0 : awaited(net->ssl, result);
		if (result == 1)
			return true;
		if (events == 0)
			return false;
		(void)tls_wait(net, events, CLOCK_NEVER_MS);
	}
}

bool secure_begin(struct net *net)
{
	bool done;

	tls_leave(net);
	net->ssl = SSL_new(net->target->ssl);
	done = net->ssl && SSL_set_fd(net->ssl, net->watch->fd) == 1 && shake_hands(net);
	tls_leave(net);
	if (!done) {
		SSL_free(net->ssl);
		net->ssl = NULL;
	}
	return done;
}

void secure_end(struct net *net)
{
	if (!net->ssl)
		return;
	tls_leave(net);
	if (SSL_is_init_finished(net->ssl))
		SSL_shutdown(net->ssl);
	SSL_free(net->ssl);
	net->ssl = NULL;
	tls_enter();
}

/* There is no renegotiation: what reads waits only to read, what writes only to write. */
static ssize_t result_of(SSL *ssl, int result, short events)
{
	if (result > 0)
		return result;
	if (SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = awaited(ssl, result) == events ? EAGAIN : EIO;
	return -1;
}

ssize_t secure_read(SSL *ssl, void *ret, size_t size)
{
	return result_of(ssl, SSL_read(ssl, ret, (int)size), POLLIN);
}

ssize_t secure_write(SSL *ssl, const void *bytes, size_t len)
{
	ssize_t n = result_of(ssl, SSL_write(ssl, bytes, (int)len), POLLOUT);

	if (n != 0)
		return n;
	errno = EPIPE;
	return -1;
}

bool secure_pending(const struct net *net)
{
	return net->ssl && SSL_pending(net->ssl) > 0;
}

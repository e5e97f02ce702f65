/* SPDX-License-Identifier: MIT */
/* TLS from the first byte below libesmtp: what its calls see of it. Client and server are
 * coroutines of one thread, so that who waits for whom is always the same. */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/libc.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGE = 3 << 20, GROWN = LARGE + 4096 };

struct world {
	struct coroutines *all;
	int client, server; /* a socket pair */
	SSL_CTX *server_tls;
	struct esmtp_target target;
	struct watch watch;
	struct net net;
	struct coroutine_condition turn;
	pthread_mutex_t lock;
	int step;
	void (*serve)(struct world *world, SSL *ssl);
	void (*speak)(struct world *world);
	char *text;
};

/* ---- who waits for whom ---- */

static void reach(struct world *world, int step)
{
	pthread_mutex_lock(&world->lock);
	world->step = step;
	coroutine_broadcast(&world->turn);
	pthread_mutex_unlock(&world->lock);
}

static void until(struct world *world, int step)
{
	pthread_mutex_lock(&world->lock);
	while (world->step < step)
		assert_true(coroutine_wait(&world->turn, &world->lock, clock_mono_ms() + 60000));
	pthread_mutex_unlock(&world->lock);
}

/* ---- the server ---- */

static SSL_CTX *server_context(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	X509_set_version(certificate, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
	                           (const unsigned char *)"relay.example.com", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(tls, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return tls;
}

/* Repeats a call of OpenSSL's until it has a result; the socket is ready in between. */
#define AGAIN(world, ssl, call)                                                                    \
	do {                                                                                       \
		int result_ = (call);                                                              \
		if (result_ > 0)                                                                   \
			break;                                                                     \
		int error_ = SSL_get_error((ssl), result_);                                        \
		assert_true(error_ == SSL_ERROR_WANT_READ || error_ == SSL_ERROR_WANT_WRITE);      \
		(void)coroutine_poll((world)->server,                                              \
		                     error_ == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,             \
		                     clock_mono_ms() + 60000);                                     \
	} while (1)

static void server_main(void *arg)
{
	struct world *world = arg;
	SSL *ssl = SSL_new(world->server_tls);

	SSL_set_fd(ssl, world->server);
	AGAIN(world, ssl, SSL_accept(ssl));
	world->serve(world, ssl);
	ERR_clear_error();
	SSL_free(ssl);
	coroutine_forget(world->server);
	close(world->server);
}

static void clear_server_main(void *arg)
{
	struct world *world = arg;

	assert_int_equal(libc_write(world->server, "220 relay.example.com\r\n", 23), 23);
	until(world, 1);
	close(world->server);
}

/* ---- the client ---- */

static void client_main(void *arg)
{
	struct world *world = arg;

	assert_true(watch_follow(&world->watch, world->client));
	world->speak(world);
	secure_end(&world->net);
	assert_null(world->net.ssl);
	assert_int_equal(ERR_peek_error(), 0);
	watch_leave(&world->watch);
	close(world->client);
}

static size_t read_all(struct world *world, char *ret, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = secure_read(world->net.ssl, ret + got, len - got);
		if (n < 0 && errno == EAGAIN)
			(void)tls_wait(&world->net, POLLIN, clock_mono_ms() + 60000);
		else if (n <= 0)
			break;
		else
			got += (size_t)n;
	}
	return got;
}

static int setup(void **state)
{
	static struct world world;
	int pair[2];

	world = (struct world){.all = coroutines_new(), .lock = PTHREAD_MUTEX_INITIALIZER};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	world.client = pair[0];
	world.server = pair[1];
	world.server_tls = server_context();
	world.target =
	        (struct esmtp_target){.tls = TLS_IMPLICIT, .ssl = SSL_CTX_new(TLS_client_method())};
	SSL_CTX_set_mode(world.target.ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	watch_init(&world.watch);
	world.net = (struct net){.target = &world.target, .watch = &world.watch};
	world.text = mem_alloc(GROWN);
	for (int i = 0; i < GROWN; i++)
		world.text[i] = (char)('a' + i % 23);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	coroutines_free(world->all);
	SSL_CTX_free(world->server_tls);
	SSL_CTX_free(world->target.ssl);
	watch_destroy(&world->watch);
	free(world->text);
	return 0;
}

static void talk(struct world *world, void (*serve)(struct world *, SSL *),
                 void (*speak)(struct world *))
{
	world->serve = serve;
	world->speak = speak;
	assert_true(coroutines_add(world->all, serve ? server_main : clear_server_main, world));
	assert_true(coroutines_add(world->all, client_main, world));
	coroutines_run(world->all);
}

/* ---- what is read ---- */

static void serve_one_record(struct world *world, SSL *ssl)
{
	AGAIN(world, ssl, SSL_write(ssl, "220 hello\r\n250 there\r\n", 22));
	until(world, 1);
	SSL_shutdown(ssl);
}

static void read_in_pieces(struct world *world)
{
	char text[32] = "";

	assert_true(secure_begin(&world->net));
	assert_false(secure_pending(&world->net));
	assert_int_equal(read_all(world, text, 11), 11);
	/* The rest of the record is ours to say: no socket will. */
	assert_true(secure_pending(&world->net));
	assert_int_equal(secure_read(world->net.ssl, text + 11, sizeof text - 11), 11);
	assert_false(secure_pending(&world->net));
	assert_string_equal(text, "220 hello\r\n250 there\r\n");
	/* Tickets and the like are nothing to read. */
	assert_int_equal(secure_read(world->net.ssl, text, sizeof text), -1);
	assert_int_equal(errno, EAGAIN);
	reach(world, 1);
	assert_int_equal(read_all(world, text, 1), 0);
	assert_int_equal(secure_read(world->net.ssl, text, 1), 0);
}

static void test_a_record_is_read_in_pieces(void **state)
{
	talk(*state, serve_one_record, read_in_pieces);
}

/* ---- what is written ---- */

static void serve_reader(struct world *world, SSL *ssl)
{
	char *got = mem_alloc(GROWN);
	int n = 0;

	until(world, 1);
	for (int part = 0; n < GROWN; n += part)
		AGAIN(world, ssl, part = SSL_read(ssl, got + n, GROWN - n));
	assert_memory_equal(got, world->text, GROWN);
	free(got);
	AGAIN(world, ssl, SSL_write(ssl, "250 whole\r\n", 11));
}

/* A write that the socket doesn't take whole is repeated with more behind it, from another place:
 * as esmtp_net.c does with what it holds. */
static void write_until_full(struct world *world)
{
	char *moved = mem_alloc(GROWN), text[16] = "";
	ssize_t n;

	assert_true(secure_begin(&world->net));
	assert_int_equal(secure_write(world->net.ssl, world->text, LARGE), -1);
	assert_int_equal(errno, EAGAIN);
	reach(world, 1);
	memcpy(moved, world->text, GROWN);
	while ((n = secure_write(world->net.ssl, moved, GROWN)) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_int_equal(tls_wait(&world->net, POLLOUT, clock_mono_ms() + 60000), POLLOUT);
	}
	assert_int_equal(n, GROWN);
	assert_int_equal(read_all(world, text, 11), 11);
	free(moved);
}

static void test_a_write_goes_on_where_it_stopped(void **state)
{
	talk(*state, serve_reader, write_until_full);
}

/* ---- the end ---- */

static void serve_nothing(struct world *world, SSL *ssl)
{
	SSL_set_quiet_shutdown(ssl, 1);
	reach(world, 1);
}

static void meet_the_end(struct world *world)
{
	char text[8];

	assert_true(secure_begin(&world->net));
	until(world, 1);
	(void)read_all(world, text, 1);
	assert_true(secure_read(world->net.ssl, text, 1) <= 0);
	assert_int_equal(secure_write(world->net.ssl, "EHLO x\r\n", 8), -1);
	assert_int_not_equal(errno, EAGAIN);
}

static void test_a_peer_that_is_gone(void **state)
{
	talk(*state, serve_nothing, meet_the_end);
}

static void hear_cleartext(struct world *world)
{
	assert_false(secure_begin(&world->net));
	assert_null(world->net.ssl);
	assert_int_equal(ERR_peek_error(), 0);
	assert_string_equal(world->net.tls_fault, "TLS: the relay doesn't begin with TLS; tls = "
	                                          "required is for STARTTLS");
	reach(world, 1);
}

static void test_a_peer_that_greets_in_the_clear(void **state)
{
	talk(*state, NULL, hear_cleartext);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_a_record_is_read_in_pieces, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_write_goes_on_where_it_stopped, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_a_peer_that_is_gone, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_peer_that_greets_in_the_clear, setup,
	                                        teardown),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

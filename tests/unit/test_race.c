/* SPDX-License-Identifier: MIT */
/* Several addresses tried side by side: in which order, who wins, and what is left after that. */
#include "dispatchd/mailer/race.h"

#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { EACH_MS = 100, SHORT_MS = 600, LONG_MS = 60 * 1000, FILLING = 4, ADDRESSES = 4 };

/* A listener, and who fills its queue; the kernel says nothing to more of them. */
struct server {
	int fd, filling[FILLING];
	struct sockaddr_in address;
};

struct world {
	struct coroutines *all;
	struct watch watch;
	struct addrinfo list[ADDRESSES];
	struct race race;
	int64_t timeout_ms;
	int won; /* what race_run() returned */
	const struct race_try *which;
	bool cut;
};

/* ---- a kernel that has no room left for an epoll set in another ---- */

static bool no_room;
static int refused;

static bool is_epoll(int fd)
{
	char path[64], what[64] = "";

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return readlink(path, what, sizeof what - 1) > 0 && strstr(what, "eventpoll");
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
	void *found = dlsym(RTLD_NEXT, "epoll_ctl");
	int (*real)(int, int, int, struct epoll_event *);

	memcpy(&real, &found, sizeof real);
	if (no_room && what == EPOLL_CTL_ADD && is_epoll(fd)) {
		refused++;
		errno = ENOSPC;
		return -1;
	}
	return real(epoll, what, fd, event);
}

/* ---- */

static void server_open(struct server *server, bool full)
{
	socklen_t len = sizeof server->address;

	*server = (struct server){
	        .fd = socket(AF_INET, SOCK_STREAM, 0),
	        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	assert_int_equal(bind(server->fd, (struct sockaddr *)&server->address, len), 0);
	assert_int_equal(listen(server->fd, full ? 0 : FILLING), 0);
	getsockname(server->fd, (struct sockaddr *)&server->address, &len);
	for (int i = 0; i < FILLING; i++) {
		server->filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (full)
			(void)connect(server->filling[i], (struct sockaddr *)&server->address, len);
	}
}

static void server_close(struct server *server)
{
	for (int i = 0; i < FILLING; i++)
		close(server->filling[i]);
	close(server->fd);
}

/* A port where nobody listens. */
static struct sockaddr_in refusing(void)
{
	struct server server;

	server_open(&server, false);
	server_close(&server);
	return server.address;
}

static int setup(void **state)
{
	static struct world world;

	world = (struct world){.timeout_ms = LONG_MS};
	world.all = coroutines_new();
	watch_init(&world.watch);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	coroutines_free(world->all);
	watch_destroy(&world->watch);
	return 0;
}

/* The next in the resolver's list. */
static void add(struct world *world, struct sockaddr_in *address)
{
	size_t n = 0;

	while (world->list[n].ai_addr)
		n++;
	world->list[n] = (struct addrinfo){.ai_family = AF_INET,
	                                   .ai_socktype = SOCK_STREAM,
	                                   .ai_addr = (struct sockaddr *)address,
	                                   .ai_addrlen = sizeof *address};
	if (n > 0)
		world->list[n - 1].ai_next = &world->list[n];
	race_set(&world->race, world->list, AF_UNSPEC);
}

static void run(void *arg)
{
	struct world *world = arg;

	world->won =
	        race_run(&world->race, &world->watch, EACH_MS, world->timeout_ms, &world->which);
}

static void cut(void *arg)
{
	struct world *world = arg;
	int never[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, never), 0);
	(void)coroutine_poll(never[0], POLLIN, clock_mono_ms() + 3 * EACH_MS);
	coroutine_forget(never[0]);
	close(never[0]);
	close(never[1]);
	watch_cut(&world->watch, "a test");
}

static void race_them(struct world *world)
{
	assert_true(coroutines_add(world->all, run, world));
	if (world->cut)
		assert_true(coroutines_add(world->all, cut, world));
	coroutines_run(world->all);
}

static void assert_won(const struct world *world, size_t which, const struct server *server)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;

	assert_true(world->won >= 0);
	assert_ptr_equal(world->which, &world->race.tries[which]);
	assert_int_equal(getpeername(world->won, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(peer.sin_port, server->address.sin_port);
	close(world->won);
}

/* ---- in which order ---- */

/* By their families, "446" for two of IPv4 and one of IPv6; each by its place in the list. */
static void check_order(const char *families, int preferred, const char *expected)
{
	struct addrinfo list[2 * RACE_MAX] = {0};
	size_t n = strlen(families);
	char order[RACE_MAX + 1] = "";
	struct race race;

	for (size_t i = 0; i < n; i++)
		list[i] = (struct addrinfo){.ai_family = families[i] == '6' ? AF_INET6 : AF_INET,
		                            .ai_next = i + 1 < n ? &list[i + 1] : NULL};
	race_set(&race, list, preferred);
	assert_int_equal(race.n, strlen(expected));
	for (size_t i = 0; i < race.n; i++)
		order[i] = (char)('a' + (race.tries[i].address - list));
	assert_string_equal(order, expected);
}

static void test_order(void **state)
{
	(void)state;
	check_order("4", AF_UNSPEC, "a");
	check_order("64", AF_UNSPEC, "ab");
	check_order("6644", AF_UNSPEC, "acbd");
	check_order("6644", AF_INET, "cadb");
	check_order("4466", AF_INET6, "cadb");
	check_order("44666", AF_INET, "acbde");
	check_order("44466", AF_INET6, "daebc");
	check_order("444", AF_INET6, "abc");
	check_order("66666666666666666664", AF_UNSPEC, "atbcdefghijklmno");
}

/* ---- who wins ---- */

static void test_one(void **state)
{
	struct world *world = *state;
	struct server server;

	server_open(&server, false);
	add(world, &server.address);
	race_them(world);
	assert_won(world, 0, &server);
	assert_false(race_is_open(&world->race));
	server_close(&server);
}

static void test_refused_gives_way_at_once(void **state)
{
	struct world *world = *state;
	struct sockaddr_in none = refusing(), nobody = refusing();
	struct server server;

	server_open(&server, false);
	add(world, &none);
	add(world, &nobody);
	add(world, &server.address);
	race_them(world);
	assert_won(world, 2, &server);
	assert_int_equal(world->race.tries[0].error, ECONNREFUSED);
	assert_int_equal(world->race.tries[1].error, ECONNREFUSED);
	server_close(&server);
}

static void test_all_refused(void **state)
{
	struct world *world = *state;
	struct sockaddr_in none = refusing(), nobody = refusing();

	add(world, &none);
	add(world, &nobody);
	race_them(world);
	assert_int_equal(world->won, -ECONNREFUSED);
	assert_int_equal(world->race.tries[0].error, ECONNREFUSED);
	assert_int_equal(world->race.tries[1].error, ECONNREFUSED);
	assert_false(race_is_open(&world->race));
}

/* The one that hangs is closed, and may be tried again. */
static void test_a_silent_one_loses(void **state)
{
	struct world *world = *state;
	struct server silent, server;

	server_open(&silent, true);
	server_open(&server, false);
	add(world, &silent.address);
	add(world, &server.address);
	race_them(world);
	assert_won(world, 1, &server);
	assert_int_equal(world->race.tries[0].fd, -1);
	assert_true(race_is_open(&world->race));
	world->timeout_ms = SHORT_MS;
	race_them(world);
	assert_int_equal(world->won, -ETIMEDOUT);
	assert_int_equal(world->race.tries[0].error, ETIMEDOUT);
	assert_false(race_is_open(&world->race));
	server_close(&silent);
	server_close(&server);
}

/* While it is the turn of others, and they are refused, the first goes on. */
static void test_a_slow_one_wins_in_the_end(void **state)
{
	struct world *world = *state;
	struct server slow, silent;
	struct sockaddr_in none = refusing();

	server_open(&slow, true);
	server_open(&silent, true);
	add(world, &slow.address);
	add(world, &silent.address);
	add(world, &none);
	/* The kernel asks again after a second, and is let in. */
	for (int i = 0; i < 2; i++)
		assert_true(accept(slow.fd, NULL, NULL) >= 0);
	assert_true(coroutines_add(world->all, run, world));
	coroutines_run(world->all);
	assert_won(world, 0, &slow);
	server_close(&slow);
	server_close(&silent);
}

static void test_all_silent_until_their_time_is_over(void **state)
{
	struct world *world = *state;
	struct server one, two;

	server_open(&one, true);
	server_open(&two, true);
	add(world, &one.address);
	add(world, &two.address);
	world->timeout_ms = SHORT_MS;
	race_them(world);
	assert_int_equal(world->won, -ETIMEDOUT);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(world->race.tries[i].error, ETIMEDOUT);
		assert_int_equal(world->race.tries[i].fd, -1);
	}
	server_close(&one);
	server_close(&two);
}

static void test_a_cut_ends_it(void **state)
{
	struct world *world = *state;
	struct server one;

	server_open(&one, true);
	add(world, &one.address);
	world->cut = true;
	race_them(world);
	assert_int_equal(world->won, -ECANCELED);
	assert_int_equal(world->race.tries[0].error, ECANCELED);
	server_close(&one);
}

/* It waits for the first one alone then, and doesn't ask again and again. */
static void test_no_room_for_a_set(void **state)
{
	struct world *world = *state;
	struct server one, two;

	server_open(&one, true);
	server_open(&two, true);
	add(world, &one.address);
	add(world, &two.address);
	world->timeout_ms = SHORT_MS;
	no_room = true;
	refused = 0;
	race_them(world);
	no_room = false;
	assert_int_equal(world->won, -ETIMEDOUT);
	assert_int_equal(refused, 1);
	server_close(&one);
	server_close(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_order),
	        cmocka_unit_test_setup_teardown(test_one, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_refused_gives_way_at_once, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_all_refused, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_silent_one_loses, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_slow_one_wins_in_the_end, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_all_silent_until_their_time_is_over, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_a_cut_ends_it, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_no_room_for_a_set, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

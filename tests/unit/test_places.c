/* SPDX-License-Identifier: MIT */
/* Addresses of sockets and of Redis. */
#include "base/endpoint.h"
#include "base/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_endpoint(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host, *path;
		int port;
		bool v6;
	} fine[] = {
	        {.text = "127.0.0.1:25", .host = "127.0.0.1", .path = "", .port = 25},
	        {.text = "mail.example.com:65535",
	         .host = "mail.example.com",
	         .path = "",
	         .port = 65535},
	        {.text = "[::1]:2525", .host = "::1", .path = "", .port = 2525, .v6 = true},
	        {.text = "unix:/run/a:25", .host = "", .path = "/run/a:25"},
	};
	static const char *const broken[] = {
	        "",         "host",     ":25",         "host:",        "host:0", "host:65536",
	        "host:-1",  "host: 25", "ho st:25",    "a:b:25",       "::1:25", "[::1]",
	        "[::1]25",  "[]:25",    "[1.2.3.4]:5", "unix:",        "-x:25",  "host:2x",
	        "[::1:25]", "[::1]x:5", "host\n:25",   "h\xC3\xA9:25",
	};
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		struct endpoint found;
		assert_true(endpoint_parse(fine[i].text, 0, &found, NULL));
		assert_string_equal(found.host, fine[i].host);
		assert_string_equal(found.path, fine[i].path);
		assert_int_equal(found.port, fine[i].port);
		assert_int_equal(found.v6, fine[i].v6);
	}
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		struct endpoint found;
		struct error err = {0};
		if (endpoint_parse(broken[i], 0, &found, &err))
			fail_msg("taken: %s", broken[i]);
		assert_int_not_equal(err.text[0], '\0');
	}
}

static void test_ports_that_may_be_left_out(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		int port;
	} fine[] = {
	        {"mail.example.com", "mail.example.com", 25},
	        {"[2001:db8::1]", "2001:db8::1", 25},
	        {"mail.example.com:587", "mail.example.com", 587},
	        {"[::1]:26", "::1", 26},
	};
	static const char *const broken[] = {"",    ":",    "host:",  "host:0",
	                                     "::1", "[::1", "[::1]x", "2001:db8::1"};
	struct endpoint found;
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		assert_true(endpoint_parse(fine[i].text, ENDPOINT_SMTP_PORT, &found, NULL));
		assert_string_equal(found.host, fine[i].host);
		assert_int_equal(found.port, fine[i].port);
	}
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		assert_false(endpoint_parse(broken[i], ENDPOINT_SMTP_PORT, &found, NULL));
	assert_true(endpoint_parse("unix:/run/a", ENDPOINT_SMTP_PORT, &found, NULL));
	assert_string_equal(found.path, "/run/a");
}

static void test_a_free_port_of_our_own(void **state)
{
	(void)state;
	struct endpoint found;
	assert_true(endpoint_parse_own("127.0.0.1:0", &found, NULL));
	assert_int_equal(found.port, 0);
	assert_true(endpoint_parse_own("[::1]:80", &found, NULL));
	assert_int_equal(found.port, 80);
	assert_false(endpoint_parse_own("127.0.0.1", &found, NULL));
	assert_false(endpoint_parse_own("127.0.0.1:-1", &found, NULL));
}

static void test_long_endpoints(void **state)
{
	(void)state;
	char text[400];
	struct endpoint found;
	memset(text, 'a', sizeof text);
	memcpy(text, "unix:", 5);
	text[5 + 107] = '\0';
	assert_true(endpoint_parse(text, 0, &found, NULL));
	assert_int_equal(strlen(found.path), 107);
	memcpy(text + 5 + 107, "a", 2);
	assert_false(endpoint_parse(text, 0, &found, NULL));
	memset(text, 'a', sizeof text);
	memcpy(text + 254, ":25", 4);
	assert_false(endpoint_parse(text, 0, &found, NULL));
}

static void test_redis_url(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct {
			const char *host, *path, *user, *password;
			int port, db;
		} url;
	} fine[] = {
	        {"redis://127.0.0.1:6379/0", {"127.0.0.1", "", "", "", 6379, 0}},
	        {"redis://redis.example.com", {"redis.example.com", "", "", "", 6379, 0}},
	        {"redis://localhost/", {"localhost", "", "", "", 6379, 0}},
	        {"redis://localhost:7000/12", {"localhost", "", "", "", 7000, 12}},
	        {"redis://localhost:7000?db=3", {"localhost", "", "", "", 7000, 3}},
	        {"redis://[::1]/2", {"::1", "", "", "", 6379, 2}},
	        {"redis://[::1]:6380", {"::1", "", "", "", 6380, 0}},
	        {"redis://me:secret@localhost", {"localhost", "", "me", "secret", 6379, 0}},
	        {"redis://me@localhost",
	         {"localhost", "", "me", "", 6379, 0}}, /* password_file has the rest */
	        {"redis://:secret@localhost", {"localhost", "", "", "secret", 6379, 0}},
	        {"redis://me:a%40b%2fc:d@localhost", {"localhost", "", "me", "a@b/c:d", 6379, 0}},
	        {"redis://me:a@b@localhost", {"localhost", "", "me", "a@b", 6379, 0}},
	        {"unix:///run/redis/redis.sock?db=0", {"", "/run/redis/redis.sock", "", "", 0, 0}},
	        {"unix:///run/redis%20a.sock", {"", "/run/redis a.sock", "", "", 0, 0}},
	        {"unix:///run/x@1.sock?db=7", {"", "/run/x@1.sock", "", "", 0, 7}},
	        {"unix://me:secret@/run/r.sock", {"", "/run/r.sock", "me", "secret", 0, 0}},
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		struct redis_url url;
		struct error err = {0};
		if (!redis_url_parse(fine[i].text, arena, &url, &err))
			fail_msg("%s: %s", fine[i].text, err.text);
		assert_string_equal(url.host, fine[i].url.host);
		assert_string_equal(url.path, fine[i].url.path);
		assert_string_equal(url.user, fine[i].url.user);
		assert_string_equal(url.password, fine[i].url.password);
		assert_int_equal(url.port, fine[i].url.port);
		assert_int_equal(url.db, fine[i].url.db);
	}
	arena_free(arena);
}

static void test_broken_redis_url(void **state)
{
	(void)state;
	static const char *const broken[] = {
	        "",
	        "localhost",
	        "http://localhost",
	        "redis:/localhost",
	        "redis://",
	        "redis://:6379",
	        "redis://localhost:0",
	        "redis://localhost:99999",
	        "redis://localhost/one",
	        "redis://localhost/-1",
	        "redis://localhost/70000",
	        "redis://localhost?database=1",
	        "redis://localhost?db=",
	        "redis://@localhost",
	        "redis://:%zz@localhost",
	        "redis://:%0@localhost",
	        "redis://:%00@localhost",
	        "redis://:%4@localhost",
	        "rediss://",
	        "rediss://localhost/x",
	        "sentinel://",
	        "sentinel://localhost",
	        "sentinel://localhost/",
	        "sentinel:///main",
	        "sentinel://localhost,/main",
	        "sentinel://localhost/main/x",
	        "sentinel://localhost/ma*n",
	        "sentinel://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/main",
	        "unix://run/redis.sock",
	        "unix://",
	        "redis://unix:/x",
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		struct redis_url url;
		struct error err = {0};
		if (redis_url_parse(broken[i], arena, &url, &err))
			fail_msg("taken: %s", broken[i]);
		assert_int_not_equal(err.text[0], '\0');
	}
	arena_free(arena);
}

static void test_redis_url_forms(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct redis_url url;
	struct error err = {0};
	assert_true(redis_url_parse("rediss://me:secret@localhost/3", arena, &url, &err));
	assert_true(url.tls && url.n_sentinels == 0 && url.port == 6379 && url.db == 3);
	assert_true(redis_url_parse("redis://localhost", arena, &url, &err));
	assert_false(url.tls);
	assert_true(redis_url_parse("sentinel://me:secret@10.0.0.1,[::1]:5,c.example.com/my-main/2",
	                            arena, &url, &err));
	assert_string_equal(url.host, "");
	assert_string_equal(url.service, "my-main");
	assert_string_equal(url.password, "secret");
	assert_int_equal(url.db, 2);
	assert_int_equal(url.n_sentinels, 3);
	assert_string_equal(url.sentinels[0].host, "10.0.0.1");
	assert_int_equal(url.sentinels[0].port, 26379);
	assert_string_equal(url.sentinels[1].host, "::1");
	assert_int_equal(url.sentinels[1].port, 5);
	assert_string_equal(url.sentinels[2].host, "c.example.com");
	arena_free(arena);
}

static void test_secrets_stay_secret(void **state)
{
	(void)state;
	static const char *const urls[] = {
	        "redis://me:hush@localhost/x",
	        "redis://me:hush@localhost:0",
	        "redis://:hush@",
	        "redis://:hush%zz@localhost",
	        "http://hush@localhost",
	        "unix://:hush@run",
	        "hush@localhost",
	        "redis://a:hu@sh:hush@b c",
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct redis_url url;
		struct error err = {0};
		assert_false(redis_url_parse(urls[i], arena, &url, &err));
		assert_null(strstr(err.text, "hush"));
		assert_null(strstr(redis_url_redacted(urls[i], arena), "hush"));
	}
	assert_string_equal(redis_url_redacted("redis://a:b@c:1/2", arena), "redis://***@c:1/2");
	assert_string_equal(redis_url_redacted("unix:///run/x", arena), "unix:///run/x");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_endpoint),
	        cmocka_unit_test(test_ports_that_may_be_left_out),
	        cmocka_unit_test(test_a_free_port_of_our_own),
	        cmocka_unit_test(test_long_endpoints),
	        cmocka_unit_test(test_redis_url),
	        cmocka_unit_test(test_broken_redis_url),
	        cmocka_unit_test(test_redis_url_forms),
	        cmocka_unit_test(test_secrets_stay_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

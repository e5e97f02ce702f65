/* SPDX-License-Identifier: MIT */
/* What is squeezed comes back byte by byte, by the dictionaries that spools on
 * record were written with. */
#include "spool/squeeze.h"
#include "spool/squeeze_words.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct squeezer *squeezer;
static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	squeezer = squeezer_free(squeezer);
	return 0;
}

static size_t assert_comes_back(enum squeeze dictionary, const char *text)
{
	struct buf brief = {0};
	squeeze(&squeezer, dictionary, text, strlen(text), &brief);
	char *exact = mem_alloc(brief.len); /* so that a sanitizer sees what is behind */
	memcpy(exact, brief.data, brief.len);
	const char *again = unsqueeze(exact, brief.len, arena);
	assert_non_null(again);
	assert_string_equal(again, text);
	size_t len = brief.len;
	free(exact);
	buf_free(&brief);
	return len;
}

static const char example[] = "[{\"rule\":1,\"name\":\"well_formed\",\"holds\":"
                              "true,\"detail\":\"the event 8f2c is well "
                              "formed\"},{\"rule\":2,\"name\":\"not_seen_"
                              "before\",\"holds\":true,\"detail\":\"not seen "
                              "before\"},{\"rule\":3,\"name\":\"customer_"
                              "known\",\"holds\":true,\"detail\":\"customer "
                              "1001 is Müller & Sons\"}]";

static void texts_come_back(void **state)
{
	(void)state;
	for (int d = SQUEEZE_TRACE; d < SQUEEZE_COUNT; d++) {
		enum squeeze dictionary = (enum squeeze)d;
		assert_int_equal(assert_comes_back(dictionary, ""), 1);
		assert_comes_back(dictionary, "x");
		assert_comes_back(dictionary, "{}");
		assert_comes_back(dictionary, example);
		assert_comes_back(dictionary, SQUEEZE_TRACE_WORDS);
		assert_comes_back(dictionary, SQUEEZE_CONTEXT_WORDS);
	}
	assert_true(assert_comes_back(SQUEEZE_TRACE, example) < 60);
}

/* Of every length, what repeats at every distance, up to where LZ4 itself writes. */
static void what_repeats_comes_back(void **state)
{
	(void)state;
	char *text = mem_alloc(40001);
	for (size_t len = 0; len < 40000; len += len < 300 ? 1 : len < 2000 ? 97 : 1999) {
		for (size_t every = 1; every < 40; every += 1 + every / 4) {
			for (size_t i = 0; i < len; i++)
				text[i] = (char)('a' + i % every % 26);
			text[len] = '\0';
			size_t size = assert_comes_back(SQUEEZE_CONTEXT, text);
			assert_true(len < 200 || size < len / 2);
		}
	}
	free(text);
}

static void long_and_random_texts_come_back(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (size_t len = 1; len < 300000; len = len * 3 + 1) {
		char *text = mem_alloc(len + 1);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (char)(seed >> 16 & 1 ? 'a' : ' ' + (seed >> 17) % 90);
		}
		assert_comes_back(SQUEEZE_TRACE, text);
		assert_comes_back(SQUEEZE_CONTEXT, text);
		free(text);
	}
}

static void damaged_bytes_are_refused(void **state)
{
	(void)state;
	struct buf brief = {0};
	squeeze(&squeezer, SQUEEZE_TRACE, example, strlen(example), &brief);
	assert_null(unsqueeze(brief.data, 0, arena));
	for (size_t cut = 1; cut < brief.len; cut++) {
		char *exact = mem_alloc(cut);
		memcpy(exact, brief.data, cut);
		assert_null(unsqueeze(exact, cut, arena));
		free(exact);
	}
	for (size_t i = 0; i < brief.len; i++) {
		for (int byte = 0; byte < 256; byte++) {
			char *changed = mem_alloc(brief.len);
			memcpy(changed, brief.data, brief.len);
			changed[i] = (char)byte;
			const char *text = unsqueeze(changed, brief.len, arena);
			assert_true(text == NULL || strlen(text) < 100000);
			free(changed);
		}
		arena_reset(arena);
	}
	buf_free(&brief);
}

/* A change here makes unreadable what is on record: add a dictionary instead.
 */
static void dictionaries_stay_what_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *words, *digest;
	} dictionaries[] = {
	        {SQUEEZE_TRACE_WORDS, "27bbe0da9d6d46986b08de32ddcbe0cf"},
	        {SQUEEZE_CONTEXT_WORDS, "8794903d2e7c7e2363ff66b9b1c9664c"},
	};
	for (size_t i = 0; i < 2; i++) {
		unsigned char bytes[16];
		char hex[33];
		(void)crypto_generichash(bytes, sizeof bytes,
		                         (const unsigned char *)dictionaries[i].words,
		                         strlen(dictionaries[i].words), NULL, 0);
		(void)sodium_bin2hex(hex, sizeof hex, bytes, sizeof bytes);
		assert_string_equal(hex, dictionaries[i].digest);
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(texts_come_back),
	        test(what_repeats_comes_back),
	        test(long_and_random_texts_come_back),
	        test(damaged_bytes_are_refused),
	        test(dictionaries_stay_what_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

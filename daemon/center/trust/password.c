/* SPDX-License-Identifier: MIT */
/* Argon2id, two at a time. */
#include "center/trust/password.h"

#include "base/utf8.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <sysexits.h>

enum { PASSES = 2, MEMORY = 19 * 1024 * 1024, AT_A_TIME = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int busy;

static void enter(void)
{
	(void)pthread_mutex_lock(&lock);
	while (busy == AT_A_TIME)
		(void)pthread_cond_wait(&freed, &lock);
	busy++;
	(void)pthread_mutex_unlock(&lock);
}

static void leave(void)
{
	(void)pthread_mutex_lock(&lock);
	busy--;
	(void)pthread_cond_signal(&freed);
	(void)pthread_mutex_unlock(&lock);
}

bool password_check(const char *password, struct error *err)
{
	size_t len = strlen(password);
	if (len > PASSWORD_MAX || !utf8_valid(password, len))
		return error_set(err, EX_DATAERR, "a password must have at most %d bytes of UTF-8",
		                 PASSWORD_MAX);
	if (utf8_length(password, len) < PASSWORD_MIN)
		return error_set(err, EX_DATAERR, "a password must have at least %d characters",
		                 PASSWORD_MIN);
	return true;
}

bool password_hash(const char *password, char ret[PASSWORD_HASH_SIZE], struct error *err)
{
	enter();
	int failed = crypto_pwhash_str(ret, password, strlen(password), PASSES, MEMORY);
	leave();
	return !failed || error_set(err, EX_OSERR, "not enough memory for a password's hash");
}

/* What a name without an account is compared with: a hash of random bytes. */
static const char *nobodys(void)
{
	static char hash[PASSWORD_HASH_SIZE];
	static bool made;
	(void)pthread_mutex_lock(&lock);
	if (!made) {
		unsigned char bytes[32];
		randombytes_buf(bytes, sizeof bytes);
		made = crypto_pwhash_str(hash, (const char *)bytes, sizeof bytes, PASSES, MEMORY) ==
		       0;
	}
	(void)pthread_mutex_unlock(&lock);
	return hash;
}

bool password_matches(const char *hash, const char *password)
{
	const char *with = hash ? hash : nobodys();
	enter();
	bool same = crypto_pwhash_str_verify(with, password, strlen(password)) == 0;
	leave();
	return same && hash;
}

/* SPDX-License-Identifier: MIT */
/*
 * Asks sentinels over connections that wait, each with a deadline: in a program's own time, or in a
 * thread of the daemon's.
 */
#include "common/sentinel.h"

#include "base/mem.h"
#include "common/sync.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* [host, port] where the sentinel knows the service; nil where it doesn't. */
static bool take_answer(const redisReply *reply, struct sentinel_answer *ret)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING)
		return false;
	const char *host = reply->element[0]->str, *port = reply->element[1]->str;
	char *end = NULL;
	errno = 0;
	long number = strtol(port, &end, 10);
	if (!*host || strlen(host) >= sizeof(ret->host) || errno || end == port || *end ||
	    number < 1 || number > 65535)
		return false;
	snprintf(ret->host, sizeof(ret->host), "%s", host);
	ret->port = (int)number;
	return true;
}

static redisReply *ask_one(struct sync *sync, const struct sentinels *sentinels,
                           const struct sentinel_login *login, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "SENTINEL", "get-master-addr-by-name", sentinels->service, NULL);
	redisReply *reply = sync_run(sync, &args, err);
	if (!reply && login->password && err->code == EX_NOPERM &&
	    sync_login(sync, login->user, login->password, err))
		reply = sync_run(sync, &args, err);
	args_free(&args);
	return reply;
}

static bool ask_at(const struct sentinels *sentinels, const struct sentinel_place *place,
                   const struct sentinel_login *login, struct sentinel_answer *ret,
                   struct error *err)
{
	char name[ENDPOINT_HOST_MAX + 32];
	snprintf(name, sizeof(name), "%s:%d (Sentinel)", place->host, place->port);
	struct sync *sync = sync_dial(name, place->host, place->port, SENTINEL_TIMEOUT_MS, err);
	redisReply *reply = sync ? ask_one(sync, sentinels, login, err) : NULL;
	bool ok = reply && (take_answer(reply, ret) ||
	                    error_set(err, EX_UNAVAILABLE, "%s doesn't know the service \"%s\"",
	                              name, sentinels->service));
	if (reply)
		freeReplyObject(reply);
	sync_close(sync);
	return ok;
}

/* A sentinel that didn't answer is asked last by whoever asks next: of a machine that is gone, each
 * would wait for a second. */
static _Atomic size_t first;

static bool ask_in_turn(const struct sentinels *sentinels, size_t i,
                        const struct sentinel_login *login, struct sentinel_answer *ret,
                        size_t begin, struct error *err)
{
	size_t place = (begin + i) % sentinels->n;
	if (ask_at(sentinels, &sentinels->places[place], login, ret, err))
		return true;
	if (i == 0)
		atomic_store(&first, (place + 1) % sentinels->n);
	return false;
}

bool sentinels_ask(const struct sentinels *sentinels, const struct sentinel_login *login,
                   struct sentinel_answer *ret, struct error *err)
{
	size_t begin = atomic_load(&first);
	for (size_t i = 0; i < sentinels->n; i++)
		if (ask_in_turn(sentinels, i, login, ret, begin, err))
			return true;
	return false;
}

static size_t count_same(const struct sentinel_answer *answers, size_t n,
                         const struct sentinel_answer *one)
{
	size_t same = 0;
	for (size_t i = 0; i < n; i++)
		same += answers[i].port == one->port && strcmp(answers[i].host, one->host) == 0;
	return same;
}

bool sentinels_agree(const struct sentinels *sentinels, const struct sentinel_login *login,
                     struct sentinel_answer *ret, struct error *err)
{
	struct sentinel_answer *answers = mem_alloc(sentinels->n * sizeof(*answers));
	size_t n = 0, begin = atomic_load(&first);
	bool agreed = false;
	for (size_t i = 0; i < sentinels->n && !agreed; i++) {
		if (!ask_in_turn(sentinels, i, login, &answers[n], begin, err))
			continue;
		*ret = answers[n++];
		agreed = count_same(answers, n, ret) > sentinels->n / 2;
	}
	free(answers);
	if (agreed)
		return true;
	if (n > sentinels->n / 2)
		return error_set(err, EX_UNAVAILABLE, "the sentinels don't agree on the master");
	struct error why = *err; /* of the last that didn't answer */
	return error_set(err, EX_UNAVAILABLE,
	                 "only %zu of %zu sentinels name a master, and more than half have to: %s",
	                 n, sentinels->n, why.text);
}

bool sentinel_is_master(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	       reply->element[0]->type == REDIS_REPLY_STRING &&
	       strcmp(reply->element[0]->str, "master") == 0;
}

/* SPDX-License-Identifier: MIT */
/* Commands and scripts of a cluster. A script's answer is a status: "OK", or a word that says why
 * not, and what is asked for behind it. */
#include "dispatchd/cluster/request.h"

#include "common/args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- scripts ---- */

/* KEYS: lease, epoch, journal; ARGV: member, ms, the least epoch that is taken already. */
static const char take_script[] =
        "local held = redis.call('GET', KEYS[1])\n"
        "if held then return {0, held} end\n"
        "local floor = tonumber(ARGV[3])\n"
        "local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)\n"
        "if #last > 0 then\n"
        "  local fields = last[1][2]\n"
        "  for i = 1, #fields, 2 do\n"
        "    if fields[i] == 'epoch' then floor = math.max(floor, tonumber(fields[i + 1])) end\n"
        "  end\n"
        "end\n"
        "local epoch = redis.call('INCR', KEYS[2])\n"
        "if epoch <= floor then\n"
        "  epoch = floor + 1\n"
        "  redis.call('SET', KEYS[2], epoch)\n"
        "end\n"
        "held = string.format('%d %s', epoch, ARGV[1])\n"
        "redis.call('SET', KEYS[1], held, 'PX', ARGV[2])\n"
        "return {1, held}\n";

/* KEYS: lease, epoch; ARGV: the lease as we have it, ms, epoch. One that has run out is still ours
 * while nobody has drawn an epoch since. A Redis without memory refuses SET, but not PEXPIRE: the
 * owner stays, and goes on trimming the journal. */
static const char renew_script[] = "local held = redis.call('GET', KEYS[1])\n"
                                   "if held == ARGV[1] then\n"
                                   "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
                                   "  return 1\n"
                                   "end\n"
                                   "if not held and redis.call('GET', KEYS[2]) == ARGV[3] then\n"
                                   "  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
                                   "  return 1\n"
                                   "end\n"
                                   "return 0\n";

static const char release_script[] =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\n"
        "return 0\n";

/* KEYS: lease, journal; ARGV: the lease as we have it, ms, number, kind, epoch, schemas of spool
 * and customers, body, seal; seal and epoch of the entry before. The lease is set again with an
 * entry that is there already, too, so that WAIT has something to wait for. Behind a gap goes only
 * a fence, and not where somebody with a later epoch has written before the gap. */
static const char append_script[] =
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'LOST' end\n"
        "local number, at, epoch, seal = tonumber(ARGV[3]), 0, 0, ''\n"
        "local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)\n"
        "if #last > 0 then\n"
        "  at = tonumber(string.match(last[1][1], '^%d+'))\n"
        "  for i = 1, #last[1][2], 2 do\n"
        "    if last[1][2][i] == 'seal' then seal = last[1][2][i + 1] end\n"
        "    if last[1][2][i] == 'epoch' then epoch = tonumber(last[1][2][i + 1]) or 0 end\n"
        "  end\n"
        "end\n"
        "if at == number and seal == ARGV[9] then\n"
        "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
        "  return 'OK'\n"
        "end\n"
        "if at >= number then return 'BEHIND' end\n"
        "if at > 0 and at == number - 1 and seal ~= ARGV[10] then return 'BEHIND' end\n"
        "if at < number - 1 and epoch > tonumber(ARGV[11]) then return 'BEHIND' end\n"
        "if at < number - 1 and ARGV[4] ~= 'f' then return 'BEFORE' end\n"
        "redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'body', ARGV[8])\n"
        "for i = 12, #ARGV do\n"
        "  redis.call('XADD', KEYS[2], ARGV[3] .. '-' .. (i - 11), 'body', ARGV[i])\n"
        "end\n"
        "redis.call('XADD', KEYS[2], ARGV[3] .. '-' .. (#ARGV - 10), 'kind', ARGV[4], 'epoch',\n"
        "  ARGV[5], 'spool', ARGV[6], 'customers', ARGV[7], 'seal', ARGV[9])\n"
        "return 'OK'\n";

/* KEYS: journal. Its ends' numbers, without the bodies, and epoch and seal of the last entry. */
static const char ends_script[] =
        "local function number(items)\n"
        "  return #items > 0 and tonumber(string.match(items[1][1], '^%d+')) or 0\n"
        "end\n"
        "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)\n"
        "local epoch, seal = '0', ''\n"
        "for i = 1, #last > 0 and #last[1][2] or 0, 2 do\n"
        "  if last[1][2][i] == 'epoch' then epoch = last[1][2][i + 1] end\n"
        "  if last[1][2][i] == 'seal' then seal = last[1][2][i + 1] end\n"
        "end\n"
        "return {number(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)), number(last),\n"
        "  epoch, seal}\n";

/* ---- answers ---- */

static bool strange(struct error *err)
{
	return error_set(err, EX_UNAVAILABLE, "Redis gave an answer that isn't one");
}

static redisReply *run(struct sync *redis, struct args *args, struct error *err)
{
	redisReply *reply = sync_run(redis, args, err);
	args_free(args);
	return reply;
}

static bool run_number(struct sync *redis, struct args *args, int64_t *ret, struct error *err)
{
	redisReply *reply = run(redis, args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_INTEGER || strange(err);
	*ret = reply->integer;
	freeReplyObject(reply);
	return good;
}

static bool read_holder(const redisReply *reply, struct holder *ret)
{
	*ret = (struct holder){0};
	if (reply->type == REDIS_REPLY_NIL)
		return true;
	if (reply->type != REDIS_REPLY_STRING || reply->len >= sizeof ret->text)
		return false;
	memcpy(ret->text, reply->str, reply->len);
	char *end;
	ret->epoch = strtoll(ret->text, &end, 10);
	if (*end != ' ' || strlen(end + 1) >= sizeof ret->name)
		return false;
	(void)snprintf(ret->name, sizeof ret->name, "%s", end + 1);
	return true;
}

/* ---- the lease ---- */

bool request_take(struct sync *redis, const struct member *member, int64_t epoch_floor,
                  struct holder *ret, bool *ret_taken, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "EVAL", take_script, "3", member->lease, member->epoch, member->journal,
	             member->name, NULL);
	args_add_number(&args, member->lease_ms);
	args_add_number(&args, epoch_floor);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	            reply->element[0]->type == REDIS_REPLY_INTEGER &&
	            read_holder(reply->element[1], ret);
	*ret_taken = good && reply->element[0]->integer == 1;
	freeReplyObject(reply);
	return good || strange(err);
}

/* Both answers, the second of which is WAIT's. */
static bool enough(const redisReply *waited, int wait, struct error *err)
{
	if (waited->type == REDIS_REPLY_ERROR)
		return error_set(err, EX_UNAVAILABLE, "Redis: %s", waited->str);
	return (waited->type == REDIS_REPLY_INTEGER && waited->integer >= wait) ||
	       error_set(err, EX_UNAVAILABLE,
	                 "only %lld of %d replicas of Redis have it within the time",
	                 waited->type == REDIS_REPLY_INTEGER ? waited->integer : 0, wait);
}

/* The answer to the command, once `wait` replicas know of what it did. `wait_ms` at most. */
static redisReply *run_and_wait(struct sync *redis, struct args *args, int wait, int64_t wait_ms,
                                struct error *err)
{
	struct args waits = {0};
	redisReply *replies[2];
	if (wait == 0)
		return run(redis, args, err);
	args_add(&waits, "WAIT");
	args_add_number(&waits, wait);
	args_add_number(&waits, wait_ms);
	bool good = sync_run_pair(redis, args, &waits, replies, err);
	args_free(args);
	args_free(&waits);
	if (!good)
		return NULL;
	if (replies[0]->type == REDIS_REPLY_ERROR)
		good = error_set(err, EX_UNAVAILABLE, "Redis: %s", replies[0]->str);
	else
		good = enough(replies[1], wait, err);
	freeReplyObject(replies[1]);
	if (good)
		return replies[0];
	freeReplyObject(replies[0]);
	return NULL;
}

static int64_t wait_ms_of(const struct member *member)
{
	return member->lease_ms / 4;
}

bool request_renew(struct sync *redis, const struct member *member, const struct holder *ours,
                   int wait, bool *ret_ours, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "EVAL", renew_script, "2", member->lease, member->epoch, ours->text,
	             NULL);
	args_add_number(&args, member->lease_ms);
	args_add_number(&args, ours->epoch);
	redisReply *reply = run_and_wait(redis, &args, wait, wait_ms_of(member), err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_INTEGER || strange(err);
	*ret_ours = reply->integer == 1;
	freeReplyObject(reply);
	return good;
}

bool request_release(struct sync *redis, const struct member *member, const struct holder *ours,
                     struct error *err)
{
	struct args args = {0};
	int64_t n;
	args_add_all(&args, "EVAL", release_script, "1", member->lease, ours->text, NULL);
	return run_number(redis, &args, &n, err);
}

bool request_holder(struct sync *redis, const struct member *member, struct holder *ret,
                    struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "GET", member->lease, NULL);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool good = read_holder(reply, ret) || strange(err);
	freeReplyObject(reply);
	return good;
}

static bool count_replicas(struct sync *redis, int *ret, struct error *err)
{
	struct args args = {0};
	args_add(&args, "ROLE");
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3 &&
	            reply->element[2]->type == REDIS_REPLY_ARRAY;
	*ret = good ? (int)reply->element[2]->elements : 0;
	freeReplyObject(reply);
	return good || error_set(err, EX_UNAVAILABLE, "Redis isn't a master");
}

bool request_wait(struct sync *redis, const struct member *member, int *ret, struct error *err)
{
	int replicas;
	*ret = member->wait;
	if (member->wait >= 0)
		return true;
	if (!count_replicas(redis, &replicas, err))
		return false;
	*ret = replicas > 0;
	return true;
}

/* ---- the journal ---- */

/* A longer body is in several items, since an answer has a bound. */
enum { PIECE_BYTES = 8 << 20 };

static enum appended read_appended(const redisReply *reply, struct error *err)
{
	static const struct {
		const char *word;
		enum appended is;
	} words[] = {{"OK", APPENDED},
	             {"LOST", APPEND_LOST},
	             {"BEFORE", APPEND_BEFORE},
	             {"BEHIND", APPEND_BEHIND}};
	bool text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
	for (size_t i = 0; text && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(reply->str, words[i].word) == 0)
			return words[i].is;
	strange(err);
	return APPEND_FAILED;
}

enum appended request_append(struct sync *redis, const struct member *member,
                             const struct holder *ours, int wait,
                             const struct journal_position *before,
                             const struct journal_entry *entry, struct error *err)
{
	struct args args = {0};
	const char kind[] = {(char)entry->kind, '\0'};
	args_add_all(&args, "EVAL", append_script, "2", member->lease, member->journal, ours->text,
	             NULL);
	args_add_number(&args, member->lease_ms);
	args_add_number(&args, entry->number);
	args_add(&args, kind);
	args_add_number(&args, entry->epoch);
	args_add_number(&args, entry->spool);
	args_add_number(&args, entry->customers);
	size_t first = entry->len < PIECE_BYTES ? entry->len : PIECE_BYTES;
	args_add_bytes(&args, entry->body ? entry->body : "", first);
	args_add_bytes(&args, (const char *)entry->seal, sizeof entry->seal);
	args_add_bytes(&args, (const char *)before->seal, sizeof before->seal);
	args_add_number(&args, before->epoch);
	for (size_t at = first; at < entry->len; at += PIECE_BYTES)
		args_add_bytes(&args, entry->body + at,
		               entry->len - at < PIECE_BYTES ? entry->len - at : PIECE_BYTES);
	redisReply *reply = run_and_wait(redis, &args, wait, wait_ms_of(member), err);
	if (!reply)
		return APPEND_FAILED;
	enum appended is = read_appended(reply, err);
	freeReplyObject(reply);
	return is;
}

static bool read_number(const redisReply *value, int64_t *ret)
{
	char *end;
	if (value->type != REDIS_REPLY_STRING)
		return false;
	*ret = strtoll(value->str, &end, 10);
	return end != value->str && (*end == '\0' || *end == '-');
}

static bool read_field(const char *name, const redisReply *value, struct arena *arena,
                       struct journal_entry *ret)
{
	if (value->type != REDIS_REPLY_STRING)
		return false;
	if (strcmp(name, "kind") == 0)
		ret->kind = (enum journal_kind)value->str[0];
	else if (strcmp(name, "epoch") == 0)
		return read_number(value, &ret->epoch);
	else if (strcmp(name, "spool") == 0)
		return read_number(value, &ret->spool);
	else if (strcmp(name, "customers") == 0)
		return read_number(value, &ret->customers);
	else if (strcmp(name, "body") == 0) {
		char *body = arena_alloc(arena, value->len + 1);
		memcpy(body, value->str, value->len);
		ret->body = body;
		ret->len = value->len;
	} else if (strcmp(name, "seal") == 0 && value->len == sizeof ret->seal)
		memcpy(ret->seal, value->str, sizeof ret->seal);
	return true;
}

static bool read_item(const redisReply *item, struct arena *arena, struct journal_entry *ret)
{
	if (item->type != REDIS_REPLY_ARRAY || item->elements != 2 ||
	    !read_number(item->element[0], &ret->number) ||
	    item->element[1]->type != REDIS_REPLY_ARRAY)
		return false;
	const redisReply *fields = item->element[1];
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *name = fields->element[i];
		if (name->type != REDIS_REPLY_STRING ||
		    !read_field(name->str, fields->element[i + 1], arena, ret))
			return false;
	}
	return true;
}

/* Entries on their way out of the journal. */
struct reading {
	struct arena *arena;
	struct journal_entry *entries;
	size_t n, max;
	bool open;   /* the rest of entry number n is to come */
	char id[48]; /* of the item that was read last */
};

/* One more piece of a body. */
static void add_piece(struct reading *reading, struct journal_entry *entry,
                      const struct journal_entry *piece)
{
	char *body = arena_alloc(reading->arena, entry->len + piece->len + 1);
	memcpy(body, entry->body, entry->len);
	memcpy(body + entry->len, piece->body, piece->len);
	entry->body = body;
	entry->len += piece->len;
}

/* Pieces of a body, and then what has a seal, of one number. */
static bool take_item(struct reading *reading, const redisReply *item)
{
	struct journal_entry *entry = &reading->entries[reading->n];
	struct journal_entry part = {.body = ""};
	if (!read_item(item, reading->arena, &part) ||
	    (reading->open && part.number != entry->number))
		return false;
	(void)snprintf(reading->id, sizeof reading->id, "%s", item->element[0]->str);
	bool last = part.kind != 0;
	if (!reading->open) {
		*entry = part;
	} else if (last) {
		part.body = entry->body;
		part.len = entry->len;
		*entry = part;
	} else {
		add_piece(reading, entry, &part);
	}
	reading->open = !last;
	reading->n += last;
	return true;
}

/* One stream: its name and its items. */
static bool take_items(struct reading *reading, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_NIL)
		return !reading->open; /* an entry is appended in one step */
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
	    reply->element[0]->type != REDIS_REPLY_ARRAY || reply->element[0]->elements != 2 ||
	    reply->element[0]->element[1]->type != REDIS_REPLY_ARRAY)
		return false;
	const redisReply *items = reply->element[0]->element[1];
	for (size_t i = 0; i < items->elements && reading->n < reading->max; i++)
		if (!take_item(reading, items->element[i]))
			return false;
	return true;
}

static bool read_on(struct sync *redis, const struct member *member, int block_ms,
                    struct reading *reading, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "XREAD", "COUNT", NULL);
	args_add_number(&args, 2 * (int64_t)reading->max);
	if (block_ms > 0) {
		args_add(&args, "BLOCK");
		args_add_number(&args, block_ms);
	}
	args_add_all(&args, "STREAMS", member->journal, reading->id, NULL);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool good = take_items(reading, reply);
	freeReplyObject(reply);
	return good || strange(err);
}

bool request_read(struct sync *redis, const struct member *member, int64_t after, size_t max,
                  int block_ms, struct arena *arena, struct journal_entry *ret, size_t *ret_n,
                  struct error *err)
{
	struct reading reading = {.arena = arena, .entries = ret, .max = max};
	bool good;
	/* Behind all items of that number. */
	(void)snprintf(reading.id, sizeof reading.id, "%" PRId64 "-%" PRIu64, after, UINT64_MAX);
	do
		good = read_on(redis, member, reading.open ? 0 : block_ms, &reading, err);
	while (good && reading.open);
	*ret_n = good ? reading.n : 0;
	return good;
}

static bool read_ends(const redisReply *reply, struct journal_ends *ret)
{
	*ret = (struct journal_ends){0};
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER ||
	    !read_number(reply->element[2], &ret->last.epoch) ||
	    reply->element[3]->type != REDIS_REPLY_STRING)
		return false;
	ret->first = reply->element[0]->integer;
	ret->last.number = reply->element[1]->integer;
	if (reply->element[3]->len == sizeof ret->last.seal)
		memcpy(ret->last.seal, reply->element[3]->str, sizeof ret->last.seal);
	return true;
}

bool request_ends(struct sync *redis, const struct member *member, struct journal_ends *ret,
                  struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "EVAL", ends_script, "1", member->journal, NULL);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool good = read_ends(reply, ret);
	freeReplyObject(reply);
	return good || strange(err);
}

/* ---- members ---- */

/* Behind the name of a member that needs a seed: its place isn't where it is, but from where on the
 * journal is kept for the seed. */
#define SEED_SUFFIX " (seed)"

enum { GROUP_SIZE = MEMBER_NAME_SIZE + sizeof SEED_SUFFIX };

static const char *group_of(const struct member *member, bool seed, char ret[GROUP_SIZE])
{
	(void)snprintf(ret, GROUP_SIZE, "%s%s", member->name, seed ? SEED_SUFFIX : "");
	return ret;
}

static bool set_group(struct sync *redis, const struct member *member, int64_t number, bool seed,
                      bool *ret_new, struct error *err)
{
	char id[32], group[GROUP_SIZE];
	struct args args = {0};
	(void)snprintf(id, sizeof id, "%" PRId64 "-1", number);
	group_of(member, seed, group);
	args_add_all(&args, "XGROUP", "SETID", member->journal, group, id, NULL);
	struct error fault;
	redisReply *reply = run(redis, &args, &fault);
	*ret_new = false;
	if (!reply && (strstr(fault.text, "NOGROUP") || strstr(fault.text, "the key to exist"))) {
		args_add_all(&args, "XGROUP", "CREATE", member->journal, group, id, "MKSTREAM",
		             NULL);
		reply = run(redis, &args, &fault);
		*ret_new = true;
	}
	if (!reply) {
		*err = fault;
		return false;
	}
	freeReplyObject(reply);
	return true;
}

bool request_progress(struct sync *redis, const struct member *member, int64_t number, bool seed,
                      struct error *err)
{
	bool new;
	int64_t gone;
	char other[GROUP_SIZE];
	struct args args = {0};
	if (!set_group(redis, member, number, seed, &new, err))
		return false;
	if (!new)
		return true;
	/* What it was before. */
	args_add_all(&args, "XGROUP", "DESTROY", member->journal, group_of(member, !seed, other),
	             NULL);
	return run_number(redis, &args, &gone, err);
}

enum { KEPT_MS = 2000 }; /* less than a follower's patience with its connection */

bool request_is_kept(struct sync *redis, int wait, struct error *err)
{
	struct args args = {0};
	args_add(&args, "WAIT");
	args_add_number(&args, wait);
	args_add_number(&args, KEPT_MS);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	bool kept = enough(reply, wait, err);
	freeReplyObject(reply);
	return kept;
}

static const redisReply *value_of(const redisReply *map, const char *name)
{
	for (size_t i = 0; map->type == REDIS_REPLY_ARRAY && i + 1 < map->elements; i += 2)
		if (map->element[i]->type == REDIS_REPLY_STRING &&
		    strcmp(map->element[i]->str, name) == 0)
			return map->element[i + 1];
	return NULL;
}

static bool read_standbys(const redisReply *groups, struct arena *arena, struct standby_place **ret,
                          size_t *ret_n)
{
	if (groups->type != REDIS_REPLY_ARRAY)
		return false;
	*ret = arena_alloc(arena, (groups->elements + 1) * sizeof **ret);
	for (size_t i = 0; i < groups->elements; i++) {
		const redisReply *name = value_of(groups->element[i], "name");
		const redisReply *last = value_of(groups->element[i], "last-delivered-id");
		struct standby_place *f = &(*ret)[*ret_n];
		if (!name || name->type != REDIS_REPLY_STRING || !last ||
		    !read_number(last, &f->number))
			return false;
		size_t len = strlen(name->str), suffix = sizeof SEED_SUFFIX - 1;
		f->seed = len > suffix && strcmp(name->str + len - suffix, SEED_SUFFIX) == 0;
		f->name = arena_strndup(arena, name->str, f->seed ? len - suffix : len);
		++*ret_n;
	}
	return true;
}

bool request_standbys(struct sync *redis, const struct member *member, struct arena *arena,
                      struct standby_place **ret, size_t *ret_n, struct error *err)
{
	struct args args = {0};
	struct error fault;
	args_add_all(&args, "XINFO", "GROUPS", member->journal, NULL);
	redisReply *reply = run(redis, &args, &fault);
	*ret = NULL;
	*ret_n = 0;
	if (!reply && strstr(fault.text, "no such key"))
		return true;
	if (!reply) {
		*err = fault;
		return false;
	}
	bool good = read_standbys(reply, arena, ret, ret_n);
	freeReplyObject(reply);
	return good || strange(err);
}

bool request_trim(struct sync *redis, const struct member *member, int64_t before,
                  int64_t *ret_bytes, struct error *err)
{
	char id[32];
	int64_t n;
	struct args args = {0};
	(void)snprintf(id, sizeof id, "%" PRId64 "-0", before);
	args_add_all(&args, "XTRIM", member->journal, "MINID", "=", id, NULL);
	*ret_bytes = 0;
	if (!run_number(redis, &args, &n, err))
		return false;
	args_add_all(&args, "MEMORY", "USAGE", member->journal, NULL);
	redisReply *reply = run(redis, &args, err);
	if (!reply)
		return false;
	*ret_bytes = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
	freeReplyObject(reply);
	return true;
}

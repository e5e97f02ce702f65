/* SPDX-License-Identifier: MIT */
/* The journal: appending, by a script that first compares and whose answer is "OK" or a word that
 * says why not, and reading. */
#include "dispatchd/cluster/request_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	request_strange(err);
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
	redisReply *reply = request_run_and_wait(redis, member, &args, wait, err);
	if (!reply)
		return APPEND_FAILED;
	enum appended is = read_appended(reply, err);
	freeReplyObject(reply);
	return is;
}

static bool read_field(const char *name, const redisReply *value, struct arena *arena,
                       struct journal_entry *ret)
{
	if (value->type != REDIS_REPLY_STRING)
		return false;
	if (strcmp(name, "kind") == 0)
		ret->kind = (enum journal_kind)value->str[0];
	else if (strcmp(name, "epoch") == 0)
		return request_read_number(value, &ret->epoch);
	else if (strcmp(name, "spool") == 0)
		return request_read_number(value, &ret->spool);
	else if (strcmp(name, "customers") == 0)
		return request_read_number(value, &ret->customers);
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
	    !request_read_number(item->element[0], &ret->number) ||
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
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool good = take_items(reading, reply);
	freeReplyObject(reply);
	return good || request_strange(err);
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
	    !request_read_number(reply->element[2], &ret->last.epoch) ||
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
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool good = read_ends(reply, ret);
	freeReplyObject(reply);
	return good || request_strange(err);
}

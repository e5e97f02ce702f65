/* SPDX-License-Identifier: MIT */
/*
 * Three members of a cluster and a Redis with a replica, in random orders of what can happen to
 * them: leases that run out, members that stand still, die and come back or don't reach Redis,
 * answers that are lost, replication that lags, a replica that takes over without the last writes.
 * Redis is a model of its scripts (dispatchd/cluster/request.c) and of WAIT for one replica;
 * engines, replicas, journal and databases are the real ones. Whatever happens:
 *
 *   no two members have a valid lease · what goes out has its entry, of its owner's epoch, on both
 * servers · an event becomes one mail, whoever decides it, and each mail is the same one whoever
 * sends it · nothing that went out is missing in the end, no event is lost, and all members' spools
 * are equal, row by row
 */
#include "engine/replica.h"
#include "engine_world.h"
#include "journal/journal.h"
#include "spool/spool.h"
#include "spool/spool_read.h"
#include "tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

enum {
	SEEDS = 24,
	STEPS = 700,
	MEMBERS = 3,
	LEASE_MS = 6000,
	SPARE_MS = 3000,
	ENTRIES_MAX = 4096,
	EVENTS_MAX = 1024,
	MAILS_MAX = 2048,
	HELD_MAX = 512,
	QUIET_STEPS = 2000,
};

/* ---- Redis ---- */

struct server {
	int holder; /* -1: nobody */
	int64_t holder_epoch, expires_ms, epoch;
	struct journal_entry *journal[ENTRIES_MAX]; /* entry number n is at n - 1 */
	int64_t last;
};

static struct server master, copy;
static bool linked;
static int64_t now_ms;
static uint64_t dice_state;
static const struct journal_key key = {{7}};
static size_t n_failovers, n_takeovers, n_refused, n_lost_writes, n_again;

static unsigned dice(unsigned sides)
{
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice_state >> 33) % sides;
}

static bool is_held(const struct server *s)
{
	return s->holder >= 0 && now_ms < s->expires_ms;
}

/* WAIT 1: all of it, or nothing in time. */
static bool confirm(void)
{
	if (linked)
		copy = master;
	return linked;
}

/* The replica becomes the master; what it hadn't got is gone. */
static void fail_over(void)
{
	n_failovers++;
	n_lost_writes += (size_t)(master.last - copy.last);
	master = copy;
}

/* What Redis, its replica and messages on their way share; of one run. */
static struct arena *kept_entries;

static struct journal_entry *keep(const struct journal_entry *entry)
{
	struct journal_entry *kept = arena_alloc(kept_entries, sizeof *kept);
	char *body = arena_alloc(kept_entries, entry->len + 1);
	if (entry->len > 0)
		memcpy(body, entry->body, entry->len);
	*kept = *entry;
	kept->body = body;
	return kept;
}

/* ---- members ---- */

/* What a turn has decided, until it may go out. */
struct held {
	int64_t number, mail;
	char job[16], message_id[128];
	int event; /* to be acknowledged; -1: a mail */
};

static struct member {
	int index;
	struct settings settings;
	char spool[128], customers[128];
	struct engine_journal journal;
	struct engine *engine;
	struct replica *replica; /* neither: it is down */
	int64_t until_ms, renewed_ms, epoch;
	int64_t frozen_until_ms;
	bool cut; /* doesn't reach Redis */
	struct held held[HELD_MAX];
	size_t n_held;
	struct delivery_result in_flight[HELD_MAX];
	size_t n_in_flight;
	int64_t number; /* of the entry that its turn under way has made; 0: none */
	bool busy;      /* in a step, in which others have theirs */
} members[MEMBERS];

static struct world *w;
static bool calm; /* the end: nothing goes wrong anymore */
static int n_events;
static bool acknowledged[EVENTS_MAX];
static struct {
	char job[16], message_id[128];
} went_out[MAILS_MAX];
static int64_t mail_of[EVENTS_MAX];

static struct instant wall(void)
{
	return instant_add(w->now, now_ms);
}

static bool has_lease(const struct member *m)
{
	return now_ms < m->until_ms;
}

static bool reaches(const struct member *m)
{
	return calm || (!m->cut && dice(12) != 0);
}

static void check_one_lease(void)
{
	int n = 0;
	for (int i = 0; i < MEMBERS; i++)
		n += has_lease(&members[i]);
	if (n > 1)
		fail_msg("%d members have a valid lease", n);
}

static void step_others(const struct member *m);

/* Time goes by, in which others do what they do. */
static void pass(const struct member *m, int64_t ms)
{
	for (; ms > 0; ms -= 400) {
		now_ms += ms < 400 ? ms : 400;
		check_one_lease();
		step_others(m);
	}
}

/* ---- the lease ---- */

static bool renew(struct member *m)
{
	int64_t sent_ms = now_ms;
	if (!reaches(m))
		return false;
	bool ours = master.holder == m->index && master.holder_epoch == m->epoch;
	if (!ours || (!is_held(&master) && master.epoch != m->epoch)) {
		m->until_ms = 0;
		return false;
	}
	master.expires_ms = now_ms + LEASE_MS;
	if (!confirm() || (!calm && dice(15) == 0))
		return false;
	m->renewed_ms = now_ms;
	m->until_ms = sent_ms + LEASE_MS - LEASE_MS / 100;
	return true;
}

static void release(struct member *m)
{
	m->until_ms = 0;
	if (reaches(m) && master.holder == m->index && master.holder_epoch == m->epoch)
		master.holder = -1;
}

static bool take(struct member *m)
{
	int64_t floor = replica_position(m->replica).epoch;
	if (is_held(&master))
		return false;
	if (master.last > 0 && master.journal[master.last - 1]->epoch > floor)
		floor = master.journal[master.last - 1]->epoch;
	master.epoch = master.epoch + 1 > floor + 1 ? master.epoch + 1 : floor + 1;
	master.holder = m->index;
	master.holder_epoch = m->epoch = master.epoch;
	master.expires_ms = now_ms + LEASE_MS;
	if (!calm && dice(10) == 0)
		return false; /* its answer was lost: it runs out */
	if (renew(m))
		return true;
	release(m);
	return false;
}

/* ---- appending ---- */

enum took { TOOK, TOOK_LOST, TOOK_BEHIND };

/* As the script. */
static enum took script(const struct member *m, const struct journal_position *before,
                        const struct journal_entry *entry)
{
	const struct journal_entry *last = master.last > 0 ? master.journal[master.last - 1] : NULL;
	if (!is_held(&master) || master.holder != m->index || master.holder_epoch != m->epoch)
		return TOOK_LOST;
	if (last && last->number == entry->number &&
	    memcmp(last->seal, entry->seal, sizeof last->seal) == 0) {
		n_again++;
		return TOOK;
	}
	if (master.last >= entry->number ||
	    (last && memcmp(last->seal, before->seal, sizeof last->seal) != 0))
		return TOOK_BEHIND;
	/* Only what was never confirmed is lost, and nothing is committed before. */
	assert_int_equal(master.last, entry->number - 1);
	assert_true(master.last < ENTRIES_MAX);
	master.journal[master.last++] = keep(entry);
	return TOOK;
}

/* Until the journal has it for good, or the lease is over. */
static bool append_on(struct member *m, const struct journal_position *before,
                      struct journal_entry *entry)
{
	entry->epoch = m->epoch;
	journal_seal(&key, before, entry);
	for (;;) {
		enum took took = reaches(m) ? script(m, before, entry) : TOOK_LOST;
		if (took == TOOK_BEHIND)
			m->until_ms = 0;
		if (took == TOOK && confirm() && (calm || dice(12) != 0))
			return true;
		pass(m, calm ? 100 : 100 + (dice(8) == 0 ? 9000 : dice(900)));
		if (took != TOOK_BEHIND && has_lease(m))
			(void)renew(m);
		if (!has_lease(m))
			return false;
	}
}

static bool append(void *arg, const struct journal_position *before, struct journal_entry *entry,
                   struct error *err)
{
	struct member *m = arg;
	bool good = append_on(m, before, entry);
	/* It may stand still before it commits, too. */
	if (good && !calm && dice(30) == 0)
		pass(m, 2LL * LEASE_MS);
	if (good)
		m->number = entry->number;
	else
		n_refused++;
	return good || error_set(err, EX_TEMPFAIL, "the lease is lost");
}

/* ---- roles ---- */

static void follow_from_now(struct member *m)
{
	struct error err;
	m->engine = engine_close(m->engine);
	m->n_held = m->n_in_flight = 0;
	m->until_ms = 0;
	m->replica = replica_open(&m->settings, &err);
	if (!m->replica)
		fail_msg("%s", err.text);
}

/* The last entry only once it is confirmed, as those before it are: its owner may take it back. */
static void follow(struct member *m, int64_t most, bool all)
{
	struct error err = {0};
	struct journal_entry some[4];
	int64_t number = replica_position(m->replica).number;
	int64_t end = all || confirm() ? master.last : master.last - 1;
	for (size_t n; most > 0 && number < end; most -= (int64_t)n) {
		for (n = 0; n < 4 && (int64_t)n < most && number < end; n++)
			some[n] = *master.journal[number++];
		if (!replica_apply(m->replica, &key, some, n, &err))
			fail_msg("member %d: %s", m->index, err.text);
	}
}

static bool put_fence(struct member *m)
{
	struct error err;
	struct journal_position before = replica_position(m->replica);
	struct journal_entry fence = replica_fence(m->epoch);
	journal_seal(&key, &before, &fence);
	return reaches(m) && script(m, &before, &fence) == TOOK && confirm() &&
	       (calm || dice(10) != 0) && replica_apply(m->replica, &key, &fence, 1, &err);
}

static void take_over(struct member *m)
{
	struct error err;
	if (!take(m))
		return;
	if (!calm)
		pass(m, dice(6) == 0 ? 7000 : dice(500));
	if (!reaches(m))
		return;
	follow(m, ENTRIES_MAX, true);
	if (!put_fence(m)) {
		release(m);
		return;
	}
	n_takeovers++;
	m->replica = replica_close(m->replica);
	m->engine = engine_open_journaled(&m->settings, &m->journal, wall(), &err);
	if (!m->engine)
		follow_from_now(m);
}

/* ---- an owner's turn ---- */

static const struct entry *event_entry(struct arena *arena, int number)
{
	static const char *const names[] = {"id", "type", "job", "customer", "time"};
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *fields = arena_new_array(arena, 5, struct entry_field);
	char time[INSTANT_TEXT_MAX];
	const char *id = arena_printf(arena, "e%d", number);
	const char *values[] = {id, "job.completed", arena_printf(arena, "%d", number), "1",
	                        arena_strdup(arena, instant_format(w->now, 0, time))};
	for (size_t i = 0; i < 5; i++)
		fields[i] = (struct entry_field){names[i], strlen(names[i]), values[i],
		                                 strlen(values[i])};
	*entry = (struct entry){
	        .feed = FEED_EVENTS, .id = "", .fields = fields, .n_fields = 5, .received = wall()};
	return entry;
}

static void hold(struct member *m, struct held what)
{
	what.number = m->number;
	assert_true(m->n_held < HELD_MAX);
	m->held[m->n_held++] = what;
}

static void go_out(struct member *m, const struct held *h)
{
	if (is_held(&master) && master.holder != m->index)
		fail_msg("member %d acts, but %d has the lease", m->index, master.holder);
	/* An entry of its own epoch, on both servers. */
	if (h->number > 0) {
		assert_true(h->number <= master.last && h->number <= copy.last);
		const struct journal_entry *entry = copy.journal[h->number - 1];
		assert_ptr_equal(entry, master.journal[h->number - 1]);
		assert_int_equal(entry->epoch, m->epoch);
	}
	if (h->event >= 0) {
		acknowledged[h->event] = true;
		return;
	}
	assert_true(h->number > 0 && h->mail < MAILS_MAX);
	int event = atoi(h->job);
	if (mail_of[event] == 0)
		mail_of[event] = h->mail;
	if (mail_of[event] != h->mail)
		fail_msg("event %d is mail %lld and %lld", event, (long long)mail_of[event],
		         (long long)h->mail);
	if (went_out[h->mail].job[0] == '\0') {
		memcpy(went_out[h->mail].job, h->job, sizeof h->job);
		memcpy(went_out[h->mail].message_id, h->message_id, sizeof h->message_id);
	}
	assert_string_equal(went_out[h->mail].job, h->job);
	assert_string_equal(went_out[h->mail].message_id, h->message_id);
	m->in_flight[m->n_in_flight++] =
	        (struct delivery_result){.mail = h->mail, .to = "farm@example.com"};
}

/* With enough of the lease left; else it waits, and goes with the lease. */
static void let_out(struct member *m)
{
	if (m->until_ms - now_ms < SPARE_MS)
		return;
	for (size_t i = 0; i < m->n_held; i++)
		go_out(m, &m->held[i]);
	m->n_held = 0;
}

static void hold_output(struct member *m, const struct turn_output *out, const int *events,
                        size_t n_events_given)
{
	for (size_t i = 0; i < out->n_outgoing; i++) {
		struct held h = {.mail = out->outgoing[i]->mail, .event = -1};
		(void)snprintf(h.job, sizeof h.job, "%s", out->outgoing[i]->jobs[0]);
		(void)snprintf(h.message_id, sizeof h.message_id, "%s",
		               out->outgoing[i]->message_id);
		hold(m, h);
	}
	for (size_t i = 0; i < n_events_given; i++)
		hold(m, (struct held){.event = events[i]});
}

static size_t choose_events(int *ret, size_t max)
{
	size_t n = 0;
	for (int i = 0; i < n_events && n < max; i++)
		if (!acknowledged[i] && (calm || dice(3) == 0))
			ret[n++] = i;
	return n;
}

static size_t choose_results(struct member *m, struct delivery_result *ret, size_t max)
{
	size_t n = 0, left = 0;
	for (size_t i = 0; i < m->n_in_flight; i++)
		if (n < max && (calm || dice(3) == 0))
			ret[n++] = m->in_flight[i];
		else
			m->in_flight[left++] = m->in_flight[i];
	m->n_in_flight = left;
	return n;
}

static void turn(struct member *m)
{
	struct arena *arena = arena_new();
	const struct entry *entries[4];
	struct delivery_result results[8];
	int events[4];
	struct turn_output out;
	struct error err;
	struct turn_input in = {.now = wall(), .entries = entries, .results = results, .room = 4};
	in.n_entries = choose_events(events, 4);
	for (size_t i = 0; i < in.n_entries; i++)
		entries[i] = event_entry(arena, events[i]);
	in.n_results = choose_results(m, results, 8);
	m->number = 0;
	if (engine_turn(m->engine, &in, &out, &err)) {
		hold_output(m, &out, events, in.n_entries);
		turn_output_clear(&out);
	} else if (has_lease(m)) {
		fail_msg("a turn failed under the lease: %s", err.text);
	}
	arena_free(arena);
}

/* ---- steps ---- */

static void step_owner(struct member *m)
{
	if (has_lease(m) && now_ms - m->renewed_ms >= LEASE_MS / 4)
		(void)renew(m);
	if (has_lease(m))
		turn(m);
	if (!has_lease(m)) {
		follow_from_now(m);
		return;
	}
	let_out(m);
	if (!calm && dice(150) == 0) { /* stopped: it gives the lease back */
		release(m);
		follow_from_now(m);
	}
}

static void step_standby(struct member *m)
{
	if (!reaches(m))
		return;
	follow(m, calm ? ENTRIES_MAX : dice(12), false);
	if (replica_position(m->replica).number >= master.last && !is_held(&master))
		take_over(m);
}

static void die(struct member *m)
{
	m->engine = engine_close(m->engine);
	m->replica = replica_close(m->replica);
	m->n_held = m->n_in_flight = 0;
	m->until_ms = 0;
}

static int depth;

static void step(struct member *m)
{
	if (m->busy || (!calm && now_ms < m->frozen_until_ms))
		return;
	depth++;
	m->busy = true;
	if (m->engine)
		step_owner(m);
	else if (m->replica)
		step_standby(m);
	else if (calm || dice(10) == 0)
		follow_from_now(m);
	m->busy = false;
	depth--;
}

static void step_others(const struct member *m)
{
	for (int i = 0; i < MEMBERS && depth < 3; i++)
		if (&members[i] != m && dice(2) == 0)
			step(&members[i]);
}

static void mishap(void)
{
	struct member *m = &members[dice(MEMBERS)];
	switch (dice(60)) {
	case 0:
		m->frozen_until_ms = now_ms + dice(4 * LEASE_MS);
		break;
	case 1:
		die(m);
		break;
	case 2:
	case 3:
		m->cut = !m->cut;
		break;
	case 4:
	case 5:
		linked = !linked;
		break;
	case 6:
		fail_over();
		linked = true;
		break;
	case 7:
		(void)confirm();
		break;
	default:
		break;
	}
}

/* ---- a run ---- */

static void copy_file(const char *from, const char *to)
{
	char command[300];
	(void)snprintf(command, sizeof command, "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void member_begin(struct member *m, int index)
{
	*m = (struct member){.index = index, .settings = w->settings};
	(void)snprintf(m->spool, sizeof m->spool, "%s/%d", w->directory, index);
	assert_int_equal(mkdir(m->spool, 0700), 0);
	(void)snprintf(m->customers, sizeof m->customers, "%s/%d/customers.db", w->directory,
	               index);
	(void)snprintf(m->spool, sizeof m->spool, "%s/%d/spool.db", w->directory, index);
	m->settings.spool.path = m->spool;
	m->settings.customers.path = m->customers;
	m->journal = (struct engine_journal){append, m};
}

/* The first owns the cluster once, and the others are seeded with what it has then. */
static void setup(uint64_t seed)
{
	dice_state = seed * 7919;
	master = copy = (struct server){.holder = -1};
	now_ms = depth = n_events = 0;
	linked = calm = true;
	memset(acknowledged, 0, sizeof acknowledged);
	memset(went_out, 0, sizeof went_out);
	memset(mail_of, 0, sizeof mail_of);
	w = world_new("2026-06-03T08:00:00Z");
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1', 'Farm', "
	             "'UTC'); INSERT INTO contact (id, customer, email) VALUES (1, 1, "
	             "'farm@example.com')");
	w->engine = engine_close(w->engine);
	for (int i = 0; i < MEMBERS; i++)
		member_begin(&members[i], i);
	copy_file(w->settings.customers.path, members[0].customers);
	follow_from_now(&members[0]);
	step(&members[0]);
	assert_non_null(members[0].engine);
	release(&members[0]);
	members[0].engine = engine_close(members[0].engine);
	for (int i = 1; i < MEMBERS; i++) {
		copy_file(members[0].customers, members[i].customers);
		copy_file(members[0].spool, members[i].spool);
	}
	for (int i = 0; i < MEMBERS; i++)
		follow_from_now(&members[i]);
	calm = false;
}

static bool is_quiet(void)
{
	size_t n_owners = 0;
	for (int i = 0; i < MEMBERS; i++) {
		const struct member *m = &members[i];
		n_owners += m->engine != NULL;
		if (m->n_held > 0 || m->n_in_flight > 0 || (!m->engine && !m->replica) ||
		    (m->replica && replica_position(m->replica).number != master.last))
			return false;
	}
	for (int i = 0; i < n_events; i++)
		if (!acknowledged[i] || mail_of[i] == 0)
			return false;
	return n_owners == 1;
}

static void come_to_rest(void)
{
	linked = calm = true;
	for (int i = 0; !is_quiet(); i++) {
		if (i == QUIET_STEPS)
			fail_msg("it doesn't come to rest");
		now_ms += 250;
		check_one_lease();
		for (int k = 0; k < MEMBERS; k++)
			step(&members[k]);
	}
}

static void check_spools(void)
{
	struct error err;
	struct buf first = {0};
	tables_print(members[0].spool, &first);
	assert_true(first.len > 5000);
	for (int i = 1; i < MEMBERS; i++) {
		struct buf other = {0};
		tables_print(members[i].spool, &other);
		assert_int_equal(first.len, other.len);
		assert_memory_equal(first.data, other.data, first.len);
		buf_free(&other);
	}
	buf_free(&first);
	struct spool *spool = spool_open(members[1].spool, DB_READ, &err);
	for (int i = 0; i < n_events; i++) {
		char id[16];
		(void)snprintf(id, sizeof id, "e%d", i);
		assert_int_not_equal(spool_event_find(spool, "", id, NULL), 0);
	}
	spool_close(spool);
}

static void run(uint64_t seed)
{
	kept_entries = arena_new();
	setup(seed);
	for (int i = 0; i < STEPS; i++) {
		now_ms += dice(400);
		if (n_events < EVENTS_MAX && dice(6) == 0)
			n_events++;
		mishap();
		check_one_lease();
		step(&members[dice(MEMBERS)]);
	}
	come_to_rest();
	for (int i = 0; i < MEMBERS; i++)
		die(&members[i]);
	check_spools();
	world_free(w);
	kept_entries = arena_free(kept_entries);
}

static void whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(seed);
	/* The orders that matter did happen. */
	assert_true(n_takeovers > 2 * SEEDS && n_failovers > SEEDS && n_refused > SEEDS);
	assert_true(n_lost_writes > 0 && n_again > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

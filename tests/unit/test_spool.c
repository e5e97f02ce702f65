/* SPDX-License-Identifier: MIT */
/* The spool alone: packed fields, the watermark, old records, a disk that fails. */
#include "spool_file.h"

#include "db/fields.h"
#include "spool/spool.h"
#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DAY_MS = 86400000 };

static const char *path;
static struct spool *spool;
static struct arena *arena;
static const struct instant now = {1780488000000};

static void begin(void)
{
	spool_file_begin(spool);
}

static void commit(void)
{
	spool_file_commit(spool);
}

static int setup(void **state)
{
	(void)state;
	struct error err;
	path = spool_file_make();
	spool = spool_open(path, DB_WRITE, &err);
	assert_non_null(spool);
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	spool = spool_close(spool);
	return spool_file_remove();
}

static int64_t add_event(const char *id, int64_t job, struct instant at)
{
	struct job_event event = {
	        .state = JOB_COMPLETED,
	        .id = id,
	        .source = "s",
	        .job = "J",
	        .customer = "1001",
	        .time = at,
	        .time_published = at,
	        .received = at,
	        .data = "{}",
	        .entry_id = "",
	};
	return spool_event_add(spool, &event, job, STATUS_QUEUED, REASON_OK, "[]");
}

static int64_t add_mail(int64_t event, int64_t job, struct instant at)
{
	struct spool_mail mail = {
	        .contact = 7,
	        .state = "completed",
	        .status = STATUS_QUEUED,
	        .reason = REASON_OK,
	        .made = at,
	        .due = at,
	        .expires = instant_add(at, DAY_MS),
	        .message_id = "<m@example.com>",
	        .thread_id = "<t@example.com>",
	};
	/* By turns as a mail of one event, and as one of several. */
	if (event % 2 == 0) {
		mail.event = event;
		mail.job = job;
	}
	spool_mail_add(spool, &mail);
	if (event % 2 == 0)
		return mail.id;
	spool_notice_add(spool, &(struct spool_notice){
	                                .mail = mail.id, .event = event, .job = job, .contact = 7});
	return mail.id;
}

static void any_bytes_can_be_packed(void **state)
{
	(void)state;
	struct buf pack = {0};
	struct entry_field raw = {"a\0b", 3, "\xff\x00\n", 3}, *fields;
	size_t n;
	fields_add(&pack, "name", "value");
	fields_add_bytes(&pack, &raw);
	assert_true(fields_unpack(pack.data, pack.len, arena, &fields, &n));
	assert_int_equal(n, 2);
	assert_string_equal(fields_find(fields, n, "name"), "value");
	assert_int_equal(fields[1].name_len, 3);
	assert_memory_equal(fields[1].value, "\xff\x00\n", 3);
	for (size_t cut = 1; cut < pack.len; cut++) {
		if (cut != 17) /* the first pair alone is whole */
			assert_false(fields_unpack(pack.data, cut, arena, &fields, &n));
	}
	buf_free(&pack);
}

static void the_instance_outlives_a_restart(void **state)
{
	(void)state;
	char was[32];
	(void)snprintf(was, sizeof was, "%s", spool_instance(spool));
	assert_int_equal(strlen(was), 12);
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	assert_string_equal(spool_instance(spool), was);
}

static void what_redis_has_is_a_watermark(void **state)
{
	(void)state;
	size_t n;
	begin();
	for (int i = 0; i < 5; i++) {
		struct spool_outcome o = {.time = now,
		                          .status = STATUS_QUEUED,
		                          .reason = REASON_OK,
		                          .fields = "",
		                          .fields_len = 0};
		spool_outcome_add(spool, &o);
		assert_int_equal(o.seq, i + 1);
	}
	spool_set_published(spool, 3);
	spool_set_published(spool, 2); /* it never goes back */
	commit();
	begin();
	assert_int_equal(spool_published(spool), 3);
	const struct spool_outcome *left = spool_outcomes_after(spool, 3, 10, arena, &n);
	assert_int_equal(n, 2);
	assert_int_equal(left[0].seq, 4);
	spool_set_published(spool, 5);
	assert_false(spool_purge(spool, instant_add(now, 1), now, 1000));
	assert_int_equal(spool_last_outcome(spool), 5); /* with none left, none is unpublished */
	struct spool_outcome next = {.time = now, .fields = "", .fields_len = 0};
	spool_outcome_add(spool, &next);
	assert_int_equal(next.seq, 6); /* and no number is used again, */
	commit();
	spool = spool_close(spool);
	assert_non_null(spool = spool_open(path, DB_WRITE, NULL));
	begin();
	spool_set_published(spool, 9); /* also where an older one is still there */
	spool_outcome_add(spool, &next);
	assert_int_equal(next.seq, 10);
	commit();
}

static void a_failed_turn_leaves_no_trace(void **state)
{
	(void)state;
	struct error fault = {.code = 74, .text = "somebody else's fault"}, err;
	begin();
	int64_t job = spool_job(spool, "1001", "J1");
	add_mail(add_event("e1", job, now), job, now);
	assert_int_equal(spool_mail_count(spool, STATUS_QUEUED), 1);
	spool_fail(spool, &fault);
	assert_int_equal(spool_job_find(spool, "1001", "J1"), 0); /* nothing is given anymore */
	assert_false(spool_commit(spool, &err));
	assert_string_equal(err.text, fault.text);
	assert_int_equal(spool_mail_count(spool, STATUS_QUEUED), 0);
	begin();
	assert_int_equal(spool_job_find(spool, "1001", "J1"), 0);
	commit();
}

static void a_full_disk_is_a_fault_and_passes(void **state)
{
	(void)state;
	struct rlimit was, small = {200000, 200000};
	struct error err;
	char *big = mem_alloc(400001);
	memset(big, 'x', 400000);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	begin();
	spool_office_write_add(spool,
	                       &(struct spool_office_write){
	                               .kind = "refused", .detail = big, .entry = "", .time = now});
	bool ok = spool_commit(spool, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	free(big);
	assert_false(ok);
	assert_int_equal(err.code, 74);
	begin();
	spool_office_write_add(
	        spool, &(struct spool_office_write){
	                       .kind = "refused", .detail = "{}", .entry = "", .time = now});
	commit();
}

static void old_records_go_and_others_stay(void **state)
{
	(void)state;
	struct spool_mail mail;
	struct instant old = instant_add(now, -100LL * DAY_MS);
	begin();
	int64_t gone = spool_job(spool, "1001", "old"), stays = spool_job(spool, "1001", "waits");
	int64_t sent = add_mail(add_event("e1", gone, old), gone, old);
	int64_t waits = add_mail(add_event("e2", stays, old), stays, old);
	assert_true(spool_collision_first(spool, gone, JOB_STARTED));
	assert_false(spool_collision_first(spool, gone, JOB_STARTED));
	assert_true(spool_mail_load(spool, sent, arena, &mail));
	spool_mail_set_context(spool, sent, "{}", NULL);
	spool_mail_move(spool, &mail, STATUS_SENDING, REASON_OK, old);
	spool_mail_move(spool, &mail, STATUS_SENT, REASON_OK, old);
	assert_false(spool_purge(spool, instant_add(now, -90LL * DAY_MS), now, 1000));
	commit();
	begin();
	assert_int_equal(spool_event_find(spool, "s", "e1", NULL), 0);
	assert_int_equal(spool_job_find(spool, "1001", "old"), 0);
	assert_false(spool_mail_load(spool, sent, arena, &mail));
	assert_int_not_equal(spool_event_find(spool, "s", "e2", NULL), 0);
	assert_true(spool_mail_load(spool, waits, arena, &mail));
	commit();
}

static int64_t add_sent(const char *id, int64_t job, struct instant at)
{
	struct spool_mail mail;
	int64_t event = add_event(id, job, at), added = add_mail(event, job, at);
	assert_true(spool_mail_load(spool, added, arena, &mail));
	spool_mail_set_context(spool, added, "{\"customer\":{\"name\":\"Example Farm\"}}", NULL);
	spool_mail_move(spool, &mail, STATUS_SENDING, REASON_OK, at);
	spool_mail_move(spool, &mail, STATUS_SENT, REASON_OK, at);
	struct spool_outcome outcome = {.time = at,
	                                .event = event,
	                                .job = job,
	                                .mail = added,
	                                .status = STATUS_SENT,
	                                .reason = REASON_OK,
	                                .fields = "",
	                                .fields_len = 0};
	spool_outcome_add(spool, &outcome);
	spool_set_published(spool, outcome.seq);
	return added;
}

/* Slices of the least work until the round is over. */
static void purge_by_slices(struct instant before)
{
	int slices = 1;
	while (spool_purge(spool, before, now, 1))
		assert_true(slices++ < 10000);
	assert_true(slices > 4);
}

static void a_round_passes_over_what_stays(void **state)
{
	(void)state;
	enum { N = 300 };
	struct spool_mail mail;
	struct instant old = instant_add(now, -100LL * DAY_MS), ahead = instant_add(now, DAY_MS);
	int64_t waits[N], sent[N], wrong[N];
	begin();
	int64_t job = spool_job(spool, "1001", "old");
	for (int i = 0; i < N; i++) {
		waits[i] = add_mail(add_event(arena_printf(arena, "w%d", i), job, old), job, old);
		wrong[i] = add_sent(arena_printf(arena, "f%d", i), job, ahead);
		sent[i] = add_sent(arena_printf(arena, "e%d", i), job, old);
	}
	int64_t young = add_sent("young", job, now);
	purge_by_slices(instant_add(now, -90LL * DAY_MS));
	for (int i = 0; i < N; i++) {
		assert_true(spool_mail_load(spool, waits[i], arena, &mail));
		assert_true(spool_mail_load(spool, wrong[i], arena, &mail));
		assert_false(spool_mail_load(spool, sent[i], arena, &mail));
		assert_int_equal(spool_event_find(spool, "s", arena_printf(arena, "e%d", i), NULL),
		                 0);
	}
	assert_true(spool_mail_load(spool, young, arena, &mail));
	commit();
}

static void what_is_old_goes_slice_by_slice(void **state)
{
	(void)state;
	enum { N = 300 };
	struct spool_mail mail;
	struct instant old = instant_add(now, -100LL * DAY_MS);
	int64_t last = 0;
	begin();
	for (int i = 0; i < N; i++) {
		int64_t job = spool_job(spool, "1001", arena_printf(arena, "j%d", i));
		if (i % 7 == 0)
			add_mail(add_event(arena_printf(arena, "w%d", i), job, old), job, old);
		last = add_sent(arena_printf(arena, "e%d", i), job, old);
	}
	int64_t young = add_sent("young", spool_job(spool, "1001", "young"), now);
	purge_by_slices(instant_add(now, -90LL * DAY_MS));
	assert_false(spool_mail_load(spool, last, arena, &mail));
	assert_true(spool_mail_load(spool, young, arena, &mail));
	for (int i = 0; i < N; i++) {
		const char *job = arena_printf(arena, "j%d", i);
		const char *sent = arena_printf(arena, "e%d", i);
		assert_int_equal(spool_event_find(spool, "s", sent, NULL), 0);
		assert_int_equal(spool_job_find(spool, "1001", job) != 0, i % 7 == 0);
	}
	assert_int_not_equal(spool_event_find(spool, "s", "young", NULL), 0);
	commit();
}

static int64_t file_bytes(void)
{
	struct stat st;
	spool_empty_wal(spool);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* As many mails go as come: free pages are used again. */
static void a_steady_load_doesnt_grow_the_file(void **state)
{
	(void)state;
	enum { ROUNDS = 60, MAILS = 100, KEPT = 10, MINUTE_MS = 60 * 1000 };
	int64_t full = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct instant at = instant_add(now, (int64_t)round * MINUTE_MS);
		begin();
		for (int i = 0; i < MAILS; i++) {
			/* As ids come: in no order. */
			unsigned n = (unsigned)(round * MAILS + i) * 2654435761u;
			int64_t job = spool_job(spool, "1001", arena_printf(arena, "j%08x", n));
			add_sent(arena_printf(arena, "%08x", n), job, at);
		}
		commit();
		for (bool more = true; more;) {
			begin();
			more = spool_purge(spool, instant_add(at, -KEPT * MINUTE_MS), at, 2500);
			commit();
		}
		arena_reset(arena);
		if (round == ROUNDS / 2)
			full = file_bytes();
	}
	assert_int_equal(spool_mail_count(spool, STATUS_SENT), (KEPT + 1) * MAILS);
	assert_true(full > 0 && file_bytes() <= full + full / 10);
}

static void events_are_found_by_receipt(void **state)
{
	(void)state;
	enum { N = 500 };
	size_t n;
	begin();
	int64_t job = spool_job(spool, "1001", "J"), first = 0;
	for (int i = 0; i < N; i++) {
		/* A clock that is adjusted and set back by an hour now and then. */
		struct instant at = instant_add(now, i * (int64_t)DAY_MS / 10 - i % 9 * 3600000);
		int64_t event = add_event(arena_printf(arena, "e%d", i), job, at);
		first = i == 0 ? event : first;
	}
	struct instant since = instant_add(now, 20LL * DAY_MS), until = instant_add(since, DAY_MS);
	struct spool_event *events = spool_events_between(spool, since, until, 0, N, arena, &n);
	size_t counted = 0;
	for (int i = 0; i < N; i++) {
		int64_t at = now.ms + i * (int64_t)DAY_MS / 10 - i % 9 * 3600000;
		counted += at >= since.ms && at < until.ms;
	}
	assert_int_equal(n, counted);
	assert_true(n > 5);
	int64_t second = events[1].id;
	events = spool_events_between(spool, since, until, second, N, arena, &n);
	assert_int_equal(n, counted - 2);
	events = spool_events_between(spool, INSTANT_NONE, INSTANT_NEVER, 0, 2 * N, arena, &n);
	assert_int_equal(n, N);
	assert_int_equal(events[0].id, first);
	spool_events_between(spool, instant_add(now, 4000LL * DAY_MS), INSTANT_NEVER, 0, N, arena,
	                     &n);
	assert_int_equal(n, 0);
	commit();
}

static void failures_count_since_the_last_mail_that_went(void **state)
{
	(void)state;
	struct error err;
	json_t *json;
	struct spool_mail mail;
	begin();
	int64_t job = spool_job(spool, "1001", "J");
	add_sent("e1", job, now);
	commit();
	spool = spool_close(spool); /* it is known after a restart, too */
	spool = spool_open(path, DB_WRITE, NULL);
	for (int i = 0; i < 2; i++) {
		begin();
		int64_t id = add_mail(add_event(i ? "e3" : "e2", job, now), job, now);
		assert_true(spool_mail_load(spool, id, arena, &mail));
		struct instant at = instant_add(now, i ? 1000 : -1000);
		mail.reply = i ? "451 later" : "451 before";
		spool_mail_move(spool, &mail, STATUS_SENDING, REASON_OK, at);
		spool_mail_move(spool, &mail, STATUS_RETRYING, REASON_MAIL_BUSY, at);
		commit();
	}
	assert_true(spool_read_failures(spool, &json, &err));
	assert_int_equal(json_integer_value(json_object_get(json, "failures")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "reply")), "451 later");
	json_decref(json);
}

/* A mail of one event, as its row names it. */
static struct spool_mail add_single(int64_t event, int64_t job, int64_t contact)
{
	struct spool_mail mail = {.contact = contact,
	                          .event = event,
	                          .job = job,
	                          .state = "completed",
	                          .status = STATUS_QUEUED,
	                          .reason = REASON_OK,
	                          .made = now,
	                          .due = now,
	                          .expires = instant_add(now, DAY_MS),
	                          .address = "kim@example.com",
	                          .message_id = "<m@example.com>",
	                          .thread_id = "<t@example.com>",
	                          .reply = ""};
	spool_mail_add(spool, &mail);
	return mail;
}

/* The events that a mail reports, in order: their sum, and how many. */
static size_t events_of(int64_t mail, int64_t *ret_first, bool *ret_superseded)
{
	size_t n;
	struct spool_notice *notices = spool_notices(spool, mail, arena, &n);
	*ret_first = n > 0 ? notices[0].event : 0;
	*ret_superseded = n > 0 && notices[0].superseded;
	for (size_t i = 0; i < n; i++)
		assert_true(notices[i].mail == mail && notices[i].contact == 7 &&
		            notices[i].active);
	return n;
}

static void a_mails_event_is_in_its_row_or_one_of_several(void **state)
{
	(void)state;
	size_t n;
	int64_t first;
	bool superseded;
	begin();
	int64_t job = spool_job(spool, "1001", "J"), other = spool_job(spool, "1001", "K");
	int64_t a = add_event("a", job, now), b = add_event("b", other, now);
	struct spool_mail mail = add_single(a, job, 7), second = add_single(a, job, 8);
	assert_int_equal(events_of(mail.id, &first, &superseded), 1);
	assert_true(first == a && !superseded);
	(void)spool_job_notices(spool, job, arena, &n);
	assert_int_equal(n, 2);
	struct spool_other_mail *others = spool_other_mails(spool, a, 7, arena, &n);
	assert_int_equal(n, 1);
	assert_int_equal(others[0].contact, 8);
	struct spool_notice later = {.mail = second.id + 1, .event = a, .job = job, .contact = 7};
	assert_true(spool_notice_blocked(spool, &later, now));
	later.contact = 9;
	assert_false(spool_notice_blocked(spool, &later, now));

	/* One joins it: both are told, by all ways to ask. */
	spool_notice_add(spool, &(struct spool_notice){
	                                .mail = mail.id, .event = b, .job = other, .contact = 7});
	assert_int_equal(events_of(mail.id, &first, &superseded), 2);
	assert_true(first == a);
	(void)spool_job_notices(spool, other, arena, &n);
	assert_int_equal(n, 1);
	(void)spool_job_notices(spool, job, arena, &n);
	assert_int_equal(n, 2);
	(void)spool_other_mails(spool, a, 8, arena, &n);
	assert_int_equal(n, 1);
	later = (struct spool_notice){
	        .mail = second.id + 1, .event = b, .job = other, .contact = 7};
	assert_true(spool_notice_blocked(spool, &later, now));

	/* The first leaves, the second is overtaken; so is the only one of the other mail. */
	spool_notice_leave(spool, mail.id, a);
	spool_notice_supersede(spool, mail.id, b);
	assert_int_equal(events_of(mail.id, &first, &superseded), 1);
	assert_true(first == b && superseded);
	spool_notice_supersede(spool, second.id, a);
	struct spool_notice *notices = spool_notices(spool, second.id, arena, &n);
	assert_true(n == 1 && notices[0].superseded && notices[0].event == a);
	spool_notice_leave(spool, second.id, a);
	(void)spool_notices(spool, second.id, arena, &n);
	assert_int_equal(n, 0);
	commit();
}

/* The data of its event are in it once, twice, changed, or not at all. */
static void a_context_comes_back(void **state)
{
	(void)state;
	static const char data[] = "{\"note\":\"50 % \\\"off\\\", é\",\"driver\":\"Sam Ortiz\"}";
	static const struct {
		const char *head, *data, *tail;
	} contexts[] = {
	        {"{\"v\":1,\"event\":{\"id\":\"e\"},\"data\":", data, ",\"contact\":{\"id\":7}}"},
	        {"", data, ""},
	        {data, data, data},
	        {"{\"data\":", "{\"note\":\"50 % off\",\"driver\":\"Sam Ortiz\"}", "}"},
	};
	begin();
	int64_t job = spool_job(spool, "1001", "J");
	struct spool_event event = {.event = {.state = JOB_COMPLETED,
	                                      .id = "e",
	                                      .source = "s",
	                                      .job = "J",
	                                      .customer = "1001",
	                                      .time = now,
	                                      .time_published = now,
	                                      .received = now,
	                                      .data = data,
	                                      .entry_id = ""}};
	event.id = spool_event_add(spool, &event.event, job, STATUS_QUEUED, REASON_OK, "[]");
	for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
		struct buf text = {0};
		buf_adds(&text, contexts[i].head);
		buf_adds(&text, contexts[i].data);
		buf_adds(&text, contexts[i].tail);
		struct spool_mail mail = add_single(event.id, job, 7);
		spool_mail_set_context(spool, mail.id, buf_text(&text), &event);
		assert_string_equal(spool_mail_context(spool, mail.id, arena), buf_text(&text));
		/* The event isn't the mail's only one anymore, and its data are still its. */
		spool_notice_supersede(spool, mail.id, event.id);
		assert_string_equal(spool_mail_context(spool, mail.id, arena), buf_text(&text));
		spool_mail_set_context(spool, mail.id, buf_text(&text), NULL);
		assert_string_equal(spool_mail_context(spool, mail.id, arena), buf_text(&text));
		spool_mail_set_context(spool, mail.id, NULL, NULL);
		assert_null(spool_mail_context(spool, mail.id, arena));
		buf_free(&text);
	}
	commit();
}

/* A name of one byte makes a pack begin as the short form of an outcome does. */
static void any_field_of_a_dead_letter_comes_back(void **state)
{
	(void)state;
	static const enum outbox outboxes[] = {OUTBOX_DEAD, OUTBOX_DISPATCH};
	struct entry_field *fields;
	size_t n;
	struct buf pack = {0};
	fields_add(&pack, "a", "b");
	for (size_t i = 0; i < 2; i++) {
		begin();
		int64_t job = spool_job(spool, "1001", "J");
		struct spool_outcome outcome = {.outbox = outboxes[i],
		                                .key = "events",
		                                .time = now,
		                                .job = job,
		                                .entry = "1-0",
		                                .fields = pack.data,
		                                .fields_len = pack.len};
		spool_outcome_add(spool, &outcome);
		commit();
		spool = spool_close(spool); /* so that it is read from the file */
		spool = spool_open(path, DB_WRITE, NULL);
		begin();
		const struct spool_outcome *read =
		        spool_outcomes_after(spool, outcome.seq - 1, 10, arena, &n);
		assert_int_equal(n, 1);
		assert_true(fields_unpack(read->fields, read->fields_len, arena, &fields, &n));
		assert_string_equal(fields_find(fields, n, "a"), "b");
		if (outboxes[i] == OUTBOX_DISPATCH)
			spool_erase_job(spool, job, arena);
		read = spool_outcomes_after(spool, outcome.seq - 1, 10, arena, &n);
		assert_int_equal(read->fields_len, outboxes[i] == OUTBOX_DISPATCH ? 0 : pack.len);
		commit();
	}
	buf_free(&pack);
}

static char *fields_text(const struct spool_outcome *outcome)
{
	struct buf text = {0};
	size_t n;
	const struct entry_field *fields = spool_outcome_fields(outcome, arena, &n);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%.*s=%.*s\n", (int)fields[i].name_len, fields[i].name,
		           (int)fields[i].value_len, fields[i].value);
	return buf_take(&text);
}

static void an_outcome_is_the_same_in_memory_and_on_disk(void **state)
{
	(void)state;
	size_t n;
	struct buf own = {0};
	struct spool_event event = {.event = {.id = "e1",
	                                      .source = "s",
	                                      .job = "J",
	                                      .customer = "1001",
	                                      .state = JOB_COMPLETED}};
	fields_add(&own, "contact", "7");
	fields_add(&own, "to", "ann@example.com");
	fields_add(&own, "mail", "9");
	fields_add(&own, "attempts", "2");
	fields_add(&own, "due", "2026-06-03T12:00:00.250Z");
	fields_add(&own, "reply", "451 \"no\"");
	fields_add(&own, "note", "");
	fields_add(&own, "until", "2026-07-01");
	fields_add(&own, "outside_hours", "true");
	fields_add(&own, "something", "of a later version");
	begin();
	event.job = spool_job(spool, "1001", "J");
	event.id = add_event("e1", event.job, now);
	struct spool_outcome outcome = {.time = now,
	                                .event = event.id,
	                                .job = event.job,
	                                .mail = 9,
	                                .status = STATUS_RETRYING,
	                                .reason = REASON_OK,
	                                .of = &event,
	                                .fields = own.data,
	                                .fields_len = own.len};
	spool_outcome_add(spool, &outcome);
	char *memory = fields_text(spool_outcomes_after(spool, outcome.seq - 1, 10, arena, &n));
	assert_int_equal(n, 1);
	commit();
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	begin();
	char *disk = fields_text(spool_outcomes_after(spool, outcome.seq - 1, 10, arena, &n));
	commit();
	assert_string_equal(memory, disk);
	assert_non_null(strstr(disk, "customer=1001\ntype=job.completed\nstatus=retrying\n"));
	assert_non_null(strstr(disk, "\nsomething=of a later version\n"));
	free(memory);
	free(disk);
	buf_free(&own);
}

static void a_move_that_is_not_in_the_table_is_a_bug(void **state)
{
	(void)state;
	struct spool_mail mail = {.id = 1, .status = STATUS_SENT};
	pid_t child = fork();
	if (child == 0) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		spool_mail_move(spool, &mail, STATUS_QUEUED, REASON_OK, now);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(any_bytes_can_be_packed),
	        test(the_instance_outlives_a_restart),
	        test(what_redis_has_is_a_watermark),
	        test(a_failed_turn_leaves_no_trace),
	        test(a_full_disk_is_a_fault_and_passes),
	        test(old_records_go_and_others_stay),
	        test(a_round_passes_over_what_stays),
	        test(what_is_old_goes_slice_by_slice),
	        test(a_steady_load_doesnt_grow_the_file),
	        test(events_are_found_by_receipt),
	        test(failures_count_since_the_last_mail_that_went),
	        test(a_mails_event_is_in_its_row_or_one_of_several),
	        test(a_context_comes_back),
	        test(any_field_of_a_dead_letter_comes_back),
	        test(an_outcome_is_the_same_in_memory_and_on_disk),
	        test(a_move_that_is_not_in_the_table_is_a_bug),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

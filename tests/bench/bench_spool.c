/* SPDX-License-Identifier: MIT */
/*
 * The spool alone: what the statements of a mail's life cost, from its event to the reply, in turns
 * as the engine takes them; what a mail takes on disk; what a slice of the purge takes. One line an
 * answer: "NAME NUMBER UNIT".
 */
#include "db/fields.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TURN = 128, SLICE = 2500, DAY_MS = 86400000 };

static int mails = 50000;
static const struct instant start = {1780315200000}; /* 2026-06-01T12:00:00Z */

static const char trace[] =
        "[{\"rule\":1,\"name\":\"well_formed\",\"holds\":true,\"detail\":\"the event %s is well "
        "formed\"},{\"rule\":2,\"name\":\"not_seen_before\",\"holds\":true,\"detail\":\"not seen "
        "before\"},{\"rule\":3,\"name\":\"customer_known\",\"holds\":true,\"detail\":\"customer %s "
        "is Example Hauling %d\"},{\"rule\":4,\"name\":\"gives_state\",\"holds\":true,\"detail\":"
        "\"job %s becomes completed\"},{\"rule\":5,\"name\":\"other_state\",\"holds\":true,"
        "\"detail\":\"the state before was none\"},{\"rule\":6,\"name\":\"customer_active\","
        "\"holds\":true,\"detail\":\"customer %s is active\"},{\"rule\":7,\"name\":"
        "\"not_suspended\",\"holds\":true,\"detail\":\"no suspension covers it\"},{\"rule\":8,"
        "\"name\":\"wanted\",\"holds\":true,\"detail\":\"contact %d gets completed mails\","
        "\"contact\":%d},{\"rule\":9,\"name\":\"address\",\"holds\":true,\"detail\":\"%s\","
        "\"contact\":%d},{\"rule\":10,\"name\":\"shelf_life\",\"holds\":true,\"detail\":\"its "
        "shelf life ends 2026-06-02T06:00:00-06:00\",\"contact\":%d},{\"rule\":11,\"name\":"
        "\"service_hours\",\"holds\":true,\"detail\":\"open until 2026-06-02T00:00:00-06:00 "
        "(America/Denver)\",\"contact\":%d},{\"rule\":12,\"name\":\"grouping\",\"holds\":true,"
        "\"detail\":\"completed mails don't wait for each other\",\"contact\":%d}]";

static const char data[] =
        "{\"service\":\"Roll-off 30 yd\",\"reference\":\"PO %d\",\"scheduled\":\"2026-06-01T15:00:"
        "00Z\",\"route\":\"%d\",\"driver\":\"Sam Ortiz\",\"vehicle\":\"Truck 12\",\"note\":\"Gate "
        "code at the office, leave the ticket with the guard\"}";

static const char context[] =
        "{\"event\":{\"id\":\"%s\",\"source\":\"erp\",\"type\":\"job.completed\",\"time\":"
        "\"2026-06-01T06:00:00-06:00\",\"job\":\"%s\",\"customer\":\"%s\",\"data\":%s},\"company\":"
        "{\"name\":\"Example Hauling\",\"phone\":\"+1 303 555 0199\",\"website\":"
        "\"https://www.example.com\",\"email\":\"office@example.com\"},\"customer\":{\"number\":"
        "\"%s\",\"name\":\"Example Hauling %d\",\"address\":\"%d Main Street\",\"city\":\"Denver\","
        "\"state\":\"CO\",\"postal_code\":\"80202\",\"country\":\"US\",\"phone\":\"+1 303 555 "
        "%04d\",\"timezone\":\"America/Denver\"},\"contact\":{\"name\":\"Ann Example\",\"email\":"
        "\"%s\",\"id\":%d}}";

struct life { /* of one mail */
	int64_t event, job, mail;
};

static double cpu_us(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void give_up(const struct error *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void add_outcome(struct spool *spool, const struct spool_event *event, int64_t mail,
                        enum status status, const char *to, const char *reply, struct instant now)
{
	struct buf pack = {0};
	char text[32];
	(void)snprintf(text, sizeof text, "%lld", (long long)mail);
	fields_add(&pack, "contact", "7");
	fields_add(&pack, "to", to);
	fields_add(&pack, "mail", text);
	if (*reply) {
		fields_add(&pack, "attempts", "1");
		fields_add(&pack, "reply", reply);
	}
	struct spool_outcome outcome = {.time = now,
	                                .event = event->id,
	                                .job = event->job,
	                                .mail = mail,
	                                .status = status,
	                                .reason = REASON_OK,
	                                .fields = pack.data,
	                                .fields_len = pack.len,
	                                .of = event};
	spool_outcome_add(spool, &outcome);
	buf_free(&pack);
}

/* Numbers that come in no order, as ids of events do. */
static unsigned scattered(int i)
{
	return (unsigned)i * 2654435761u;
}

static void begin_life(struct spool *spool, struct arena *arena, int i, struct instant now,
                       struct life *ret)
{
	int who = i % 500;
	const char *number = arena_printf(arena, "%d", 1001 + who);
	const char *to = arena_printf(arena, "contact%d@example.com", who);
	struct spool_event event = {
	        .event = {.kind = EVENT_JOB,
	                  .state = JOB_COMPLETED,
	                  .id = arena_printf(arena, "%08x-4f2a-%08x", scattered(i), scattered(~i)),
	                  .source = "erp",
	                  .job = arena_printf(arena, "J%d", 100000 + i),
	                  .customer = number,
	                  .time = now,
	                  .time_published = now,
	                  .received = now,
	                  .data = arena_printf(arena, data, i, i % 40),
	                  .entry_id = ""}};
	const struct job_event *e = &event.event;
	size_t n;
	(void)spool_event_find(spool, e->source, e->id, NULL);
	event.job = spool_job(spool, number, e->job);
	(void)spool_marks(spool, event.job, arena, &n);
	event.id = spool_event_add(spool, e, event.job, STATUS_QUEUED, REASON_OK,
	                           arena_printf(arena, trace, e->id, number, who, e->job, number, 7,
	                                        7, to, 7, 7, 7, 7));
	spool_job_set_state(spool, event.job, JOB_COMPLETED);
	(void)spool_job_notices(spool, event.job, arena, &n);
	struct spool_mail mail = {
	        .contact = 7,
	        .event = event.id,
	        .job = event.job,
	        .state = "completed",
	        .status = STATUS_QUEUED,
	        .reason = REASON_OK,
	        .made = now,
	        .due = now,
	        .expires = instant_add(now, DAY_MS),
	        .address = to,
	        .message_id = arena_printf(arena, "<abcdefghijklmnop%08x%08x@example.com>",
	                                   scattered(i), scattered(i + 7)),
	        .thread_id = arena_printf(arena, "<qrstuvwxyzabcdef%08x%08x@example.com>",
	                                  scattered(i), scattered(i + 9)),
	        .reply = ""};
	spool_mail_add(spool, &mail);
	add_outcome(spool, &event, mail.id, STATUS_QUEUED, to, "", now);
	spool_mail_set_context(spool, mail.id,
	                       arena_printf(arena, context, e->id, e->job, number, e->data, number,
	                                    who, who, who, to, 7),
	                       &event);
	spool_mail_move(spool, &mail, STATUS_SENDING, REASON_OK, now);
	*ret = (struct life){event.id, event.job, mail.id};
}

static void end_life(struct spool *spool, struct arena *arena, const struct life *life,
                     struct instant now)
{
	struct spool_mail mail;
	struct spool_event event;
	if (!spool_mail_load(spool, life->mail, arena, &mail) ||
	    !spool_event_load(spool, life->event, arena, &event))
		return;
	mail.attempts = 1;
	mail.reply = arena_printf(arena, "250 2.0.0 Ok: queued as %08X", scattered(mail.attempts));
	mail.rendering.known = true;
	(void)snprintf((char *)mail.rendering.templates, RENDERING_DIGEST_SIZE, "templates");
	(void)snprintf((char *)mail.rendering.message, RENDERING_DIGEST_SIZE, "%08x",
	               scattered((int)mail.id));
	spool_mail_move(spool, &mail, STATUS_SENT, REASON_OK, now);
	add_outcome(spool, &event, mail.id, STATUS_SENT, mail.address, mail.reply, now);
}

static void commit(struct spool *spool)
{
	struct error err;
	if (!spool_commit(spool, &err))
		give_up(&err);
}

static struct instant time_of(int turn)
{
	return instant_add(start, turn * INT64_C(40));
}

/* The time of the last turn. */
static struct instant live(struct spool *spool)
{
	struct arena *arena = arena_new();
	struct life lives[TURN];
	int turn = 0, n = 0;
	int64_t handed = 0;
	for (int i = 0; i < mails || n > 0; turn++) {
		struct error err;
		size_t n_outcomes;
		if (!spool_begin(spool, &err))
			give_up(&err);
		spool_set_published(spool, handed);
		for (int k = 0; k < n; k++)
			end_life(spool, arena, &lives[k], time_of(turn));
		for (n = 0; n < TURN && i < mails; n++, i++)
			begin_life(spool, arena, i, time_of(turn), &lives[n]);
		const struct spool_outcome *due =
		        spool_outcomes_after(spool, handed, 4096, arena, &n_outcomes);
		if (n_outcomes > 0)
			handed = due[n_outcomes - 1].seq;
		commit(spool);
		arena_reset(arena);
	}
	arena_free(arena);
	if (!spool_begin(spool, NULL))
		exit(1);
	spool_set_published(spool, handed);
	commit(spool);
	return time_of(turn);
}

static int by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

/* How long slices hold a turn, without the turn's commit, which takes as long as the disk does. */
static void purge_all(struct spool *spool, struct instant last)
{
	struct instant before = instant_add(last, 1), now = instant_add(last, DAY_MS);
	double began = cpu_us(CLOCK_PROCESS_CPUTIME_ID), *took = NULL;
	int n = 0;
	for (bool more = true; more; n++) {
		if (!spool_begin(spool, NULL))
			exit(1);
		double from = cpu_us(CLOCK_MONOTONIC);
		more = spool_purge(spool, before, now, SLICE);
		took = mem_realloc(took, (size_t)n + 1, sizeof *took);
		took[n] = cpu_us(CLOCK_MONOTONIC) - from;
		commit(spool);
	}
	qsort(took, (size_t)n, sizeof *took, by_size);
	(void)printf("spool.purge %.1f us of CPU a mail, in %d slices\n",
	             (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - began) / mails, n);
	(void)printf("spool.slice %.1f ms, one in a hundred %.1f ms, the longest %.1f ms\n",
	             took[n / 2] / 1000, took[n - 1 - n / 100] / 1000, took[n - 1] / 1000);
	free(took);
}

int main(int argc, char **argv)
{
	char directory[] = "/tmp/dispatchd-bench-XXXXXX", path[64], command[512];
	struct error err;
	struct stat st;
	if (argc > 1)
		mails = atoi(argv[1]);
	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof path, "%s/spool.db", directory);
	struct spool *spool = spool_open(path, DB_WRITE, &err);
	if (spool == NULL)
		give_up(&err);
	double began = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
	struct instant last = live(spool);
	(void)printf("spool.life %.1f us of CPU a mail\n",
	             (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - began) / mails);
	spool_empty_wal(spool);
	if (stat(path, &st) == 0)
		(void)printf("spool.bytes %.0f a mail\n", (double)st.st_size / mails);
	if (argc > 2) /* a copy to look at */
		(void)snprintf(command, sizeof command, "cp %s %s", path, argv[2]);
	if (argc > 2 && system(command) != 0)
		return 1;
	purge_all(spool, last);
	spool_close(spool);
	(void)snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}

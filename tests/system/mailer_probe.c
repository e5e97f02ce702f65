/* SPDX-License-Identifier: MIT */
/*
 * Drives the real pool of mailers from a test. The only argument is a JSON object with settings
 * (relay, tls, ca_file, user, password_file, connections, rate, transport, maildir, from) and
 * `limits`; then one JSON object a line on standard input:
 *
 *   {"mail": 7, "to": "a@example.com", "text": "…"}   a mail; `text` is the message as it is
 *   {"bulk": 500, "size": 3000}                        so many mails; only their sum is reported
 *   {"relays": true}                                   how the relays do
 *   {"reload": {…}}                                    other settings, all of them
 *   {"lease": 4000}                                    so long the cluster's lease is valid
 *   {"stop": 2000}                                     the end, with so much grace
 *
 * Results come as JSON lines. The end of the input means: stop when every mail has its result.
 *
 * Rendering is stood in for, so that messages can be sent that the composer would never make: the
 * functions below take the place of lib/mail's when the program is linked.
 */
#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/pool_private.h"
#include "dispatchd/sys/lease_clock.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- in the place of lib/mail/templates.c ---- */

struct templates {
	int unused;
};

struct templates *templates_ref(struct templates *templates)
{
	return templates;
}

struct templates *templates_unref(struct templates *templates)
{
	(void)templates;
	return NULL;
}

const unsigned char *templates_digest(const struct templates *templates)
{
	static const unsigned char digest[RENDERING_DIGEST_SIZE];
	(void)templates;
	return digest;
}

void templates_mail_clear(struct templates_mail *mail)
{
	buf_free(&mail->message);
}

void templates_mail_sign(const struct templates *templates, const struct outgoing_mail *outgoing,
                         const struct token_keys *keys, struct templates_mail *mail)
{
	(void)templates;
	(void)outgoing;
	(void)keys;
	(void)mail;
}

bool templates_render_parts(const struct templates *templates, struct dates *dates,
                            const struct outgoing_mail *outgoing, struct templates_mail *ret,
                            bool *ret_broken, struct error *err)
{
	(void)templates;
	(void)dates;
	*ret_broken = strcmp(outgoing->template, "broken") == 0;
	if (*ret_broken)
		error_set(err, EX_DATAERR, "completed.txt:3: section is never closed");
	if (strcmp(outgoing->template, "unusable") == 0)
		return error_set(err, EX_DATAERR, "the context is no JSON");
	buf_adds(&ret->message, outgoing->context);
	return true;
}

/* ---- the probe ---- */

struct pending {
	struct pending *next;
	struct outgoing_mail *outgoing;
};

static struct probe {
	struct pool *pool;
	struct templates templates;
	struct mailer_limits limits;
	int wake[2];
	struct pending *head, **tail;
	size_t out; /* mails without a result, pending ones too */
	bool bulk;
	long bulk_counts[DELIVERY_COUNT];
	int64_t bulk_from_ms, from_ms;
	bool eof, stopping;
} probe;

static void on_wake(void *arg)
{
	(void)arg;
	if (write(probe.wake[1], "x", 1) < 0)
		return; /* full: it is awake */
}

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

static int choice_of(const json_t *object, const char *key, const char *const *names, int otherwise)
{
	const char *text = text_of(object, key, "");

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return otherwise;
}

/* "sections": [{"name": "a", "relay": "127.0.0.1:25", "weight": 1, …}, …], in the place of the
 * relays of [smtp]. */
static void read_sections(const json_t *list, struct settings *ret)
{
	static struct relay_settings sections[RELAY_SECTIONS_MAX];
	static const char *relays[RELAY_SECTIONS_MAX][2];
	size_t i;
	const json_t *section;

	json_array_foreach(list, i, section)
	{
		json_int_t connections =
		        json_integer_value(json_object_get(section, "connections"));
		sections[i] = ret->smtp;
		sections[i].section = sections[i].name = text_of(section, "name", "?");
		relays[i][0] = text_of(section, "relay", "");
		sections[i].relay = relays[i];
		sections[i].weight = json_integer_value(json_object_get(section, "weight"));
		sections[i].rate = json_number_value(json_object_get(section, "rate"));
		if (connections > 0)
			sections[i].connections = connections;
	}
	if (json_array_size(list) > 0) {
		ret->relays = sections;
		ret->n_relays = json_array_size(list);
	}
}

static void read_settings(const json_t *json, struct settings *ret, const char **relays, size_t max)
{
	static const char *const tls[] = {"none", "opportunistic", "required", "implicit", NULL};
	static const char *const transports[] = {"smtp", "maildir", NULL};
	const json_t *list = json_object_get(json, "relay");
	size_t n = 0;

	memset(ret, 0, sizeof *ret);
	for (; n < json_array_size(list) && n + 1 < max; n++)
		relays[n] = json_string_value(json_array_get(list, n));
	relays[n] = NULL;
	ret->smtp.relay = relays;
	ret->smtp.tls = (enum tls_mode)choice_of(json, "tls", tls, TLS_OPPORTUNISTIC);
	ret->smtp.helo = text_of(json, "helo", "");
	ret->smtp.ca_file = text_of(json, "ca_file", "");
	ret->smtp.user = text_of(json, "user", "");
	ret->smtp.password_file = text_of(json, "password_file", "");
	ret->smtp.oauth_token_file = text_of(json, "oauth_token_file", "");
	ret->smtp.connections = json_integer_value(json_object_get(json, "connections"));
	ret->smtp.rate = json_number_value(json_object_get(json, "rate"));
	ret->smtp.section = "smtp";
	ret->smtp.name = "";
	ret->smtp.client_cert = text_of(json, "client_cert", "");
	ret->smtp.client_key = text_of(json, "client_key", "");
	ret->smtp.weight = json_integer_value(json_object_get(json, "weight"));
	ret->relays = &ret->smtp;
	ret->n_relays = 1;
	read_sections(json_object_get(json, "sections"), ret);
	ret->mail.transport =
	        (enum transport)choice_of(json, "transport", transports, TRANSPORT_SMTP);
	ret->mail.maildir = text_of(json, "maildir", "");
	ret->bounce.address = ret->bounce.delimiter = ret->bounce.key_file = "";
	ret->mail.from = text_of(json, "from", "Example Hauling <dispatch@example.com>");
	ret->mail.envelope_from = text_of(json, "envelope_from", "");
}

static void read_limits(const json_t *json)
{
	static const struct {
		const char *name;
		int64_t *value;
	} rows[] = {
	        {"connect_ms", &probe.limits.connect_ms},
	        {"race_ms", &probe.limits.race_ms},
	        {"family_ms", &probe.limits.family_ms},
	        {"greeting_ms", &probe.limits.greeting_ms},
	        {"tls_ms", &probe.limits.tls_ms},
	        {"auth_ms", &probe.limits.auth_ms},
	        {"command_ms", &probe.limits.command_ms},
	        {"body_ms", &probe.limits.body_ms},
	        {"dot_ms", &probe.limits.dot_ms},
	        {"quit_ms", &probe.limits.quit_ms},
	        {"idle_ms", &probe.limits.idle_ms},
	        {"open_min_ms", &probe.limits.open_min_ms},
	        {"open_max_ms", &probe.limits.open_max_ms},
	        {"hold_ms", &probe.limits.hold_ms},
	        {"wait_ms", &probe.limits.wait_ms},
	        {"bare_ms", &probe.limits.bare_ms},
	        {"stall_ms", &probe.limits.stall_ms},
	        {"lone_ms", &probe.limits.lone_ms},
	};
	const json_t *mails = json_object_get(json, "mails");

	probe.limits = mailer_limits;
	probe.limits.wait_ms = 600 * 1000; /* the probe asks for no room: all wait at once */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (json_object_get(json, rows[i].name))
			*rows[i].value = json_integer_value(json_object_get(json, rows[i].name));
	if (mails)
		probe.limits.mails = (unsigned)json_integer_value(mails);
}

static void print(json_t *object)
{
	json_object_set_new(object, "ms", json_integer(clock_mono_ms() - probe.from_ms));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

/* ---- mails ---- */

static void add_mail(int64_t mail, const char *to, const char *template, const char *text)
{
	struct outgoing_mail *outgoing = outgoing_mail_new();
	struct pending *pending = mem_alloc(sizeof *pending);

	outgoing->mail = mail;
	outgoing->to = arena_strdup(outgoing->arena, to);
	outgoing->to_name = outgoing->locale = outgoing->timezone = outgoing->message_id =
	        outgoing->thread_id = "";
	outgoing->template = arena_strdup(outgoing->arena, template);
	outgoing->context = arena_strdup(outgoing->arena, text);
	pending->outgoing = outgoing;
	*probe.tail = pending;
	probe.tail = &pending->next;
	probe.out++;
}

static void add_bulk(long count, size_t size)
{
	static const char line[] =
	        "The driver is on the way and arrives between eight and ten.\r\n";
	struct buf text = {0};
	char to[64];

	buf_adds(&text, "Date: Thu, 1 Jan 2026 08:00:00 +0000\r\nFrom: dispatch@example.com\r\n"
	                "Message-ID: <1@example.com>\r\nSubject: bulk\r\n\r\n");
	while (text.len < size)
		buf_adds(&text, line);
	probe.bulk = true;
	probe.bulk_from_ms = clock_mono_ms();
	for (long i = 0; i < count; i++) {
		snprintf(to, sizeof to, "user%ld@example.com", i);
		add_mail(i, to, "completed", buf_text(&text));
	}
	buf_free(&text);
}

static void put_pending(void)
{
	size_t room = pool_room(probe.pool);

	while (probe.head && (room > 0 || probe.stopping)) {
		struct pending *pending = probe.head;
		probe.head = pending->next;
		if (!probe.head)
			probe.tail = &probe.head;
		if (probe.stopping) {
			outgoing_mail_free(pending->outgoing);
			probe.out--;
		} else {
			pool_put(probe.pool, pending->outgoing);
			room--;
		}
		free(pending);
	}
}

/* ---- results ---- */

static void print_result(const struct delivery_result *r)
{
	print(json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b}", "mail", (json_int_t)r->mail,
	                "delivery", delivery_name(r->delivery), "to", r->to, "relay", r->relay,
	                "reply", r->reply, "fault", r->fault, "template_broken",
	                r->template_broken));
}

static void print_bulk(void)
{
	json_t *counts = json_object();

	for (int i = 0; i < DELIVERY_COUNT; i++)
		if (probe.bulk_counts[i])
			json_object_set_new(counts, delivery_name((enum delivery)i),
			                    json_integer(probe.bulk_counts[i]));
	print(json_pack("{s:o, s:I}", "bulk", counts, "took_ms",
	                (json_int_t)(clock_mono_ms() - probe.bulk_from_ms)));
	memset(probe.bulk_counts, 0, sizeof probe.bulk_counts);
	probe.bulk = false;
}

static void take_results(void)
{
	struct delivery_result results[32];
	size_t n;

	while ((n = pool_take_results(probe.pool, results, 32)) > 0) {
		probe.out -= n;
		for (size_t i = 0; i < n; i++)
			if (probe.bulk)
				probe.bulk_counts[results[i].delivery]++;
			else
				print_result(&results[i]);
	}
	if (probe.bulk && probe.out == 0)
		print_bulk();
}

static void print_relays(void)
{
	struct pool_relay relays[16];
	size_t n = pool_relays(probe.pool, relays, 16);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:I, s:I, s:I}", "name",
		                                      relays[i].name, "up", relays[i].up, "words",
		                                      relays[i].words, "sessions",
		                                      (json_int_t)relays[i].sessions, "delivered",
		                                      (json_int_t)relays[i].delivered, "faults",
		                                      (json_int_t)relays[i].faults));
	print(json_pack("{s:o}", "relays", list));
}

/* ---- commands ---- */

static void do_reload(const json_t *json)
{
	const char *relays[16];
	struct settings settings;
	struct error err = {0};

	read_settings(json, &settings, relays, 16);
	bool ok = pool_reload(probe.pool, &settings, &probe.templates, &err);
	print(json_pack("{s:b, s:s}", "reloaded", ok, "error", err.text));
}

static void do_line(const char *line)
{
	json_t *json = json_loads(line, 0, NULL);

	if (!json) {
		fprintf(stderr, "mailer_probe: no JSON: %s\n", line);
		exit(EX_DATAERR);
	}
	if (json_object_get(json, "bulk"))
		add_bulk((long)json_integer_value(json_object_get(json, "bulk")),
		         (size_t)json_integer_value(json_object_get(json, "size")));
	else if (json_object_get(json, "relays"))
		print_relays();
	else if (json_object_get(json, "lease"))
		lease_clock_set(lease_clock_now() +
		                json_integer_value(json_object_get(json, "lease")));
	else if (json_object_get(json, "reload"))
		do_reload(json_object_get(json, "reload"));
	else if (json_object_get(json, "stop")) {
		probe.stopping = true;
		pool_stop(probe.pool, json_integer_value(json_object_get(json, "stop")));
	} else
		add_mail(json_integer_value(json_object_get(json, "mail")), text_of(json, "to", ""),
		         text_of(json, "template", "completed"), text_of(json, "text", ""));
	json_decref(json);
}

static void read_input(void)
{
	static struct buf input;
	char part[65536];
	ssize_t n = read(STDIN_FILENO, part, sizeof part);
	char *from, *stop;

	if (n <= 0) {
		probe.eof = true;
		buf_free(&input);
		return;
	}
	buf_add(&input, part, (size_t)n);
	from = input.data;
	while ((stop = strchr(from, '\n')) != NULL) {
		*stop = '\0';
		do_line(from);
		from = stop + 1;
	}
	char *left = mem_strdup(from);
	buf_reset(&input);
	buf_adds(&input, left);
	free(left);
}

static void loop(void)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = probe.wake[0], .events = POLLIN},
		                        {.fd = probe.eof ? -1 : STDIN_FILENO, .events = POLLIN}};
		char drain[256];
		put_pending();
		take_results();
		if (probe.stopping && pool_stopped(probe.pool))
			return;
		if (probe.eof && probe.out == 0 && !probe.stopping)
			return;
		if (poll(fds, 2, 1000) < 0)
			return;
		if (fds[0].revents && read(probe.wake[0], drain, sizeof drain) < 0)
			return;
		if (fds[1].revents)
			read_input();
	}
}

int main(int argc, char **argv)
{
	json_t *json = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;
	const char *relays[16];
	struct settings settings;
	struct error err = {0};

	if (!json || pipe2(probe.wake, O_CLOEXEC | O_NONBLOCK) < 0) {
		fprintf(stderr, "usage: mailer_probe JSON\n");
		return EX_USAGE;
	}
	probe.tail = &probe.head;
	probe.from_ms = clock_mono_ms();
	read_settings(json, &settings, relays, 16);
	read_limits(json_object_get(json, "limits"));
	probe.pool = pool_start_with(&settings, &probe.templates, &probe.limits, &err);
	json_decref(json); /* settings are the pool's own copy now */
	if (!probe.pool) {
		fprintf(stderr, "%s\n", err.text);
		return err.code;
	}
	pool_set_wake(probe.pool, on_wake, NULL);
	loop();
	int64_t from_ms = clock_mono_ms();
	take_results();
	probe.pool = pool_free(probe.pool);
	print(json_pack("{s:I}", "ended_ms", (json_int_t)(clock_mono_ms() - from_ms)));
	return 0;
}

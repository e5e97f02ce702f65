/* SPDX-License-Identifier: MIT */
/*
 * What is wrong, for `status`: a row for each kind, in the order of weight. What keeps every mail
 * from going comes before what keeps some, and that before what will be wrong some day. A row that
 * can't find out finds nothing: what keeps it from that is a row further up.
 */
#include "dispatchctl/nouns/problems.h"

#include "base/identity.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "dispatchctl/nouns/pause.h"
#include "dispatchctl/nouns/spool.h"
#include "engine/check.h"
#include "engine/known.h"
#include "model/settings.h"
#include "overview/delays.h"
#include "spool/spool_read.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>

enum {
	DAY_MS = 24 * 60 * 60 * 1000,
	DEAD_MAX = 1000,
	CERTIFICATE_DAYS = 21,
	STANDBY_STUCK_S = 60,
	STANDBY_FAR_TURNS = 5000, /* as the alert's; at full speed it is some hundred */
};
#define DISK_LOW_BYTES 1e9 /* as the alert's */

struct finding {
	const struct ctl *ctl;
	const struct settings *settings; /* all of them; a default for what is at fault */
	const char *fault;               /* of the configuration, the first one; NULL: none */
	size_t n_faults;
	const json_t *state;
	struct spool *spool; /* NULL: it can't be opened */
	struct error spool_fault;
	const char *problem; /* the row's name */
	json_t *found;
};

/* A fault's own words may be any bytes. */
static json_t *text_of(const char *text)
{
	json_t *whole = json_string(text);
	if (whole != NULL)
		return whole;
	size_t size = UTF8_SHOWN_MAX * strlen(text) + 1;
	char *shown = mem_alloc(size);
	whole = json_string(utf8_show(text, shown, size));
	free(shown);
	return whole;
}

/* One more. `since` may be "" or NULL. */
__attribute__((format(printf, 4, 5))) static void add(struct finding *finding, const char *since,
                                                      const char *todo, const char *fmt, ...)
{
	char *text;
	va_list args;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	json_t *row = json_pack("{s:s, s:o, s:s}", "problem", finding->problem, "text",
	                        text_of(text != NULL ? text : finding->problem), "do", todo);
	free(text);
	if (since != NULL && *since != '\0')
		json_object_set_new(row, "since", json_string(since));
	json_array_append_new(finding->found, row);
}

static const char *time_of(struct instant when, char text[INSTANT_TEXT_MAX])
{
	return instant_format(when, 0, text);
}

/* ---- nothing gets through */

static void find_daemon(struct finding *finding)
{
	const char *fault = jsontext_at(finding->state, "daemon_fault");
	if (strcmp(jsontext_at(finding->state, "daemon"), "down") == 0)
		add(finding, NULL,
		    "systemctl start dispatchd; journalctl -u dispatchd has why it ended",
		    "dispatchd isn't running%s%s", *fault != '\0' ? ": " : "", fault);
	else if (*fault != '\0')
		add(finding, NULL, "man dispatchd, DIAGNOSTICS; events wait until it is gone", "%s",
		    fault);
}

/* ---- a cluster */

static const json_t *cluster_of(const struct finding *finding)
{
	return json_object_get(finding->state, "cluster");
}

/* What waits in its copy is the owner's work. */
static bool is_standby(const struct finding *finding)
{
	const char *role = jsontext_at(cluster_of(finding), "role");
	return *role != '\0' && strcmp(role, "owner") != 0;
}

#define SEEDING "man dispatchd-cluster, HANDING OVER, ADDING, SEEDING, RETIRING"

static void find_member(struct finding *finding)
{
	const json_t *cluster = cluster_of(finding);
	const char *fault = jsontext_at(cluster, "fault");
	if (*fault != '\0')
		add(finding, NULL, SEEDING, "this machine doesn't follow and can't take over: %s",
		    fault);
	/* One that is joining without a fault hasn't looked yet. */
	bool looked = *fault != '\0' || strcmp(jsontext_at(cluster, "role"), "standby") == 0;
	if (is_standby(finding) && looked && *jsontext_at(cluster, "owner") == '\0')
		add(finding, NULL,
		    "nothing, if it passes: a standby takes it once Redis lets it; else "
		    "journalctl -u dispatchd on each member",
		    "nobody is known to own the cluster, and nothing is decided or sent meanwhile");
}

static void find_standby(struct finding *finding, const json_t *standby)
{
	const char *name = jsontext_at(standby, "name");
	json_int_t lag = json_integer_value(json_object_get(standby, "lag"));
	json_int_t stuck_s = json_integer_value(json_object_get(standby, "stuck_s"));
	if (json_is_true(json_object_get(standby, "lost")))
		add(finding, NULL, "seed it again: " SEEDING,
		    "the standby %s is lost: it needs what the journal doesn't have", name);
	else if (stuck_s >= STANDBY_STUCK_S)
		add(finding, NULL,
		    "dispatchctl status on that machine; if it doesn't come back, " SEEDING,
		    "the standby %s doesn't follow: it has been %" JSON_INTEGER_FORMAT
		    " %s behind for %" JSON_INTEGER_FORMAT " s",
		    name, lag, lag == 1 ? "turn" : "turns", stuck_s);
	else if (lag >= STANDBY_FAR_TURNS)
		add(finding, NULL, "look at that machine's disk and its way to Redis",
		    "the standby %s is %" JSON_INTEGER_FORMAT " turns behind", name, lag);
}

static void find_standbys(struct finding *finding)
{
	size_t i;
	const json_t *standbys = json_object_get(cluster_of(finding), "standbys"), *standby;
	json_array_foreach(standbys, i, standby) find_standby(finding, standby);
	if (standbys != NULL && json_array_size(standbys) == 0)
		add(finding, NULL, SEEDING,
		    "no standby is known, so nobody takes over if this machine fails");
}

/* A daemon that runs goes on with what it has read. */
static void find_configuration(struct finding *finding)
{
	if (finding->fault != NULL)
		add(finding, NULL, "dispatchd -t; then dispatchctl reload",
		    "%zu %s in the configuration: %s", finding->n_faults,
		    finding->n_faults == 1 ? "fault" : "faults", finding->fault);
}

static void find_spool(struct finding *finding)
{
	const char *fault = finding->spool == NULL ? finding->spool_fault.text
	                                           : jsontext_at(finding->state, "spool_fault");
	if (*fault != '\0')
		add(finding, NULL,
		    finding->spool_fault.code == EX_NOPERM ? "run it as root or as dispatchd's user"
		                                           : "man dispatchd, RESTORING",
		    "the spool can't be read, so there may be more problems than are listed: %s",
		    fault);
}

/* One that isn't there before the first start is none. */
static void find_customers(struct finding *finding)
{
	const struct settings *settings = finding->settings;
	struct error err = {0};
	if (strcmp(jsontext_at(finding->state, "daemon"), "down") == 0 &&
	    json_object_get(finding->state, "instance") == NULL)
		return;
	struct customers *customers =
	        known_open(settings->customers.path, settings->spool.path, DB_READ, &err);
	if (customers == NULL)
		add(finding, NULL,
		    "put it back (man dispatchd, RESTORING), or dispatchctl customer adopt if "
		    "this one is right",
		    "%s", err.text);
	customers_close(customers);
}

static void find_redis(struct finding *finding)
{
	const char *redis = jsontext_at(finding->state, "redis");
	if (strcmp(redis, "up") == 0)
		return;
	add(finding, NULL, "check that Redis runs and that [redis] url and password are right",
	    "Redis is %s: %s",
	    strcmp(redis, "down") == 0 ? "down, so no events come in and no outcomes go out"
	                               : "up, but not all of it can be used",
	    jsontext_at(finding->state, "redis_fault"));
}

static void find_pause(struct finding *finding)
{
	const json_t *pause = json_object_get(finding->state, "paused");
	const char *note = jsontext_at(pause, "note");
	json_int_t due = json_integer_value(json_object_get(pause, "due"));
	if (!json_is_object(pause))
		return;
	add(finding, jsontext_at(pause, "since"), "dispatchctl mail resume",
	    "sending is paused by %s%s%s; %" JSON_INTEGER_FORMAT " %s due",
	    jsontext_at(pause, "by"), *note != '\0' ? ": " : "", note, due,
	    due == 1 ? "mail is" : "mails are");
}

static void find_breaker(struct finding *finding)
{
	const json_t *breaker = json_object_get(finding->state, "breaker");
	json_int_t held = json_integer_value(json_object_get(breaker, "held"));
	if (!json_is_object(breaker) || json_is_false(json_object_get(breaker, "open")))
		return;
	if (held == 0)
		add(finding, jsontext_at(breaker, "since"),
		    "nothing, unless more come in: dispatchctl breaker show",
		    "the breaker of [rules] burst is still open: it closes by itself once fewer "
		    "new mails come in");
	else
		add(finding, jsontext_at(breaker, "since"),
		    "dispatchctl breaker show; then dispatchctl breaker release or breaker discard",
		    "an unusual number of mails came in at once: [rules] burst is holding "
		    "%" JSON_INTEGER_FORMAT " %s back until someone releases or discards %s",
		    held, held == 1 ? "mail" : "mails", held == 1 ? "it" : "them");
}

static void find_redirect(struct finding *finding)
{
	const char *to = jsontext_at(finding->state, "redirect_to");
	if (*to != '\0')
		add(finding, NULL, "remove redirect_to where this is not a staging system",
		    "every mail is redirected to %s by [mail] redirect_to", to);
}

/* ---- some mails are stuck */

static void find_relays(struct finding *finding)
{
	size_t i;
	const json_t *relay;
	json_array_foreach(json_object_get(finding->state, "relays"), i, relay)
	{
		const char *name = jsontext_at(relay, "name");
		const char *reply = jsontext_at(relay, "reply");
		if (json_is_false(json_object_get(relay, "up")))
			add(finding, jsontext_at(relay, "since"), "dispatchctl relay test",
			    "relay %s is down: %s", name, reply);
		else if (json_is_true(json_object_get(relay, "failing")))
			add(finding, jsontext_at(relay, "failing_since"), "dispatchctl relay test",
			    "the last %" JSON_INTEGER_FORMAT
			    " mails failed at relay %s, none was delivered: %s",
			    json_integer_value(json_object_get(relay, "failures")), name, reply);
	}
}

/* Not where it is paused: that says enough. */
static void find_late(struct finding *finding)
{
	char since[INSTANT_TEXT_MAX];
	struct instant late = INSTANT_NONE;
	struct error ignored;
	if (finding->spool == NULL || is_standby(finding) ||
	    json_is_object(json_object_get(finding->state, "paused")) ||
	    !spool_read_late(finding->spool, finding->ctl->now, &late, &ignored) ||
	    instant_is_none(late) || finding->ctl->now.ms - late.ms < LATE_PROBLEM_MS)
		return;
	add(finding, time_of(late, since),
	    "dispatchctl mail list --status queued; dispatchctl mail list --status retrying",
	    "a mail has been due for over ten minutes");
}

/* Entries that have waited for longer than it takes to decide them, or were lost unread in the last
 * day. */
static void find_feeds(struct finding *finding)
{
	size_t i;
	const json_t *feed;
	json_array_foreach(json_object_get(finding->state, "feeds"), i, feed)
	{
		const char *name = jsontext_at(feed, "name");
		json_int_t lost = json_integer_value(json_object_get(feed, "lost"));
		if (feed_has_lost(feed, finding->ctl->now))
			add(finding, NULL,
			    "have them published again; raise the stream's MAXLEN where it is "
			    "trimmed",
			    "%" JSON_INTEGER_FORMAT " entries of %s were lost unread", lost, name);
		if (feed_is_behind(feed, finding->ctl->now, BEHIND_PROBLEM_MS))
			add(finding, jsontext_at(feed, "oldest"),
			    "journalctl -u dispatchd; top -H: what keeps it busy",
			    "entries of %s wait to be decided", name);
	}
}

static void find_dead(struct finding *finding)
{
	json_t *rows, *row;
	struct error ignored;
	struct instant when;
	size_t i, n = 0;
	const char *detail = "";
	if (finding->spool == NULL || is_standby(finding) ||
	    !spool_read_dead(finding->spool, DEAD_MAX, &rows, &ignored))
		return;
	json_array_foreach(rows, i, row)
	{
		if (!instant_parse(jsontext_at(row, "time"), &when) ||
		    finding->ctl->now.ms - when.ms > DAY_MS)
			break; /* the newest come first */
		detail = n++ == 0 ? jsontext_at(row, "detail") : detail;
	}
	if (n > 0)
		add(finding, NULL,
		    "dispatchctl dead list; fix the cause, then dispatchctl dead retry --all",
		    "%zu%s %s rejected in the last day, the latest: %s", n,
		    n == DEAD_MAX ? " or more" : "", n == 1 ? "entry was" : "entries were", detail);
	json_decref(rows);
}

/* ---- what will be wrong */

static void find_disk(struct finding *finding)
{
	const struct settings *settings = finding->settings;
	const char *const paths[] = {settings->spool.path, settings->customers.path};
	dev_t seen = 0;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char folder[4096];
		struct statvfs disk;
		struct stat st;
		(void)snprintf(folder, sizeof folder, "%s", paths[i]);
		char *slash = strrchr(folder, '/');
		if (slash != NULL)
			slash[slash == folder] = '\0';
		if (slash == NULL || statvfs(folder, &disk) != 0 || stat(folder, &st) != 0 ||
		    st.st_dev == seen)
			continue;
		seen = st.st_dev;
		double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
		if (free_bytes < DISK_LOW_BYTES)
			add(finding, NULL, "make room, or shorten [spool] keep",
			    "only %.0f MB are free on the disk of %s", free_bytes / 1e6, folder);
	}
}

static void find_templates(struct finding *finding)
{
	json_t *findings;
	struct error err = {0};
	if (!check_template_set(finding->settings, &findings, &err)) {
		add(finding, NULL, "dispatchctl template check", "templates: %s", err.text);
		return;
	}
	size_t n = json_array_size(findings);
	if (n > 0)
		add(finding, NULL, "dispatchctl template check", "%zu %s in templates: %s", n,
		    n == 1 ? "fault" : "faults", jsontext_at(json_array_get(findings, 0), "text"));
	json_decref(findings);
}

static X509 *read_certificate(const char *path)
{
	FILE *file = *path != '\0' ? fopen(path, "re") : NULL;
	X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	if (file != NULL)
		(void)fclose(file);
	return certificate;
}

/* Where it can't be read, whoever uses it says so. */
static void look_at_certificate(struct finding *finding, const char *what, const char *path,
                                const char *todo)
{
	int days, seconds;
	identity_person();
	X509 *certificate = read_certificate(path);
	identity_back();
	if (certificate == NULL)
		return;
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) &&
	    days < CERTIFICATE_DAYS)
		add(finding, NULL, todo, "%s %s (%s)", what,
		    days < 0 || seconds < 0 ? "has expired" : "expires soon", path);
	X509_free(certificate);
}

static void find_certificates(struct finding *finding)
{
	const struct settings *settings = finding->settings;
	const char *last = "";
	look_at_certificate(finding, "the customer center's certificate", settings->center.tls_cert,
	                    "renew it; systemctl restart dispatch-center");
	for (size_t i = 0; i < settings->n_relays; i++) {
		const char *path = settings->relays[i].client_cert;
		if (strcmp(path, last) != 0)
			look_at_certificate(finding, "the client certificate for the relay", path,
			                    "renew it; dispatchctl reload");
		last = path;
	}
}

/* ---- all of them */

static const struct {
	const char *problem;
	void (*find)(struct finding *finding);
} rows[] = {
        {"daemon", find_daemon},
        {"cluster", find_member},
        {"configuration", find_configuration},
        {"spool", find_spool},
        {"customers", find_customers},
        {"redis", find_redis},
        {"paused", find_pause},
        {"breaker", find_breaker},
        {"redirected", find_redirect},
        {"relay", find_relays},
        {"late", find_late},
        {"feed", find_feeds},
        {"dead", find_dead},
        {"standby", find_standbys},
        {"disk", find_disk},
        {"template", find_templates},
        {"certificate", find_certificates},
};

static void on_fault(void *arg, const char *text)
{
	struct finding *finding = arg;
	if (finding->n_faults++ == 0)
		finding->fault = arena_strdup(finding->ctl->arena, text);
}

json_t *problems_find(const struct ctl *ctl, const json_t *state)
{
	int code = 0;
	struct finding finding = {.ctl = ctl, .state = state, .found = json_array()};
	identity_person(); /* as the settings were read before */
	struct settings *whole =
	        settings_read(ctl->settings->file, NULL, on_fault, &finding, &code);
	identity_back();
	finding.settings = whole != NULL ? whole : ctl->settings;
	finding.spool = spool_view(ctl, &finding.spool_fault);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		finding.problem = rows[i].problem;
		rows[i].find(&finding);
	}
	spool_close(finding.spool);
	settings_free(whole);
	return finding.found;
}

/* In lines that fit. */
static void print_text(struct ctl *ctl, const struct buf *text, unsigned indent)
{
	struct buf *out = output_text(ctl->out);
	unsigned width = output_look(ctl->out)->width;
	if (width > indent)
		text_add_wrapped(out, buf_text(text), indent, width - indent);
	else
		buf_adds(out, buf_text(text));
}

static void print_one(struct ctl *ctl, const json_t *problem)
{
	struct buf *out = output_text(ctl->out), text = {0};
	const struct look *look = output_look(ctl->out);
	table_value(&text, json_object_get(problem, "text"));
	if (*table_text(problem, "since") != '\0') {
		buf_adds(&text, " (since ");
		look_time(&text, table_text(problem, "since"), look);
		buf_addc(&text, ')');
	}
	buf_adds(out, look_red(look));
	print_text(ctl, &text, 2);
	buf_adds(out, look_plain(look));
	buf_addc(out, '\n');
	buf_free(&text);
}

static void print_todo(struct ctl *ctl, const json_t *problem)
{
	struct buf text = {0};
	buf_adds(&text, "to do: ");
	table_value(&text, json_object_get(problem, "do"));
	buf_adds(output_text(ctl->out), "  ");
	print_text(ctl, &text, 4);
	buf_free(&text);
}

void problems_print(struct ctl *ctl, const json_t *problems, const json_t *state)
{
	size_t i;
	const json_t *problem;
	struct buf *out = output_text(ctl->out);
	json_array_foreach(problems, i, problem)
	{
		if (strcmp(table_text(problem, "problem"), "paused") == 0)
			pause_print(ctl, json_object_get(state, "paused"));
		else
			print_one(ctl, problem);
		print_todo(ctl, problem);
		buf_adds(out, "\n\n");
	}
}

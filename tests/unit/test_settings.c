/* SPDX-License-Identifier: MIT */
/* Settings from real files in a folder of the test's own. */
#include "model/settings.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static char dir[] = "/tmp/test-settings-XXXXXX";

static void write_bytes(const char *name, const char *text, size_t len)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void remove_file(const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	(void)remove(path);
}

/* Adds a fault and a line break, without the folder's name. */
static void gather(void *arg, const char *text)
{
	size_t len = strlen(dir);
	bool ours = strncmp(text, dir, len) == 0 && text[len] == '/';
	buf_printf(arg, "%s\n", ours ? text + len + 1 : text);
}

static struct settings *load(const char *const *wanted, struct buf *faults, int *ret_code)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/main.conf", dir);
	*ret_code = 0;
	return settings_load(path, wanted, gather, faults, ret_code);
}

static struct settings *load_fine(const char *text)
{
	struct buf faults = {0};
	int code;
	write_file("main.conf", text);
	struct settings *settings = load(NULL, &faults, &code);
	if (settings == NULL)
		fail_msg("%s", buf_text(&faults));
	assert_int_equal(faults.len, 0);
	buf_free(&faults);
	return settings;
}

#define X33  "abcdefghijklmnopqrstuvwxyz0123456"
#define FROM "[mail]\nfrom = dispatch@example.com\n"

/* ---- faults: each text gives just these lines and status 78 */

static const struct {
	const char *text, *faults;
} cases[] = {
        /* the form of a file */
        {FROM "[smtp\nuser = x\n", "main.conf:3: missing ] after the section's name\n"},
        {FROM "[]\n", "main.conf:3: a section needs a name: [NAME]\n"},
        {FROM "[smtp] tls = none\n", "main.conf:3: only a comment may follow [smtp]\n"},
        {FROM "[smtp]\nuser\n", "main.conf:4: expected [section], key = value or a comment\n"},
        {FROM "[smtp]\n= 5\n", "main.conf:4: expected [section], key = value or a comment\n"},
        {"user = x\n" FROM, "main.conf:1: user comes before any [section]\n"},
        {FROM "[smtp]\nuser = \"open\n", "main.conf:4: [smtp] user: unterminated quote\n"},
        {FROM "[smtp]\nuser = a\nuser = b\n",
         "main.conf:5: [smtp] user is given twice, also in line 4\n"},
        {FROM "[smtp]\nuser = a\n[http]\n[smtp]\nuser = b\n",
         "main.conf:7: [smtp] user is given twice, also in line 4\n"},
        {FROM "[smtp]\nuser = a\001b\n", "main.conf:4: the line contains a control character\n"},
        {FROM "[smtp]\nuser = a\rb\n", "main.conf:4: the line contains a control character\n"},
        {FROM "[smtp]\nuser = \xC3\x28\n", "main.conf:4: the line is not valid UTF-8\n"},
        {FROM "[smtp]\nuser = \xED\xA0\x80\n", "main.conf:4: the line is not valid UTF-8\n"},
        /* names */
        {FROM "[mial]\nfrom = x\n", "main.conf:3: unknown section [mial]; did you mean [mail]?\n"},
        {FROM "[notify.done]\n", "main.conf:3: unknown section [notify.done]; expected one of "
                                 "redis, customers, spool, mail, smtp, "
                                 "rules, office, gate, log, http, bounce, company, center, "
                                 "cluster, notify, notify.dispatched, "
                                 "notify.started, notify.completed, "
                                 "notify.failed, notify.paused, notify.cancelled, smtp.NAME\n"},
        {FROM "[notify.pausd]\n",
         "main.conf:3: unknown section [notify.pausd]; did you mean [notify.paused]?\n"},
        {FROM "[Smtp]\n", "main.conf:3: unknown section [Smtp]; did you mean [smtp]?\n"},
        {FROM "[smtp]\nrelais = x\n",
         "main.conf:4: [smtp] relais: unknown key; did you mean \"relay\"?\n"},
        {FROM "[smtp]\nconections = 4\n",
         "main.conf:4: [smtp] conections: unknown key; did you mean \"connections\"?\n"},
        {FROM "[smtp]\nmaildir = x\n",
         "main.conf:4: [smtp] maildir: unknown key here; it belongs in [mail]\n"},
        {FROM "[smtp]\nzzzzzzzzz = x\n",
         "main.conf:4: [smtp] zzzzzzzzz: unknown key; expected one of relay, "
         "tls, helo, ca_file, user, password_file, oauth_token_file, client_cert, "
         "client_key, weight, connections, rate\n"},
        {FROM "[notify.paused]\nshelflife = 1h\n",
         "main.conf:4: [notify.paused] shelflife: unknown key; did you mean \"shelf_life\"?\n"},
        /* the address for reports, with room for a token of 31 characters */
        {FROM "[bounce]\naddress = bounce\n",
         "main.conf:4: [bounce] address: must be a mail address (got \"bounce\"): the address has "
         "no domain\n"},
        {FROM "[bounce]\naddress = " X33 "@example.com\n",
         "main.conf:4: [bounce] address: must have at most 32 characters before the @ and 222 in "
         "all, so that a token fits in (got 33 and 45)\n"},
        {FROM "[bounce]\naddress = \"a\"@example.com\n",
         "main.conf:4: [bounce] address: a quoted local part has no room for a token (got "
         "\"\"a\"@example.com\")\n"},
        {FROM "[bounce]\ndelimiter = /\n",
         "main.conf:4: [bounce] delimiter: must be one of + - = _ . (got \"/\")\n"},
        {FROM "[bounce]\ndelimiter = ++\n",
         "main.conf:4: [bounce] delimiter: must be one of + - = _ . (got \"++\")\n"},
        {FROM "[bounce]\ndelimiter =\n",
         "main.conf:4: [bounce] delimiter: must not be empty; expected a text\n"},
        /* durations, sizes, numbers */
        {FROM "[customers]\ngrace = 60\n",
         "main.conf:4: [customers] grace: must be a duration between 0s "
         "and 1000d (500ms, 30s, 5m, 12h, 90d) (got \"60\")\n"},
        {FROM "[customers]\ngrace = 1001d\n",
         "main.conf:4: [customers] grace: must be a duration between 0s "
         "and 1000d (500ms, 30s, 5m, 12h, 90d) (got \"1001d\")\n"},
        {FROM "[customers]\ngrace = -1s\n",
         "main.conf:4: [customers] grace: must be a duration between 0s "
         "and 1000d (500ms, 30s, 5m, 12h, 90d) (got \"-1s\")\n"},
        {FROM "[customers]\ngrace =\n",
         "main.conf:4: [customers] grace: must not be empty; expected a "
         "duration between 0s and 1000d (500ms, 30s, 5m, 12h, 90d)\n"},
        {FROM "[redis]\nkeep = 0s\n",
         "main.conf:4: [redis] keep: must be a duration between 1ms and 1000d "
         "(500ms, 30s, 5m, 12h, 90d) (got \"0s\")\n"},
        {FROM "[notify]\ngroup_wait = 1w\n",
         "main.conf:4: [notify] group_wait: must be a duration between "
         "0s and 1000d (500ms, 30s, 5m, 12h, 90d) (got \"1w\")\n"},
        {FROM "[redis]\nmax_event_size = 256KB\n", "main.conf:4: [redis] max_event_size: must be a "
                                                   "size between 1KiB and 32MiB (got \"256KB\")\n"},
        {FROM "[redis]\nmax_event_size = 1GiB\n", "main.conf:4: [redis] max_event_size: must be a "
                                                  "size between 1KiB and 32MiB (got \"1GiB\")\n"},
        {FROM "[smtp]\nconnections = 0\n",
         "main.conf:4: [smtp] connections: must be an integer between 1 and 256 (got \"0\")\n"},
        {FROM "[smtp]\nconnections = many\n",
         "main.conf:4: [smtp] connections: must be an integer between 1 and 256 (got \"many\")\n"},
        {FROM "[smtp]\nconnections = 1e2\n",
         "main.conf:4: [smtp] connections: must be an integer between 1 and 256 (got \"1e2\")\n"},
        {FROM "[redis]\ndead_max = 99999999999999999999\n",
         "main.conf:4: [redis] dead_max: must be an integer between 1 and 1000000000 (got "
         "\"99999999999999999999\")\n"},
        {FROM "[smtp]\nrate = fast\n", "main.conf:4: [smtp] rate: must be a number per second "
                                       "between 0.001 and 100000 (got \"fast\")\n"},
        {FROM "[smtp]\nrate = 0\n", "main.conf:4: [smtp] rate: must be a number per second between "
                                    "0.001 and 100000 (got \"0\")\n"},
        {FROM "[smtp]\nrate = 1.2.3\n", "main.conf:4: [smtp] rate: must be a number per second "
                                        "between 0.001 and 100000 (got \"1.2.3\")\n"},
        {FROM "[smtp]\noauth_token_file = /run/token\ntls = required\n",
         "main.conf:4: [smtp] oauth_token_file: user is required as well\n"},
        /* choices */
        {FROM "[smtp]\ntls = always\n", "main.conf:4: [smtp] tls: must be one of none, "
                                        "opportunistic, required, implicit (got \"always\")\n"},
        {FROM "[smtp]\ntls =\n", "main.conf:4: [smtp] tls: must not be empty; expected one of "
                                 "none, opportunistic, required, implicit\n"},
        {"[mail]\nfrom = a@example.com\ntransport = pigeon\n",
         "main.conf:3: [mail] transport: must be one of smtp, maildir (got \"pigeon\")\n"},
        {FROM "[gate]\noutside_hours = defer\n",
         "main.conf:4: [gate] outside_hours: must be one of flag, hold, deny (got \"defer\")\n"},
        {FROM "[notify.failed]\noutside_hours = flag\n",
         "main.conf:4: [notify.failed] outside_hours: must be one of defer, suppress, send (got "
         "\"flag\")\n"},
        /* places */
        {FROM "[smtp]\nrelay = mail.example.com:0\n",
         "main.conf:4: [smtp] relay: the port must be an integer between 1 and 65535 (got "
         "\"0\")\n"},
        {FROM "[smtp]\nrelay = 127.0.0.1:25, mail:70000\n",
         "main.conf:4: [smtp] relay: the port must be an integer between 1 and 65535 (got "
         "\"70000\")\n"},
        {FROM "[smtp]\nrelay = ::1:25\n", "main.conf:4: [smtp] relay: \"::1:25\" has no host; "
                                          "expected HOST:PORT, [IPV6]:PORT or unix:PATH\n"},
        {FROM "[smtp]\nrelay = ,\n", "main.conf:4: [smtp] relay: must be one or more of HOST:PORT, "
                                     "[IPV6]:PORT or unix:PATH (got \",\")\n"},
        {FROM "[http]\nlisten = [127.0.0.1]:80\n",
         "main.conf:4: [http] listen: \"[127.0.0.1]:80\" has no "
         "host; expected HOST:PORT, [IPV6]:PORT or unix:PATH\n"},
        {FROM "[http]\nlisten = unix:\n",
         "main.conf:4: [http] listen: unix: must be followed by a path\n"},
        {FROM "[redis]\nurl = localhost:6379\n",
         "main.conf:4: [redis] url: not a Redis address; expected redis://HOST:PORT/DB, "
         "rediss://HOST:PORT/DB (TLS), unix:///PATH?db=DB or "
         "sentinel://HOST:PORT,HOST:PORT/SERVICE/DB\n"},
        {FROM "[redis]\nurl =\n",
         "main.conf:4: [redis] url: must not be empty; expected redis://HOST:PORT/DB, "
         "rediss://HOST:PORT/DB, unix:///PATH?db=DB or "
         "sentinel://HOST:PORT,HOST:PORT/SERVICE/DB\n"},
        {FROM "[redis]\nurl = redis://:secret@127.0.0.1:6379/x\n",
         "main.conf:4: [redis] url: the database must be an integer between 0 and 65535 (got "
         "\"x\")\n"},
        {FROM "[redis]\nurl = sentinel://127.0.0.1:26379\n",
         "main.conf:4: [redis] url: sentinel:// needs the name of a service behind the hosts; "
         "expected redis://HOST:PORT/DB, rediss://HOST:PORT/DB (TLS), unix:///PATH?db=DB or "
         "sentinel://HOST:PORT,HOST:PORT/SERVICE/DB\n"},
        {FROM "[redis]\nstream = jobs events\n",
         "main.conf:4: [redis] stream: must not contain spaces (got \"jobs events\")\n"},
        {FROM "[redis]\noutcomes =\n",
         "main.conf:4: [redis] outcomes: must not be empty; expected a name in Redis\n"},
        {FROM "[rules]\ntimezone = Mars/Olympus\n",
         "main.conf:4: [rules] timezone: must be an IANA time zone (Europe/Berlin) that this "
         "system knows "
         "(got \"Mars/Olympus\")\n"},
        /* one key and another */
        {"[smtp]\nuser = x\n",
         "main.conf:2: [mail] from: required: the sender of mails, such as Example "
         "Hauling <dispatch@example.com>\n"},
        {"[mail]\nfrom = a@example.com\ntransport = maildir\n",
         "main.conf:3: [mail] maildir: required with transport = maildir: the folder for the "
         "mails\n"},
        {FROM "[redis]\nstream =\n",
         "main.conf:4: [redis] stream: at least one of stream, list and channel "
         "is required: the source of job events\n"},
        {FROM "[redis]\noutcomes = jobs:events\n", "main.conf:4: [redis] outcomes: stream is also "
                                                   "\"jobs:events\"; each needs its own name\n"},
        {FROM "[redis]\nlist = jobs:events\nstream = jobs:events\n",
         "main.conf:5: [redis] stream: list is also \"jobs:events\"; each needs its own name\n"},
        {FROM "[redis]\nlist = jobs:dead\nstream = jobs:requests\n",
         "main.conf:4: [redis] list: dead is also \"jobs:dead\"; each needs its own name\n"
         "main.conf:5: [redis] stream: requests is also \"jobs:requests\"; each needs its own "
         "name\n"},
        {FROM "[redis]\nurl = redis://:secret@127.0.0.1\npassword_file = /x\n",
         "main.conf:5: [redis] password_file: url already has a password; give only one of the "
         "two\n"},
        {FROM "[smtp]\npassword_file = /x\n",
         "main.conf:4: [smtp] password_file: user is required as well\n"},
        /* all of them at once, by line */
        {"[smtp]\ntls = x\nwhat\n[mail]\nform = a@example.com\n[spol]\n",
         "main.conf:2: [smtp] tls: must be one of none, opportunistic, required, implicit (got "
         "\"x\")\n"
         "main.conf:3: expected [section], key = value or a comment\n"
         "main.conf:4: [mail] from: required: the sender of mails, such as Example Hauling "
         "<dispatch@example.com>\n"
         "main.conf:5: [mail] form: unknown key; did you mean \"from\"?\n"
         "main.conf:6: unknown section [spol]; did you mean [spool]?\n"},
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf faults = {0};
		int code;
		write_file("main.conf", cases[i].text);
		assert_null(load(NULL, &faults, &code));
		assert_string_equal(buf_text(&faults), cases[i].faults);
		assert_int_equal(code, EX_CONFIG);
		buf_free(&faults);
	}
}

/* A mailbox's fault ends in the address checker's own words. */
static void test_mail_addresses(void **state)
{
	(void)state;
	const char *texts[] = {"[mail]\nfrom = nobody\n", "[mail]\nfrom = A <b@>\n",
	                       FROM "[office]\nemail = x@y z\n",
	                       FROM "envelope_from = A <a@example.com>\n"};
	const char *starts[] = {
	        "main.conf:2: [mail] from: must be NAME <ADDRESS> or a mail address alone (got "
	        "\"nobody\"): ",
	        "main.conf:2: [mail] from: must be NAME <ADDRESS> or a mail address alone (got \"A "
	        "<b@>\"): ",
	        "main.conf:4: [office] email: must be NAME <ADDRESS> or a mail address alone (got "
	        "\"x@y "
	        "z\"): ",
	        "main.conf:3: [mail] envelope_from: must be a mail address (got \"A "
	        "<a@example.com>\"): ",
	};
	for (size_t i = 0; i < 4; i++) {
		struct buf faults = {0};
		int code;
		write_file("main.conf", texts[i]);
		assert_null(load(NULL, &faults, &code));
		assert_memory_equal(buf_text(&faults), starts[i], strlen(starts[i]));
		assert_ptr_equal(strchr(buf_text(&faults), '\n'),
		                 buf_text(&faults) + faults.len - 1);
		buf_free(&faults);
	}
}

static void test_nul_and_long_lines(void **state)
{
	(void)state;
	static const char nul[] = FROM "[smtp]\nuser = a\0b\n";
	struct buf faults = {0}, text = {0};
	int code;
	write_bytes("main.conf", nul, sizeof nul - 1);
	assert_null(load(NULL, &faults, &code));
	assert_string_equal(buf_text(&faults), "main.conf:4: the line contains a NUL byte\n");

	buf_adds(&text, FROM "; ");
	for (int i = 0; i < 4095; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\n");
	buf_reset(&faults);
	write_file("main.conf", buf_text(&text));
	assert_null(load(NULL, &faults, &code));
	assert_string_equal(buf_text(&faults), "main.conf:3: the line is longer than 4096 bytes\n");
	buf_free(&faults);
	buf_free(&text);
}

static void test_files_that_cannot_be_read(void **state)
{
	(void)state;
	struct buf faults = {0};
	int code;
	remove_file("main.conf");
	assert_null(load(NULL, &faults, &code));
	assert_string_equal(buf_text(&faults), "main.conf: No such file or directory\n");
	assert_int_equal(code, EX_NOINPUT);

	buf_reset(&faults);
	assert_null(settings_load(dir, NULL, gather, &faults, &code));
	assert_int_equal(code, EX_IOERR);
	buf_free(&faults);
}

/* ---- what is read */

static void test_defaults(void **state)
{
	(void)state;
	struct settings *s = load_fine(FROM);
	assert_string_equal(s->redis.url, "redis://127.0.0.1:6379/0");
	assert_string_equal(s->redis.stream, "jobs:events");
	assert_string_equal(s->redis.list, "");
	assert_string_equal(s->redis.customers, "customers:changes");
	assert_int_equal(s->redis.max_event_size, 256 * 1024);
	assert_int_equal(s->redis.claim_after_ms, 300000);
	assert_int_equal(s->redis.keep_ms, 7 * 86400000);
	assert_int_equal(s->redis.dead_max, 100000);
	assert_string_equal(s->customers.path, "/var/lib/dispatchd/customers.db");
	assert_int_equal(s->customers.grace_ms, 60000);
	assert_int_equal(s->spool.keep_ms, INT64_C(90) * 86400000);
	assert_int_equal(s->mail.transport, TRANSPORT_SMTP);
	assert_int_equal(s->mail.max_age_ms, INT64_C(14) * 86400000);
	assert_string_equal(s->smtp.relay[0], "127.0.0.1:25");
	assert_null(s->smtp.relay[1]);
	assert_int_equal(s->smtp.tls, TLS_OPPORTUNISTIC);
	assert_int_equal(s->smtp.connections, 16);
	assert_true(s->smtp.rate == 0);
	assert_null(s->office.managers[0]);
	assert_int_equal(s->gate.outside_hours, GATE_FLAG);
	assert_string_equal(s->http.listen, "127.0.0.1:8925");
	assert_int_equal(s->notify[JOB_STARTED].shelf_life_ms, 12 * 3600000);
	assert_int_equal(s->notify[JOB_COMPLETED].shelf_life_ms, 7 * 86400000);
	assert_int_equal(s->notify[JOB_FAILED].shelf_life_ms, 7 * 86400000);
	assert_int_equal(s->notify[JOB_CANCELLED].shelf_life_ms, 12 * 3600000);
	assert_int_equal(s->notify[JOB_FAILED].outside_hours, HOURS_SEND);
	assert_int_equal(s->notify[JOB_PAUSED].outside_hours, HOURS_DEFER);
	settings_free(s);
}

static void test_values(void **state)
{
	(void)state;
	struct settings *s = load_fine("\xEF\xBB\xBF; a file of Windows'\r\n"
	                               "[mail]\r\n"
	                               "from = \"Example; Hauling\" <dispatch@example.com> ; us\r\n"
	                               "\t[company]\r\n"
	                               "\t phone=555#1;2 # the comment begins behind a space\r\n"
	                               "[smtp] # the relay\r\n"
	                               "relay = a.example.com:25 unix:/run/x, [::1]:2525\r\n"
	                               "tls = required\r\n"
	                               "rate = 2.5\r\n"
	                               "user = \" a \\\"b\\\" ; c \" ; quoted\r\n"
	                               "ca_file = # nothing\r\n"
	                               "[office]\r\n"
	                               "managers = alex,robin , sam\r\n"
	                               "[smtp]\r\n"
	                               "connections = 3");
	assert_string_equal(s->mail.from, "\"Example; Hauling\" <dispatch@example.com>");
	assert_string_equal(s->company.name, "Example; Hauling");
	assert_string_equal(s->company.phone, "555#1;2");
	assert_string_equal(s->smtp.relay[0], "a.example.com:25");
	assert_string_equal(s->smtp.relay[1], "unix:/run/x");
	assert_string_equal(s->smtp.relay[2], "[::1]:2525");
	assert_null(s->smtp.relay[3]);
	assert_int_equal(s->smtp.tls, TLS_REQUIRED);
	assert_true(s->smtp.rate == 2.5);
	assert_string_equal(s->smtp.user, " a \"b\" ; c ");
	assert_string_equal(s->smtp.ca_file, "");
	assert_string_equal(s->office.managers[2], "sam");
	assert_null(s->office.managers[3]);
	assert_int_equal(s->smtp.connections, 3);
	settings_free(s);
}

/* [notify.STATE] wins over [notify], wherever it stands, and [notify] over what is built in. */
static void test_notify_layers(void **state)
{
	(void)state;
	struct settings *s =
	        load_fine(FROM "[notify.completed]\nshelf_life = 3h\n"
	                       "[notify]\nshelf_life = 2h\noutside_hours = suppress\n"
	                       "[notify.paused]\noutside_hours = send\ngroup_wait = 5m\n");
	assert_int_equal(s->notify[JOB_COMPLETED].shelf_life_ms, 3 * 3600000);
	assert_int_equal(s->notify[JOB_FAILED].shelf_life_ms, 2 * 3600000);
	assert_int_equal(s->notify[JOB_FAILED].outside_hours, HOURS_SUPPRESS);
	assert_int_equal(s->notify[JOB_PAUSED].outside_hours, HOURS_SEND);
	assert_int_equal(s->notify[JOB_PAUSED].group_wait_ms, 300000);
	assert_int_equal(s->notify[JOB_STARTED].group_wait_ms, 0);
	settings_free(s);
}

static void test_dropins(void **state)
{
	(void)state;
	char path[512];
	(void)snprintf(path, sizeof path, "%s/conf.d", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("conf.d/20-b.conf", "[smtp]\nuser = b\n[notify]\nshelf_life = 20h\n");
	write_file("conf.d/10-a.conf", "[smtp]\nuser = a\nconnections = 10\n");
	write_file("conf.d/B.conf",
	           "[http]\nlisten = unix:/tmp/upper\n"); /* before "a.conf" in any locale */
	write_file("conf.d/a.conf", "[http]\nlisten =\n");
	write_file("conf.d/.hidden.conf", "nonsense\n");
	write_file("conf.d/99.conf.bak", "nonsense\n");
	struct settings *s = load_fine(FROM "[smtp]\nuser = main\nconnections = 1\n");
	assert_string_equal(s->smtp.user, "b");
	assert_int_equal(s->smtp.connections, 10);
	assert_string_equal(s->http.listen, "");
	assert_int_equal(s->notify[JOB_STARTED].shelf_life_ms, 20 * 3600000);
	settings_free(s);

	struct buf faults = {0};
	int code;
	write_file("conf.d/10-a.conf", "[smtp]\n\nuser = a\nuser = b\n");
	write_file("main.conf", "[smtp]\ntls = x\n" FROM);
	assert_null(load(NULL, &faults, &code));
	assert_string_equal(
	        buf_text(&faults),
	        "main.conf:2: [smtp] tls: must be one of none, opportunistic, required, implicit "
	        "(got \"x\")\n"
	        "conf.d/10-a.conf:4: [smtp] user is given twice, also in line 3\n");
	buf_free(&faults);
	const char *names[] = {"20-b.conf", "10-a.conf",    "B.conf",
	                       "a.conf",    ".hidden.conf", "99.conf.bak"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "conf.d/%s", names[i]);
		remove_file(name);
	}
	remove_file("conf.d");
}

/* dispatchctl checks only what it uses; the rest may be unfinished, and keeps its default. */
static void test_minds(void **state)
{
	(void)state;
	const char *const wanted[] = {"customers.path", "redis", "notify", NULL};
	struct buf faults = {0};
	int code;
	write_file("main.conf",
	           "[smtp]\nconnections = banana\nbroken\n[bogus]\n[customers]\npath = /x.db\n"
	           "grace = soon\n[mail]\ntransport = maildir\n");
	struct settings *s = load(wanted, &faults, &code);
	assert_non_null(s);
	assert_string_equal(s->customers.path, "/x.db");
	assert_int_equal(s->smtp.connections, 16);
	assert_int_equal(faults.len, 0);
	settings_free(s);

	write_file(
	        "main.conf",
	        "[customers]\npth = /x.db\n[redis]\nkeep = x\n[notify.failed]\nshelf_life = x\n");
	assert_null(load(wanted, &faults, &code));
	assert_string_equal(
	        buf_text(&faults),
	        "main.conf:2: [customers] pth: unknown key; did you mean \"path\"?\n"
	        "main.conf:4: [redis] keep: must be a duration between 1ms and 1000d (500ms, "
	        "30s, 5m, 12h, 90d) (got \"x\")\n"
	        "main.conf:6: [notify.failed] shelf_life: must be a duration between 1ms and "
	        "1000d (500ms, 30s, 5m, 12h, 90d) (got \"x\")\n");
	buf_free(&faults);
}

static void test_reload(void **state)
{
	(void)state;
	const char *names[8];
	struct settings *a = load_fine(FROM "[redis]\nurl = redis://:one@127.0.0.1\n");
	struct settings *b = load_fine(
	        FROM "[redis]\nurl = redis://:one@127.0.0.1\nkeep = 8d\n[smtp]\nuser = x\n"
	             "[notify]\nshelf_life = 1h\n");
	struct settings *c =
	        load_fine(FROM "[redis]\nurl = redis://:two@127.0.0.1\n[spool]\npath = /y\n"
	                       "[http]\nlisten =\n");
	assert_int_equal(settings_fixed_differences(a, b, names, 8), 0);
	assert_null(names[0]);
	assert_int_equal(settings_fixed_differences(a, c, names, 8), 3);
	assert_string_equal(names[0], "redis.url");
	assert_string_equal(names[1], "spool.path");
	assert_string_equal(names[2], "http.listen");
	assert_null(names[3]);
	assert_int_equal(settings_fixed_differences(a, c, names, 3), 2);
	assert_null(names[2]);
	settings_free(a);
	settings_free(b);
	settings_free(c);
}

/* ---- what is printed */

static char *printed(void (*print)(FILE *out))
{
	static char *text;
	static size_t len;
	FILE *out = open_memstream(&text, &len);
	print(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* The sample holds nothing but comments and headers; with its defaults switched on it changes
 * nothing. */
static void test_sample(void **state)
{
	(void)state;
	char *sample = printed(settings_print_sample), *line, *rest = sample;
	struct buf on = {0}, seen = {0};
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *equals = strstr(line, " = ");
		bool key = line[0] == ';' && line[1] != ' ' && equals != NULL;
		char name[64];
		if (!key) {
			if (line[0] == '[')
				buf_reset(&seen);
			buf_printf(&on, "%s\n", line);
			continue;
		}
		(void)snprintf(name, sizeof name, "<%.*s>", (int)(equals - line - 1), line + 1);
		if (strstr(buf_text(&seen), name) == NULL) /* a second one is an example */
			buf_printf(&on, "%s\n", line + 1);
		buf_adds(&seen, name);
	}
	buf_adds(&on, "[redis]\n");
	struct settings *plain = load_fine(FROM), *full = load_fine(buf_text(&on));
	const char *names[8];
	assert_string_equal(full->mail.from, "Example Hauling <dispatch@example.com>");
	assert_int_equal(full->redis.keep_ms, plain->redis.keep_ms);
	size_t n = settings_fixed_differences(plain, full, names, 8);
	for (size_t i = 0; i < n; i++) /* those whose default is empty show an example */
		assert_true(strcmp(names[i], "redis.ca_file") == 0 ||
		            strcmp(names[i], "redis.password_file") == 0 ||
		            strcmp(names[i], "redis.list") == 0 ||
		            strcmp(names[i], "redis.channel") == 0 ||
		            strcmp(names[i], "redis.consumer") == 0 ||
		            strcmp(names[i], "mail.maildir") == 0 ||
		            strcmp(names[i], "http.group") == 0 ||
		            strcmp(names[i], "bounce.group") == 0);
	settings_free(plain);
	settings_free(full);
	buf_free(&on);
	buf_free(&seen);
	free(sample);
}

static void test_path(void **state)
{
	(void)state;
	(void)setenv("DISPATCHD_CONF", "/tmp/other.conf", 1);
	assert_string_equal(settings_path("/x.conf"), "/x.conf");
	assert_string_equal(settings_path(NULL), "/tmp/other.conf");
	(void)unsetenv("DISPATCHD_CONF");
	assert_string_equal(settings_path(NULL), "/etc/dispatchd/dispatchd.conf");
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	remove_file("main.conf");
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_faults),
	        cmocka_unit_test(test_mail_addresses),
	        cmocka_unit_test(test_nul_and_long_lines),
	        cmocka_unit_test(test_files_that_cannot_be_read),
	        cmocka_unit_test(test_defaults),
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_notify_layers),
	        cmocka_unit_test(test_dropins),
	        cmocka_unit_test(test_minds),
	        cmocka_unit_test(test_reload),
	        cmocka_unit_test(test_sample),
	        cmocka_unit_test(test_path),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

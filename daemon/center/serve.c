/* SPDX-License-Identifier: MIT */
/*
 * The center at work: the server's threads, each with databases of its own, and a main thread that
 * waits for a signal: to end, or to read the configuration again.
 */
#include "center/serve.h"

#include "base/endpoint.h"
#include "center/api/records.h"
#include "center/api/survey.h"
#include "center/entry/guard.h"
#include "center/http/server.h"
#include "center/live/live.h"
#include "center/pages/page.h"
#include "center/pages/tiles.h"
#include "center/pages/words.h"
#include "common/clock.h"
#include "common/fault.h"
#include "records/file_type.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

enum { THREADS = 8, PEM_MAX = 256 * 1024 };

static const struct route *const tables[] = {
        entry_routes,        opt_out_page_routes,   page_routes,
        record_page_routes,  hours_page_routes,     story_page_routes,
        contact_page_routes, reachable_page_routes, test_mail_page_routes,
        add_page_routes,     account_page_routes,   user_page_routes,
        file_page_routes,    hold_page_routes,      jobs_page_routes,
        system_page_routes,  dead_page_routes,      job_page_routes,
        today_page_routes,   bulk_page_routes,      list_page_routes,
        pause_page_routes,   mail_list_page_routes, report_page_routes,
        mail_page_routes,    sent_page_routes,      rep_page_routes,
        plot_page_routes,    tile_page_routes,      tab_page_routes,
        api_customer_routes, api_job_routes,        api_today_routes,
        api_file_routes,     api_live_routes,       api_open_routes,
        api_edit_routes,     api_record_routes,     NULL};

struct center {
	const struct settings *settings;
	struct live *live;
	pthread_key_t stores; /* each thread's */
	serve_reread *reread;
	void *arg;
	struct settings *next; /* what was read on SIGHUP */
};

/* -- a request --------------------------------------------------------------------------------- */

static void end_thread(void *stores)
{
	(void)stores_free(stores);
}

static struct stores *stores_of_thread(struct center *center)
{
	struct stores *stores = pthread_getspecific(center->stores);
	if (stores == NULL) {
		stores = stores_new(center->settings);
		(void)pthread_setspecific(center->stores, stores);
	}
	return stores;
}

static struct call *call_new(struct center *center, struct request *request,
                             struct response *response)
{
	const char *agent = request_header(request, "User-Agent");
	struct call *call = arena_alloc(request->arena, sizeof *call);
	char since[LIVE_POSITION_SIZE];
	live_position(center->live, since);
	*call = (struct call){.request = request,
	                      .response = response,
	                      .stores = stores_of_thread(center),
	                      .live = center->live,
	                      .since = arena_strdup(request->arena, since),
	                      .tables = tables,
	                      .now = clock_now(),
	                      .client = {.address = request->address, .agent = agent ? agent : ""}};
	return call;
}

static bool admit(void *arg, struct request *request, int64_t *ret_body_max,
                  struct response *response)
{
	struct call *call = call_new(arg, request, response);
	request->kept = call;
	bool admitted = guard_admit(call, ret_body_max);
	words_choose(call);
	if (admitted)
		return true;
	if (!call_is_api(call) && response->status >= 400 && call->known)
		page_fail_status(call, response->status, words(call, "fault.no_access"));
	return false;
}

/* By the thread that admitted it: a connection stays with one. */
static void answer(void *arg, struct request *request, struct response *response)
{
	struct call *call = request->kept;
	(void)arg, (void)response;
	if (guard_form(call))
		call->route->answer(call);
}

/* -- starting ---------------------------------------------------------------------------------- */

static bool read_pem(const char *path, char **ret, struct error *err)
{
	*ret = NULL;
	if (*path == '\0')
		return true;
	FILE *in = fopen(path, "re");
	char *text = in ? calloc(1, PEM_MAX + 1) : NULL;
	size_t n = text ? fread(text, 1, PEM_MAX, in) : 0;
	if (in)
		(void)fclose(in);
	*ret = text;
	return n > 0 || error_set(err, EX_CONFIG, "[center] %s: can't be read", path);
}

static bool check_pairs(const struct settings *settings, struct error *err)
{
	bool unix_socket = strncmp(settings->center.listen, "unix:", 5) == 0;
	if ((*settings->center.tls_cert == '\0') != (*settings->center.tls_key == '\0'))
		return error_set(err, EX_CONFIG, "[center] tls_cert and tls_key go together");
	if (*settings->center.user_header != '\0' && !unix_socket)
		return error_set(
		        err, EX_CONFIG,
		        "[center] user_header: expected a Unix socket in listen, since over "
		        "TCP anybody could send it");
	if (*settings->center.user_header != '\0' && *settings->center.proxy_user == '\0')
		return error_set(err, EX_CONFIG, "[center] user_header needs proxy_user");
	return true;
}

static bool check_pem(const char *path, struct error *err)
{
	char *text;
	bool good = read_pem(path, &text, err);
	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
	return good;
}

/* Where a page leads to is a web page, never a script. */
static bool check_jumps(const struct settings *settings, struct error *err)
{
	const struct {
		const char *key, *url;
	} rows[] = {{"billing_url", settings->center.billing_url},
	            {"dms_url", settings->center.dms_url},
	            {"dispatch_url", settings->center.dispatch_url},
	            {"map_url", settings->center.map_url},
	            {"url", settings->center.url}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (*rows[i].url != '\0' && strncmp(rows[i].url, "https://", 8) != 0 &&
		    strncmp(rows[i].url, "http://", 7) != 0)
			return error_set(
			        err, EX_CONFIG,
			        "[center] %s: expected an address that begins with https:// "
			        "or http://",
			        rows[i].key);
	return true;
}

int serve_check(const struct settings *settings)
{
	struct error err;
	if (!check_pairs(settings, &err) || !check_jumps(settings, &err) ||
	    !tiles_check(settings, &err) || !check_pem(settings->center.tls_cert, &err) ||
	    !check_pem(settings->center.tls_key, &err) ||
	    !accounts_inspect(settings->center.path, &err) ||
	    !customers_inspect(settings->customers.path, &err) || !file_type_check(&err)) {
		fault_print("dispatch-center", err.text);
		return err.code;
	}
	return EX_OK;
}

static void block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, ret, NULL);
}

/* The configuration as it is now, where it can be used. */
static struct settings *read_again(const struct center *center)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_usec());
	struct settings *next = center->reread(center->arg);
	if (next && serve_check(next) == EX_OK)
		return next;
	fprintf(stderr, "dispatch-center: reload refused, nothing has changed\n");
	(void)settings_free(next);
	(void)sd_notify(0, "READY=1");
	return NULL;
}

static void wait_for_end(struct center *center)
{
	sigset_t signals;
	int signal = 0;
	block_signals(&signals);
	while (center->next == NULL && sigwait(&signals, &signal) == 0 && signal == SIGHUP)
		center->next = read_again(center);
}

static bool center_run(struct center *center, struct error *err)
{
	const struct settings *settings = center->settings;
	const struct server_rules rules = {.admit = admit, .answer = answer, .arg = center};
	struct server_options options = {.listen = settings->center.listen, .threads = THREADS};
	char *cert = NULL, *key = NULL;
	struct server *server = NULL;
	bool good = read_pem(settings->center.tls_cert, &cert, err) &&
	            read_pem(settings->center.tls_key, &key, err);
	options.tls_cert = cert;
	options.tls_key = key;
	if (good)
		server = server_start(&options, &rules, err);
	good = server && live_start(center->live, server, err);
	if (good) {
		fprintf(stderr, "dispatch-center: listening on %s%s\n", cert ? "https " : "",
		        server_address(server));
		(void)sd_notify(0, "READY=1");
		wait_for_end(center);
		if (center->next == NULL)
			(void)sd_notify(0, "STOPPING=1");
	}
	survey_stop();
	live_stop(center->live);
	(void)server_stop(server);
	free(cert);
	if (key)
		sodium_memzero(key, strlen(key));
	free(key);
	return good;
}

int serve(const struct settings *settings, serve_reread *reread, void *arg,
          struct settings **ret_next)
{
	struct center center = {.settings = settings, .reread = reread, .arg = arg};
	struct error err;
	sigset_t signals;
	int code = serve_check(settings);
	*ret_next = NULL;
	if (code != EX_OK)
		return code;
	block_signals(&signals);
	struct accounts *accounts =
	        accounts_open(settings->center.path, settings->customers.path, &err);
	bool good = accounts != NULL;
	(void)accounts_close(accounts); /* made where it was missing, before threads race */
	if (good && pthread_key_create(&center.stores, end_thread) == 0) {
		center.live = live_new(settings);
		good = words_prepare(&err) && pages_prepare(&err) && center_run(&center, &err);
		center.live = live_free(center.live);
		pages_free();
		words_free();
		survey_free();
		(void)pthread_key_delete(center.stores);
	}
	*ret_next = center.next;
	if (!good)
		fault_print("dispatch-center", err.text);
	return good ? EX_OK : err.code;
}

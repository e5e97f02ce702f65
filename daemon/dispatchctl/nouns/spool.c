/* SPDX-License-Identifier: MIT */
/*
 * Access to the spool. SQLite lets us read it beside a running daemon. Only an engine may change
 * it: the daemon's, asked over its socket, or if no daemon runs, one in this process. The engine's
 * lock keeps the two apart if a daemon starts in between.
 */
#include "dispatchctl/nouns/spool.h"

#include "base/identity.h"
#include "base/jsontext.h"
#include "common/control.h"
#include "dispatchctl/base/store.h"
#include "engine/engine.h"
#include "model/request.h"
#include "model/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { TRIES = 3 }; /* for the engine's lock, each of some seconds */

struct spool *spool_view(const struct ctl *ctl, struct error *err)
{
	return spool_open(ctl->settings->spool.path, DB_READ, err);
}

/* The engine's answer is ok, or has the fault and its code, which becomes our exit status. */
static bool judge(json_t *answer, json_t **ret, struct error *err)
{
	if (!json_is_false(json_object_get(answer, "ok"))) {
		*ret = answer;
		return true;
	}
	json_int_t code = json_integer_value(json_object_get(answer, "code"));
	const char *text = json_string_value(json_object_get(answer, "error"));
	error_set(err, code > 0 ? (int)code : EX_SOFTWARE, "%s",
	          text ? text : "the engine gave no reason");
	json_decref(answer);
	return false;
}

/* No daemon: this process is the engine for one turn. */
static bool ask_own_engine(const struct ctl *ctl, struct engine *engine, const json_t *request,
                           json_t **ret, struct error *err)
{
	struct buf text = {0};
	jsontext_write(&text, request, JSONTEXT_AS_IS);
	char *reply = engine_command(engine, text.data, ctl->now, err);
	engine_close(engine);
	buf_free(&text);
	if (reply == NULL)
		return false;
	json_t *answer = jsontext_read(reply, strlen(reply), err);
	free(reply);
	return answer != NULL && judge(answer, ret, err);
}

/* If somebody has the engine's lock but doesn't listen, a daemon may be starting; its socket is
 * there a moment later. */
static bool ask_engine(const struct ctl *ctl, const json_t *request, json_t **ret,
                       struct error *err)
{
	for (int tries = 1;; tries++) {
		enum control_answer answer = control_ask(ctl->settings, request, ret, err);
		if (answer != CONTROL_ABSENT)
			return answer == CONTROL_ANSWERED;
		if (*ctl->settings->cluster.name) /* the journal has to have the change */
			return error_set(err, EX_TEMPFAIL,
			                 "dispatchd doesn't run here, and this machine is a member "
			                 "of the cluster %s: make the change on its owner",
			                 ctl->settings->cluster.name);
		struct engine *engine = engine_open(ctl->settings, ctl->now, err);
		if (engine != NULL)
			return ask_own_engine(ctl, engine, request, ret, err);
		if (err->code != EX_TEMPFAIL || tries == TRIES)
			return false;
	}
}

bool spool_ask(const struct ctl *ctl, json_t *request, json_t **ret, struct error *err)
{
	struct actor actor;
	bool ok = actor_find(ctl, &actor, err);
	if (ok) {
		json_object_set_new(request, "by", json_string(actor.user));
		ok = ask_engine(ctl, request, ret, err);
	}
	json_decref(request);
	return ok;
}

static void join_lists(json_t *all, json_t *answer)
{
	const char *name;
	json_t *value;
	json_object_foreach(answer, name, value)
	{
		json_t *list = json_object_get(all, name);
		if (json_is_array(list))
			json_array_extend(list, value);
		else if (json_is_array(value))
			json_object_set(all, name, value);
	}
}

bool spool_ask_all(const struct ctl *ctl, json_t *request, json_t **ret, struct error *err)
{
	json_t *all = json_object(), *next = NULL;
	bool ok;
	do {
		json_t *answer = NULL;
		ok = spool_ask(ctl, json_copy(request), &answer, err);
		join_lists(all, answer);
		next = json_object_get(answer, "next");
		if (next != NULL) {
			json_object_set(request, "after", next);
			json_object_set(request, "until", json_object_get(answer, "until"));
		}
		json_decref(answer);
	} while (next != NULL);
	json_decref(request);
	if (ok)
		*ret = all;
	else
		json_decref(all);
	return ok;
}

static void ignore_fault(void *arg, const char *text)
{
	(void)arg, (void)text;
}

/* The change itself is done and recorded, so failures here aren't reported. */
void spool_follow_numbers(const struct ctl *ctl)
{
	const char *const *sections = ctl_words(ctl->arena, USES_ENGINE);
	struct ctl own = *ctl;
	struct error err;
	int status;
	json_t *answer = NULL;
	identity_person();
	own.settings =
	        settings_load(settings_path(ctl->config), sections, ignore_fault, NULL, &status);
	identity_back();
	if (own.settings == NULL)
		return;
	if (access(own.settings->spool.path, F_OK) == 0 &&
	    spool_ask(&own, json_pack("{s:s}", "do", control_request_verb(REQUEST_NUMBERS)),
	              &answer, &err))
		json_decref(answer);
	settings_free(own.settings);
}

/* SPDX-License-Identifier: MIT */
/* All sending is paused and resumed by hand, or redirected by the settings. Only mail_dispatch.c
 * stops; everything else goes on. */
#include "engine/mail_pause.h"

#include "engine/engine_private.h"
#include "engine/mail_state.h"
#include "engine/redirect.h"
#include "spool/spool_pause.h"
#include "spool/spool_redirect.h"

#include <string.h>
#include <sysexits.h>
#include <syslog.h>

enum { SENDING_MAX = 4096 };

static void log_pause(struct engine *engine, const struct spool_pause *pause)
{
	char since[INSTANT_TEXT_MAX];
	engine_report_act(
	        engine, LOG_WARNING | MESSAGE_PAUSED,
	        "sending is paused: no mail goes out until dispatchctl mail resume since=%s "
	        "by=%s note=\"%s\"",
	        instant_format(pause->since, 0, since), pause->by, pause->note);
}

void engine_load_pause(struct engine *engine)
{
	struct spool_pause pause;
	spool_pause_load(engine->spool, engine->arena, &pause);
	engine->paused = !instant_is_none(pause.since);
	if (engine->paused && !engine->paused_before)
		log_pause(engine, &pause);
}

static void recall_sending(struct engine *engine)
{
	int64_t ids[SENDING_MAX];
	size_t n = spool_mails_sending(engine->spool, ids, SENDING_MAX);
	for (size_t i = 0; i < n; i++)
		engine_recall_mail(engine, ids[i]);
}

void engine_follow_redirect(struct engine *engine)
{
	if (!engine->redirect_new)
		return;
	const char *to = engine_redirects_to(engine);
	bool changed = strcmp(spool_redirect(engine->spool, engine->arena), to) != 0;
	if (*to != '\0')
		engine_report_act(engine, LOG_WARNING,
		                  "every mail is redirected, none goes to its recipient: [mail] "
		                  "redirect_to=%s",
		                  to);
	else if (changed)
		engine_report_act(engine, LOG_NOTICE, "mails go to their recipients again");
	if (!changed)
		return;
	spool_redirect_set(engine->spool, to);
	recall_sending(engine);
}

bool engine_pause(struct engine *engine, const char *by, const char *note, struct error *err)
{
	struct spool_pause pause;
	bool paused = engine->paused;
	if (strlen(note) > SPOOL_PAUSE_NOTE_MAX)
		return error_set(err, EX_USAGE, "the note must have at most %d bytes (got %zu)",
		                 SPOOL_PAUSE_NOTE_MAX, strlen(note));
	if (paused && *note == '\0')
		return true;
	spool_pause_load(engine->spool, engine->arena, &pause);
	if (!paused)
		pause.since = engine->now;
	pause.by = by;
	pause.note = note;
	spool_pause_set(engine->spool, &pause);
	log_pause(engine, &pause);
	engine->paused = true;
	if (!paused)
		recall_sending(engine);
	return true;
}

bool engine_resume(struct engine *engine, const char *by)
{
	bool paused = engine->paused;
	if (!paused)
		return false;
	spool_pause_end(engine->spool);
	engine->paused = false;
	engine_report_act(engine, LOG_NOTICE, "sending is resumed by=%s", by);
	return true;
}

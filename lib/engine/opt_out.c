/* SPDX-License-Identifier: MIT */
/*
 * Recipients' wishes to get fewer mails. What a link of a mail leads to shows nothing of the
 * customer: which mails its recipient gets, the company's name, the language. The change is an
 * office write, so that it is on disk before it is answered and is made even where customers.db is
 * locked for the moment.
 */
#include "engine/opt_out.h"

#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/report.h"
#include "model/job_state.h"
#include "model/words.h"

#include <string.h>
#include <sysexits.h>
#include <syslog.h>

static bool is_nobody(struct error *err)
{
	return error_set(err, EX_NOINPUT, "the link is invalid or no longer works");
}

bool engine_opt_out_verify(struct engine *engine, const struct token *token,
                           struct contact_choice *ret, struct error *err)
{
	struct error fault;
	if (engine->token_keys.n == 0)
		return error_set(err, EX_CONFIG,
		                 "there is no key that verifies: see [bounce] "
		                 "address and key_file");
	if (token->kind != TOKEN_OPT_OUT || token->state >= JOB_STATE_COUNT)
		return is_nobody(err);
	if (!contact_choice_load(engine->customers, token->id, engine->arena, ret, &fault))
		return fault.code == EX_NOINPUT ? is_nobody(err)
		                                : error_set(err, fault.code, "%s", fault.text);
	engine_pending_choice(engine, ret);
	return token_verify(&engine->token_keys, token, ret->link, "") || is_nobody(err);
}

void engine_opt_out(struct engine *engine, const struct contact_choice *choice, unsigned off,
                    unsigned on)
{
	on &= choice->off_by_link & ~off;
	if (off == 0 && on == 0)
		return;
	engine_choose_states(engine, choice->contact, choice->link, off, on);
	char off_text[WORDS_TEXT_MAX], on_text[WORDS_TEXT_MAX];
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE, "opt-out contact=%lld off=%s on=%s",
	                    (long long)choice->contact, states_format(off, off_text),
	                    states_format(on, on_text));
}

/* ---- what the center asks */

static bool find_choice(struct engine *engine, const json_t *in, struct token *ret_token,
                        struct contact_choice *ret, struct error *err)
{
	const char *text = json_string_value(json_object_get(in, "token"));
	if (text == NULL || !token_parse(text, strlen(text), ret_token))
		return is_nobody(err);
	return engine_opt_out_verify(engine, ret_token, ret, err);
}

static const char *locale_of(struct engine *engine, const struct contact_choice *choice)
{
	const struct customer *customer =
	        *choice->locale == '\0' ? engine_customer(engine, choice->customer) : NULL;
	return customer != NULL ? customer_locale(customer) : choice->locale;
}

static void answer_choice(struct engine *engine, const struct token *token,
                          const struct contact_choice *choice, json_t *out)
{
	json_t *states = json_array();
	for (int state = 0; state < JOB_STATE_COUNT; state++) {
		bool on = (choice->on & JOB_BIT(state)) != 0;
		if (on || (choice->off_by_link & JOB_BIT(state)) != 0)
			json_array_append_new(
			        states, json_pack("{s:s, s:b}", "state",
			                          job_state_name((enum job_state)state), "on", on));
	}
	json_object_set_new(out, "state",
	                    json_string(job_state_name((enum job_state)token->state)));
	json_object_set_new(out, "states", states);
	json_object_set_new(out, "locale", json_string(locale_of(engine, choice)));
	json_object_set_new(out, "company", json_string(engine->settings->company.name));
}

bool engine_opt_out_show(struct engine *engine, const json_t *in, json_t *out, struct error *err)
{
	struct token token;
	struct contact_choice choice;
	if (!find_choice(engine, in, &token, &choice, err))
		return false;
	answer_choice(engine, &token, &choice, out);
	return true;
}

static bool read_states(const json_t *list, unsigned *ret, struct error *err)
{
	size_t i;
	json_t *item;
	*ret = 0;
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);
		enum job_state state = job_state_find(name ? name : "");
		if (state == JOB_NONE)
			return error_set(err, EX_USAGE, "unknown state \"%s\"", name ? name : "");
		*ret |= JOB_BIT(state);
	}
	return true;
}

bool engine_opt_out_set(struct engine *engine, const json_t *in, json_t *out, struct error *err)
{
	struct token token;
	struct contact_choice choice;
	unsigned off, on;
	if (!find_choice(engine, in, &token, &choice, err) ||
	    !read_states(json_object_get(in, "off"), &off, err) ||
	    !read_states(json_object_get(in, "on"), &on, err))
		return false;
	if (json_is_true(json_object_get(in, "one_click")))
		off |= JOB_BIT(token.state);
	engine_opt_out(engine, &choice, off, on);
	contact_choice_change(&choice, off, on); /* as it is in a moment */
	answer_choice(engine, &token, &choice, out);
	return true;
}

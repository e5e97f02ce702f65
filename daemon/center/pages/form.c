/* SPDX-License-Identifier: MIT */
/* A record as a form, and a form as a record's values. */
#include "center/pages/form.h"

#include "center/pages/labels.h"
#include "center/pages/systems.h"
#include "center/pages/words.h"
#include "model/job_state.h"
#include "model/words.h"

#include <string.h>

#define SECRET_SHOWN "******" /* what records_show() gives in place of a secret */

/* Whether this person may give the field in this form. */
static bool takes(const struct call *call, const struct field *field, bool adding)
{
	return !field->read_only && (adding || !field->fixed) &&
	       (adding || !field->manager || call->account.role >= ROLE_MANAGER);
}

/* -- inputs ------------------------------------------------------------------------------------ */

static bool is_set(const json_t *value, const char *word)
{
	size_t i;
	const json_t *item;
	json_array_foreach(value, i, item)
	{
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	}
	return false;
}

static void add_check(const struct call *call, json_t *checks, const char *word, bool on)
{
	json_array_append_new(checks, json_pack("{s:s, s:s, s:b}", "value", word, "label",
	                                        label_choice(call, word), "checked", on));
}

/* Of a new record what it is where left out: a suspension has all scopes. */
static json_t *checks_of(const struct call *call, const struct field *field, const json_t *value)
{
	json_t *checks = json_array();
	unsigned states = 0;
	if (field->type == FIELD_SCOPES) {
		for (int s = 0; s < SCOPE_COUNT; s++)
			add_check(call, checks, scope_name(s),
			          !value || is_set(value, scope_name(s)));
		return checks;
	}
	(void)states_parse(field->initial ? field->initial : "", &states);
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *name = job_state_name((enum job_state)s);
		add_check(call, checks, name,
		          value ? is_set(value, name) : (states & JOB_BIT(s)) != 0);
	}
	return checks;
}

static json_t *choices_of(const struct call *call, const struct field *field, const char *value)
{
	json_t *choices = json_array();
	if (!field->required)
		json_array_append_new(choices, json_pack("{s:s, s:s, s:b}", "value", "", "label",
		                                         "", "selected", *value == '\0'));
	for (const char *const *choice = field->choices; *choice; choice++)
		json_array_append_new(choices, json_pack("{s:s, s:s, s:b}", "value", *choice,
		                                         "label", label_choice(call, *choice),
		                                         "selected", strcmp(*choice, value) == 0));
	return choices;
}

static const char *input_type(const struct field *field)
{
	switch (field->type) {
	case FIELD_DAY:
		return "date";
	case FIELD_EMAIL:
		return "email";
	case FIELD_PHONE:
		return "tel";
	case FIELD_UNSIGNED:
		return "number";
	default:
		return field->secret ? "password" : "text";
	}
}

/* The text that an input shows: of a record it may be a number. */
static const char *text_of(const struct call *call, const struct field *field, const json_t *value)
{
	if (json_is_string(value) && strcmp(json_string_value(value), SECRET_SHOWN) != 0)
		return json_string_value(value);
	if (json_is_integer(value))
		return arena_printf(call->request->arena, "%lld",
		                    (long long)json_integer_value(value));
	if (json_is_real(value))
		return arena_printf(call->request->arena, "%.10g", json_real_value(value));
	return value == NULL && field->initial ? field->initial : "";
}

static bool is_at_fault(const struct field *field, const struct error *fault)
{
	size_t len = strlen(field->name);
	return fault && strncmp(fault->text, field->name, len) == 0 && fault->text[len] == ':';
}

static json_t *input_of(const struct call *call, const struct kind *kind, const struct field *field,
                        const json_t *values, const struct error *fault)
{
	json_t *value = json_object_get(values, field->name);
	const char *text = text_of(call, field, value);
	const char *wrong = is_at_fault(field, fault) ? fault->text + strlen(field->name) + 2 : "";
	bool from_today = kind->kept_when_removed && field->fixed; /* a suspension, left out */
	json_t *input = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "name", field->name, "label",
	                          label_field(call, kind, field), "hint",
	                          from_today ? words(call, "suspend.from_today") : "", "required",
	                          field->required && field->initial == NULL && !from_today, "value",
	                          text, "fault", wrong);
	json_object_set_new(input, "wide",
	                    json_boolean(field->type == FIELD_TEXT || field->type == FIELD_STATES ||
	                                 field->type == FIELD_SCOPES));
	if (kind->kept_when_removed && strcmp(field->name, "until") == 0)
		json_object_set_new(input, "indefinite",
		                    json_pack("{s:b}", "checked", json_is_null(value)));
	if (field->type == FIELD_STATES || field->type == FIELD_SCOPES)
		json_object_set_new(input, "has_checks",
		                    json_pack("{s:o}", "checks", checks_of(call, field, value)));
	else if (field->type == FIELD_FLAG)
		json_object_set_new(input, "flag",
		                    json_pack("{s:b}", "checked", json_is_true(value)));
	else if (field->type == FIELD_CHOICE)
		json_object_set_new(input, "has_choices",
		                    json_pack("{s:o}", "choices", choices_of(call, field, text)));
	else if (field->type == FIELD_TEXT)
		json_object_set_new(input, "area", json_true());
	else
		json_object_set_new(input, "input", json_pack("{s:s}", "type", input_type(field)));
	return input;
}

json_t *form_inputs(struct call *call, const struct kind *kind, bool adding, const json_t *values,
                    const struct error *fault)
{
	json_t *inputs = json_array();
	for (size_t i = 0; i < kind->n_fields; i++)
		if (takes(call, &kind->fields[i], adding))
			json_array_append_new(
			        inputs, input_of(call, kind, &kind->fields[i], values, fault));
	if (kind->secrets)
		systems_inputs(call, values, adding, fault, inputs);
	return inputs;
}

/* -- values ------------------------------------------------------------------------------------ */

json_t *form_all(const struct call *call, const char *name)
{
	const struct request_pairs *form = &call->request->form;
	json_t *words = json_array();
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->rows[i].name, name) == 0)
			json_array_append_new(words, json_string(form->rows[i].value));
	return words;
}

/* NULL for a field that the form doesn't have, or that is left empty in a new record: that is what
 * it is where left out. */
static json_t *value_of(const struct call *call, const struct field *field, bool adding)
{
	const char *text = request_value(&call->request->form, field->name);
	if (field->type == FIELD_STATES || field->type == FIELD_SCOPES)
		return form_all(call, field->name);
	if (field->type == FIELD_FLAG)
		return json_boolean(text != NULL);
	if (text == NULL || (*text == '\0' && (field->secret || adding)))
		return NULL;
	return json_string(text);
}

json_t *form_values(const struct call *call, const struct kind *kind, bool adding)
{
	const struct request_pairs *form = &call->request->form;
	json_t *values = json_object();
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		json_t *value = takes(call, field, adding) ? value_of(call, field, adding) : NULL;
		if (value)
			json_object_set_new(values, field->name, value);
	}
	if (request_value(form, "indefinite") && kind_field(kind, "until"))
		json_object_set_new(values, "until", json_null());
	if (kind->secrets)
		systems_values(call, values);
	return values;
}

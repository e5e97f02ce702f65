/* SPDX-License-Identifier: MIT */
/* Input: the query of GET /v1/gate. It becomes a command with values that are printable text, or a
 * fault of the asker's; nothing in between. */
#include "base/utf8.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/http/gate.h"
#include "dispatchd/sys/daemon_view.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *asked; /* what the engine was asked */

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* In place of the engine's thread. */
struct command *command_new(struct command_route route, const char *text)
{
	must(route.number == 7 && asked == NULL);
	asked = strdup(text);
	return NULL;
}

void engine_thread_command(struct engine_thread *engine, struct command *command)
{
	must(engine == NULL && command == NULL);
}

static void must_be_text(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	must(text != NULL && len > 0 && strlen(text) == len && !utf8_has_control(text, len));
}

static void check_command(void)
{
	json_t *command = json_loads(asked, 0, NULL);
	const char *name;
	json_t *value;
	must(strcmp(json_string_value(json_object_get(command, "do")), "gate") == 0);
	must(json_object_get(command, "customer") && json_object_get(command, "type"));
	must(json_object_size(command) == 3 || json_object_get(command, "scheduled"));
	json_object_foreach(command, name, value) must_be_text(value);
	json_decref(command);
}

static void check_fault(const struct http_answer *answer)
{
	json_t *body = json_loadb(answer->body.data, answer->body.len, 0, NULL);
	must(answer->status == 400);
	must_be_text(json_object_get(body, "error"));
	json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct daemon_view view;
	struct http_answer answer = {0};
	char *query = malloc(size + 1);
	must(query != NULL);
	memcpy(query, data, size);
	query[size] = '\0';
	bool ok = http_gate_ask(&view, 7, query, &answer);
	must(ok == (asked != NULL));
	if (ok)
		check_command();
	else
		check_fault(&answer);
	buf_free(&answer.body);
	free(query);
	free(asked);
	asked = NULL;
	return 0;
}

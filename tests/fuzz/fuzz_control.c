/* SPDX-License-Identifier: MIT */
/* Input: a line on the control socket, carried out by an engine on databases of its own. Whatever
 * it says, the answer is one line of JSON, with what is wrong where something is. */
#include "engine/engine.h"

#include "base/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings *settings;
static struct engine *engine;
static char folder[] = "/dev/shm/dispatchd-fuzz-XXXXXX";

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void remove_folder(void)
{
	static const char *const files[] = {"conf", "spool.db", "spool.db.lock", "customers.db"};
	static const char *const endings[] = {"", "-wal", "-shm"};
	(void)engine_close(engine);
	(void)settings_free(settings);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		for (size_t j = 0; j < sizeof endings / sizeof endings[0]; j++) {
			char path[128];
			(void)snprintf(path, sizeof path, "%s/%s%s", folder, files[i], endings[j]);
			(void)unlink(path);
		}
	(void)rmdir(folder);
}

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", text);
}

static void start(void)
{
	char conf[128];
	struct error err;
	int code;
	must(mkdtemp(folder) != NULL);
	(void)atexit(remove_folder);
	(void)snprintf(conf, sizeof conf, "%s/conf", folder);
	FILE *out = fopen(conf, "w");
	must(out != NULL);
	(void)fprintf(
	        out,
	        "[spool]\npath = %s/spool.db\n[customers]\npath = %s/customers.db\n"
	        "[mail]\nfrom = dispatch@example.com\ntransport = maildir\nmaildir = %s/mail\n",
	        folder, folder, folder);
	(void)fclose(out);
	settings = settings_load(conf, NULL, print_fault, NULL, &code);
	must(settings != NULL);
	engine = engine_open(settings, (struct instant){INT64_C(1772000000000)}, &err);
	if (engine == NULL)
		(void)fprintf(stderr, "%s\n", err.text);
	must(engine != NULL);
}

/* As the control socket does, which lets nothing but objects pass. */
static char *question(const uint8_t *data, size_t size)
{
	json_t *asked = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	char *text = NULL;
	if (json_is_object(asked)) {
		json_object_set_new(asked, "uid", json_integer(1000));
		text = json_dumps(asked, JSON_COMPACT);
	}
	json_decref(asked);
	return text;
}

static void check_answer(const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);
	const json_t *ok = json_object_get(answer, "ok");
	must(json_is_boolean(ok) && strchr(text, '\n') == NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));
	must(json_is_true(ok) ||
	     (error != NULL && *error != '\0' && !utf8_has_control(error, strlen(error)) &&
	      json_integer_value(json_object_get(answer, "code")) > 0));
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int64_t turns;
	struct error err = {0};
	if (engine == NULL)
		start();
	char *text = question(data, size);
	if (text == NULL)
		return 0;
	char *answer = engine_command(engine, text,
	                              (struct instant){INT64_C(1772000000000) + ++turns}, &err);
	must(answer != NULL);
	check_answer(answer);
	free(answer);
	free(text);
	return 0;
}

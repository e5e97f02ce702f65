/* SPDX-License-Identifier: MIT */
/*
 * GET /api/v1/openapi.json: the API's own description (OpenAPI 3.1), made of the rows that answer
 * and of the kinds' table, so that it can't fall behind either.
 */
#include "center/api/answer.h"
#include "center/api/kinds.h"
#include "center/api/records.h"
#include "model/job_state.h"
#include "model/words.h"
#include "version.h"

#include <ctype.h>
#include <string.h>

#define PREFIX "/api/v1"

/* -- kinds as schemas -------------------------------------------------------------------------- */

/* Takes over `type`, the schema of one item. */
static json_t *array_of(json_t *item)
{
	return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

static json_t *words_of_field(const struct field *field)
{
	json_t *words = json_array();
	if (field->type == FIELD_STATES)
		for (int s = 0; s < JOB_STATE_COUNT; s++)
			json_array_append_new(words,
			                      json_string(job_state_name((enum job_state)s)));
	else if (field->type == FIELD_SCOPES)
		for (int s = 0; s < SCOPE_COUNT; s++)
			json_array_append_new(words, json_string(scope_name(s)));
	else
		for (const char *const *choice = field->choices; choice && *choice; choice++)
			json_array_append_new(words, json_string(*choice));
	return words;
}

/* A field without a value is null. */
static json_t *typed(const struct field *field, const char *type, const char *format)
{
	json_t *schema = field->required ? json_pack("{s:s}", "type", type)
	                                 : json_pack("{s:[s, s]}", "type", type, "null");
	if (format)
		json_object_set_new(schema, "format", json_string(format));
	return schema;
}

static json_t *schema_of_field(const struct field *field)
{
	json_t *schema;
	switch (field->type) {
	case FIELD_DAY:
		schema = typed(field, "string", "date");
		break;
	case FIELD_INSTANT:
		schema = typed(field, "string", "date-time");
		break;
	case FIELD_EMAIL:
		schema = typed(field, "string", "email");
		break;
	case FIELD_FLAG:
		schema = json_pack("{s:s}", "type", "boolean");
		break;
	case FIELD_UNSIGNED:
		schema = typed(field, "integer", NULL);
		break;
	case FIELD_STATES:
	case FIELD_SCOPES:
		schema = array_of(
		        json_pack("{s:s, s:o}", "type", "string", "enum", words_of_field(field)));
		break;
	default:
		schema = typed(field, "string", NULL);
		if (field->max > 0)
			json_object_set_new(schema, "maxLength", json_integer(field->max));
		break;
	}
	if (field->type == FIELD_CHOICE) {
		json_t *words = words_of_field(field);
		if (!field->required)
			json_array_append_new(words, json_null());
		json_object_set_new(schema, "enum", words);
	}
	json_object_set_new(schema, "description", json_string(field->help));
	if (field->read_only || field->computed)
		json_object_set_new(schema, "readOnly", json_true());
	return schema;
}

static json_t *schema_of_kind(const struct kind *kind)
{
	json_t *properties = json_object(), *required = json_array();
	json_object_set_new(properties, "id",
	                    json_pack("{s:s, s:b}", "type", "integer", "readOnly", 1));
	json_object_set_new(properties, "version",
	                    json_pack("{s:s, s:b, s:s}", "type", "integer", "readOnly", 1,
	                              "description", "what If-Match takes"));
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		json_object_set_new(properties, field->name, schema_of_field(field));
		if (field->required && field->initial == NULL)
			json_array_append_new(required, json_string(field->name));
	}
	json_t *schema = json_pack("{s:s, s:s, s:o}", "type", "object", "description", kind->help,
	                           "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(required);
	return schema;
}

static json_t *schema_of_problem(void)
{
	return json_pack("{s:s, s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}", "type",
	                 "object", "description", "RFC 9457", "properties", "title", "type",
	                 "string", "status", "type", "integer", "detail", "type", "string",
	                 "errors", "type", "array", "fields", "type", "object");
}

static json_t *text_schema(const char *description)
{
	return json_pack("{s:[s, s], s:s}", "type", "string", "null", "description", description);
}

/* What GET /customers/N says of a contact (overview/reachable.h). */
static json_t *schema_of_reachable(void)
{
	json_t *mark = json_pack(
	        "{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s}, s:o, s:o, s:{s:[s, s], s:s}}}",
	        "type", "object", "properties", "which", "type", "string", "address", "type",
	        "string", "since", "type", "string", "format", "date-time", "by_hand", "type",
	        "boolean", "words", text_schema("the server's, where it refused the address"), "by",
	        text_schema("who marked it"), "mail", "type", "integer", "null", "description",
	        "the latest one that was refused there");
	return json_pack(
	        "{s:s, s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:o, s:o, s:o, s:{s:s}, "
	        "s:o}}",
	        "type", "object", "description",
	        "where a mail to a contact, its own or inherited, would go now, and why",
	        "properties", "contact", "type", "integer", "name", "type", "string", "customer",
	        "type", "string", "inherited", "type", "boolean", "notify",
	        array_of(json_pack("{s:s}", "type", "string")), "address",
	        text_schema("null: no mail goes out"), "which",
	        text_schema("the field that it is of"), "reason", "type", "string", "marks",
	        array_of(mark));
}

static void add_reachable(json_t *all)
{
	json_t *list = array_of(json_pack("{s:s}", "$ref", "#/components/schemas/reachable"));
	json_object_set_new(list, "readOnly", json_true());
	json_object_set_new(all, "reachable", schema_of_reachable());
	json_object_set_new(json_object_get(json_object_get(all, "customer"), "properties"),
	                    "reachable", list);
}

static json_t *schemas(void)
{
	json_t *all = json_object();
	for (size_t i = 0; i < n_kinds; i++)
		json_object_set_new(all, kinds[i].name, schema_of_kind(&kinds[i]));
	json_object_set_new(all, "problem", schema_of_problem());
	add_reachable(all);
	return all;
}

/* -- rows as operations ------------------------------------------------------------------------ */

/* "/customers/:number" → "/customers/{number}", with the kinds in place of their names. */
static const char *path_of(const char *pattern, const char *const kinds_in_order[2],
                           struct arena *arena)
{
	struct buf path = {0};
	size_t n = 0;
	for (const char *at = pattern + strlen(PREFIX); *at != '\0';) {
		size_t len = strcspn(at + 1, "/") + 1;
		if (strncmp(at, "/:kinds", len) == 0 || strncmp(at, "/:parts", len) == 0)
			buf_printf(&path, "/%s", kinds_in_order[n++]);
		else if (at[1] == ':')
			buf_printf(&path, "/{%.*s}", (int)len - 2, at + 2);
		else
			buf_add(&path, at, len);
		at += len;
	}
	const char *text = arena_strdup(arena, buf_text(&path));
	buf_free(&path);
	return text;
}

static json_t *parameter(const char *name, size_t len, const char *where)
{
	bool number = (len == 5 && memcmp(name, "limit", 5) == 0) ||
	              (len == 6 && memcmp(name, "before", 6) == 0);
	return json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name, len, "in", where, "required",
	                 strcmp(where, "path") == 0, "schema", "type",
	                 number ? "integer" : "string");
}

static json_t *parameters_of(const struct route *route, const char *path)
{
	json_t *all = json_array();
	for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{'))
		json_array_append_new(all, parameter(at + 1, strcspn(at + 1, "}"), "path"));
	for (const char *at = route->query ? route->query : ""; *at != '\0';) {
		size_t len = strcspn(at, " ");
		json_array_append_new(all, parameter(at, len, "query"));
		at += len + (at[len] == ' ');
	}
	return all;
}

static json_t *content(const char *type, json_t *schema)
{
	return json_pack("{s:{s:{s:o}}}", "content", type, "schema", schema);
}

static json_t *reference(const char *name)
{
	json_t *schema = json_object();
	struct buf to = {0};
	buf_printf(&to, "#/components/schemas/%s", name);
	json_object_set_new(schema, "$ref", json_string(buf_text(&to)));
	buf_free(&to);
	return schema;
}

/* {KIND: […], "more"} */
static json_t *list_of(const char *many, const char *kind)
{
	return json_pack("{s:s, s:{s:o, s:{s:s}}}", "type", "object", "properties", many,
	                 array_of(reference(kind)), "more", "type", "boolean");
}

struct operation {
	const struct route *route;
	const char *path;
	const struct kind *kind; /* whose records it is about; NULL: no records */
	bool list;
};

/* What comes back where all is well. */
static void add_success(const struct operation *op, json_t *responses, struct arena *arena)
{
	const char *method = op->route->method;
	bool adds = strcmp(method, "POST") == 0 && op->kind != NULL && op->list;
	bool empty = strcmp(method, "DELETE") == 0 ||
	             (strcmp(method, "PUT") == 0 && strstr(op->path, "/reps/"));
	json_t *answer = json_pack("{s:s}", "description",
	                           adds    ? "added"
	                           : empty ? "done"
	                                   : "what was asked for");
	if (empty)
		;
	else if (op->kind && op->list && !adds)
		(void)json_object_update_new(
		        answer, content("application/json",
		                        list_of(kinds_path(op->kind, arena), op->kind->name)));
	else if (op->kind)
		(void)json_object_update_new(
		        answer, content("application/json", reference(op->kind->name)));
	else if (strcmp(op->route->answers ? op->route->answers : "", "") != 0)
		(void)json_object_update_new(
		        answer, content(op->route->answers, json_pack("{s:s}", "type", "string")));
	else
		(void)json_object_update_new(
		        answer,
		        content("application/json",
		                json_pack("{s:s}", "type", op->route->list ? "array" : "object")));
	json_object_set_new(responses, adds ? "201" : empty ? "204" : "200", answer);
}

/* What it takes in its body, where it takes any. */
static json_t *body_of(const struct operation *op)
{
	const char *method = op->route->method;
	json_t *schema;
	if (strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0)
		return NULL;
	if (op->route->upload)
		return content("multipart/form-data",
		               json_pack("{s:s, s:{s:{s:s, s:s}, s:{s:s}}, s:[s, s]}", "type",
		                         "object", "properties", "file", "type", "string", "format",
		                         "binary", "description", "type", "string", "required",
		                         "file", "description"));
	schema = op->kind ? reference(op->kind->name) : json_pack("{s:s}", "type", "object");
	return content("application/json", schema);
}

static const char *summary_of(const struct operation *op, struct arena *arena)
{
	static const struct {
		const char *method;
		bool list;
		const char *words;
	} rows[] = {{"GET", true, "List %s"},
	            {"POST", true, "Add to the %s"},
	            {"GET", false, "Show one of the %s"},
	            {"PATCH", false, "Change one of the %s"},
	            {"DELETE", false, "Remove one of the %s"}};
	if (op->route->summary)
		return op->route->summary;
	for (size_t i = 0; op->kind && i < sizeof rows / sizeof *rows; i++)
		if (rows[i].list == op->list && strcmp(rows[i].method, op->route->method) == 0)
			return arena_printf(arena, rows[i].words, op->kind->many);
	return op->path;
}

static json_t *operation_json(const struct operation *op, struct arena *arena)
{
	static const char *const roles[] = {"anybody", "reader", "clerk", "manager", "admin"};
	json_t *responses = json_object(), *body = body_of(op);
	add_success(op, responses, arena);
	json_t *fault = json_pack("{s:s}", "description", "why not");
	(void)json_object_update_new(fault,
	                             content("application/problem+json", reference("problem")));
	json_object_set_new(responses, "default", fault);
	json_t *json =
	        json_pack("{s:s, s:s, s:o, s:o}", "summary", summary_of(op, arena), "description",
	                  arena_printf(arena, "For the role %s and those above it.",
	                               roles[op->route->access]),
	                  "parameters", parameters_of(op->route, op->path), "responses", responses);
	if (body)
		json_object_set_new(json, "requestBody", body);
	if (strcmp(op->route->method, "PATCH") == 0 ||
	    (strcmp(op->route->method, "PUT") == 0 && strstr(op->path, "/hours")))
		json_array_append_new(json_object_get(json, "parameters"),
		                      json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", "If-Match",
		                                "in", "header", "required", 1, "schema", "type",
		                                "string"));
	return json;
}

static void add_operation(json_t *paths, const struct operation *op, struct arena *arena)
{
	char method[8];
	size_t n = 0;
	for (; op->route->method[n] != '\0' && n < sizeof method - 1; n++)
		method[n] = (char)tolower((unsigned char)op->route->method[n]);
	method[n] = '\0';
	json_t *path = json_object_get(paths, op->path);
	if (path == NULL) {
		path = json_object();
		json_object_set_new(paths, op->path, path);
	}
	/* Of two rows that fit, the first one answers. */
	if (json_object_get(path, method) == NULL)
		json_object_set_new(path, method, operation_json(op, arena));
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), len_end = strlen(end);
	return len >= len_end && strcmp(text + len - len_end, end) == 0;
}

/* The rows of all kinds, one kind after the other. */
static void add_kinds(json_t *paths, const struct route *route, struct arena *arena)
{
	bool of_customer = strncmp(route->path, PREFIX "/customers/", 18) == 0;
	bool parts = strstr(route->path, ":parts") != NULL;
	bool list = ends_with(route->path, ":kinds") || parts;
	for (size_t i = 0; i < n_kinds; i++) {
		const struct kind *kind = &kinds[i];
		const struct kind *owner = kind->owner ? kind_find(kind->owner) : NULL;
		bool top = list && !of_customer && !parts;
		if (kind->is_customer || (of_customer && !kind_is_of_customer(kind)) ||
		    (top && owner) || (parts && (owner == NULL || owner->is_customer)))
			continue;
		const char *names[2] = {kinds_path(parts ? owner : kind, arena),
		                        kinds_path(kind, arena)};
		bool records = !ends_with(route->path, "/history");
		const struct operation op = {.route = route,
		                             .path = path_of(route->path, names, arena),
		                             .kind = records ? kind : NULL,
		                             .list = list};
		add_operation(paths, &op, arena);
	}
}

static void add_row(json_t *paths, const struct route *route, struct arena *arena)
{
	static const char *const none[2] = {"", ""};
	if (strncmp(route->path, PREFIX, strlen(PREFIX)) != 0)
		return;
	if (strstr(route->path, "/:kinds")) {
		add_kinds(paths, route, arena);
		return;
	}
	const char *path = path_of(route->path, none, arena);
	bool list = strcmp(path, "/customers") == 0;
	bool customer = list || strcmp(path, "/customers/{number}") == 0;
	const struct operation op = {.route = route,
	                             .path = path,
	                             .kind = customer      ? kind_find("customer")
	                                     : route->kind ? kind_find(route->kind)
	                                                   : NULL,
	                             .list = list || route->upload};
	add_operation(paths, &op, arena);
}

static void openapi(struct call *call)
{
	json_t *paths = json_object();
	for (size_t t = 0; call->tables[t]; t++)
		for (const struct route *route = call->tables[t]; route->path; route++)
			add_row(paths, route, call->request->arena);
	response_json(
	        call->response, 200,
	        json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:[{s:[]}], s:{s:o, s:{s:{s:s, s:s}}}, "
	                  "s:o}",
	                  "openapi", "3.1.0", "info", "title", "dispatch-center", "version",
	                  DISPATCHD_VERSION, "servers", "url", PREFIX, "security", "token",
	                  "components", "schemas", schemas(), "securitySchemes", "token", "type",
	                  "http", "scheme", "bearer", "paths", paths));
}

const struct route api_open_routes[] = {
        {ROUTE("GET", PREFIX "/openapi.json", ACCESS_OPEN, openapi), .summary = "This description"},
        {0},
};

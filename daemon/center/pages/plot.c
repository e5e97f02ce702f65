/* SPDX-License-Identifier: MIT */
/*
 * The plot map of a site: one of the customer's pictures as its plan, with the assets on it; where
 * there is no plan, the assets that have coordinates on a plain plot. Places are changed by forms;
 * plot.js does the same by dragging and by keys, over the API.
 */
#include "base/jsontext.h"
#include "center/api/change.h"
#include "center/pages/command.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/plot_ground.h"
#include "center/pages/tiles.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Of the plan that is clicked without scripts, in CSS pixels, whatever shape the picture has. */
enum { PICTURE_WIDTH = 300, PICTURE_HEIGHT = 225 };

/* -- the plan ---------------------------------------------------------------------------------- */

/* The types that a browser shows (those of GET …/content). */
static bool is_shown(const json_t *picture)
{
	static const char *const types[] = {"image/jpeg", "image/png", "image/webp", "image/gif"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i], jsontext_at(picture, "type")) == 0)
			return true;
	return false;
}

static const json_t *plan_of(const json_t *customer)
{
	size_t i;
	const json_t *picture;
	json_array_foreach(json_object_get(customer, "pictures"), i, picture)
	{
		if (json_is_true(json_object_get(picture, "plan")) && is_shown(picture))
			return picture;
	}
	return NULL;
}

static json_t *choices_of(const json_t *customer)
{
	json_t *choices = json_array();
	size_t i;
	const json_t *picture;
	json_array_foreach(json_object_get(customer, "pictures"), i, picture)
	{
		if (is_shown(picture))
			json_array_append_new(
			        choices,
			        json_pack("{s:O, s:s, s:O}", "id", json_object_get(picture, "id"),
			                  "label", jsontext_at(picture, "description"), "selected",
			                  json_object_get(picture, "plan")));
	}
	return choices;
}

/* -- assets ------------------------------------------------------------------------------------ */

static const char *called(const struct call *call, const json_t *asset)
{
	const char *serial = jsontext_at(asset, "serial");
	return arena_printf(call->request->arena, "%s%s%s", jsontext_at(asset, "kind"),
	                    *serial ? " " : "", serial);
}

static const char *percent_text(const struct call *call, double percent)
{
	return arena_printf(call->request->arena, "%.4g", percent);
}

static json_t *row_of(struct call *call, const json_t *asset, size_t n, json_int_t version)
{
	const char *x = jsontext_at(asset, "plan_x"), *y = jsontext_at(asset, "plan_y");
	bool placed = *x != '\0' && *y != '\0';
	return json_pack("{s:I, s:O, s:s, s:I, s:b, s:s, s:s, s:s, s:s, s:s}", "n", (json_int_t)n,
	                 "id", json_object_get(asset, "id"), "called", called(call, asset),
	                 "version", version, "placed", placed, "x",
	                 placed ? percent_text(call, strtod(x, NULL) * 100) : "", "y",
	                 placed ? percent_text(call, strtod(y, NULL) * 100) : "", "position",
	                 jsontext_at(asset, "position"), "latitude", jsontext_at(asset, "latitude"),
	                 "longitude", jsontext_at(asset, "longitude"));
}

static bool rows_of(struct call *call, const json_t *customer, json_t **ret, struct error *err)
{
	json_t *rows = json_array();
	struct customers *store = stores_customers(call->stores, err);
	size_t i;
	const json_t *asset;
	json_array_foreach(json_object_get(customer, "assets"), i, asset)
	{
		int64_t version;
		json_int_t id = json_integer_value(json_object_get(asset, "id"));
		const char *name = arena_printf(call->request->arena, "%lld", (long long)id);
		if (store == NULL ||
		    !record_version(store, kind_find("asset"), name, &version, err)) {
			json_decref(rows);
			return false;
		}
		json_array_append_new(rows, row_of(call, asset, i + 1, version));
	}
	*ret = rows;
	return true;
}

/* -- the plain plot ---------------------------------------------------------------------------- */

/* The rows that have coordinates, in their order; *ret_n is how many. */
static struct plot_spot *spots_of(struct call *call, const json_t *rows, size_t *ret_n)
{
	struct plot_spot *spots =
	        arena_new_array(call->request->arena, json_array_size(rows) + 1, struct plot_spot);
	size_t i;
	const json_t *row;
	*ret_n = 0;
	json_array_foreach(rows, i, row)
	{
		const char *latitude = jsontext_at(row, "latitude");
		const char *longitude = jsontext_at(row, "longitude");
		if (*latitude != '\0' && *longitude != '\0')
			spots[(*ret_n)++] =
			        (struct plot_spot){.latitude = strtod(latitude, NULL),
			                           .longitude = strtod(longitude, NULL)};
	}
	return spots;
}

static json_t *bar_json(const struct call *call, const struct plot_bar *bar)
{
	return json_pack("{s:s, s:s, s:s}", "length",
	                 arena_printf(call->request->arena, "%.10g", bar->length), "width",
	                 percent_text(call, bar->width), "end", percent_text(call, 3 + bar->width));
}

/* Sets the places of the rows that have coordinates; null where none has. */
static json_t *ground_of(struct call *call, const json_t *rows)
{
	size_t n, i, at = 0;
	json_t *row;
	struct plot_spot *spots = spots_of(call, rows, &n);
	if (n == 0)
		return json_null();
	struct plot_ground ground = plot_ground(spots, n);
	json_array_foreach(rows, i, row)
	{
		bool placed = *jsontext_at(row, "latitude") && *jsontext_at(row, "longitude");
		json_object_set_new(row, "placed", json_boolean(placed));
		if (!placed)
			continue;
		json_object_set_new(row, "x", json_string(percent_text(call, spots[at].x)));
		json_object_set_new(row, "y", json_string(percent_text(call, spots[at].y)));
		at++;
	}
	return json_pack("{s:o, s:o}", "meters", bar_json(call, &ground.meters), "feet",
	                 bar_json(call, &ground.feet));
}

/* -- as commands ------------------------------------------------------------------------------- */

static const char *id_of(const struct call *call, const json_t *record)
{
	return arena_printf(call->request->arena, "%lld",
	                    (long long)json_integer_value(json_object_get(record, "id")));
}

static void add_place(const struct call *call, const json_t *asset, bool on_plan, json_t *commands)
{
	const char *x = on_plan ? "plan_x" : "latitude", *y = on_plan ? "plan_y" : "longitude";
	const char *left = jsontext_at(asset, x), *top = jsontext_at(asset, y);
	json_t *words = json_pack("[s, s, s]", "asset", "set", id_of(call, asset));
	json_t *options = json_pack("[s, s, s, s]", on_plan ? "--plan-x" : "--latitude",
	                            *left     ? left
	                            : on_plan ? "0.5"
	                                      : "LATITUDE",
	                            on_plan ? "--plan-y" : "--longitude",
	                            *top      ? top
	                            : on_plan ? "0.5"
	                                      : "LONGITUDE");
	command_add(call, commands, words, options);
}

/* The place of each asset as it is now, and the choice of each picture as the plan. */
static json_t *fold_of(const struct call *call, const json_t *customer, const json_t *choices,
                       bool on_plan)
{
	json_t *commands = json_array(), *row;
	size_t i;
	json_array_foreach(json_object_get(customer, "assets"), i, row)
	        add_place(call, row, on_plan, commands);
	json_array_foreach((json_t *)(uintptr_t)choices, i, row)
	{
		json_t *words = json_pack("[s, s, s]", "picture", "set", id_of(call, row));
		bool is_plan = json_is_true(json_object_get(row, "selected"));
		json_t *options =
		        is_plan ? json_pack("[s, s]", "--plan", "no") : json_pack("[s]", "--plan");
		command_add(call, commands, words, options);
	}
	return json_pack("{s:s, s:o}", "fold_id", "places", "commands", commands);
}

/* -- the page ---------------------------------------------------------------------------------- */

/* What a click on the plan places, without scripts: the row that was picked; null for none. */
static json_t *picked_of(const struct call *call, const json_t *rows)
{
	const char *pick = request_value(&call->request->query, "pick");
	json_int_t id = pick && call->account.role >= ROLE_CLERK ? strtoll(pick, NULL, 10) : 0;
	size_t i;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		if (json_integer_value(json_object_get(row, "id")) == id)
			return json_copy(row);
	}
	return json_null();
}

/* The plan, or else the plain plot. `what`, `x` and `y` are for the words of plot.js. */
static void add_ground(struct call *call, const json_t *plan, const json_t *rows, json_t *data)
{
	json_object_set_new(data, "on_plan", json_boolean(plan));
	if (plan == NULL) {
		json_object_set_new(data, "ground", ground_of(call, rows));
		json_object_set_new(data, "tiles", tiles_add(call));
		return;
	}
	json_object_set_new(data, "picked", picked_of(call, rows));
	json_object_set_new(data, "plan",
	                    json_pack("{s:O, s:s, s:s, s:s, s:s}", "id",
	                              json_object_get(plan, "id"), "description",
	                              jsontext_at(plan, "description"), "what", "{what}", "x",
	                              "{x}", "y", "{y}"));
}

static void show(struct call *call, int status, const char *fault)
{
	json_t *head, *customer, *rows;
	struct error err;
	if (!head_read(call, call->names[0], "plot", &head, &customer))
		return;
	if (!rows_of(call, customer, &rows, &err)) {
		json_decref(head);
		json_decref(customer);
		page_fail(call, &err);
		return;
	}
	const json_t *plan = plan_of(customer);
	json_t *choices = choices_of(customer);
	json_t *data =
	        json_pack("{s:o, s:O, s:s, s:b, s:b}", "head", head, "number",
	                  json_object_get(head, "number"), "fault", fault, "has_rows",
	                  json_array_size(rows) > 0, "has_choices", json_array_size(choices) > 0);
	add_ground(call, plan, rows, data);
	if (json_array_size(rows) + json_array_size(choices) > 0)
		json_object_set_new(data, "fold", fold_of(call, customer, choices, plan));
	json_object_set_new(data, "choices", choices);
	json_object_set_new(data, "rows", rows);
	json_decref(customer);
	page_answer(call, status, "plot", words(call, "plot"), data);
}

static void plot(struct call *call)
{
	show(call, 200, "");
}

/* -- changes ----------------------------------------------------------------------------------- */

static const char *typed(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->form, name);
	return text ? text : "";
}

/* Whether the record is there and of the customer whose page it is. */
static bool is_ours(struct call *call, const struct kind *kind, const char *id, struct error *err)
{
	json_t *record, *customer = NULL;
	struct customers *store = stores_customers(call->stores, err);
	if (store == NULL || !records_show(store, kind, id, &record, err))
		return false;
	bool good = records_show(store, kind_find("customer"), call->names[0], &customer, err);
	if (good && strcmp(jsontext_at(record, "customer"), jsontext_at(customer, "number")) != 0)
		good = error_set(err, EX_NOINPUT, "this customer has no %s %s", kind->name, id);
	json_decref(customer);
	json_decref(record);
	return good;
}

/* Saves what somebody saw as `version`, and shows the page again; with what stands against it. */
static void save(struct call *call, const struct kind *kind, const char *id, const json_t *values)
{
	const char *version = typed(call, "version");
	struct expected expected = {.version = strtoll(version, NULL, 10)};
	struct error err;
	bool good = is_ours(call, kind, id, &err) &&
	            center_set(call, kind, id, values, *version ? &expected : NULL, &err);
	if (good)
		to_customer(call, call->names[0], "plot");
	else if (expected.conflicts)
		show(call, 409, words(call, "plot.conflict"));
	else if (response_status_of(&err) == 422)
		show(call, 422, err.text);
	else
		page_fail(call, &err);
	json_decref(expected.conflicts);
}

/* A share of the plan from percent; NULL where it is none, which the record refuses. */
static const char *share_of(const struct call *call, const char *percent)
{
	char *end;
	double value = strtod(percent, &end);
	bool good = end != percent && *end == '\0' && value >= 0 && value <= 100;
	return good ? arena_printf(call->request->arena, "%.4g", value / 100) : NULL;
}

/* Pixels of the picture that was clicked, whose size style.css has, as percent. An image that is
 * pressed by a key sends 0,0, which is not a place. */
static const char *clicked(const struct call *call, const char *name, double size)
{
	double at = strtod(typed(call, name), NULL);
	bool nowhere =
	        strtod(typed(call, "at.x"), NULL) == 0 && strtod(typed(call, "at.y"), NULL) == 0;
	return nowhere ? "" : arena_printf(call->request->arena, "%.10g", at / size * 100);
}

static json_t *place_on_plan(const struct call *call)
{
	bool by_click = request_value(&call->request->form, "at.x") != NULL;
	const char *left = by_click ? clicked(call, "at.x", PICTURE_WIDTH) : typed(call, "x");
	const char *top = by_click ? clicked(call, "at.y", PICTURE_HEIGHT) : typed(call, "y");
	const char *x = share_of(call, left), *y = share_of(call, top);
	if (request_value(&call->request->form, "clear"))
		return json_pack("{s:n, s:n}", "plan_x", "plan_y");
	return x && y ? json_pack("{s:s, s:s}", "plan_x", x, "plan_y", y) : NULL;
}

static void place(struct call *call)
{
	bool by_degrees = request_value(&call->request->form, "latitude") != NULL;
	json_t *values = by_degrees ? json_pack("{s:s, s:s}", "latitude", typed(call, "latitude"),
	                                        "longitude", typed(call, "longitude"))
	                            : place_on_plan(call);
	if (values)
		save(call, kind_find("asset"), typed(call, "asset"), values);
	else
		show(call, 422, words(call, "plot.percent"));
	json_decref(values);
}

/* The id of the picture that is the plan, also one that browsers don't show; "" where none is. */
static const char *plan_id(struct call *call)
{
	struct error ignored;
	json_t *pictures, *picture;
	size_t i;
	const char *id = "";
	struct customers *store = stores_customers(call->stores, &ignored);
	if (store == NULL ||
	    !records_list(store, kind_find("picture"), call->names[0], &pictures, &ignored))
		return id;
	json_array_foreach(pictures, i, picture)
	{
		if (json_is_true(json_object_get(picture, "plan")))
			id = arena_printf(
			        call->request->arena, "%lld",
			        (long long)json_integer_value(json_object_get(picture, "id")));
	}
	json_decref(pictures);
	return id;
}

static void page_plot_choose(struct call *call)
{
	const char *chosen = typed(call, "picture"), *was = plan_id(call);
	const char *id = *chosen != '\0' ? chosen : was;
	if (strcmp(chosen, was) == 0) {
		to_customer(call, call->names[0], "plot");
		return;
	}
	json_t *values = json_pack("{s:b}", "plan", *chosen != '\0');
	save(call, kind_find("picture"), id, values);
	json_decref(values);
}

const struct route plot_page_routes[] = {
        {ROUTE("GET", "/customers/:number/plot", ACCESS_READER, plot), .query = "pick"},
        {ROUTE("POST", "/customers/:number/plot/place", ACCESS_CLERK, place)},
        {ROUTE("POST", "/customers/:number/plot/plan", ACCESS_CLERK, page_plot_choose)},
        {0},
};

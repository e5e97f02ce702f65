/* SPDX-License-Identifier: MIT */
/*
 * A customer as the rules see it, out of the database. Runs once an event: three statements for
 * each record of the chain, every one an index lookup, nothing is asked twice, and texts go
 * straight into the turn's arena.
 *
 * Rows may have been edited by hand. What can't be read must never cause a mail that should not be
 * sent: an unreadable suspension holds, unreadable hours are closed, unreadable choices are none.
 */
#include "records/customers.h"

#include "base/buf.h"
#include "records/customers_private.h"
#include "records/record_row.h"

#include <stdlib.h>
#include <string.h>

struct load {
	struct db *db;
	const struct load_sql *sql;
	struct arena *arena;
	struct customer *customer;
	int64_t id;
	struct error *err;
};

/* -- rows of a table into an array ------------------------------------------------------------- */

/* Grows as it is filled; what it leaves behind in the arena is small. */
struct list {
	unsigned char *items;
	size_t n, cap, size;
};

static void *list_add(struct list *list, struct arena *arena)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 4 : 4;
		unsigned char *items = arena_alloc(arena, list->cap * list->size);
		if (list->n > 0)
			memcpy(items, list->items, list->n * list->size);
		list->items = items;
	}
	return list->items + list->n++ * list->size;
}

typedef void row_fn(const struct load *load, struct db_query *query, struct list *list);

static bool load_list(const struct load *load, const char *sql, row_fn *row, struct list *list)
{
	struct db_query *query = db_query(load->db, sql);
	enum db_step step;
	db_bind_int(query, 1, load->id);
	while ((step = db_step(query, load->err)) == DB_ROW)
		row(load, query, list);
	return step == DB_DONE;
}

/* -- fields, by the table of kinds ------------------------------------------------------------- */

/* Another customer is an id here, and no text. */
static bool is_loaded(const struct field *field)
{
	return field->type != FIELD_CUSTOMER && (!field->not_in_mail || field->member != 0);
}

static char *select_sql(const struct kind *kind, const char *more, const char *where)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT id, %s", kind->is_customer ? "parent" : kind->owner_column);
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (is_loaded(&kind->fields[i]))
			buf_printf(&sql, ", \"%s\"", kind->fields[i].name);
	}
	buf_printf(&sql, "%s FROM %s WHERE %s", more, kind->table, where);
	return buf_take(&sql);
}

static const struct load_sql *load_sql(struct customers *store)
{
	struct load_sql *sql = &store->load;
	if (sql->by_number != NULL)
		return sql;
	const struct kind *customer = kind_find("customer"), *contact = kind_find("contact");
	*sql = (struct load_sql){
	        .customer = customer,
	        .contact = contact,
	        .by_number = select_sql(customer, "", "number = ?1"),
	        .by_former = select_sql(customer, "",
	                                "id = (SELECT customer FROM former_number"
	                                " WHERE number = ?1)"),
	        .by_id = select_sql(customer, "", "id = ?1"),
	        .contacts =
	                select_sql(contact, ", (SELECT link FROM contact_link WHERE contact = id)",
	                           "customer = ?1 ORDER BY id"),
	};
	return sql;
}

void customers_load_free(struct load_sql *sql)
{
	free(sql->by_number);
	free(sql->by_former);
	free(sql->by_id);
	free(sql->contacts);
}

/* What a template sees of it. */
static const char *field_text(const struct load *load, const struct field *field,
                              struct db_query *query, int column)
{
	struct day day;
	if (field->type == FIELD_FLAG || field->type == FIELD_INSTANT) {
		const char *value = value_read(field, query, column, load->arena);
		return value ? value : "";
	}
	const char *text = db_text(query, column, load->arena);
	return field->type == FIELD_DAY && !day_parse(text, &day) ? "" : text;
}

/* What the code sees of it: a text but for these types. */
static void set_member(const struct field *field, struct db_query *query, int column,
                       const char *text, unsigned char *member)
{
	if (field->type == FIELD_FLAG) {
		bool flag = db_int(query, column) != 0;
		memcpy(member, &flag, sizeof flag);
	} else if (field->type == FIELD_INSTANT) {
		struct instant at = db_instant(query, column);
		memcpy(member, &at, sizeof at);
	} else if (field->type == FIELD_STATES) {
		unsigned states = 0;
		(void)states_parse(text, &states);
		memcpy(member, &states, sizeof states);
	} else {
		memcpy(member, &text, sizeof text);
	}
}

/* The row's fields into the members of `record`, a customer or a contact; returns its texts. The
 * column behind them goes to `ret_column`, which may be NULL. */
static const char *const *load_fields(const struct load *load, const struct kind *kind,
                                      struct db_query *query, void *record, int *ret_column)
{
	const char **texts = arena_new_array(load->arena, kind->n_fields, const char *);
	int column = 2;
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		texts[i] = is_loaded(field) ? field_text(load, field, query, column) : "";
		if (field->member != 0)
			set_member(field, query, column, texts[i],
			           (unsigned char *)record + field->member);
		column += is_loaded(field);
	}
	if (ret_column != NULL)
		*ret_column = column;
	return texts;
}

/* -- what hangs on a customer ------------------------------------------------------------------ */

static const char *whole_name(const struct contact *contact, struct arena *arena)
{
	if (*contact->name != '\0' || (*contact->first_name == '\0' && *contact->last_name == '\0'))
		return contact->name;
	const char *space = *contact->first_name != '\0' && *contact->last_name != '\0' ? " " : "";
	return arena_printf(arena, "%s%s%s", contact->first_name, space, contact->last_name);
}

static void contact_row(const struct load *load, struct db_query *query, struct list *list)
{
	int column;
	struct contact *contact = list_add(list, load->arena);
	*contact = (struct contact){
	        .id = db_int(query, 0),
	        .customer = load->customer->number,
	        .name = "",
	        .first_name = "",
	        .last_name = "",
	};
	contact->texts = load_fields(load, load->sql->contact, query, contact, &column);
	contact->link = db_text(query, column, load->arena);
	contact->name = whole_name(contact, load->arena);
}

/* Column 0 says what the row is. */
enum { ROW_SUSPENSION, ROW_WEEK, ROW_DATE };
static const char rules_sql[] =
        "SELECT 0, id, \"from\", until, scopes, note, author FROM suspension"
        " WHERE customer = ?1 AND removed IS NULL"
        " UNION ALL SELECT 1, weekday, NULL, windows, NULL, NULL, NULL FROM hours_week"
        " WHERE customer = ?1"
        " UNION ALL SELECT 2, 0, day, windows, NULL, NULL, NULL FROM hours_date"
        " WHERE customer = ?1";

static void suspension_row(const struct load *load, struct db_query *query, struct list *list)
{
	struct suspension *suspension = list_add(list, load->arena);
	*suspension = (struct suspension){
	        .id = db_int(query, 1),
	        .customer = load->customer->number,
	        .from = db_day(query, 2),
	        .until = db_day(query, 3),
	        .note = db_text(query, 5, load->arena),
	        .author = db_text(query, 6, load->arena),
	};
	const char *scopes = db_peek_text(query, 4, NULL);
	if (scopes == NULL || !scopes_parse(scopes, &suspension->scopes))
		suspension->scopes = SCOPE_ALL;
	if (day_is_none(suspension->from))
		suspension->from = day_of(1, 1, 1);
}

static const char assets_sql[] =
        "SELECT kind, serial, position, latitude, longitude, plan_x, plan_y FROM asset "
        "WHERE customer = ?1 ORDER BY id";

static void asset_row(const struct load *load, struct db_query *query, struct list *list)
{
	struct asset *asset = list_add(list, load->arena);
	*asset = (struct asset){.kind = db_text(query, 0, load->arena),
	                        .serial = db_text(query, 1, load->arena),
	                        .position = db_text(query, 2, load->arena),
	                        .latitude = db_text(query, 3, load->arena),
	                        .longitude = db_text(query, 4, load->arena),
	                        .plan_x = db_text(query, 5, load->arena),
	                        .plan_y = db_text(query, 6, load->arena)};
	if (*asset->position == '\0' && !db_is_null(query, 3) && !db_is_null(query, 4))
		asset->position = arena_printf(load->arena, "%s,%s", db_text(query, 3, load->arena),
		                               db_text(query, 4, load->arena));
}

static const char pictures_sql[] = "SELECT id, job, name, description, type, plan FROM picture "
                                   "WHERE customer = ?1 ORDER BY id";

static void picture_row(const struct load *load, struct db_query *query, struct list *list)
{
	struct picture *picture = list_add(list, load->arena);
	*picture = (struct picture){.id = db_int(query, 0),
	                            .job = db_text(query, 1, load->arena),
	                            .name = db_text(query, 2, load->arena),
	                            .description = db_text(query, 3, load->arena),
	                            .type = db_text(query, 4, load->arena),
	                            .plan = db_int(query, 5) != 0};
}

static const char notes_sql[] =
        "SELECT text FROM note WHERE customer = ?1 AND urgent <> 0 ORDER BY created DESC, id DESC";
static const char documents_sql[] = "SELECT coalesce(nullif(name, ''), description) FROM document "
                                    "WHERE customer = ?1 ORDER BY id";

static void text_row(const struct load *load, struct db_query *query, struct list *list)
{
	const char **text = list_add(list, load->arena);
	*text = db_text(query, 0, load->arena);
}

/* -- hours ------------------------------------------------------------------------------------- */

/* Closed where it can't be read. */
static struct hours_day windows_of(const struct load *load, struct db_query *query, int column)
{
	struct hours_day day = {0};
	const char *text = db_peek_text(query, column, NULL);
	if (text == NULL || !hours_day_parse(text, load->arena, &day, NULL))
		return (struct hours_day){0};
	return day;
}

static void week_row(const struct load *load, struct db_query *query)
{
	int64_t weekday = db_int(query, 1);
	if (weekday < 0 || weekday > 6)
		return;
	load->customer->hours.weekly = true;
	load->customer->hours.week[weekday] = windows_of(load, query, 3);
}

static void date_row(const struct load *load, struct db_query *query, struct list *list)
{
	struct day day = db_day(query, 2);
	if (day_is_none(day))
		return;
	struct hours_date *date = list_add(list, load->arena);
	*date = (struct hours_date){.day = day, .hours = windows_of(load, query, 3)};
}

/* Everybody's. */
static bool load_office(struct load *load, struct customer *customer)
{
	struct list dates = {.size = sizeof(struct hours_date)};
	struct db_query *query =
	        db_query(load->db, "SELECT 2, 0, day, windows FROM office_date ORDER BY day");
	enum db_step step;
	while ((step = db_step(query, load->err)) == DB_ROW)
		date_row(load, query, &dates);
	customer->office_dates = (const struct hours_date *)(void *)dates.items;
	customer->n_office_dates = dates.n;
	return step == DB_DONE;
}

/* -- the customer ------------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
	const struct suspension *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_day(const void *a, const void *b)
{
	const struct hours_date *x = a, *y = b;
	return x->day.n < y->day.n ? -1 : x->day.n > y->day.n;
}

/* Indexes have them in order, but nothing promises it. */
static void sort(struct list *list, int (*compare)(const void *a, const void *b))
{
	if (list->n > 1)
		qsort(list->items, list->n, list->size, compare);
}

/* Suspensions and hours. */
static bool load_rules(const struct load *load)
{
	struct customer *customer = load->customer;
	struct list suspensions = {.size = sizeof(struct suspension)},
	            dates = {.size = sizeof(struct hours_date)};
	struct db_query *query = db_query(load->db, rules_sql);
	enum db_step step;
	db_bind_int(query, 1, load->id);
	while ((step = db_step(query, load->err)) == DB_ROW) {
		int64_t row = db_int(query, 0);
		if (row == ROW_SUSPENSION)
			suspension_row(load, query, &suspensions);
		else if (row == ROW_WEEK)
			week_row(load, query);
		else
			date_row(load, query, &dates);
	}
	sort(&suspensions, by_id);
	sort(&dates, by_day);
	customer->suspensions = (const struct suspension *)(void *)suspensions.items;
	customer->n_suspensions = suspensions.n;
	customer->hours.dates = (const struct hours_date *)(void *)dates.items;
	customer->hours.n_dates = dates.n;
	return step == DB_DONE;
}

static bool load_contacts(const struct load *load)
{
	struct list contacts = {.size = sizeof(struct contact)};
	if (!load_list(load, load->sql->contacts, contact_row, &contacts))
		return false;
	load->customer->contacts = (const struct contact *)(void *)contacts.items;
	load->customer->n_contacts = contacts.n;
	return true;
}

bool customers_load_belongings(struct customers *customers, struct arena *arena,
                               const struct customer *customer, struct belongings *ret,
                               struct error *err)
{
	const struct load load = {
	        .db = customers->db, .arena = arena, .id = customer->id, .err = err};
	struct list notes = {.size = sizeof(char *)}, documents = {.size = sizeof(char *)};
	struct list pictures = {.size = sizeof(struct picture)};
	struct list assets = {.size = sizeof(struct asset)};
	if (!load_list(&load, assets_sql, asset_row, &assets) ||
	    !load_list(&load, pictures_sql, picture_row, &pictures) ||
	    !load_list(&load, notes_sql, text_row, &notes) ||
	    !load_list(&load, documents_sql, text_row, &documents))
		return false;
	*ret = (struct belongings){
	        .assets = (const struct asset *)(void *)assets.items,
	        .n_assets = assets.n,
	        .pictures = (const struct picture *)(void *)pictures.items,
	        .n_pictures = pictures.n,
	        .urgent_notes = (const char *const *)(void *)notes.items,
	        .n_urgent_notes = notes.n,
	        .documents = (const char *const *)(void *)documents.items,
	        .n_documents = documents.n,
	};
	return true;
}

/* Takes the query's row and all that hangs on it. *ret stays NULL where there is no row. */
static bool load_row(struct load *load, struct db_query *query, struct customer **ret,
                     int64_t *ret_parent)
{
	enum db_step step = db_step(query, load->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	load->customer = arena_alloc(load->arena, sizeof *load->customer);
	load->id = load->customer->id = db_int(query, 0);
	*ret_parent = db_int(query, 1);
	load->customer->texts = load_fields(load, load->sql->customer, query, load->customer, NULL);
	db_finish(query);
	*ret = load->customer;
	return load_contacts(load) && load_rules(load);
}

/* The chain ends after eight, which also ends a loop that somebody made by hand. */
static bool load_parents(struct load *load, struct customer *child, int64_t parent)
{
	for (int depth = 1; parent != 0 && depth < CUSTOMER_DEPTH_MAX; depth++) {
		struct customer *loaded = NULL;
		struct db_query *query = db_query(load->db, load->sql->by_id);
		db_bind_int(query, 1, parent);
		if (!load_row(load, query, &loaded, &parent))
			return false;
		if (loaded == NULL)
			break;
		child->parent = loaded;
		child = loaded;
	}
	return true;
}

static bool load_named(struct load *load, const char *sql, const char *number,
                       struct customer **ret, int64_t *ret_parent)
{
	struct db_query *query = db_query(load->db, sql);
	db_bind_text(query, 1, number);
	return load_row(load, query, ret, ret_parent);
}

bool customers_load(struct customers *customers, struct arena *arena, const char *number,
                    const struct customer **ret, struct error *err)
{
	struct load load = {
	        .db = customers->db, .sql = load_sql(customers), .arena = arena, .err = err};
	struct customer *customer = NULL;
	int64_t parent = 0;
	if (!load_named(&load, load.sql->by_number, number, &customer, &parent) ||
	    (customer == NULL &&
	     !load_named(&load, load.sql->by_former, number, &customer, &parent)) ||
	    (customer && !(load_parents(&load, customer, parent) && load_office(&load, customer))))
		return false;
	*ret = customer;
	return true;
}

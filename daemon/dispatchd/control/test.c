/* SPDX-License-Identifier: MIT */
#include "dispatchd/control/test.h"

static json_t *steps_json(const struct steps *steps)
{
	json_t *list = json_array();
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->rows[i];
		json_array_append_new(list, json_pack("{s:s, s:I, s:b, s:s}", "step", step->name,
		                                      "ms", (json_int_t)step->ms, "ok",
		                                      !step->failed, "reply", step->reply));
	}
	return list;
}

json_t *test_answer(const struct relay_test *test)
{
	struct relay_test_row row;
	json_t *list = json_array();
	for (size_t i = 0; relay_test_row(test, i, &row); i++)
		json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "relay", row.relay, "ok",
		                                      row.ok, "steps", steps_json(row.steps)));
	return json_pack("{s:b, s:o}", "ok", 1, "relays", list);
}

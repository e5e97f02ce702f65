/* SPDX-License-Identifier: MIT */
#include "center/pages/to.h"

const char *to_customer_path(const struct call *call, const char *number, const char *tab)
{
	struct buf path = {0};
	buf_adds(&path, "/customers/");
	request_encode(number, &path);
	if (*tab != '\0')
		buf_printf(&path, "/%s", tab);
	const char *text = arena_strdup(call->request->arena, buf_text(&path));
	buf_free(&path);
	return text;
}

void to_customer(struct call *call, const char *number, const char *tab)
{
	response_redirect(call->response, call->request, to_customer_path(call, number, tab));
}

/* SPDX-License-Identifier: MIT */
#include "base/domain.h"

#include "base/address.h"

#include <libpsl.h>
#include <string.h>

/* In lower case, as the list has it; "" for one that is too long to be a domain. */
static void tidy(const char *domain, char ret[ADDRESS_MAX + 1])
{
	size_t len = strlen(domain);
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (len > ADDRESS_MAX)
		len = 0;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)(domain[i] >= 'A' && domain[i] <= 'Z' ? domain[i] - 'A' + 'a'
		                                                     : domain[i]);
	ret[len] = '\0';
}

static const char *organizational(const psl_ctx_t *list, const char *domain)
{
	const char *registered = *domain != '[' ? psl_registrable_domain(list, domain) : NULL;
	return registered != NULL ? registered : domain;
}

bool domain_same_organization(const char *a, const char *b)
{
	char one[ADDRESS_MAX + 1], other[ADDRESS_MAX + 1];
	tidy(a, one);
	tidy(b, other);
	psl_ctx_t *list = psl_latest(NULL);
	bool same = strcmp(organizational(list, one), organizational(list, other)) == 0;
	psl_free(list);
	return same;
}

/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <string.h>

enum { NAME_MAX_LEN = 63 };

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Optimal string alignment distance; names are short, three rows of it suffice. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NAME_MAX_LEN + 2];
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3], *before = rows[(i + 2) % 3],
		       *before2 = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t wrong = a[i - 1] != b[j - 1];
			row[j] = min3(row[j - 1] + 1, before[j] + 1, before[j - 1] + wrong);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before2[j - 2] + 1 < row[j])
				row[j] = before2[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

void nearest_try(struct nearest *nearest, const char *name)
{
	size_t typed = strlen(nearest->typed), known = strlen(name);
	if (typed == 0 || typed > NAME_MAX_LEN || known > NAME_MAX_LEN)
		return;
	size_t d = distance(nearest->typed, typed, name, known);
	size_t most = known < 4 ? 1 : known < 8 ? 2 : 3;
	/* Whoever stops half-way through a word meant it, too. */
	if (d > most && typed >= 3 && strncmp(nearest->typed, name, typed) == 0)
		d = most;
	if (d > most || (nearest->name != NULL && d >= nearest->distance))
		return;
	nearest->name = name;
	nearest->distance = d;
}

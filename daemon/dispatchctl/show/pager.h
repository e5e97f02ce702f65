/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_SHOW_PAGER_H
#define DISPATCHCTL_SHOW_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* The program through which a person reads a long answer: $PAGER, else less. */
struct pager;

struct pager *pager_start(void); /* NULL if none is wanted or it can't be started */
/* False if it takes no more: the person has seen enough, or the program never started. */
bool pager_write(struct pager *pager, const char *bytes, size_t len);
/* Whether it certainly runs: it has read more than a pipe holds. */
bool pager_reads(const struct pager *pager);
/* Waits until the person is done. False if the program never started, so that nothing was seen. */
bool pager_end(struct pager *pager);

#endif

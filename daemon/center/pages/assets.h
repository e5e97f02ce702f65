/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_ASSETS_H
#define CENTER_PAGES_ASSETS_H

#include <stddef.h>

/* The files of daemon/center/assets/ and daemon/center/words/, embedded by the build. */
struct page_file {
	const char *name; /* "frame.html" */
	const char *text;
};
extern const struct page_file page_files[];
extern const size_t n_page_files;
extern const struct page_file word_files[]; /* "de.ini" */
extern const size_t n_word_files;

#endif

/* SPDX-License-Identifier: MIT */
#include "center/pages/assets.h"

const struct page_file page_files[] = {
#include "center_assets.h"
};
const size_t n_page_files = sizeof page_files / sizeof *page_files;

const struct page_file word_files[] = {
#include "center_words.h"
};
const size_t n_word_files = sizeof word_files / sizeof *word_files;

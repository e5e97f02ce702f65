/* SPDX-License-Identifier: MIT */
#include "center/pages/assets.h"

const struct page_file page_files[] = {
#include "center_assets.h"
};
const size_t n_page_files = sizeof page_files / sizeof *page_files;

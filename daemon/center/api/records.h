/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_RECORDS_H
#define CENTER_API_RECORDS_H

#include "center/entry/route.h"

/* The API's rows for records of every kind, for customers, for documents and pictures, and for
 * what the spool has. */
extern const struct route api_customer_routes[];
extern const struct route api_record_routes[];
extern const struct route api_job_routes[];
extern const struct route api_live_routes[];
extern const struct route api_today_routes[];
extern const struct route api_open_routes[];
extern const struct route api_edit_routes[]; /* before those of the kinds, too */
extern const struct route api_file_routes[]; /* before those of the kinds */

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SQUEEZE_WORDS_H
#define SPOOL_SQUEEZE_WORDS_H

/*
 * The dictionaries of squeeze.c: what most texts have, in the order in which they have it; what is
 * rarer comes first. Never to be changed: what is on record couldn't be read anymore.
 */

#define SQUEEZE_TRACE_WORDS                                                                        \
	"; its time is in the future, so the time of receipt counts"                               \
	"\"holds\":false,\"detail\":\"an event with this source and id was seen before\"}"         \
	"this is the first with its source and id; it is judged again"                             \
	"\"holds\":false,\"detail\":\"there is no customer "                                       \
	" stays cancelled: this event is older or less final\"}"                                   \
	"\"holds\":false,\"detail\":\"the job was dispatched before\"}"                            \
	" is suspended, not active\",\"holds\":false,\"detail\":\"suspension "                     \
	" of customer  holds (jobs,routes,emails, from , indefinite, until ): "                    \
	"\",\"suspension\":,\"of\":\""                                                             \
	"contact  doesn't want contacts , and others don't want mails"                             \
	"none of 0 contacts wants the customer has no contact"                                     \
	" (the alternate address): contact 's mail of this event goes there"                       \
	" was refused and is marked invalid has no address"                                        \
	"the calendar doesn't open within  days its shelf life ended "                             \
	"closed, but mails are sent anyway closed, and mails don't wait"                           \
	"closed until , after its shelf life ends closed; opens  (America/New_York)"               \
	"waits for others until , its parents too"                                                 \
	"paused failed started dispatched cancelled completed "                                    \
	"\"holds\":false,\"detail\":\"\"holds\":true,\"detail\":\"open until 20-06:00 (UTC)"       \
	"[{\"rule\":1,\"name\":\"well_formed\",\"holds\":true,\"detail\":\"the event "             \
	" is well "                                                                                \
	"formed\"},{\"rule\":2,\"name\":\"not_seen_before\",\"holds\":true,\"detail\":\"not seen " \
	"before\"},"                                                                               \
	"{\"rule\":3,\"name\":\"customer_known\",\"holds\":true,\"detail\":\"customer 1001 is "    \
	"\"},{\"rule\":4,\"name\":\"gives_state\",\"holds\":true,\"detail\":\"job "                \
	" becomes "                                                                                \
	"completed\"},{\"rule\":5,\"name\":\"other_state\",\"holds\":true,\"detail\":\"the state " \
	"before was none\"},"                                                                      \
	"{\"rule\":6,\"name\":\"customer_active\",\"holds\":true,\"detail\":\"customer 1001 is "   \
	"active\"},"                                                                               \
	"{\"rule\":7,\"name\":\"not_suspended\",\"holds\":true,\"detail\":\"no suspension covers " \
	"it\"},"                                                                                   \
	"{\"rule\":8,\"name\":\"wanted\",\"holds\":true,\"detail\":\"contact 1 gets completed "    \
	"mails\",\"contact\":1},"                                                                  \
	"{\"rule\":9,\"name\":\"address\",\"holds\":true,\"detail\":\"@example.com\",\"contact\":" \
	"1},"                                                                                      \
	"{\"rule\":10,\"name\":\"shelf_life\",\"holds\":true,\"detail\":\"its shelf life ends "    \
	"202-0T:00-06:00\",\"contact\":1},"                                                        \
	"{\"rule\":11,\"name\":\"service_hours\",\"holds\":true,\"detail\":\"open until "          \
	"202-0T00:00:00-06:00 (America/Denver)\",\"contact\":1},"                                  \
	"{\"rule\":12,\"name\":\"grouping\",\"holds\":true,\"detail\":\"completed mails don't "    \
	"wait for each other\",\"contact\":1}]"

#define SQUEEZE_CONTEXT_WORDS                                                                      \
	"\"suspension\":{\"id\":,\"scopes\":\"jobs,routes,emails\",\"from\":\"\",\"until\":\"\","  \
	"\"note\":\"\",\"author\":\""                                                              \
	"\"parent\":{\"number\":\"\",\"grouped\":true,\"history\":[{\"all_day\":true"              \
	",\"email_invalid\":false,\"alt_email\":\"\",\"disclaimer\":\"\",\"location_notes\":\"\"," \
	"\"sales_rep\":\""                                                                         \
	"\",\"extension\":\"\",\"fax\":\"\",\"dba\":\"\",\"account\":\"\",\"region\":\"\","        \
	"\"renewal\":\""                                                                           \
	"\",\"title\":\"\",\"home_phone\":\"\",\"cell_phone\":\"+1 \",\"work_phone\":\"+1 "        \
	"\",\"all_sites\":false"                                                                   \
	"\"amount\":\"\",\"photos\":[\"https://"                                                   \
	"\",\"reason\":\"\",\"asset\":\"\",\"stop\":\"\",\"vehicle\":\"Truck "                     \
	"\"driver\":\"\",\"route\":\"\",\"eta\":\"\",\"service\":\"\",\"reference\":\"PO "         \
	"\",\"note\":\"\",\"scheduled\":\"2026-0T00:00:00Z\""                                      \
	"job.paused job.failed job.cancelled "                                                     \
	"job.dispatched\",\"state\":\"dispatched\",\"type\":\"job.started\",\"state\":\"started\"" \
	"\"timeline\":[{\"jobs\":[{\"id\":\"\",\"state\":\"completed\",\"time\":\"2026-0-06:00\""  \
	"{\"v\":1,\"event\":{\"id\":\"\",\"source\":\"\",\"type\":\"job.completed\",\"state\":"    \
	"\"completed\",\"time\":\"2026-0-06:00\","                                                 \
	"\"job\":\"\",\"customer\":\"1001\"},\"data\":{\"customer\":{\"number\":\"1\",\"name\":\"" \
	"\",\"status\":\"active\",\"kind\":\"location\",\"address\":\"\",\"city\":\"\",\"state\":" \
	"\"CO\",\"postal_code\":\"\",\"county\":\""                                                \
	"\",\"country\":\"US\",\"phone\":\"+1 "                                                    \
	"\",\"timezone\":\"America/Denver\",\"locale\":\"en\",\"reference\":\""                    \
	"\"},\"window\":{\"arrive_by\":\"2026-0T00:00:00-06:00\",\"leave_by\":\"2026-0T00:00:00-"  \
	"06:00\",\"all_day\":true},"                                                               \
	"\"company\":{\"name\":\"\",\"phone\":\"\",\"website\":\"https://"                         \
	"www.\",\"email\":\"office@example.com\"},"                                                \
	"\"contact\":{\"first_name\":\"\",\"last_name\":\"\",\"email\":\"@example.com\","          \
	"\"locale\":\"en\",\"name\":\"\",\"id\":1}}"

#endif

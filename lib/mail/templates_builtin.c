/* SPDX-License-Identifier: MIT */
/*
 * The built-in letters: the shipped English ones in plain text, for mails whose own template is
 * missing or broken. They need no file, so a mail can always be made. Partials are macros here.
 */
#include "mail/templates_set.h"

/* clang-format off */
#define GREETING \
	"Hello{{#contact.first_name}} {{contact.first_name}}{{/contact.first_name}}{{^contact.first_name}}{{#contact.name}} {{contact.name}}{{/contact.name}}{{/contact.first_name}},"

#define WHAT \
	"{{#job.service}}{{job.service}}{{/job.service}}{{^job.service}}job {{job.id}}{{/job.service}}{{#job.reference}} (reference {{job.reference}}){{/job.reference}}"

#define DETAILS \
	"{{#job.id}}\n" \
	"\n" \
	"{{#job.service}}\n" \
	"Service: {{job.service}}\n" \
	"{{/job.service}}\n" \
	"{{#job.reference}}\n" \
	"Reference: {{job.reference}}\n" \
	"{{/job.reference}}\n" \
	"{{#job.id}}\n" \
	"Job: {{job.id}}\n" \
	"{{/job.id}}\n" \
	"{{#customer.address}}\n" \
	"Where: {{customer.address}}{{#customer.city}}, {{customer.city}}{{/customer.city}}\n" \
	"{{/customer.address}}\n" \
	"{{#job.asset}}\n" \
	"Container: {{job.asset}}\n" \
	"{{/job.asset}}\n" \
	"{{/job.id}}\n"

#define VISIT \
	"{{#job.scheduled}}\n" \
	"Planned for: {{#date}}{{job.scheduled}}{{/date}}\n" \
	"{{/job.scheduled}}\n" \
	"{{#window.arrive_by}}\n" \
	"Arrival window: {{#date}}{{window.arrive_by}}|day{{/date}}, {{#date}}{{window.arrive_by}}|time{{/date}}{{#window.leave_by}} to {{#date}}{{window.leave_by}}|time{{/date}}{{/window.leave_by}}\n" \
	"{{/window.arrive_by}}\n" \
	"{{#job.eta}}\n" \
	"Expected: {{#date}}{{job.eta}}|short{{/date}}\n" \
	"{{/job.eta}}\n" \
	"{{#job.driver}}\n" \
	"Driver: {{job.driver}}\n" \
	"{{/job.driver}}\n" \
	"{{#job.vehicle}}\n" \
	"Vehicle: {{job.vehicle}}\n" \
	"{{/job.vehicle}}\n"

#define REMARKS \
	"{{#event.reason}}\n" \
	"Reason: {{event.reason}}\n" \
	"{{/event.reason}}\n" \
	"{{#job.note}}\n" \
	"Note: {{job.note}}\n" \
	"{{/job.note}}\n" \
	"{{#job.amount}}\n" \
	"Amount: {{job.amount}}\n" \
	"{{/job.amount}}\n" \
	"{{#job.photos}}\n" \
	"Photo: {{.}}\n" \
	"{{/job.photos}}\n"

#define JOBS \
	"{{#jobs}}\n" \
	"* {{#service}}{{service}}, {{/service}}job {{id}}{{#reference}} (reference {{reference}}){{/reference}}{{#scheduled}}, planned for {{#date}}{{scheduled}}|short{{/date}}{{/scheduled}}{{#failed}}{{#reason}}: {{reason}}{{/reason}}{{/failed}}{{#paused}}{{#reason}}: {{reason}}{{/reason}}{{/paused}}{{#cancelled}}{{#reason}}: {{reason}}{{/reason}}{{/cancelled}}\n" \
	"{{#customer.name}}\n" \
	"  {{customer.name}}{{#customer.address}}, {{customer.address}}{{/customer.address}}{{#customer.city}}, {{customer.city}}{{/customer.city}}\n" \
	"{{/customer.name}}\n" \
	"{{/jobs}}\n"

#define TIMELINE \
	"{{#job.history}}\n" \
	"\n" \
	"What happened so far:\n" \
	"{{#timeline}}\n" \
	"  {{#date}}{{time}}|short{{/date}}  {{#dispatched}}given to a driver{{/dispatched}}{{#started}}started{{/started}}{{#completed}}done{{/completed}}{{#failed}}could not be done{{/failed}}{{#paused}}put on hold{{/paused}}{{#cancelled}}cancelled{{/cancelled}}{{#reason}} ({{reason}}){{/reason}}\n" \
	"{{/timeline}}\n" \
	"{{/job.history}}\n"

#define SUSPENSION \
	"{{#customer.name}}\n" \
	"Customer: {{customer.name}}{{#customer.number}} ({{customer.number}}){{/customer.number}}\n" \
	"{{/customer.name}}\n" \
	"{{#customer.phone}}\n" \
	"Phone: {{customer.phone}}\n" \
	"{{/customer.phone}}\n" \
	"{{#suspension.note}}\n" \
	"Why suspended: {{suspension.note}}\n" \
	"{{/suspension.note}}\n" \
	"{{#suspension.author}}\n" \
	"Suspended by: {{suspension.author}}\n" \
	"{{/suspension.author}}\n" \
	"{{#suspension.from}}\n" \
	"From: {{#date}}{{suspension.from}}{{/date}}\n" \
	"{{/suspension.from}}\n" \
	"{{#suspension.until}}\n" \
	"Until: {{#date}}{{suspension.until}}{{/date}}\n" \
	"{{/suspension.until}}\n" \
	"{{^suspension.until}}\n" \
	"Until: no end set\n" \
	"{{/suspension.until}}\n"

#define SIGNATURE \
	"{{#company.phone}}\n" \
	"\n" \
	"Questions? Call us at {{company.phone}}{{#company.email}} or reply to this mail{{/company.email}}.\n" \
	"{{/company.phone}}\n" \
	"{{^company.phone}}\n" \
	"{{#company.email}}\n" \
	"\n" \
	"Questions? Just reply to this mail.\n" \
	"{{/company.email}}\n" \
	"{{/company.phone}}\n" \
	"{{#company.name}}\n" \
	"\n" \
	"{{company.name}}\n" \
	"{{/company.name}}\n" \
	"{{#company.website}}\n" \
	"{{company.website}}\n" \
	"{{/company.website}}\n"

const char *const template_built_in[TEMPLATE_LETTERS] = {
	/* dispatched */
	"Subject: Driver assigned: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"A driver has these jobs and will come to you:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"A driver has your job and will come to you.\n"
	DETAILS
	VISIT
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"There is nothing you need to do. Please keep the way clear, so that the truck can reach the spot.\n"
	SIGNATURE
	,
	/* started */
	"Subject: Started: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"The driver started on these jobs:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"The driver started on your job{{#event.time}} at {{#date}}{{event.time}}|time{{/date}}{{/event.time}}.\n"
	DETAILS
	VISIT
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"Please keep the area clear until the truck has left.\n"
	SIGNATURE
	,
	/* completed */
	"Subject: Done: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"These jobs are done:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"Your job is done{{#event.time}} on {{#date}}{{event.time}}{{/date}}{{/event.time}}.\n"
	DETAILS
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"There is nothing you need to do. If something is not as you expected, tell us and we will put it right.\n"
	SIGNATURE
	,
	/* failed */
	"Subject: Could not be done: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"We are sorry: we could not do these jobs:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"We are sorry: we could not do your job{{#event.time}} on {{#date}}{{event.time}}{{/date}}{{/event.time}}.\n"
	DETAILS
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"Please get in touch, so that we can agree on a new time.\n"
	SIGNATURE
	,
	/* paused */
	"Subject: On hold: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"These jobs are on hold:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"Your job is on hold{{#event.time}} since {{#date}}{{event.time}}{{/date}}{{/event.time}}.\n"
	DETAILS
	VISIT
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"We will carry on as soon as we can. You do not need to book again.\n"
	SIGNATURE
	,
	/* cancelled */
	"Subject: Cancelled: {{#job.grouped}}several jobs{{/job.grouped}}{{^job.grouped}}" WHAT "{{/job.grouped}}\n"
	"Reply-To: {{company.email}}\n"
	"\n"
	GREETING "\n"
	"\n"
	"{{#job.grouped}}\n"
	"These jobs were cancelled:\n"
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"Your job was cancelled{{#event.time}} on {{#date}}{{event.time}}{{/date}}{{/event.time}}.\n"
	DETAILS
	REMARKS
	TIMELINE
	"{{/job.grouped}}\n"
	"\n"
	"No truck will come for this. If that is not what you wanted, please get in touch right away.\n"
	SIGNATURE
	,
	/* collision */
	"Subject: Suspended customer, job under way: {{customer.name}}{{#customer.number}} ({{customer.number}}){{/customer.number}}\n"
	"\n"
	"{{#job.grouped}}\n"
	"This customer is suspended, and yet these jobs are under way:\n"
	"\n"
	SUSPENSION
	"\n"
	JOBS
	"{{/job.grouped}}\n"
	"{{^job.grouped}}\n"
	"This customer is suspended, and yet a job is under way.\n"
	"\n"
	SUSPENSION
	DETAILS
	VISIT
	REMARKS
	"{{/job.grouped}}\n"
	"\n"
	"Call the driver back, or lift the suspension:\n"
	"\n"
	"  dispatchctl resume {{customer.number}}{{#suspension.id}} {{suspension.id}}{{/suspension.id}}\n"
	,
};
/* clang-format on */

/* SPDX-License-Identifier: MIT */
#include "overview/proof_words.h"

#include "model/words.h"

static const char *const status_words[STATUS_COUNT] = {
        [STATUS_QUEUED] = "An email was made and was due at once.",
        [STATUS_DEFERRED] = "An email was made and had to wait.",
        [STATUS_SENDING] = "The email is on its way to the mail server.",
        [STATUS_SENT] = "The mail server took the email.",
        [STATUS_RETRYING] = "The email did not go through yet; it will be tried again.",
        [STATUS_FAILED] = "The email could not be sent; it won't be tried again.",
        [STATUS_SUPERSEDED] = "The email was dropped before it was sent.",
        [STATUS_EXPIRED] = "It was too late for an email.",
        [STATUS_SUPPRESSED] = "No email was sent.",
        [STATUS_REJECTED] = "The report was rejected.",
        [STATUS_ALLOWED] = "The job was allowed.",
        [STATUS_HELD] = "The job was held.",
        [STATUS_RELEASED] = "The held job was released.",
        [STATUS_DENIED] = "The job was refused.",
        [STATUS_CANCELLED] = "It was canceled.",
        [STATUS_COLLISION] = "A job is under way although service is suspended.",
        [STATUS_BOUNCED] = "A report came: the email was not delivered, or not wanted.",
};

static const char *const reason_words[REASON_COUNT] = {
        [REASON_OK] = "",
        [REASON_MALFORMED] = "the report is not in the expected format",
        [REASON_DUPLICATE] = "the same report came before",
        [REASON_UNKNOWN_CUSTOMER] = "there is no such customer",
        [REASON_STALE] = "a later state of the job was already known",
        [REASON_REPEAT] = "the job had this state already",
        [REASON_CUSTOMER_NOT_ACTIVE] = "the customer is not active",
        [REASON_SUSPENDED] = "service or emails of the customer are suspended",
        [REASON_NOT_WANTED] = "no contact of the customer wants emails about this state",
        [REASON_NO_ADDRESS] = "there is no contact with an email address",
        [REASON_ADDRESS_INVALID] = "the email address had been refused before",
        [REASON_SAME_ADDRESS] = "another contact's email goes to the same address",
        [REASON_EXPIRED] = "the news would have been out of date",
        [REASON_OUTSIDE_HOURS] = "it was outside the customer's service hours",
        [REASON_NEVER_OPEN] = "the customer's service hours have no opening",
        [REASON_GROUPED] = "it waited to go out with others as one email",
        [REASON_RATE_LIMITED] = "the contact had already gotten as many emails as the limit allows",
        [REASON_HELD_BACK] = "an unusual number of emails had to be looked at by a person first",
        [REASON_MAIL_BUSY] = "the mail server could not take it for now",
        [REASON_IN_DOUBT] = "it is not certain whether the mail server took it",
        [REASON_ADDRESS_REFUSED] = "the mail server says there is no such address",
        [REASON_MAIL_REFUSED] = "the mail server does not want this email",
        [REASON_MAX_AGE] = "it was tried for as long as the settings allow",
        [REASON_LATER_STATE] = "a later state of the job made it pointless",
        [REASON_BY_HAND] = "by a person",
        [REASON_COMPLAINED] = "the recipient complained",
};

const char *proof_status_words(const char *status)
{
	const char *words = status_words[status_find(status)];
	return words != 0 ? words : status;
}

const char *proof_reason_words(const char *reason)
{
	const char *words = reason_words[reason_find(reason)];
	return words != 0 ? words : reason;
}

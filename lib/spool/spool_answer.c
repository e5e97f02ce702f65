/* SPDX-License-Identifier: MIT */
#include "spool/spool_answer.h"

#include "spool/spool_private.h"

void spool_answer_add(struct spool *spool, int64_t mail, int64_t contact, struct instant now)
{
	struct db_query *q = spool_query(
	        spool, "INSERT INTO opt_out_answer (mail, contact, time) VALUES (?1, ?2, ?3)");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, contact);
	db_bind_int(q, 3, now.ms);
	spool_run(spool, q);
}

int64_t spool_answer_contact(struct spool *spool, int64_t mail)
{
	struct db_query *q =
	        spool_query(spool, "SELECT contact FROM opt_out_answer WHERE mail = ?1");
	db_bind_int(q, 1, mail);
	return spool_run_int(spool, q, 0);
}

bool spool_answered(struct spool *spool, int64_t contact, struct instant since)
{
	struct db_query *q = spool_query(
	        spool, "SELECT 1 FROM opt_out_answer WHERE contact = ?1 AND time > ?2 LIMIT 1");
	db_bind_int(q, 1, contact);
	db_bind_int(q, 2, since.ms);
	return spool_run_int(spool, q, 0) != 0;
}

int64_t *spool_answered_contacts(struct spool *spool, struct arena *arena, size_t *ret_n)
{
	int64_t *contacts = NULL;
	size_t n = 0, cap = 0;
	struct db_query *q =
	        spool_query(spool, "SELECT DISTINCT contact FROM opt_out_answer ORDER BY contact");
	while (spool_row(spool, q)) {
		contacts = arena_grow(arena, contacts, n, &cap, sizeof *contacts);
		contacts[n++] = db_int(q, 0);
	}
	*ret_n = n;
	return contacts;
}

void spool_answers_wipe(struct spool *spool, int64_t contact)
{
#define ANSWERS                                                                                    \
	"(SELECT a.mail FROM opt_out_answer a JOIN mail m ON m.id = a.mail WHERE a.contact = ?1 "  \
	"AND m.status <> 'sending')"
	static const char *const wipings[] = {
	        "DELETE FROM mail_context WHERE mail IN " ANSWERS,
	        "UPDATE mail SET address = '', reply = '' WHERE id IN " ANSWERS,
	};
	for (size_t i = 0; i < sizeof wipings / sizeof wipings[0]; i++) {
		struct db_query *q = spool_query(spool, wipings[i]);
		db_bind_int(q, 1, contact);
		spool_run(spool, q);
	}
#undef ANSWERS
}

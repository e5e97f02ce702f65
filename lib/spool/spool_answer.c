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

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_RESULTS_H
#define ENGINE_MAIL_RESULTS_H

struct engine;

void engine_process_results(struct engine *engine);   /* the turn's */
void engine_requeue_in_flight(struct engine *engine); /* after a crash */

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_TEMPLATES_H
#define ENGINE_MAIL_TEMPLATES_H

struct engine;

/* Keeps the set of templates in use in the spool, once. */
void engine_keep_templates(struct engine *engine);

#endif

/* SPDX-License-Identifier: MIT */
/* The language that a browser's Accept-Language prefers, odd headers too. */
#include "center/http/accept_language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const languages[] = {"en", "de", "es", "fr"};
static const struct {
	const char *header, *chosen;
} cases[] = {
        {NULL, "en"},
        {"", "en"},
        {"de", "de"},
        {"de-AT", "de"},
        {"DE-at", "de"},
        {"de-AT,de;q=0.9,en;q=0.8", "de"},
        {"en-US,en;q=0.9,de;q=0.8", "en"},
        {"de;q=0.5,fr;q=0.9", "fr"},
        {"fr, de", "fr"},
        {"de, fr", "de"},
        {"fr;q=0.8, de;q=0.8", "fr"},
        {"pt-BR,pt;q=0.9,es;q=0.5", "es"},
        {"nl", "en"},
        {"nl,ja;q=0.5", "en"},
        {"*", "en"},
        {"*;q=0.1,fr;q=0.5", "fr"},
        {"de;q=0.1,*;q=0.5", "en"},
        {"en;q=0,*", "de"},
        {"en;q=0", "en"},
        {"de;q=0", "en"},
        {"de;q=0,de-AT", "en"},
        {"de-AT;q=0,de", "de"},
        {"de;q=0.001", "de"},
        {"de;q=1.000", "de"},
        {" de ; q=0.7 ,, fr ;Q=0.9", "fr"},
        {"\tde", "de"},
        /* what isn't as it should be counts for nothing */
        {"de;q=1.001,fr;q=0.1", "fr"},
        {"de;q=2,fr;q=0.1", "fr"},
        {"de;q=,fr;q=0.1", "fr"},
        {"de;q=x,fr;q=0.1", "fr"},
        {"de;q=-1,fr;q=0.1", "fr"},
        {"de;q=0.1234,fr;q=0.1", "fr"},
        {"de;level=1,fr;q=0.1", "fr"},
        {"de q=1,fr;q=0.1", "fr"},
        {"de_AT,fr;q=0.1", "fr"},
        {"deutsch,fr;q=0.1", "fr"},
        {"d,fr;q=0.1", "fr"},
        {"**,fr;q=0.1", "fr"},
        {";q=1,fr;q=0.1", "fr"},
        {",,,", "en"},
        {";;;", "en"},
        {"{{name}}", "en"},
};

static void the_best_of_those_that_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t at = accept_language(cases[i].header, languages,
		                            sizeof languages / sizeof *languages);
		if (at >= sizeof languages / sizeof *languages)
			fail_msg("\"%s\": %zu", cases[i].header, at);
		if (languages[at][0] != cases[i].chosen[0] ||
		    languages[at][1] != cases[i].chosen[1])
			fail_msg("\"%s\": %s, not %s", cases[i].header ? cases[i].header : "(none)",
			         languages[at], cases[i].chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_best_of_those_that_there_are)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

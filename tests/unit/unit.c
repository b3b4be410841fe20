/* unit.c - keeps tests in the order of their lines, and has cmocka run them. */
/* SPDX-License-Identifier: ISC */
#include "unit.h"

static struct {
	struct unit_test *first;
	CMFixtureFunction set_up, tear_down;
	bool (*is_left_out)(void); /* NULL: it is not */
} unit;

void
unit_add(struct unit_test *test)
{
	struct unit_test **at = &unit.first;

	while (*at != NULL && (*at)->line < test->line)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

void
unit_group(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	unit.set_up = set_up;
	unit.tear_down = tear_down;
}

void
unit_leave_out(bool (*is_left_out)(void))
{
	unit.is_left_out = is_left_out;
}

static void
leave_out(UNUSED void **state)
{
	skip();
}

int
unit_run(const char *word)
{
	bool out = unit.is_left_out != NULL && unit.is_left_out();
	struct CMUnitTest *tests = NULL;
	size_t n = 0;
	int failed;

	for (const struct unit_test *test = unit.first; test != NULL; test = test->next) {
		if (word != NULL &&
		    (word[0] == '-' ? strstr(word, test->name) != NULL :
				      strstr(test->name, word) == NULL))
			continue;
		tests = realloc(tests, (n + 1) * sizeof(*tests));
		if (tests == NULL)
			abort();
		tests[n++] = (struct CMUnitTest){ .name = test->name,
			.test_func = out ? leave_out : test->run,
			.setup_func = out ? NULL : test->set_up,
			.teardown_func = out ? NULL : test->tear_down };
	}
	if (n == 0) {
		(void)fprintf(stderr, "no test%s%s\n", word != NULL ? " has in its name: " : "",
		    word != NULL ? word : "");
		return 1;
	}
	failed = _cmocka_run_group_tests(
	    "tests", tests, n, out ? NULL : unit.set_up, out ? NULL : unit.tear_down);
	free(tests);
	return failed;
}

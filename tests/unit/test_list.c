/* Goal: a name is found in a comma list whatever blanks stand around it, and half a name is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/list.h"

#include "unit.h"

TEST(a_name_is_one_of_the_parts_and_not_half_of_one)
{
	static const struct {
		const char *list, *name;
		bool has;
	} rows[] = {
		{ "ci.yml", "ci.yml", true },
		{ "ci.yml,e2e.yml", "e2e.yml", true },
		{ "a, ci.yml ,\tb", "ci.yml", true },
		{ "a, b\t", "b", true },
		{ " *", "*", true },
		{ "ci.yml2, xci.yml", "ci.yml", false },
		{ "a b", "a", false },
		{ "ci.yml", "ci.yml2", false },
		{ "a,b", "a,", false },
		{ "a,b", "", false },
		{ "", "a", false },
		{ " , ,", "a", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(list_has(rows[i].list, rows[i].name), rows[i].has);
	assert_false(list_has(NULL, "a"));
}

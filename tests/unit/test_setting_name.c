/* Goal: the name of a member's setting is made of its family's and its own, and is cut where it must.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/setting.h"
#include "unit.h"

TEST(a_family_is_a_pattern_that_makes_names)
{
	char name[SETTING_NAME_MAX], member[SETTING_NAME_MAX + 10] = "";

	assert_string_equal(setting_name("<ENV>_HOST", "eu-west", name), "EU_WEST_HOST");
	assert_string_equal(setting_name("GITHUB_BRANCH_<ENV>", "qa", name), "GITHUB_BRANCH_QA");
	assert_string_equal(setting_name("CLIENT_<ID>_MODE", "s3.eu", name), "CLIENT_S3_EU_MODE");
	assert_string_equal(setting_name("<ENV>_", "a", name), "A_");
	assert_string_equal(setting_name("<ENV>_HOST", "a{b~c", name), "A_B_C_HOST");
	/* Cut where there is no more room: no environment has a name as long. */
	memset(member, 'a', sizeof(member) - 1);
	assert_int_equal(strlen(setting_name("<ENV>_HOST", member, name)), SETTING_NAME_MAX - 1);
	assert_null(strpbrk(name, "a_"));
	member[SETTING_NAME_MAX - 4] = '\0';
	assert_string_equal(setting_name("<ENV>_HOST", member, name) + SETTING_NAME_MAX - 4, "_HO");
}

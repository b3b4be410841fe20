/* Goal: what two servers of one database have of their own, and must have alike, is compared.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"
#include "settings/settings_table.h"
#include "store/row_server.h"
#include "tests/unit/settings_aid.h"

static void
expect_differing(const char *marks, const struct settings *s, const char *names)
{
	CLEANUP(freep) char *now = row_server_marks(s);
	char differing[LIMIT_LINE];

	assert_string_equal(fingerprint_differing(marks, now, differing, sizeof(differing)), names);
}

/* Rows know who acts by the number that the machine gave: of another it would be another person. */
TEST(a_user_of_the_machine_has_one_number_on_both)
{
	struct settings *s = LOAD("LOCAL_DAEMON_IS=11\n", COMPLETE);
	struct settings_member *member;
	char *marks;
	size_t at = 0;

	assert_non_null(s);
	marks = row_server_marks(s);
	expect_differing(marks, s, "");
	member = settings_next_member(s, FAMILY_LOCAL, &at);
	assert_true(member != NULL && member->user.has_user);
	member->user.uid++;
	expect_differing(marks, s, "LOCAL_DAEMON_IS/uid");
	member->user.has_user = false; /* it is on one machine alone */
	expect_differing(marks, s, "LOCAL_DAEMON_IS/uid");
	free(marks);
	settings_unref(s);
}

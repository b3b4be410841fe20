/* Goal: /audit shows the newest entries in private, to whom they are there, and nobody else any.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_audit.h"

#define DEV 44 /* reads the audit of staging */

static struct world w;

static int
open_world(void **state)
{
	*state = &w;
	world_open(&w, STAGING_URL, "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=audit:staging", NULL);
	(void)world_text(&w, WORLD_ADMIN, "/lock staging 1h a reason");
	(void)world_text(&w, WORLD_ADMIN, "/lock production 1h another");
	(void)world_text(&w, WORLD_STRANGER, "/deploy production");
	return 0;
}

/* What that person reads in private. */
static const char *
shown(int64_t person, const char *typed)
{
	(void)world_text_in(&w, person, person, typed);
	return world_plain(world_last(&w));
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

TEST_WITH(an_admin_reads_all_of_it_the_newest_first, open_world, world_tear_down)
{
	const char *text = shown(WORLD_ADMIN, "/audit");
	const char *denied = strstr(text, "denied stranger: denied");
	const char *lock = strstr(text, "staging · lock begun: begun");

	assert_non_null(denied);
	assert_non_null(lock);
	assert_true(denied < lock);
	assert_non_null(strstr(text, "production · lock begun"));
	assert_int_equal(lines(shown(WORLD_ADMIN, "/audit 2")), 2 + 1);
	assert_int_equal(lines(shown(WORLD_ADMIN, "/audit staging 1")), 1 + 1);
}

static void
act_head_of(struct tx *tx, void *arg)
{
	row_audit_head_of(tx, 2, arg);
}

/* Of the newest that they see: `audit verify` finds it, and all before. */
TEST_WITH(the_last_line_has_an_entrys_digits, open_world, world_tear_down)
{
	char head[LIMIT_AUDIT_HEAD] = "", line[64];

	world_act(&w, act_head_of, head);
	(void)snprintf(line, sizeof(line), "\nentry 2: audit %s", head);
	assert_true(text_ends(shown(WORLD_ADMIN, "/audit staging"), line));
	assert_true(text_ends(shown(DEV, "/audit"), line));
	assert_null(strstr(shown(WORLD_STAGING_USER, "/audit staging"), "entry"));
}

TEST_WITH(the_environment_stands_first, open_world, world_tear_down)
{
	const char *text = shown(WORLD_ADMIN, "/audit staging");

	assert_true(text_starts(text, "Audit log: staging"));
	assert_non_null(strstr(text, "lock begun: begun · "));
	assert_non_null(strstr(text, "telegram:"));
	assert_null(strstr(text, "production"));
}

TEST_WITH(what_somebody_may_not_see_is_not_there, open_world, world_tear_down)
{
	assert_non_null(strstr(shown(DEV, "/audit"), "lock begun"));
	assert_null(strstr(shown(DEV, "/audit"), "production"));
	assert_null(strstr(shown(DEV, "/audit"), "denied"));
	assert_null(strstr(shown(DEV, "/audit production"), "lock begun"));
}

TEST_WITH(in_a_group_nothing_of_it_is_shown, open_world, world_tear_down)
{
	(void)world_text(&w, WORLD_ADMIN, "/audit staging");
	assert_non_null(strstr(world_plain(world_last(&w)), "is shown in private"));
	assert_null(strstr(world_plain(world_last(&w)), "lock begun"));
}

TEST_WITH(who_has_no_grant_is_denied, open_world, world_tear_down)
{
	assert_null(strstr(shown(WORLD_STAGING_USER, "/audit staging"), "lock begun"));
	assert_non_null(strstr(world_plain(world_last(&w)), "audit"));
	assert_in_range(world_audited(&w, "\"request\":\"audit\"", NULL), 1, 9);
}

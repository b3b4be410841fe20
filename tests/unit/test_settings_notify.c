/* Goal: a destination has all that its kind needs, and nothing of another one's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "types/notify.h"

#define KEY  "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
#define WHAT "NOTIFY_OPS_WHAT=*/*: live failed"
#define HOOK \
	"NOTIFY_OPS_TO=webhook", "NOTIFY_OPS_URL=https://a.test/h", "NOTIFY_OPS_SECRET=" KEY, WHAT

TEST(a_whole_one_is_taken)
{
	struct settings *s = LOAD(NULL, COMPLETE, HOOK, "NOTIFY_CEO_TO=mail",
	    "NOTIFY_CEO_URL=smtps://u:p@mail.test:465", "NOTIFY_CEO_ADDRESS=ceo@a.test",
	    "NOTIFY_CEO_FROM=bot@a.test", "NOTIFY_CEO_WHAT=production: down");
	struct notify to;

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_true(notify_find(s, "ops", &to));
	assert_int_equal(to.kind, NOTIFY_TO_WEBHOOK);
	assert_true(notify_find(s, "ceo", &to));
	assert_string_equal(to.address, "ceo@a.test");
	assert_false(notify_find(s, "nobody", &to));
	settings_unref(s);
}

TEST(what_is_missing_or_anothers_is_said)
{
	static const struct {
		const char *lines[6], *says;
	} cases[] = {
		{ { "NOTIFY_OPS_URL=https://a.test/h" }, "NOTIFY_OPS_TO: is not set" },
		{ { "NOTIFY_OPS_TO=slack", WHAT }, "NOTIFY_OPS_URL: is not set" },
		{ { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=https://a.test/h" },
		    "NOTIFY_OPS_WHAT: is not set" },
		{ { "NOTIFY_OPS_TO=webhook", "NOTIFY_OPS_URL=https://a.test/h", WHAT },
		    "NOTIFY_OPS_SECRET: is not set" },
		{ { "NOTIFY_OPS_TO=webhook", "NOTIFY_OPS_URL=https://a.test/h", WHAT,
		      "NOTIFY_OPS_SECRET=0123456789abcdef0123" },
		    "NOTIFY_OPS_SECRET: expected whsec_" },
		{ { "NOTIFY_OPS_TO=matrix", "NOTIFY_OPS_URL=https://a.test", WHAT,
		      "NOTIFY_OPS_SECRET=syt_0123456789abcdef" },
		    "NOTIFY_OPS_ROOM: is not set" },
		{ { "NOTIFY_OPS_TO=mail", "NOTIFY_OPS_URL=smtps://a.test", WHAT,
		      "NOTIFY_OPS_FROM=a@a.test" },
		    "NOTIFY_OPS_ADDRESS: is not set" },
		{ { "NOTIFY_OPS_TO=mail", "NOTIFY_OPS_URL=https://a.test", WHAT,
		      "NOTIFY_OPS_FROM=a@a.test", "NOTIFY_OPS_ADDRESS=b@a.test" },
		    "NOTIFY_OPS_URL: expected smtps://" },
		{ { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=smtp://a.test", WHAT },
		    "NOTIFY_OPS_URL: expected https://" },
		{ { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=http://a.test/h", WHAT },
		    "NOTIFY_OPS_URL: http:// would carry" },
		{ { "NOTIFY_OPS_TO=slack",
		      "NOTIFY_OPS_URL=https://hooks.slack.com/services/T000/B000/XXX", WHAT },
		    "NOTIFY_OPS_URL: is that of an example, and nobody is there" },
		{ { "NOTIFY_OPS_TO=slack",
		      "NOTIFY_OPS_URL=https://hooks.example.com/services/T1/B1/a", WHAT },
		    "NOTIFY_OPS_URL: is that of an example" },
		{ { "NOTIFY_OPS_TO=mail", "NOTIFY_OPS_URL=smtps://u:p@mail.example.net:465", WHAT,
		      "NOTIFY_OPS_FROM=a@a.test", "NOTIFY_OPS_ADDRESS=b@a.test" },
		    "NOTIFY_OPS_URL: is that of an example" },
		{ { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=https://a.test/h", WHAT,
		      "NOTIFY_OPS_ROOM=!a:a.test" },
		    "NOTIFY_OPS_ROOM: is nothing that slack has" },
		{ { "NOTIFY_OPS_TO=teams" }, "NOTIFY_OPS_TO: " },
		{ { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=https://a.test/h",
		      "NOTIFY_OPS_WHAT=production: alive" },
		    "NOTIFY_OPS_WHAT: " },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const *l = cases[i].lines;
		struct settings *s = LOAD(NULL, COMPLETE, l[0] == NULL ? "A=" : (char *)l[0],
		    l[1] == NULL ? "B=" : (char *)l[1], l[2] == NULL ? "C=" : (char *)l[2],
		    l[3] == NULL ? "D=" : (char *)l[3], l[4] == NULL ? "E=" : (char *)l[4]);

		assert_null(s);
		SAYS(SETTINGS_ERROR, cases[i].says);
	}
}

TEST(an_environment_that_is_not_there_is_a_warning)
{
	struct settings *s = LOAD(NULL, COMPLETE, "NOTIFY_OPS_TO=slack",
	    "NOTIFY_OPS_URL=https://a.test/h", "NOTIFY_OPS_WHAT=prodution: live; */*: down");

	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "NOTIFY_OPS_WHAT: there is no environment prodution");
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=https://a.test/h",
	    "NOTIFY_OPS_WHAT=*/prod: live");
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "NOTIFY_OPS_WHAT: there is no environment */prod");
	settings_unref(s);
}

TEST(what_is_set_and_wrong_is_not_called_missing_too)
{
	assert_null(
	    LOAD(NULL, COMPLETE, "NOTIFY_OPS_TO=teams", "NOTIFY_OPS_URL=https://a.test/h", WHAT));
	assert_int_equal(settings_said.count, 1);
	assert_null(LOAD(NULL, COMPLETE, "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=https://a.test/h",
	    "NOTIFY_OPS_WHAT=production: alive"));
	assert_int_equal(settings_said.count, 1);
}

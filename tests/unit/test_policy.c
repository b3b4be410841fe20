/* Goal: people may do what their roles grant, where and until when they grant it, and nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/text.h"
#include "policy/policy.h"
#include "policy_aid.h"
#include "settings/settings_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW INT64_C(1801000000000) /* 2027-01-26 21:06:40 UTC */

#define TOKEN "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789"

static struct settings_report report;

static const char *
errors(void)
{
	static char all[SETTINGS_REPORT_MAX * 302];

	all[0] = '\0';
	for (size_t i = 0; i < report.count; i++)
		if (report.lines[i].severity == SETTINGS_ERROR)
			(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n",
			    report.lines[i].text);
	return all;
}

/* --- a folder with a main file and one for each application --- */

static struct policy_aid aid;

#define OWN(app) \
	"GITHUB_REPOSITORY=acme/" app "\nSTAGING_HOST=" app "-s\nPRODUCTION_HOST=" app "-p\n"

static void
begin(void)
{
	policy_aid_begin(&aid, 88172645463325252u);
}

static void
end(void)
{
	policy_aid_end(&aid);
}

/* NULL: refused, and why is in the report. */
static struct settings *
load(const char *main_file)
{
	char path[100], text[8192];
	struct settings *settings = NULL;

	(void)snprintf(text, sizeof(text),
	    TOKEN "\nADMIN_TELEGRAM_IDS=11\nREGISTRY_URL=registry:5000\n%s", main_file);
	policy_aid_write(&aid, "main.env", text);
	(void)snprintf(path, sizeof(path), "%s/main.env", aid.folder);
	report = (struct settings_report){ 0 };
	if (!settings_load(path, NULL, &settings, &report))
		return NULL;
	return settings;
}

static struct settings *
good(const char *main_file)
{
	struct settings *settings = load(main_file);

	if (settings == NULL)
		fail_msg("%s", errors());
	return settings;
}

static bool
may(const struct settings *s, int64_t person, enum policy_action action, const char *where)
{
	return policy_may(s, principal_of_person(person), action, where, NOW);
}

/* --- without roles of one's own --- */

/* Written down a second time: S stranger, v allowed user, s staging user, A admin. */
static const struct {
	enum policy_action action;
	const char *staging; /* who may in staging */
	const char *elsewhere;
	const char *nowhere; /* who may somewhere, when no environment is named */
} table[POLICY_ACTION_COUNT] = {
	{ POLICY_STATUS, "vsA", "vsA", "vsA" },
	{ POLICY_HISTORY, "vsA", "vsA", "vsA" },
	{ POLICY_LOG, "sA", "A", "sA" },
	{ POLICY_DEPLOY, "sA", "A", "sA" },
	{ POLICY_ROLLBACK, "A", "A", "A" },
	{ POLICY_CANCEL, "sA", "A", "sA" },
	{ POLICY_CONFIRM, "A", "A", "A" },
	{ POLICY_LOCK, "A", "A", "A" },
	{ POLICY_UNLOCK, "A", "A", "A" },
	{ POLICY_FREEZE, "A", "A", "A" },
	{ POLICY_APPROVE, "A", "A", "A" },
	{ POLICY_EMERGENCY, "A", "A", "A" },
	{ POLICY_DO, "A", "A", "A" },
	{ POLICY_AUDIT, "A", "A", "A" },
	{ POLICY_TWO_FA, "A", "A", "A" },
	{ POLICY_TOKEN, "A", "A", "A" },
	{ POLICY_ADMIN, "A", "A", "A" },
	{ POLICY_TALK, "vsA", "vsA", "vsA" },
	{ POLICY_GREET, "SvsA", "SvsA", "SvsA" },
};

static void
check(const struct settings *s, int64_t person, char letter, enum policy_action action,
    const char *where, const char *who)
{
	struct policy_decision decision =
	    policy_decide(s, principal_of_person(person), action, where, NOW);
	bool allowed = decision.verdict == POLICY_ALLOW;

	if (allowed != (strchr(who, letter) != NULL))
		fail_msg(
		    "%c, %s in \"%s\": %d", letter, policy_action_word(action), where, allowed);
	if (allowed)
		assert_string_equal(decision.reason, "");
	else if (letter == 'S')
		assert_string_equal(decision.reason, "you have no role here");
	else if (strcmp(who, "A") == 0)
		assert_string_equal(decision.reason, "only an admin may");
	else
		assert_string_equal(decision.reason, "your role does not grant it");
}

static void
every_role_may_what_the_table_says(void **state)
{
	static const char *const elsewhere[] = { "production", "Staging", "staging2", "stagin" };
	static const struct {
		int64_t person;
		char letter;
	} people[] = { { 99, 'S' }, { 0, 'S' }, { -5, 'S' }, { 44, 'v' }, { 33, 's' },
		{ 11, 'A' } };
	char *list[] = { TOKEN, "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=33",
		"ALLOWED_USERS=44", "GITHUB_REPOSITORY=acme/shop", NULL };
	struct settings *s;

	(void)state;
	if (!settings_load(NULL, list, &s, &report))
		fail_msg("%s", errors());
	for (size_t p = 0; p < COUNT(people); p++)
		for (size_t i = 0; i < COUNT(table); i++) {
			int64_t person = people[p].person;
			char letter = people[p].letter;

			assert_int_equal(table[i].action, i);
			check(s, person, letter, table[i].action, "staging", table[i].staging);
			check(s, person, letter, table[i].action, "", table[i].nowhere);
			for (size_t e = 0; e < COUNT(elsewhere); e++)
				check(s, person, letter, table[i].action, elsewhere[e],
				    table[i].elsewhere);
		}
	settings_unref(s);
}

static void
a_role_is_what_the_settings_at_hand_say(void **state)
{
	char *before[] = { TOKEN, "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=22,33",
		"GITHUB_REPOSITORY=acme/shop", NULL };
	char *after[] = { before[0], "ADMIN_TELEGRAM_IDS=33", before[3], NULL };
	char text[100];
	struct settings *s;

	(void)state;
	if (!settings_load(NULL, before, &s, &report))
		fail_msg("%s", errors());
	assert_true(may(s, 22, POLICY_ROLLBACK, "production")); /* the union of both */
	assert_true(may(s, 33, POLICY_DEPLOY, "staging"));
	assert_false(may(s, 33, POLICY_DEPLOY, "production"));
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(22), NOW, text, sizeof(text)), "admin");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(33), NOW, text, sizeof(text)), "staging");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(44), NOW, text, sizeof(text)), "nobody");
	settings_unref(s);

	assert_true(settings_load(NULL, after, &s, &report));
	assert_false(policy_is_known(s, principal_of_person(11), NOW));
	assert_true(may(s, 33, POLICY_ROLLBACK, "production"));
	settings_unref(s);
}

/* --- roles of one's own --- */

static void
a_grant_holds_where_it_says(void **state)
{
	struct settings *s;

	(void)state;
	begin();
	s = good("ROLE_CONTRACTOR_IDS=50\n"
		 "ROLE_CONTRACTOR_MAY=\"deploy:shop/staging, rollback:shop/*, status\"\n"
		 "ROLE_NIGHT_SHIFT_IDS=60,11\nROLE_NIGHT_SHIFT_MAY=\"*:*/production\"\n");
	assert_true(may(s, 50, POLICY_DEPLOY, "shop/staging"));
	assert_false(may(s, 50, POLICY_DEPLOY, "shop/production"));
	assert_false(may(s, 50, POLICY_DEPLOY, "blog/staging"));
	assert_false(may(s, 50, POLICY_DEPLOY, "staging"));
	assert_true(may(s, 50, POLICY_ROLLBACK, "shop/production"));
	assert_false(may(s, 50, POLICY_ROLLBACK, "blog/production"));
	/* Without a target: on all that the other grants name. */
	assert_true(may(s, 50, POLICY_STATUS, "shop/staging"));
	assert_true(may(s, 50, POLICY_STATUS, "shop/production"));
	assert_false(may(s, 50, POLICY_STATUS, "blog/staging"));
	assert_false(may(s, 50, POLICY_CONFIRM, "shop/staging"));
	assert_true(may(s, 60, POLICY_CONFIRM, "infra/production"));
	assert_true(may(s, 60, POLICY_ADMIN, "infra/production"));
	assert_false(may(s, 60, POLICY_ADMIN, "shop/staging"));
	settings_unref(s);
	end();
}

static void
of_what_one_has_no_grant_one_does_not_learn(void **state)
{
	struct settings *s;

	(void)state;
	begin();
	s = good("ROLE_CONTRACTOR_IDS=50\nROLE_CONTRACTOR_MAY=deploy:shop/staging\n"
		 "STAGING_TELEGRAM_IDS=33\nALLOWED_USERS=44\n");
	assert_true(policy_sees(s, principal_of_person(50), "shop/staging", NOW));
	assert_false(policy_sees(s, principal_of_person(50), "shop/production", NOW));
	assert_false(policy_sees(s, principal_of_person(50), "blog/staging", NOW));
	/* A staging user looks at all of what has a staging, and at nothing else. */
	assert_true(may(s, 33, POLICY_DEPLOY, "blog/staging"));
	assert_true(may(s, 33, POLICY_STATUS, "blog/production"));
	assert_false(may(s, 33, POLICY_DEPLOY, "blog/production"));
	assert_false(policy_sees(s, principal_of_person(33), "infra/production", NOW));
	assert_true(policy_sees(s, principal_of_person(44), "infra/production", NOW));
	assert_false(policy_sees(s, principal_of_person(99), "shop/staging", NOW));
	settings_unref(s);
	end();
}

static void
a_role_of_an_application_holds_there_alone(void **state)
{
	struct settings *s;

	(void)state;
	begin();
	policy_aid_write(&aid, "apps/shop.env",
	    OWN("shop") "STAGING_TELEGRAM_IDS=70\nROLE_QA_IDS=71\nROLE_QA_MAY=\"deploy:*/*, log\"\n"
			"ROLE_HERE_IDS=72\nROLE_HERE_MAY=deploy:staging\n");
	s = good("");
	assert_int_equal(s->application_count, 3);
	assert_true(may(s, 70, POLICY_DEPLOY, "shop/staging"));
	assert_true(may(s, 70, POLICY_STATUS, "shop/production"));
	assert_false(may(s, 70, POLICY_DEPLOY, "blog/staging"));
	assert_false(policy_sees(s, principal_of_person(70), "blog/staging", NOW));
	assert_true(may(s, 71, POLICY_LOG, "shop/production"));
	assert_false(may(s, 71, POLICY_DEPLOY, "blog/staging"));
	assert_false(policy_sees(s, principal_of_person(71), "blog/staging", NOW));
	assert_true(may(s, 72, POLICY_DEPLOY, "shop/staging"));
	assert_false(may(s, 72, POLICY_DEPLOY, "blog/staging"));
	settings_unref(s);
	end();
}

/* An application's file says nothing of another, and makes no admin: else it is not read. */
static void
an_application_grants_nothing_of_another(void **state)
{
	static const char *const wrong[] = { "ROLE_QA_IDS=71\nROLE_QA_MAY=deploy:blog/staging\n",
		"ROLE_QA_IDS=71\nROLE_QA_MAY=\"deploy:shop/staging, status:client/*\"\n",
		"ADMIN_TELEGRAM_IDS=71\n", "ALLOWED_USERS=71\n" };

	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char text[400];
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%s%s", OWN("shop"), wrong[i]);
		policy_aid_write(&aid, "apps/shop.env", text);
		s = good("");
		if (s->refused_count != 1)
			fail_msg("taken: %s", wrong[i]);
		for (size_t e = 0; e < POLICY_AID_PLACES; e++)
			if (!text_starts(policy_aid_places[e], "shop/"))
				assert_false(policy_sees(
				    s, principal_of_person(71), policy_aid_places[e], NOW));
		assert_false(may(s, 71, POLICY_ADMIN, POLICY_ALL));
		settings_unref(s);
	}
	end();
}

#define WIDE "                                                                "

static void
access_ends_with_its_day(void **state)
{
	static const char *const roles[] = {
		"ROLE_C_IDS=\"50 until 2027-01-31\"\nROLE_C_MAY=deploy:shop/staging\n",
		"ROLE_C_IDS=50\nROLE_C_MAY=deploy:shop/staging\nROLE_C_UNTIL=2027-01-31\n",
		"ROLE_C_IDS=\"50 until 2027-01-31\"\nROLE_C_MAY=deploy:shop/staging\nROLE_C_UNTIL=2028-01-01\n",
		"ROLE_C_IDS=\"50 until 2028-01-01\"\nROLE_C_MAY=deploy:shop/staging\nROLE_C_UNTIL=2027-01-31\n",
		"ROLE_C_IDS=\"50" WIDE "until 2027-01-31\"\nROLE_C_MAY=deploy:shop/staging\n",
		"ROLE_C_IDS=\"50 until" WIDE "2027-01-31\"\nROLE_C_MAY=deploy:shop/staging\n",
	};
	char text[400], words[100];

	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(roles) * 2; i++) {
		bool berlin = i >= COUNT(roles);
		int64_t last = (berlin ? INT64_C(1801436400000) : INT64_C(1801440000000)) - 1;
		struct principal who = principal_of_person(50);
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%s%s", roles[i % COUNT(roles)],
		    berlin ? "TIMEZONE=Europe/Berlin\n" : "");
		s = good(text);
		assert_true(policy_may(s, who, POLICY_DEPLOY, "shop/staging", last));
		assert_true(policy_sees(s, who, "shop/staging", last));
		assert_string_equal(
		    policy_roles_text(s, who, last, words, sizeof(words)), "c until 2027-01-31");
		assert_false(policy_may(s, who, POLICY_DEPLOY, "shop/staging", last + 1));
		assert_false(policy_sees(s, who, "shop/staging", last + 1));
		assert_false(policy_is_known(s, who, last + 1));
		assert_string_equal(
		    policy_roles_text(s, who, last + 1, words, sizeof(words)), "nobody");
		settings_unref(s);
	}
	end();
}

static void
a_grant_of_a_client_is_another_than_one_of_an_environment(void **state)
{
	struct role role = { .name = "c", .grant_count = 1 };
	struct grant environment = { .actions = 1, .name = "staging" }, client = environment;
	struct roles a = { .count = 1, .role = &role, .grant_count = 1, .grant = &environment };
	struct roles b = a;

	(void)state;
	assert_true(roles_are_same(&a, &b));
	client.is_client = true;
	b.grant = &client;
	assert_false(roles_are_same(&a, &b));
}

static void
a_grant_of_a_client_opens_no_environment(void **state)
{
	struct settings *s;

	(void)state;
	begin();
	s = good("ROLE_C_IDS=50\nROLE_C_MAY=\"*:*/*\"\n");
	assert_true(may(s, 50, POLICY_DEPLOY, "shop/staging"));
	for (size_t i = 0; i < s->roles->grant_count; i++)
		s->roles->grant[i].is_client = true;
	assert_false(may(s, 50, POLICY_DEPLOY, "shop/staging"));
	assert_false(policy_sees(s, principal_of_person(50), "shop/staging", NOW));
	settings_unref(s);
	end();
}

static void
all_roles_of_a_person_are_named_as_far_as_there_is_room(void **state)
{
	char words[40], few[6];
	struct settings *s;

	(void)state;
	begin();
	policy_aid_write(
	    &aid, "apps/shop.env", OWN("shop") "ROLE_QA_IDS=50\nROLE_QA_MAY=log:staging\n");
	s = good("ROLE_EARLY_IDS=50\nROLE_EARLY_MAY=log:*/*\n"
		 "ROLE_LATE_IDS=50\nROLE_LATE_MAY=status:*/*\n");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(50), NOW, words, sizeof(words)),
	    "early, late, shop: qa");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(50), NOW, few, sizeof(few)), "early");
	settings_unref(s);
	end();
}

static void
the_line_that_decides_is_named(void **state)
{
	struct policy_decision decision;
	char line[POLICY_LINE];
	struct settings *s;

	(void)state;
	begin();
	policy_aid_write(&aid, "apps/shop.env",
	    OWN("shop") "ROLE_QA_IDS=\"50 until 2027-01-31\"\n"
			"ROLE_QA_MAY=\"deploy:staging, log\"\n");
	s = good("STAGING_TELEGRAM_IDS=33\n");
	decision = policy_decide(s, principal_of_person(50), POLICY_LOG, "shop/staging", NOW);
	assert_string_equal(policy_line(s, &decision, line),
	    "qa (ROLE_QA_MAY of shop: log:shop/staging, until 2027-01-31)");
	decision = policy_decide(s, principal_of_person(33), POLICY_STATUS, "blog/production", NOW);
	assert_string_equal(
	    policy_line(s, &decision, line), "staging (STAGING_TELEGRAM_IDS: status:*/*)");
	decision = policy_decide(s, principal_of_person(99), POLICY_STATUS, "shop/staging", NOW);
	assert_string_equal(policy_line(s, &decision, line), "no role");
	settings_unref(s);
	end();
}

static void
who_is_no_person_has_no_grant(void **state)
{
	struct principal who;
	struct settings *s;
	char words[40];

	(void)state;
	begin();
	s = good("");
	assert_true(principal_parse("system", &who));
	assert_true(policy_may(s, who, POLICY_ROLLBACK, "shop/staging", NOW));
	assert_true(policy_sees(s, who, "shop/staging", NOW));
	assert_string_equal(policy_roles_text(s, who, NOW, words, sizeof(words)), "nobody");
	assert_true(principal_parse("github:ada(7)", &who));
	assert_true(policy_may(s, who, POLICY_DEPLOY, "shop/staging", NOW));
	assert_false(policy_may(s, who, POLICY_CONFIRM, "shop/staging", NOW));
	assert_false(policy_may(s, who, POLICY_ROLLBACK, "shop/staging", NOW));
	/* The number of an admin says nothing in another name. */
	assert_true(principal_parse("token:11", &who));
	for (int action = 0; action < POLICY_GREET; action++)
		assert_false(policy_may(s, who, (enum policy_action)action, "shop/staging", NOW));
	settings_unref(s);
	end();
}

/* --- what is no grant --- */

static const struct {
	const char *role;
	const char *says;
} wrong[] = {
	{ "ROLE_X_IDS=5\nROLE_X_MAY=\"deploi:shop/staging\"\n",
	    "ROLE_X_MAY: deploi:shop/staging: there is no action deploi; did you mean deploy?" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=\"do.migrate:shop/staging\"\n",
	    "there is no action do.migrate" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=\"restart-web:client/acme\"\n",
	    "there is no action restart-web; did you mean do.restart-web:client/acme?" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=status\n", "ROLE_X_MAY: names no target" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=\"deploy shop/staging\"\n",
	    "ROLE_X_MAY: \"deploy shop/staging\"" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=\"deploy:shop/staging/x\"\n", "is not ACTION" },
	{ "ROLE_X_IDS=5\n", "ROLE_X_MAY: is not set" },
	{ "ROLE_X_MAY=deploy:*/*\n", "ROLE_X_IDS: is not set" },
	{ "ROLE_X_UNTIL=2027-01-31\n", "ROLE_X_IDS: is not set" },
	{ "ROLE_X_IDS=\"5, 5 until 2027-01-31\"\nROLE_X_MAY=deploy:*/*\n", "5 is there twice" },
	{ "ROLE_X_IDS=\"5 until 2027-02-30\"\nROLE_X_MAY=deploy:*/*\n",
	    "ROLE_X_IDS: \"5 until 2027-02-30\"" },
	{ "ROLE_X_IDS=\"5 til 2027-02-20\"\nROLE_X_MAY=deploy:*/*\n", "ROLE_X_IDS: " },
	{ "ROLE_X_IDS=ada\nROLE_X_MAY=deploy:*/*\n", "ROLE_X_IDS: \"ada\"" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=deploy:*/*\nROLE_X_UNTIL=soon\n", "ROLE_X_UNTIL: \"soon\"" },
	{ "ROLE_ADMIN_IDS=5\nROLE_ADMIN_MAY=*:*/*\n",
	    "ROLE_ADMIN_IDS: there is a role admin already" },
	{ "ROLE_STAGING_IDS=5\nROLE_STAGING_MAY=*:*/*\n", "there is a role staging already" },
	{ "ROLE_X_IDS=5\nROLE_X_MAY=deploy:*/*\nROLE_X_IDZ=6\n",
	    "ROLE_X_IDZ: is no setting; did you mean ROLE_X_IDS?" },
	{ "ROLE_X__IDS=5\n", "ROLE_X__IDS: is no setting" },
	{ "ROLE_1X_IDS=5\n", "ROLE_1X_IDS: is no setting" },
	{ "ROLE_IDS=5\n", "ROLE_IDS: is no setting" },
	{ "TIMEZONE=Mars/Olympus\n", "TIMEZONE: \"Mars/Olympus\"" },
};

static void
what_is_no_grant_is_named_and_refused(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct settings *s = load(wrong[i].role);

		if (s != NULL)
			fail_msg("taken: %s", wrong[i].role);
		if (strstr(errors(), wrong[i].says) == NULL)
			fail_msg("of %s is said: %s", wrong[i].role, errors());
	}
	end();
}

/* --- a grant on what is not there --- */

static const struct {
	const char *may;
	const char *says; /* of a start */
} missing[] = {
	{ "deploy:shoop/staging", "deploy:shoop/staging: there is no application shoop" },
	{ "deploy:shop/stagin", "there is no environment shop/stagin; did you mean shop/staging?" },
	{ "deploy:infra/staging", "there is no environment infra/staging" },
	{ "deploy:*/qa", "there is no environment */qa" },
	{ "deploy:staging", "there is no environment staging; write shop/staging" },
	{ "deploy:*", "there is no environment *" },
};

static bool
is_said(enum settings_severity severity, const char *part)
{
	for (size_t i = 0; i < report.count; i++)
		if (report.lines[i].severity == severity &&
		    strstr(report.lines[i].text, part) != NULL)
			return true;
	return false;
}

/* As check-config does, and the start: it is named, and grants nothing. */
static void
a_start_names_a_grant_on_what_never_was_and_it_grants_nothing(void **state)
{
	char line[120];

	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(missing); i++) {
		struct settings *s;

		(void)snprintf(line, sizeof(line), "ROLE_X_IDS=5\nROLE_X_MAY=%s\n", missing[i].may);
		s = good(line);
		if (!is_said(SETTINGS_FLAW, missing[i].says))
			fail_msg("not said: %s", missing[i].says);
		assert_int_equal(s->warned_count, 1);
		assert_string_equal(s->warned[0].file, "ROLE_X_MAY");
		for (size_t e = 0; e < POLICY_AID_PLACES; e++)
			assert_false(
			    policy_sees(s, principal_of_person(5), policy_aid_places[e], NOW));
		settings_unref(s);
	}
	end();
}

/* The settings of the folder as it is now, beside those that run; NULL: refused. */
static struct settings *
reload(const struct settings *running, const char *main_file)
{
	struct settings_change change;
	struct settings *settings = NULL;
	char path[100], text[8192];

	(void)snprintf(text, sizeof(text),
	    TOKEN "\nADMIN_TELEGRAM_IDS=11\nREGISTRY_URL=registry:5000\n%s", main_file);
	policy_aid_write(&aid, "main.env", text);
	(void)snprintf(path, sizeof(path), "%s/main.env", aid.folder);
	settings_change_init(&change);
	if (!settings_reload(running, path, NULL, NULL, &settings, &report, &change))
		settings = NULL;
	settings_change_done(&change);
	return settings;
}

static void
a_reload_with_a_grant_on_what_never_was_is_refused(void **state)
{
	struct settings *s;
	char line[120];

	(void)state;
	begin();
	s = good("");
	for (size_t i = 0; i < COUNT(missing); i++) {
		(void)snprintf(line, sizeof(line), "ROLE_X_IDS=5\nROLE_X_MAY=%s\n", missing[i].may);
		assert_null(reload(s, line));
		assert_true(is_said(SETTINGS_ERROR, missing[i].says));
	}
	settings_unref(s);
	end();
}

#define ON_INFRA "ROLE_X_IDS=5\nROLE_X_MAY=\"deploy:infra/production, rollback:shop/*\"\n"

static void
remove_file(const char *name)
{
	char path[120];

	(void)snprintf(path, sizeof(path), "%s/%s", aid.folder, name);
	assert_int_equal(unlink(path), 0);
}

/* It refused the whole reload, and the next start. */
static void
a_removed_file_leaves_its_grants_and_all_else_in_force(void **state)
{
	struct settings *before, *s;

	(void)state;
	begin();
	before = good(ON_INFRA);
	assert_true(may(before, 5, POLICY_DEPLOY, "infra/production"));
	remove_file("apps/infra.env");
	s = reload(before, ON_INFRA "POLL_REPOSITORY_SECONDS=61\n");
	assert_non_null(s);
	assert_true(is_said(SETTINGS_WARNING, "infra/production: there is no application infra"));
	assert_string_equal(s->warned[0].reason,
	    "deploy:infra/production: there is no application infra: take this grant out, or put back what it names");
	assert_int_equal(s->poll_repository_seconds, 61);
	assert_true(may(s, 5, POLICY_ROLLBACK, "shop/staging"));
	assert_null(settings_environment(s, "infra/production"));
	settings_unref(before);
	before = s; /* and again, where nothing that runs has it */
	s = reload(before, ON_INFRA "POLL_REPOSITORY_SECONDS=62\n");
	assert_non_null(s);
	assert_int_equal(s->warned_count, 1);
	settings_unref(before);
	settings_unref(s);
	s = good(ON_INFRA); /* a start */
	assert_int_equal(s->warned_count, 1);
	settings_unref(s);
	end();
}

/* A release of it was live once: then check-config too says no more than a warning. */
static void
a_state_file_says_that_an_application_was_there(void **state)
{
	char path[140], line[200];
	struct settings *s;

	(void)state;
	begin();
	remove_file("apps/infra.env");
	(void)snprintf(path, sizeof(path), "%s/environments", aid.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	policy_aid_write(&aid, "environments/infra.production.json", "{}");
	policy_aid_write(&aid, "environments/shop.qa.json", "{}");
	(void)snprintf(line, sizeof(line), "STATE_DIRECTORY=%s\n%s", aid.folder, ON_INFRA);
	s = good(line);
	assert_int_equal(report.flaws, 0);
	assert_true(is_said(SETTINGS_WARNING, "there is no application infra"));
	settings_unref(s);
	for (size_t i = 0; i < 4; i++) {
		static const char *const targets[] = { "shop/qa", "*/qa", "shop/canary", "qa" };

		(void)snprintf(line, sizeof(line),
		    "STATE_DIRECTORY=%s\nROLE_X_IDS=5\nROLE_X_MAY=deploy:%s\n", aid.folder,
		    targets[i]);
		s = good(line);
		assert_int_equal(report.flaws, i < 2 ? 0 : 1);
		settings_unref(s);
	}
	end();
}

/* What a file with a mistake would have is not known: that takes nothing from who may there. */
static void
an_application_with_a_mistake_is_no_unknown_one(void **state)
{
	struct settings *s;

	(void)state;
	begin();
	policy_aid_write(&aid, "apps/shop.env", OWN("shop") "TELEGRAM_BOT_TOKEN=1\n");
	s = good("ROLE_X_IDS=5\nROLE_X_MAY=deploy:shop/qa\n");
	assert_int_equal(s->refused_count, 1);
	settings_unref(s);
	end();
}

/* --- a thousand policies, against a second reading of their text --- */

/* The last one is granted by * alone. */
static const enum policy_action actions[POLICY_AID_WORDS] = { POLICY_STATUS, POLICY_HISTORY,
	POLICY_LOG, POLICY_DEPLOY, POLICY_ROLLBACK, POLICY_CANCEL, POLICY_CONFIRM, POLICY_ADMIN };

static struct settings *
load_drawn(void)
{
	char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < POLICY_AID_LINES; i++) {
		const char *line = aid.lines[i];
		int name = (int)strcspn(line, "=");

		if (line[0] != '\0')
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s=\"%s\"\n",
			    name, line, line + name + 1);
	}
	return good(text);
}

static void
compare(const struct settings *s, int64_t person, const char *place, uint64_t seed)
{
	for (unsigned a = 0; a < POLICY_AID_WORDS; a++)
		if (may(s, person, actions[a], place) != policy_aid_grants(&aid, person, a, place))
			fail_msg("seed %llu: %lld, %s %s", (unsigned long long)seed,
			    (long long)person, policy_action_word(actions[a]), place);
	assert_int_equal(policy_sees(s, principal_of_person(person), place, NOW),
	    policy_aid_sees(&aid, person, place));
}

static void
a_thousand_policies_grant_what_their_text_says(void **state)
{
	(void)state;
	begin();
	for (int round = 0; round < 1000; round++) {
		uint64_t seed = aid.seed;
		struct settings *s;

		policy_aid_draw(&aid);
		s = load_drawn();
		for (unsigned p = 0; p < POLICY_AID_PEOPLE; p++)
			for (size_t e = 0; e < POLICY_AID_PLACES; e++)
				compare(s, POLICY_AID_FIRST + p, policy_aid_places[e], seed);
		settings_unref(s);
	}
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_may_what_the_table_says),
		cmocka_unit_test(a_role_is_what_the_settings_at_hand_say),
		cmocka_unit_test(a_grant_holds_where_it_says),
		cmocka_unit_test(of_what_one_has_no_grant_one_does_not_learn),
		cmocka_unit_test(a_role_of_an_application_holds_there_alone),
		cmocka_unit_test(an_application_grants_nothing_of_another),
		cmocka_unit_test(access_ends_with_its_day),
		cmocka_unit_test(a_grant_of_a_client_is_another_than_one_of_an_environment),
		cmocka_unit_test(a_grant_of_a_client_opens_no_environment),
		cmocka_unit_test(all_roles_of_a_person_are_named_as_far_as_there_is_room),
		cmocka_unit_test(the_line_that_decides_is_named),
		cmocka_unit_test(who_is_no_person_has_no_grant),
		cmocka_unit_test(what_is_no_grant_is_named_and_refused),
		cmocka_unit_test(a_start_names_a_grant_on_what_never_was_and_it_grants_nothing),
		cmocka_unit_test(a_reload_with_a_grant_on_what_never_was_is_refused),
		cmocka_unit_test(a_removed_file_leaves_its_grants_and_all_else_in_force),
		cmocka_unit_test(a_state_file_says_that_an_application_was_there),
		cmocka_unit_test(an_application_with_a_mistake_is_no_unknown_one),
		cmocka_unit_test(a_thousand_policies_grant_what_their_text_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

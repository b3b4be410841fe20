/* Goal: people may do what their roles grant, where and until when they grant it, and nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy_aid.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "policy/policy_report.h"
#include "settings/settings_inside.h"

/* --- without roles of one's own --- */

/* Written down a second time: S stranger, v allowed user, s staging user, A admin. */
static const struct {
	enum policy_action action;
	const char *staging; /* who may in staging */
	const char *elsewhere;
	const char *somewhere;
} table[POLICY_ACTION_COUNT] = {
	{ POLICY_STATUS, "vsA", "vsA", "vsA" },
	{ POLICY_HISTORY, "vsA", "vsA", "vsA" },
	{ POLICY_LOG, "sA", "A", "sA" },
	{ POLICY_DEPLOY, "sA", "A", "sA" },
	{ POLICY_UPLOAD, "A", "A", "A" },
	{ POLICY_ROLLBACK, "A", "A", "A" },
	{ POLICY_CANCEL, "sA", "A", "sA" },
	{ POLICY_CONFIRM, "A", "A", "A" },
	{ POLICY_LOCK, "A", "A", "A" },
	{ POLICY_UNLOCK, "A", "A", "A" },
	{ POLICY_FREEZE, "A", "A", "A" },
	{ POLICY_APPROVE, "A", "A", "A" },
	{ POLICY_EMERGENCY, "A", "A", "A" },
	{ POLICY_DO, "A", "A", "A" },
	{ POLICY_GATE, "A", "A", "A" },
	{ POLICY_SECRET, "A", "A", "A" },
	{ POLICY_AUDIT, "A", "A", "A" },
	{ POLICY_TWO_FA, "A", "A", "A" },
	{ POLICY_TOKEN, "A", "A", "A" },
	{ POLICY_ADMIN, "A", "A", "A" },
	{ POLICY_TALK, "vsA", "vsA", "vsA" },
	{ POLICY_GREET, "SvsA", "SvsA", "SvsA" },
};

/* where NULL: anywhere. */
static void
check(const struct settings *s, int64_t person, char letter, enum policy_action action,
    const char *where, const char *who)
{
	struct principal principal = principal_of_person(person);
	struct policy_decision decision = where == NULL ?
	    policy_decide_somewhere(s, principal, action, NOW) :
	    policy_decide(s, principal, action, where, NOW);
	bool allowed = decision.verdict == POLICY_ALLOW;

	if (allowed != (strchr(who, letter) != NULL))
		fail_msg("%c, %s in \"%s\": %d", letter, policy_action_word(action),
		    where == NULL ? "any" : where, allowed);
	if (allowed)
		assert_string_equal(decision.reason, "");
	else if (letter == 'S')
		assert_string_equal(decision.reason, "you have no role here");
	else if (strcmp(who, "A") == 0)
		assert_string_equal(decision.reason, "only an admin may");
	else
		assert_string_equal(decision.reason, "your role does not grant it");
}

TEST(every_role_may_what_the_table_says)
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

	if (!settings_load(NULL, list, &s, &settings_said))
		fail_msg("%s", settings_said.lines[0].text);
	for (size_t p = 0; p < COUNT(people); p++)
		for (size_t i = 0; i < COUNT(table); i++) {
			int64_t person = people[p].person;
			char letter = people[p].letter;

			assert_int_equal(table[i].action, i);
			check(s, person, letter, table[i].action, "staging", table[i].staging);
			check(s, person, letter, table[i].action, NULL, table[i].somewhere);
			for (size_t e = 0; e < COUNT(elsewhere); e++)
				check(s, person, letter, table[i].action, elsewhere[e],
				    table[i].elsewhere);
		}
	settings_unref(s);
}

/* Nobody: not an admin, nor deploybot itself; a new action joins by its row. */
TEST(what_is_done_to_a_target_is_refused_where_none_is_named)
{
	struct principal who[] = { principal_of_person(11), { .kind = PRINCIPAL_SYSTEM },
		{ .kind = PRINCIPAL_REPOSITORY, .name = "ada(7)" } };
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("");
	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		for (size_t w = 0; w < COUNT(who); w++) {
			struct policy_decision decision =
			    policy_decide(s, who[w], (enum policy_action)i, "", NOW);

			if (policy_action_rows[i].scope != POLICY_ON_TARGET)
				continue;
			if (decision.verdict != POLICY_DENY ||
			    strcmp(decision.reason, "no target is named") != 0)
				fail_msg(
				    "%s of nothing", policy_action_word((enum policy_action)i));
		}
	assert_false(policy_sees(s, principal_of_person(11), "", NOW));
	policy_aid_close(s);
}

/* Who may what of the server's: by a grant on all targets, of the main file.  Nothing else that
 * names it gives it, whatever target stands there when it is asked about. */
TEST(what_is_the_servers_is_given_on_all_and_by_the_main_file_alone)
{
	static const struct {
		const char *main, *shop;
		bool token, two_fa, admin;
	} cases[] = {
		{ "token:*/*", NULL, true, false, false },
		{ "status:*/*, token", NULL, true, false, false },
		{ "status:*/*, 2fa", NULL, false, true, false },
		{ "*:*/*", NULL, true, true, true },
		{ "deploy:shop/staging, token, 2fa", NULL, false, false, false },
		{ "token:shop/staging, 2fa:shop/*, status", NULL, false, false, false },
		{ "token:*/production, 2fa:*/staging", NULL, false, false, false },
		{ "*:shop/*", NULL, false, false, false },
		{ "*:*/production, *:*/staging", NULL, false, false, false },
		{ "*:client/*, token", NULL, false, false, false },
		{ NULL, "*:*", false, false, false },
		{ NULL, "*:*/*, token, 2fa", false, false, false },
		{ NULL, "token:*/*, 2fa:*/*, deploy:staging", false, false, false },
	};
	static const char *const where[] = { POLICY_ALL, "", "shop/staging", "blog/staging",
		"client/acme" };
	struct principal who = principal_of_person(71);
	char text[400];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%s%s%s%s", OWN("shop"),
		    cases[i].shop == NULL ? "" : "ROLE_OWNER_IDS=71\nROLE_OWNER_MAY=\"",
		    cases[i].shop == NULL ? "" : cases[i].shop,
		    cases[i].shop == NULL ? "" : "\"\n");
		policy_aid_write(&policy_aid, "apps/shop.env", text);
		(void)snprintf(text, sizeof(text),
		    "CLIENTS=acme\nCLIENT_ACME_HOST=h\nCLIENT_ACME_ACTIONS=disk-free\n%s%s%s",
		    cases[i].main == NULL ? "" : "ROLE_OWNER_IDS=71\nROLE_OWNER_MAY=\"",
		    cases[i].main == NULL ? "" : cases[i].main,
		    cases[i].main == NULL ? "" : "\"\n");
		s = policy_aid_good(text);
		assert_int_equal(s->refused_count, 0);
		for (size_t w = 0; w < COUNT(where); w++) {
			assert_int_equal(
			    policy_may(s, who, POLICY_TOKEN, where[w], NOW), cases[i].token);
			assert_int_equal(
			    policy_may(s, who, POLICY_TWO_FA, where[w], NOW), cases[i].two_fa);
			assert_int_equal(
			    policy_may(s, who, POLICY_ADMIN, where[w], NOW), cases[i].admin);
		}
		for (size_t a = 0; a < POLICY_ACTION_COUNT; a++)
			if (policy_action_rows[a].scope == POLICY_ON_SERVER)
				assert_int_equal(
				    policy_decide_somewhere(s, who, (enum policy_action)a, NOW)
					.verdict,
				    policy_decide(s, who, (enum policy_action)a, POLICY_ALL, NOW)
					.verdict);
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

/* Whatever the grants of a snapshot say: the decision does not take their word. */
TEST(a_grant_on_less_than_all_holds_nothing_of_the_server)
{
	static const struct grant narrow[] = {
		{ .application = "shop", .name = "*" },
		{ .application = "*", .name = "staging" },
		{ .application = "*", .name = "*", .is_client = true },
		{ .application = "*", .name = "*", .beside = "staging" },
	};
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "ROLE_QA_IDS=71\nROLE_QA_MAY=status:staging\n");
	s = policy_aid_good("ROLE_QA_IDS=72\nROLE_QA_MAY=status:*/*\n");
	for (size_t i = 0; i <= COUNT(narrow); i++)
		for (int64_t person = 71; person <= 72; person++) {
			struct roles *roles = s->inside->roles;
			size_t n;
			const struct role_member *member = roles_of(roles, person, &n);
			struct grant *grant = &roles->grant[roles->role[member->role].first_grant];
			bool is_all = i == COUNT(narrow) && person == 72; /* of the main file */

			*grant = i < COUNT(narrow) ?
			    narrow[i] :
			    (struct grant){ .application = "*", .name = "*" };
			grant->actions = UINT32_MAX;
			assert_int_equal(
			    policy_aid_may(s, person, POLICY_TOKEN, POLICY_ALL), is_all);
			assert_int_equal(
			    policy_aid_may(s, person, POLICY_ADMIN, POLICY_ALL), is_all);
		}
	policy_aid_close(s);
}

/* What its people read of a role is what it gives. */
TEST(a_role_is_shown_without_what_it_does_not_give)
{
	struct buf out = { .cap = 1000 };
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "ROLE_QA_IDS=71\nROLE_QA_MAY=\"status:staging, token, 2fa:*\"\n");
	s = policy_aid_good("");
	policy_report_grants(
	    s->roles, &s->roles->role[roles_find(s->roles, "shop", "qa") - 1], &out);
	assert_string_equal(buf_text(&out), "status:shop/staging");
	buf_done(&out);
	policy_aid_close(s);
}

/* The other words of its line keep the targets that it named. */
TEST(a_word_of_the_servers_leaves_its_target_to_the_others)
{
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "ROLE_QA_IDS=71\nROLE_QA_MAY=\"token:staging, deploy, log\"\n");
	s = policy_aid_good("");
	assert_true(policy_aid_may(s, 71, POLICY_DEPLOY, "shop/staging"));
	assert_true(policy_aid_may(s, 71, POLICY_LOG, "shop/staging"));
	assert_false(policy_aid_may(s, 71, POLICY_TOKEN, POLICY_ALL));
	policy_aid_close(s);
}

TEST(a_role_is_what_the_settings_at_hand_say)
{
	char *before[] = { TOKEN, "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=22,33",
		"GITHUB_REPOSITORY=acme/shop", NULL };
	char *after[] = { before[0], "ADMIN_TELEGRAM_IDS=33", before[3], NULL };
	char text[100];
	struct settings *s;

	if (!settings_load(NULL, before, &s, &settings_said))
		fail_msg("%s", settings_said.lines[0].text);
	assert_true(policy_aid_may(s, 22, POLICY_ROLLBACK, "production")); /* the union of both */
	assert_true(policy_aid_may(s, 33, POLICY_DEPLOY, "staging"));
	assert_false(policy_aid_may(s, 33, POLICY_DEPLOY, "production"));
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(22), NOW, text, sizeof(text)), "admin");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(33), NOW, text, sizeof(text)), "staging");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(44), NOW, text, sizeof(text)), "nobody");
	settings_unref(s);

	assert_true(settings_load(NULL, after, &s, &settings_said));
	assert_false(policy_is_known(s, principal_of_person(11), NOW));
	assert_true(policy_aid_may(s, 33, POLICY_ROLLBACK, "production"));
	settings_unref(s);
}

/* --- roles of one's own --- */

TEST(a_grant_holds_where_it_says)
{
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good(
	    "ROLE_CONTRACTOR_IDS=50\n"
	    "ROLE_CONTRACTOR_MAY=\"deploy:shop/staging, rollback:shop/*, status\"\n"
	    "ROLE_NIGHT_SHIFT_IDS=60,11\nROLE_NIGHT_SHIFT_MAY=\"*:*/production\"\n");
	assert_true(policy_aid_may(s, 50, POLICY_DEPLOY, "shop/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_DEPLOY, "shop/production"));
	assert_false(policy_aid_may(s, 50, POLICY_DEPLOY, "blog/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_DEPLOY, "staging"));
	assert_true(policy_aid_may(s, 50, POLICY_ROLLBACK, "shop/production"));
	assert_false(policy_aid_may(s, 50, POLICY_ROLLBACK, "blog/production"));
	/* Without a target: on all that the other grants name. */
	assert_true(policy_aid_may(s, 50, POLICY_STATUS, "shop/staging"));
	assert_true(policy_aid_may(s, 50, POLICY_STATUS, "shop/production"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, "blog/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_CONFIRM, "shop/staging"));
	assert_true(policy_aid_may(s, 60, POLICY_CONFIRM, "infra/production"));
	assert_true(policy_aid_may(s, 60, POLICY_AUDIT, "infra/production"));
	assert_false(policy_aid_may(s, 60, POLICY_AUDIT, "shop/staging"));
	policy_aid_close(s);
}

/* Nobody deploys blind, and learns no more by it than of that very target. */
TEST(who_may_deploy_there_sees_what_runs_there)
{
	char line[POLICY_LINE];
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("ROLE_CONTRACTOR_IDS=50\nROLE_CONTRACTOR_MAY=deploy:shop/staging\n"
			    "ROLE_BACK_IDS=51\nROLE_BACK_MAY=rollback:shop/staging\n");
	assert_true(policy_aid_may(s, 50, POLICY_STATUS, "shop/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, "shop/production"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, "blog/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, POLICY_ALL));
	assert_false(policy_aid_may(s, 50, POLICY_HISTORY, "shop/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_LOG, "shop/staging"));
	assert_false(policy_aid_may(s, 51, POLICY_STATUS, "shop/staging"));
	assert_string_equal(
	    policy_who_may(s, POLICY_STATUS, "", "shop/staging", NOW, line), "contractor");
	policy_aid_close(s);
}

TEST(who_may_do_anything_to_a_client_sees_what_is_in_progress_there)
{
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good(
	    "CLIENTS=acme,beta\nCLIENT_ACME_HOST=a\nCLIENT_BETA_HOST=b\n"
	    "CLIENT_ACME_ACTIONS=disk-free\nCLIENT_BETA_ACTIONS=disk-free\n"
	    "ROLE_CONTRACTOR_IDS=50\nROLE_CONTRACTOR_MAY=do.disk-free:client/acme\n"
	    "ROLE_JOBS_IDS=51\nROLE_JOBS_MAY=\"do.run-job:shop/staging, approve:client/acme\"\n");
	assert_true(policy_aid_may(s, 50, POLICY_STATUS, "client/acme"));
	assert_true(
	    policy_decide_somewhere(s, principal_of_person(50), POLICY_STATUS, NOW).verdict ==
	    POLICY_ALLOW);
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, "client/beta"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, "shop/staging"));
	assert_false(policy_aid_may(s, 50, POLICY_STATUS, POLICY_ALL));
	assert_false(policy_aid_may(s, 50, POLICY_HISTORY, "client/acme"));
	assert_false(policy_aid_may(s, 50, POLICY_CANCEL, "client/acme"));
	/* A job there is no look at the environment, and who approves has asked for nothing. */
	assert_false(policy_aid_may(s, 51, POLICY_STATUS, "shop/staging"));
	assert_false(policy_aid_may(s, 51, POLICY_STATUS, "client/acme"));
	policy_aid_close(s);
}

TEST(of_what_one_has_no_grant_one_does_not_learn)
{
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("ROLE_CONTRACTOR_IDS=50\nROLE_CONTRACTOR_MAY=deploy:shop/staging\n"
			    "STAGING_TELEGRAM_IDS=33\nALLOWED_USERS=44\n");
	assert_true(policy_sees(s, principal_of_person(50), "shop/staging", NOW));
	assert_false(policy_sees(s, principal_of_person(50), "shop/production", NOW));
	assert_false(policy_sees(s, principal_of_person(50), "blog/staging", NOW));
	/* A staging user looks at all of what has a staging, and at nothing else. */
	assert_true(policy_aid_may(s, 33, POLICY_DEPLOY, "blog/staging"));
	assert_true(policy_aid_may(s, 33, POLICY_STATUS, "blog/production"));
	assert_false(policy_aid_may(s, 33, POLICY_DEPLOY, "blog/production"));
	assert_false(policy_sees(s, principal_of_person(33), "infra/production", NOW));
	assert_true(policy_sees(s, principal_of_person(44), "infra/production", NOW));
	assert_false(policy_sees(s, principal_of_person(99), "shop/staging", NOW));
	policy_aid_close(s);
}

TEST(a_role_of_an_application_holds_there_alone)
{
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "STAGING_TELEGRAM_IDS=70\nROLE_QA_IDS=71\nROLE_QA_MAY=\"deploy:*/*, log\"\n"
			"ROLE_HERE_IDS=72\nROLE_HERE_MAY=deploy:staging\n");
	s = policy_aid_good("");
	assert_int_equal(s->application_count, 3);
	assert_true(policy_aid_may(s, 70, POLICY_DEPLOY, "shop/staging"));
	assert_true(policy_aid_may(s, 70, POLICY_STATUS, "shop/production"));
	assert_false(policy_aid_may(s, 70, POLICY_DEPLOY, "blog/staging"));
	assert_false(policy_sees(s, principal_of_person(70), "blog/staging", NOW));
	assert_true(policy_aid_may(s, 71, POLICY_LOG, "shop/production"));
	assert_false(policy_aid_may(s, 71, POLICY_DEPLOY, "blog/staging"));
	assert_false(policy_sees(s, principal_of_person(71), "blog/staging", NOW));
	assert_true(policy_aid_may(s, 72, POLICY_DEPLOY, "shop/staging"));
	assert_false(policy_aid_may(s, 72, POLICY_DEPLOY, "blog/staging"));
	policy_aid_close(s);
}

/* An application's file says nothing of another, and makes no admin: else it is not read. */
TEST(an_application_grants_nothing_of_another)
{
	static const char *const wrong[] = { "ROLE_QA_IDS=71\nROLE_QA_MAY=deploy:blog/staging\n",
		"ROLE_QA_IDS=71\nROLE_QA_MAY=\"deploy:shop/staging, status:client/*\"\n",
		"ADMIN_TELEGRAM_IDS=71\n", "ALLOWED_USERS=71\n" };

	policy_aid_open();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char text[400];
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%s%s", OWN("shop"), wrong[i]);
		policy_aid_write(&policy_aid, "apps/shop.env", text);
		s = policy_aid_good("");
		if (s->refused_count != 1)
			fail_msg("taken: %s", wrong[i]);
		for (size_t e = 0; e < POLICY_AID_PLACES; e++)
			if (!text_starts(policy_aid_places[e], "shop/"))
				assert_false(policy_sees(
				    s, principal_of_person(71), policy_aid_places[e], NOW));
		assert_false(policy_aid_may(s, 71, POLICY_ADMIN, POLICY_ALL));
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

#define WIDE "                                                                "

TEST(access_ends_with_its_day)
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

	policy_aid_open();
	for (size_t i = 0; i < COUNT(roles) * 2; i++) {
		bool berlin = i >= COUNT(roles);
		int64_t last = (berlin ? INT64_C(1801436400000) : INT64_C(1801440000000)) - 1;
		struct principal who = principal_of_person(50);
		struct settings *s;

		(void)snprintf(text, sizeof(text), "%s%s", roles[i % COUNT(roles)],
		    berlin ? "TIMEZONE=Europe/Berlin\n" : "");
		s = policy_aid_good(text);
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
	policy_aid_close(NULL);
}

TEST(a_grant_of_a_client_is_another_than_one_of_an_environment)
{
	struct role role = { .name = "c", .grant_count = 1 };
	struct grant environment = { .actions = 1, .name = "staging" }, client = environment;
	struct roles a = { .count = 1, .role = &role, .grant_count = 1, .grant = &environment };
	struct roles b = a;

	assert_true(roles_are_same(&a, &b));
	client.is_client = true;
	b.grant = &client;
	assert_false(roles_are_same(&a, &b));
}

TEST(a_grant_of_a_client_opens_no_environment)
{
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("ROLE_C_IDS=50\nROLE_C_MAY=\"*:*/*\"\n");
	assert_true(policy_aid_may(s, 50, POLICY_DEPLOY, "shop/staging"));
	for (size_t i = 0; i < s->roles->grant_count; i++)
		s->roles->grant[i].is_client = true;
	assert_false(policy_aid_may(s, 50, POLICY_DEPLOY, "shop/staging"));
	assert_false(policy_sees(s, principal_of_person(50), "shop/staging", NOW));
	policy_aid_close(s);
}

TEST(who_is_no_person_has_no_grant)
{
	struct principal who;
	struct settings *s;
	char words[40];

	policy_aid_open();
	s = policy_aid_good("");
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
	policy_aid_close(s);
}

/* --- what a token or a login lends --- */

/* Who makes a token of a role has it themselves, and no other way. */
TEST(a_role_is_had_by_its_members_while_they_are_and_by_admins)
{
	static const struct {
		int64_t person;
		bool has;
	} cases[] = { { 50, true }, { 51, false }, { 52, false }, { 11, true }, { 0, false } };
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("ROLE_QA_IDS=\"50, 51 until 2020-01-01\"\nROLE_QA_MAY=log:*/*\n"
			    "ROLE_OPS_IDS=52\nROLE_OPS_MAY=*:*/*\n");
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(policy_has_role(s, principal_of_person(cases[i].person),
				     roles_find(s->roles, "", "qa"), NOW),
		    cases[i].has);
	policy_aid_close(s);
}

/* --- a thousand policies, against a second reading of their text --- */

/* The last one is granted by * alone. */
static const enum policy_action actions[POLICY_AID_WORDS] = { POLICY_STATUS, POLICY_HISTORY,
	POLICY_LOG, POLICY_DEPLOY, POLICY_ROLLBACK, POLICY_CANCEL, POLICY_CONFIRM, POLICY_LOCK };

static struct settings *
load_drawn(void)
{
	char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < POLICY_AID_LINES; i++) {
		const char *line = policy_aid.lines[i];
		int name = (int)strcspn(line, "=");

		if (line[0] != '\0')
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s=\"%s\"\n",
			    name, line, line + name + 1);
	}
	return policy_aid_good(text);
}

static void
compare(const struct settings *s, int64_t person, const char *place, uint64_t seed)
{
	for (unsigned a = 0; a < POLICY_AID_WORDS; a++)
		if (policy_aid_may(s, person, actions[a], place) !=
		    policy_aid_grants(&policy_aid, person, a, place))
			fail_msg("seed %llu: %lld, %s %s", (unsigned long long)seed,
			    (long long)person, policy_action_word(actions[a]), place);
	assert_int_equal(policy_sees(s, principal_of_person(person), place, NOW),
	    policy_aid_sees(&policy_aid, person, place));
}

TEST(a_thousand_policies_grant_what_their_text_says)
{
	policy_aid_open();
	for (int round = 0; round < 1000; round++) {
		uint64_t seed = policy_aid.seed;
		struct settings *s;

		policy_aid_draw(&policy_aid);
		s = load_drawn();
		for (unsigned p = 0; p < POLICY_AID_PEOPLE; p++)
			for (size_t e = 0; e < POLICY_AID_PLACES; e++)
				compare(s, POLICY_AID_FIRST + p, policy_aid_places[e], seed);
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

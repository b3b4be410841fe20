/* Goal: what is no grant, or one on what is not there, is said and grants nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy_aid.h"

#include <sys/stat.h>
#include <unistd.h>

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

TEST(what_is_no_grant_is_named_and_refused)
{
	policy_aid_open();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct settings *s = policy_aid_load(wrong[i].role);

		if (s != NULL)
			fail_msg("taken: %s", wrong[i].role);
		if (!settings_aid_says(SETTINGS_ERROR, wrong[i].says))
			fail_msg("of %s is said: %s", wrong[i].role, settings_said.lines[0].text);
	}
	policy_aid_close(NULL);
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
	{ "deploy:staging", "there is no environment staging; write APPLICATION/staging" },
	{ "deploy:*", "there is no environment *" },
};

/* As check-config does, and the start: it is named, and grants nothing. */
TEST(a_start_names_a_grant_on_what_never_was_and_it_grants_nothing)
{
	char line[120];

	policy_aid_open();
	for (size_t i = 0; i < COUNT(missing); i++) {
		struct settings *s;

		(void)snprintf(line, sizeof(line), "ROLE_X_IDS=5\nROLE_X_MAY=%s\n", missing[i].may);
		s = policy_aid_good(line);
		if (!settings_aid_says(SETTINGS_FLAW, missing[i].says))
			fail_msg("not said: %s", missing[i].says);
		assert_int_equal(s->warned_count, 1);
		assert_string_equal(s->warned[0].file, "ROLE_X_MAY");
		for (size_t e = 0; e < POLICY_AID_PLACES; e++)
			assert_false(
			    policy_sees(s, principal_of_person(5), policy_aid_places[e], NOW));
		settings_unref(s);
	}
	policy_aid_close(NULL);
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
	policy_aid_write(&policy_aid, "main.env", text);
	(void)snprintf(path, sizeof(path), "%s/main.env", policy_aid.folder);
	settings_change_init(&change);
	if (!settings_reload(running, path, NULL, NULL, &settings, &settings_said, &change))
		settings = NULL;
	settings_change_done(&change);
	return settings;
}

TEST(a_reload_with_a_grant_on_what_never_was_is_refused)
{
	struct settings *s;
	char line[120];

	policy_aid_open();
	s = policy_aid_good("");
	for (size_t i = 0; i < COUNT(missing); i++) {
		(void)snprintf(line, sizeof(line), "ROLE_X_IDS=5\nROLE_X_MAY=%s\n", missing[i].may);
		assert_null(reload(s, line));
		assert_true(settings_aid_says(SETTINGS_ERROR, missing[i].says));
	}
	policy_aid_close(s);
}

#define ON_INFRA "ROLE_X_IDS=5\nROLE_X_MAY=\"deploy:infra/production, rollback:shop/*\"\n"

static void
remove_file(const char *name)
{
	char path[120];

	(void)snprintf(path, sizeof(path), "%s/%s", policy_aid.folder, name);
	assert_int_equal(unlink(path), 0);
}

/* It refused the whole reload, and the next start. */
TEST(a_removed_file_leaves_its_grants_and_all_else_in_force)
{
	struct settings *before, *s;

	policy_aid_open();
	before = policy_aid_good(ON_INFRA);
	assert_true(policy_aid_may(before, 5, POLICY_DEPLOY, "infra/production"));
	remove_file("apps/infra.env");
	s = reload(before, ON_INFRA "POLL_REPOSITORY_SECONDS=61\n");
	assert_non_null(s);
	assert_true(
	    settings_aid_says(SETTINGS_WARNING, "infra/production: there is no application infra"));
	assert_string_equal(s->warned[0].reason,
	    "deploy:infra/production: there is no application infra: take this grant out, or put back what it names");
	assert_int_equal(s->poll_repository_seconds, 61);
	assert_true(policy_aid_may(s, 5, POLICY_ROLLBACK, "shop/staging"));
	assert_null(settings_environment(s, "infra/production"));
	settings_unref(before);
	before = s; /* and again, where nothing that runs has it */
	s = reload(before, ON_INFRA "POLL_REPOSITORY_SECONDS=62\n");
	assert_non_null(s);
	assert_int_equal(s->warned_count, 1);
	settings_unref(before);
	settings_unref(s);
	s = policy_aid_good(ON_INFRA); /* a start */
	assert_int_equal(s->warned_count, 1);
	policy_aid_close(s);
}

/* A release of it was live once: then check-config too says no more than a warning. */
TEST(a_state_file_says_that_an_application_was_there)
{
	char path[140], line[200];
	struct settings *s;

	policy_aid_open();
	remove_file("apps/infra.env");
	(void)snprintf(path, sizeof(path), "%s/environments", policy_aid.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	policy_aid_write(&policy_aid, "environments/infra.production.json", "{}");
	policy_aid_write(&policy_aid, "environments/shop.qa.json", "{}");
	(void)snprintf(line, sizeof(line), "STATE_DIRECTORY=%s\n%s", policy_aid.folder, ON_INFRA);
	s = policy_aid_good(line);
	assert_int_equal(settings_said.flaws, 0);
	assert_true(settings_aid_says(SETTINGS_WARNING, "there is no application infra"));
	settings_unref(s);
	for (size_t i = 0; i < 4; i++) {
		static const char *const targets[] = { "shop/qa", "*/qa", "shop/canary", "qa" };

		(void)snprintf(line, sizeof(line),
		    "STATE_DIRECTORY=%s\nROLE_X_IDS=5\nROLE_X_MAY=deploy:%s\n", policy_aid.folder,
		    targets[i]);
		s = policy_aid_good(line);
		assert_int_equal(settings_said.flaws, i < 2 ? 0 : 1);
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

/* What a file with a mistake would have is not known: that takes nothing from who may there. */
TEST(an_application_with_a_mistake_is_no_unknown_one)
{
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env", OWN("shop") "TELEGRAM_BOT_TOKEN=1\n");
	s = policy_aid_good("ROLE_X_IDS=5\nROLE_X_MAY=deploy:shop/qa\n");
	assert_int_equal(s->refused_count, 1);
	policy_aid_close(s);
}

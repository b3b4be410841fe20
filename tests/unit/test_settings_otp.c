/* Goal: REQUIRE_OTP covers what a grant of the same words covers; what would ask for nothing is said.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "lib/base.h"

#include "unit.h"
#include "policy/policy.h"
#include "settings/sources/settings_load.h"

#define NOW INT64_C(1801000000000)

static struct settings_report report;
static char key_path[64], key_setting[96];

static int
write_key(void **state)
{
	FILE *file;

	(void)state;
	(void)snprintf(key_path, sizeof(key_path), "/tmp/test_settings_otp.%ld", (long)getpid());
	(void)snprintf(key_setting, sizeof(key_setting), "TOTP_KEY_FILE=%s", key_path);
	file = fopen(key_path, "w");
	return file == NULL ||
	    fputs("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", file) < 0 ||
	    fclose(file) != 0;
}

static int
remove_key(UNUSED void **state)
{
	return unlink(key_path);
}

/* With that REQUIRE_OTP, and a role of person 50 that grants the same; NULL: refused. */
static struct settings *
load(const char *text, bool has_clients)
{
	char required[128], may[128];
	char *list[] = {
		(char[]){ "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789" },
		(char[]){ "ADMIN_TELEGRAM_IDS=11" },
		(char[]){ "GITHUB_REPOSITORY=acme/web" },
		(char[]){ "REGISTRY_URL=registry:5000" },
		(char[]){ "SECRET_DB_PATH=kv2 secret db" },
		(char[]){ "SECRET_DB_FOR=production" },
		key_setting,
		required,
		has_clients ? (char[]){ "CLIENTS=acme" } : NULL,
		(char[]){ "CLIENT_ACME_HOST=web@acme.example" },
		(char[]){ "CLIENT_ACME_WEB_UNIT=web.service" },
		(char[]){ "CLIENT_ACME_ACTIONS=restart-web,service-status" },
		(char[]){ "ROLE_X_IDS=50" },
		may,
		NULL,
	};
	struct settings *settings = NULL;

	(void)snprintf(required, sizeof(required), "REQUIRE_OTP=%s", text);
	(void)snprintf(
	    may, sizeof(may), "ROLE_X_MAY=%s%s", text, strchr(text, ':') == NULL ? ":*/*" : "");
	report = (struct settings_report){ 0 };
	return settings_load(NULL, list, &settings, &report) ? settings : NULL;
}

static const char *
said_of(const char *name, enum settings_severity severity)
{
	static char all[SETTINGS_REPORT_MAX * 302];

	all[0] = '\0';
	for (size_t i = 0; i < report.count; i++)
		if (report.lines[i].severity == severity &&
		    strncmp(report.lines[i].text, name, strlen(name)) == 0)
			(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n",
			    report.lines[i].text);
	return all;
}

static const char *
said(enum settings_severity severity)
{
	return said_of("REQUIRE_OTP", severity);
}

/* --- the same words, the same targets --- */

TEST(what_a_grant_covers_needs_a_code_and_nothing_else)
{
	static const char *const texts[] = { "do:*", "do:*/*", "*:*", "*:*/*", "approve:*",
		"approve:*/*", "do:client/*", "*:client/*", "do.restart-web:client/acme",
		"approve:client/acme", "do:production", "do.run-job:production", "*:client/acme" };
	static const char *const targets[] = { "staging", "production", "client/acme" };
	static const enum policy_action actions[] = { POLICY_DO, POLICY_APPROVE };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct settings *s = load(texts[i], true);

		if (s == NULL)
			fail_msg("refused: %s: %s", texts[i], said(SETTINGS_ERROR));
		for (size_t t = 0; t < COUNT(targets) * COUNT(actions); t++) {
			const char *target = targets[t / COUNT(actions)];
			enum policy_action action = actions[t % COUNT(actions)];
			const char *name = action != POLICY_DO ? "" :
			    t / COUNT(actions) == 2	       ? "restart-web" :
								 "run-job";
			struct principal who = principal_of_person(50);
			bool granted = action == POLICY_DO ?
			    policy_decide_do(s, who, name, target, NOW).verdict == POLICY_ALLOW :
			    policy_may(s, who, action, target, NOW);

			if (granted != policy_needs_factor(s, action, name, target))
				fail_msg("%s: %s %s is %s", texts[i], policy_action_word(action),
				    target, granted ? "granted without a code" : "not granted");
		}
		settings_unref(s);
	}
}

/* /whoami names a rule to who may what it asks a code for, and to nobody else. */
TEST(a_rule_concerns_who_may_what_it_names)
{
	static const char *const texts[] = { "deploy:*", "deploy:production",
		"do.run-job:production", "do.restart-web:client/acme", "approve:client/acme",
		"*:client/*", "token", "secret.db:production" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct settings *s = load(texts[i], true);

		if (s == NULL)
			fail_msg("refused: %s: %s", texts[i], said(SETTINGS_ERROR));
		assert_int_equal(s->require_otp_count, 1);
		assert_true(policy_asks_factor_of(s, s->require_otp, principal_of_person(50), NOW));
		assert_true(policy_asks_factor_of(s, s->require_otp, principal_of_person(11), NOW));
		assert_false(
		    policy_asks_factor_of(s, s->require_otp, principal_of_person(51), NOW));
		settings_unref(s);
	}
}

TEST(who_protects_all_environments_is_told_of_the_clients)
{
	static const struct {
		const char *text;
		bool has_clients, is_said;
	} rows[] = {
		{ "do:*", true, true },
		{ "*:*/*", true, true },
		{ "approve:*", true, true },
		{ "do:*", false, false },
		{ "deploy:*", true, false },
		{ "do:production", true, false },
		{ "do:*,do:client/*", true, false },
		{ "do:*/*,*:client/acme", true, false },
		{ "do:*,do", true, false },
		{ "do.run-job:*", true, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		settings_unref(load(rows[i].text, rows[i].has_clients));
		if ((strstr(said(SETTINGS_WARNING), "covers environments and no clients") !=
			NULL) != rows[i].is_said)
			fail_msg("%s: %s", rows[i].text, said(SETTINGS_WARNING));
	}
	settings_unref(load("do:*", true));
	assert_string_equal(said(SETTINGS_WARNING),
	    "REQUIRE_OTP: do:*: covers environments and no clients, as in a role's grants: add do:client/*, or nothing done to a client needs a code\n");
}

/* --- what would ask for nothing --- */

TEST(what_can_ask_for_no_code_is_refused)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "do.restart-web:production",
		    "REQUIRE_OTP: do.restart-web:production: restart-web is done to clients alone, so this asks for no code: write do.restart-web:client/ID\n" },
		{ "do.restart-web:*", "restart-web is done to clients alone" },
		{ "do.run-job:client/acme",
		    "run-job is done to environments alone, so this asks for no code: write do.run-job:APPLICATION/ENVIRONMENT\n" },
		{ "do:client/amce", "REQUIRE_OTP: do:client/amce: there is no client amce" },
		{ "approve:client/amce", "there is no client amce: CLIENTS lists them" },
		{ "do:qa", "there is no such environment" },
		{ "status:*", "that never needs a code" },
		{ "do.restrat-web:client/acme",
		    "there is no action do.restrat-web; did you mean do.restart-web?\n" },
		{ "restart-web:client/acme",
		    "there is no action restart-web; did you mean do.restart-web:client/acme?\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = load(rows[i].text, true);

		if (s != NULL || strstr(said(SETTINGS_ERROR), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].text, said(SETTINGS_ERROR));
	}
}

/* The same sentence of a role's grant, which is only of no use. */
TEST(what_is_never_done_there_is_said_of_both)
{
	static const struct {
		const char *text, *says;
		bool is_refused; /* as REQUIRE_OTP */
	} rows[] = {
		{ "do.clear-cache:client/acme",
		    "CLIENT_ACME_ACTIONS has no clear-cache, so this %s: add it there, or take this out\n",
		    false },
		{ "do.run-job:client/acme",
		    "run-job is done to environments alone, so this %s: write do.run-job:APPLICATION/ENVIRONMENT\n",
		    true },
		{ "do.restart-web:*/staging",
		    "restart-web is done to clients alone, so this %s: write do.restart-web:client/ID\n",
		    true },
		{ "do.restart-web:client/acme", NULL, false },
		{ "do.restart-web:client/*", NULL, false },
		{ "do.run-job:production", NULL, false },
	};
	char grants[LIMIT_LINE], asks[LIMIT_LINE];

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text = rows[i].text;

		settings_unref(load(text, true));
		if (rows[i].says == NULL) {
			assert_string_equal(said_of("ROLE_X_MAY", SETTINGS_WARNING), "");
			assert_string_equal(said(SETTINGS_WARNING), "");
			continue;
		}
		(void)snprintf(grants, sizeof(grants), rows[i].says, "grants nothing");
		(void)snprintf(asks, sizeof(asks), rows[i].says, "asks for no code");
		if (strstr(said_of("ROLE_X_MAY", SETTINGS_WARNING), grants) == NULL)
			fail_msg("%s: %s", text, said_of("ROLE_X_MAY", SETTINGS_WARNING));
		if (strstr(said(rows[i].is_refused ? SETTINGS_ERROR : SETTINGS_WARNING), asks) ==
		    NULL)
			fail_msg("%s: %s", text, said(SETTINGS_WARNING));
	}
}

/* --- the key --- */

/* Who checks the settings must see it; a server that runs goes on without. */
TEST(a_key_that_cannot_be_read_is_an_error_and_the_server_starts)
{
	static const struct {
		const char *text, *says; /* NULL: no file */
	} rows[] = {
		{ NULL, "No such file or directory; no second factor can be read: put back" },
		{ "", "no key in it; make one with: openssl rand -hex 32; no second factor" },
		{ "abc\n", "expected a key as 64 hex digits" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s;
		FILE *file;

		assert_int_equal(unlink(key_path), 0);
		if (rows[i].text != NULL) {
			file = fopen(key_path, "w");
			assert_non_null(file);
			assert_true(fputs(rows[i].text, file) >= 0 && fclose(file) == 0);
		}
		s = load("deploy:production", false);
		assert_non_null(s);
		assert_null(s->totp_keys);
		assert_int_equal(report.errors, 0);
		assert_int_equal(s->warned_count, 1);
		assert_non_null(strstr(said_of("TOTP_KEY_FILE", SETTINGS_FLAW), rows[i].says));
		assert_non_null(
		    strstr(said_of("TOTP_KEY_FILE", SETTINGS_FLAW), s->warned[0].reason));
		settings_unref(s);
		if (rows[i].text == NULL)
			assert_int_equal(write_key(state), 0);
	}
	assert_int_equal(write_key(state), 0);
}

TEST_GROUP(write_key, remove_key)

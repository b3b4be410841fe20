/* Goal: what may be lent is what the settings name, for what is there; a grant means one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "folder_aid.h"
#include "settings_aid.h"

#include "lib/text.h"
#include "policy/policy.h"
#include "types/loan.h"

#define AS   "SECRET_DB_MIGRATE_"
#define LENT AS "PATH=kv2 secret django/database", AS "FOR=production"

#define VAULT "VAULT_ADDR=https://vault.example.org", "VAULT_TOKEN=hvs.0123456789abcdef0123"

#define LENDER "ROLE_DBA_IDS=42", "ROLE_DBA_MAY=secret.db-migrate:production"

TEST(a_secret_has_what_is_set_for_it)
{
	struct settings *s = LOAD(NULL, COMPLETE, VAULT, LENT, "SECRET_DB_MIGRATE_APPROVALS=2",
	    "SECRET_DB_MIGRATE_TTL=1h", "SECRET_CI_PATH=creds database migrate",
	    "SECRET_CI_FOR=staging");
	struct loan loan;
	size_t at = 0;

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_true(loan_next(s, &at, &loan));
	while (strcmp(loan.id, "db-migrate") != 0)
		assert_true(loan_next(s, &at, &loan));
	assert_string_equal(loan.name, "db-migrate");
	assert_string_equal(loan.path, "kv2 secret django/database");
	assert_string_equal(loan.target, "production");
	assert_int_equal(loan.approvals, 2);
	assert_int_equal(loan.ttl_ms, 3600 * INT64_C(1000));
	assert_true(loan_is_there(s, "ci", "staging"));
	assert_false(loan_is_there(s, "ci", "production"));
	assert_true(loan_is_there(s, "*", "*"));
	settings_unref(s);
}

TEST(what_no_vault_lends_is_said)
{
	struct settings *s = LOAD(NULL, COMPLETE, LENT);

	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "secret db-migrate: VAULT_ADDR is not set");
	settings_unref(s);
}

TEST(a_path_is_three_words_that_no_dots_lead_out_of)
{
	static const char *const bad[] = { "kv2 secret", "kv3 secret a", "kv2 secret ../a",
		"kv2 secret a/../b", "kv2 secret a.", "kv2 secret a..b", "kv2 secret .a",
		"kv2 secret a%2e", "kv2 secret /a", "kv2 secret a/", "kv2 secret a//b",
		"kv2 ../sys a", "kv2 secret a b", "kv2 secret a?b", "secret/data/a" };
	static const char *const good[] = { "kv1 kv a", "kv2 team/secret a/b-c_d/e.f",
		"creds  database   migrate" };
	char line[128];

	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(line, sizeof(line), "SECRET_A_PATH=%s", bad[i]);
		if (LOAD(NULL, COMPLETE, line, "SECRET_A_FOR=production") != NULL)
			fail_msg("\"%s\" was taken", bad[i]);
		SAYS(SETTINGS_ERROR, "SECRET_A_PATH: ");
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		struct settings *s;

		(void)snprintf(line, sizeof(line), "SECRET_A_PATH=%s", good[i]);
		s = LOAD(NULL, COMPLETE, line, "SECRET_A_FOR=production");
		assert_non_null(s);
		settings_unref(s);
	}
}

/* Of a path that is set with more than one blank, too. */
TEST(a_secret_is_read_by_a_command_of_vaults_own)
{
	static const struct {
		const char *set, *path, *command;
	} rows[] = {
		{ "kv2 secret django/database", "django/database",
		    "kv get -mount=secret django/database" },
		{ "kv1 kv a", "a", "kv get -mount=kv a" },
		{ "kv2 team/secret a/b-c_d/e.f", "a/b-c_d/e.f",
		    "kv get -mount=team/secret a/b-c_d/e.f" },
		{ "creds database migrate", "migrate", "read database/creds/migrate" },
		{ "creds  database   migrate", "migrate", "read database/creds/migrate" },
		{ "kv2   secret  a/b", "a/b", "kv get -mount=secret a/b" },
	};
	char command[LOAN_COMMAND];

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct loan loan = { .at = loan_place(rows[i].set) };

		assert_string_equal(loan.at.path, rows[i].path);
		loan_command(&loan, command);
		assert_string_equal(command, rows[i].command);
	}
}

/* A word that the setting takes and the table lacks would be read in another's way. */
TEST(each_kind_may_be_set_and_its_longest_command_is_whole)
{
	static const char *const words[] = {
#define K(name, word, ...) word,
		LOAN_KINDS(K)
#undef K
	};
	char path[230], line[300], command[LOAN_COMMAND];

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (size_t i = LOAN_NONE + 1; i < COUNT(words); i++) {
		struct settings *s;
		struct loan loan;

		(void)snprintf(line, sizeof(line), "SECRET_A_PATH=%s mount %s", words[i], path);
		s = LOAD(NULL, COMPLETE, VAULT, line, "SECRET_A_FOR=production");
		assert_non_null(s);
		assert_true(loan_of(s, "a", "production", &loan));
		assert_int_equal(loan.at.kind, i);
		loan_command(&loan, command);
		assert_true(text_ends(command, path));
		settings_unref(s);
	}
	assert_int_equal(loan_place("ssh mount role").kind, LOAN_NONE);
}

TEST(a_secret_needs_a_path_and_an_environment_that_is_there)
{
	static const char *const times[] = { "0m", "61m", "2h", "1d", "10", "90s" };
	char line[64];

	assert_null(LOAD(NULL, COMPLETE, "SECRET_A_PATH=kv2 secret a"));
	SAYS(SETTINGS_ERROR, "SECRET_A_FOR: is not set");
	assert_null(LOAD(NULL, COMPLETE, "SECRET_A_FOR=production"));
	SAYS(SETTINGS_ERROR, "SECRET_A_PATH: is not set");
	assert_null(LOAD(NULL, COMPLETE, "SECRET_A_PATH=kv2 secret a", "SECRET_A_FOR=prod"));
	SAYS(SETTINGS_ERROR, "SECRET_A_FOR: there is no environment prod");
	for (size_t i = 0; i < COUNT(times); i++) {
		(void)snprintf(line, sizeof(line), "SECRET_DB_MIGRATE_TTL=%s", times[i]);
		assert_null(LOAD(NULL, COMPLETE, LENT, line));
		SAYS(SETTINGS_ERROR, "SECRET_DB_MIGRATE_TTL: ");
	}
}

#define HTTPS "PUBLIC_URL=https://bot.example.org"

TEST(a_value_is_delivered_where_that_is_set_and_over_tls_alone)
{
	struct settings *s = LOAD(NULL, COMPLETE, VAULT, LENT, HTTPS);
	struct loan loan;

	assert_true(loan_of(s, "db-migrate", "production", &loan) && !loan.is_value);
	assert_true(loan_may_be_value(s));
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, VAULT, LENT, HTTPS, AS "DELIVERS=value");
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_true(loan_of(s, "db-migrate", "production", &loan) && loan.is_value);
	settings_unref(s);
	s = LOAD(
	    NULL, COMPLETE, VAULT, LENT, HTTPS, AS "DELIVERS=VALUE"); /* as check-config reads it */
	assert_true(loan_of(s, "db-migrate", "production", &loan) && loan.is_value);
	settings_unref(s);
	assert_null(LOAD(NULL, COMPLETE, VAULT, LENT, HTTPS, AS "DELIVERS=both"));
	SAYS(SETTINGS_ERROR, AS "DELIVERS: ");
	assert_null(LOAD(NULL, COMPLETE, VAULT, LENT, AS "DELIVERS=value"));
	SAYS(SETTINGS_ERROR, "secret db-migrate: SECRET_<NAME>_DELIVERS=value gives it over TLS");
	assert_null(LOAD(
	    NULL, COMPLETE, VAULT, LENT, AS "DELIVERS=value", "PUBLIC_URL=http://bot.example.org"));
	SAYS(SETTINGS_ERROR, "secret db-migrate: SECRET_<NAME>_DELIVERS=value gives it over TLS");
}

TEST(a_field_is_of_a_value)
{
	static const char *const bad[] = { "field=", "field=a b", "field=a/b", "a", "Field=a",
		"field=a field=b" };
	struct loan_place at;
	char line[128], url[LIMIT_LOAN_PATH];

	assert_null(LOAD(NULL, COMPLETE, VAULT, HTTPS, "SECRET_A_PATH=kv2 secret a field=b",
	    "SECRET_A_FOR=production"));
	SAYS(SETTINGS_ERROR, "secret a: field=b is for SECRET_<NAME>_DELIVERS=value alone");
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(line, sizeof(line), "SECRET_A_PATH=kv2 secret a %s", bad[i]);
		if (LOAD(NULL, COMPLETE, VAULT, HTTPS, line, "SECRET_A_FOR=production",
			"SECRET_A_DELIVERS=value") != NULL)
			fail_msg("\"%s\" was taken", bad[i]);
		SAYS(SETTINGS_ERROR, "SECRET_A_PATH: ");
	}
	at = loan_place("kv2  team/secret   a/b field=pass.word-1");
	assert_string_equal(at.field, "pass.word-1");
	loan_place_url(&at, url, sizeof(url));
	assert_string_equal(url, "team/secret/data/a/b");
	at = loan_place("kv1 kv a");
	assert_string_equal(at.field, "");
	loan_place_url(&at, url, sizeof(url));
	assert_string_equal(url, "kv/a");
	at = loan_place("creds database migrate");
	loan_place_url(&at, url, sizeof(url));
	assert_string_equal(url, "database/creds/migrate");
}

TEST_WITH(an_application_lends_what_is_its_own, folder_aid_make, folder_aid_remove)
{
	struct settings *s;

	folder_aid_put(
	    "apps/blog.env", "GITHUB_REPOSITORY=Acme/Blog\nSTAGING_HOST=b\nPRODUCTION_HOST=c\n");
	folder_aid_put("apps/shop.env",
	    "GITHUB_REPOSITORY=Acme/Shop\nSTAGING_HOST=d\nPRODUCTION_HOST=e\n"
	    "SECRET_A_PATH=kv2 secret a\nSECRET_A_FOR=production\n"
	    "SECRET_B_PATH=kv2 secret b\nSECRET_B_FOR=blog/production\n"
	    "ROLE_DBA_IDS=42\nROLE_DBA_MAY=secret.a:production, secret.c:staging, secret.d:staging, "
	    "secret.e:staging, secret.c:production\n");
	folder_aid_put("main",
	    SERVER "SECRET_A_PATH=kv2 secret x\nSECRET_A_FOR=shop/production\n"
		   "SECRET_C_PATH=kv2 secret c\nSECRET_C_FOR=shop/staging\n"
		   "SECRET_E_PATH=kv2 secret e\nSECRET_E_FOR=blog/staging\n");
	s = folder_aid_load();
	assert_true(settings_aid_says(SETTINGS_FLAW,
	    "SECRET_B_FOR: blog/production: an application's file lends nothing to another"));
	assert_true(settings_aid_says(SETTINGS_FLAW,
	    "secrets a and shop/a: both are called a and for shop/production: that of the settings file counts"));
	assert_true(loan_of(s, "c", "shop/staging", &(struct loan){ 0 }));
	assert_true(settings_aid_says(SETTINGS_WARNING,
	    "secret.d:staging: there is no secret d for it, so this grants nothing"));
	/* What another application lends is none of its business. */
	assert_true(settings_aid_says(SETTINGS_WARNING, "secret.e:staging: there is no secret e"));
	assert_true(settings_aid_says(SETTINGS_FLAW,
	    "secret.c:production: secret c is for shop/staging, so this grants nothing: write secret.c:shop/staging"));
	assert_false(settings_aid_says(SETTINGS_WARNING, "there is no secret c"));
	assert_false(settings_aid_says(SETTINGS_FLAW, "secret.c:staging:"));
	assert_false(settings_aid_says(SETTINGS_WARNING, "there is no secret a"));
	settings_unref(s);
}

static const char *
path_of(const struct settings *s, const char *name, const char *target)
{
	struct loan loan;

	return loan_of(s, name, target, &loan) ? loan.path : "";
}

TEST_WITH(no_application_takes_away_what_another_or_the_main_file_lends, folder_aid_make,
    folder_aid_remove)
{
	static const char shop[] =
	    "GITHUB_REPOSITORY=Acme/Shop\nSTAGING_HOST=d\nPRODUCTION_HOST=e\n"
	    "SECRET_A_PATH=kv2 secret mine\nSECRET_A_FOR=blog/production\n"
	    "SECRET_M_PATH=kv2 secret mine\nSECRET_M_FOR=blog/production\n"
	    "SECRET_S_PATH=kv2 secret mine\nSECRET_S_FOR=production\n";
	struct settings *s;
	struct loan loan;
	size_t n = 0;

	folder_aid_put("apps/shop.env", shop);
	folder_aid_put("apps/blog.env",
	    "GITHUB_REPOSITORY=Acme/Blog\nSTAGING_HOST=b\nPRODUCTION_HOST=c\n"
	    "SECRET_A_PATH=kv2 secret a\nSECRET_A_FOR=production\n");
	folder_aid_put("main",
	    SERVER "SECRET_M_PATH=kv2 secret m\nSECRET_M_FOR=blog/production\n"
		   "SECRET_S_PATH=kv2 secret s\nSECRET_S_FOR=shop/production\n");
	s = folder_aid_load();
	assert_non_null(s);
	assert_string_equal(path_of(s, "a", "blog/production"), "kv2 secret a");
	assert_string_equal(path_of(s, "m", "blog/production"), "kv2 secret m");
	assert_string_equal(path_of(s, "s", "shop/production"), "kv2 secret s");
	for (size_t at = 0; loan_next(s, &at, &loan); n++)
		assert_string_not_equal(loan.path, "kv2 secret mine");
	assert_int_equal(n, 3);
	settings_unref(s);
}

/* --- grants --- */

static bool
may(const struct settings *s, struct principal who, const char *name, const char *target)
{
	return policy_decide_secret(s, who, name, target, 1).verdict == POLICY_ALLOW;
}

TEST(a_grant_is_of_one_secret_and_do_is_none)
{
	struct settings *s = LOAD(NULL, COMPLETE, LENT, LENDER, "ROLE_OPS_IDS=43",
	    "ROLE_OPS_MAY=do:production, deploy:production", "ROLE_ALL_IDS=44",
	    "ROLE_ALL_MAY=secret:production", "SECRET_STRIPE_PATH=kv2 secret stripe",
	    "SECRET_STRIPE_FOR=production");

	assert_non_null(s);
	assert_true(may(s, principal_of_person(42), "db-migrate", "production"));
	assert_true(may(s, principal_of_person(42), "", "production"));
	assert_false(may(s, principal_of_person(42), "stripe", "production"));
	assert_false(may(s, principal_of_person(42), "db-migrate", "staging"));
	assert_false(may(s, principal_of_person(43), "db-migrate", "production"));
	assert_true(may(s, principal_of_person(44), "stripe", "production"));
	assert_true(may(s, principal_of_person(11), "stripe", "production")); /* an admin */
	assert_false(policy_may(s, principal_of_person(42), POLICY_DO, "production", 1));
	settings_unref(s);
}

TEST(whoever_has_found_a_token_asks_for_no_secret)
{
	struct settings *s = LOAD(NULL, COMPLETE, LENT, LENDER);
	size_t role = roles_find(s->roles, "", "dba");
	struct principal token = { .kind = PRINCIPAL_TOKEN, .id = 0, .lent = role };

	assert_int_not_equal(role, 0);
	assert_false(may(s, token, "db-migrate", "production"));
	settings_unref(s);
}

TEST(a_grant_of_a_secret_that_is_not_there_grants_nothing_and_says_so)
{
	settings_unref(LOAD(NULL, COMPLETE, LENT, LENDER, "ROLE_X_IDS=43",
	    "ROLE_X_MAY=secret.db-migrte:production, secret.db-migrate:*/*"));
	SAYS(SETTINGS_WARNING,
	    "ROLE_X_MAY: secret.db-migrte:production: there is no secret db-migrte for it, so this grants nothing");
	assert_false(settings_aid_says(SETTINGS_WARNING, "secret.db-migrate:*/*"));
	assert_false(settings_aid_says(SETTINGS_FLAW, "secret.db-migrate:*/*"));
	assert_false(settings_aid_says(SETTINGS_FLAW, "ROLE_DBA_MAY"));
}

TEST(a_grant_or_a_code_of_a_secret_for_another_environment_is_an_error_with_the_right_one)
{
	settings_unref(LOAD(NULL, COMPLETE, LENT, LENDER, "ROLE_X_IDS=43",
	    "ROLE_X_MAY=secret.db-migrate:staging", "REQUIRE_OTP=secret.db-migrate:staging"));
	SAYS(SETTINGS_FLAW,
	    "ROLE_X_MAY: secret.db-migrate:staging: secret db-migrate is for production, so this grants nothing: write secret.db-migrate:production");
	SAYS(SETTINGS_FLAW,
	    "REQUIRE_OTP: secret.db-migrate:staging: secret db-migrate is for production, so this asks for no code: write secret.db-migrate:production");
	assert_false(settings_aid_says(SETTINGS_FLAW, "ROLE_DBA_MAY"));
}

TEST(a_grant_of_a_secret_that_is_spelled_as_its_setting_is_an_error_with_the_right_name)
{
	static const char *const wrong[] = { "secret.db_migrate:production",
		"secret.DB_MIGRATE:production", "deploy:staging, secret.db_Migrate:production" };
	char line[128];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)snprintf(line, sizeof(line), "ROLE_X_MAY=%s", wrong[i]);
		assert_null(LOAD(NULL, COMPLETE, LENT, "ROLE_X_IDS=43", line));
		SAYS(SETTINGS_ERROR, "; did you mean secret.db-migrate:production?");
	}
	assert_null(LOAD(NULL, COMPLETE, LENT, "ROLE_X_IDS=43",
	    "ROLE_X_MAY=secret.db-migrate:production, deploy_it:staging"));
	assert_false(settings_aid_says(SETTINGS_ERROR, "did you mean secret."));
}

TEST(of_kv2_what_vaults_api_adds_is_an_error_with_what_to_write)
{
	static const struct {
		const char *path, *said; /* NULL: it is fine */
	} rows[] = {
		{ "kv2 secret/data django/database",
		    "secret a: kv2 secret/data django/database would be read at secret/data/data/django/database, for Vault's API adds data/ by itself: write kv2 secret django/database" },
		{ "kv2 secret data/django/database",
		    "would be read at secret/data/data/django/database, for Vault's API adds data/ by itself: write kv2 secret django/database" },
		{ "kv2 secret metadata/django", ": write kv2 secret django" },
		{ "kv2 team/secret/metadata django", ": write kv2 team/secret django" },
		{ "kv2 data django", NULL },
		{ "kv2 secret database/data", NULL },
		{ "kv2 secret data", NULL },
		{ "kv2 secret-data django", NULL },
		{ "kv1 secret/data data/django", NULL },
		{ "creds database/data data/migrate", NULL },
	};
	char line[128];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s;

		(void)snprintf(line, sizeof(line), "SECRET_A_PATH=%s", rows[i].path);
		s = LOAD(NULL, COMPLETE, VAULT, line, "SECRET_A_FOR=production");
		assert_non_null(s); /* the server starts: nothing else is wrong */
		if (rows[i].said != NULL)
			SAYS(SETTINGS_FLAW, rows[i].said);
		else
			assert_int_equal(settings_said.count, 0);
		settings_unref(s);
	}
}

/* Goal: all that is wrong is said at once, what is right is one snapshot.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "settings/checks/settings_stages.h"
#include "settings/settings_table.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/redact.h"

TEST(the_minimum_gets_every_default)
{
	struct settings *s = LOAD(NULL, COMPLETE);
	const struct environment_settings *e;

	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_int_equal(s->telegram_mode, TELEGRAM_POLLING);
	assert_int_equal(s->poll_repository_seconds, 60);
	assert_true(s->telegram_chat_id == 11);
	assert_string_equal(s->telegram_api_base, "https://api.telegram.org");
	assert_string_equal(s->repository_url, "https://github.com/acme/shop.git");
	assert_string_equal(s->state_directory, "/var/lib/deploybot");
	assert_int_equal(s->api_server_port, 8080);
	assert_int_equal(s->times.health_check_timeout_seconds, 5);
	assert_int_equal(s->times.health_check_retries, 10);
	assert_int_equal(s->times.health_check_interval_seconds, 10);
	assert_int_equal(s->times.health_check_successes, 2);
	assert_int_equal(s->times.health_check_deadline_seconds, 300);
	assert_int_equal(s->times.deploy_timeout_seconds, 600);
	assert_int_equal(s->shutdown_timeout_seconds, 60);
	assert_int_equal(s->run_logs_keep, 50);
	assert_true(s->enable_telemetry);
	assert_int_equal(s->log_level, LOG_LEVEL_INFO);
	assert_int_equal(s->admins.count, 2);
	assert_int_equal(s->admins.id[1], 22);
	assert_null(s->github_webhook_secret);
	assert_int_equal(s->environment_count, 2);
	e = settings_environment(s, "staging");
	assert_string_equal(e->branch, "develop");
	assert_false(e->confirm);
	e = settings_environment(s, "production");
	assert_string_equal(e->branch, "main");
	assert_true(e->confirm);
	assert_int_equal(e->health_url_count, 0);
	assert_null(settings_environment(s, "qa"));
	settings_unref(s);
}

TEST(all_errors_are_said_at_once_with_their_lines)
{
	assert_null(LOAD("HEALTH_CHECK_RETRIES=x\nAPI_SERVER_PORT=70000\n"
			 "STAGING_HEALTH_URL=ftp://x\nRUN_LOGS_TOTAL=10GB\n",
	    "ENABLE_TELEMETRY=maybe"));
	SAYS(SETTINGS_ERROR, "HEALTH_CHECK_RETRIES: \"x\" is not a number, 1 to 1000 (/tmp/");
	SAYS(SETTINGS_ERROR, " line 1)");
	SAYS(SETTINGS_ERROR, "API_SERVER_PORT: \"70000\" is not a port, 1 to 65535 (/tmp/");
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: \"ftp://x\"");
	SAYS(SETTINGS_ERROR, "RUN_LOGS_TOTAL: \"10GB\" is not a size of 4K to 4096G");
	SAYS(SETTINGS_ERROR, "ENABLE_TELEMETRY: \"maybe\" is not true or false");
	SAYS(SETTINGS_ERROR, "TELEGRAM_BOT_TOKEN: is not set");
	SAYS(SETTINGS_ERROR, "ADMIN_TELEGRAM_IDS: is not set");
	SAYS(SETTINGS_ERROR, "REPOSITORY_URL: is not set");
	assert_int_equal(settings_said.errors, 8);
	assert_null(LOAD(NULL, MINIMUM, REGISTRY, "STAGING_HOST=deploy@a", "PRODUCTION_HOST=b"));
	SAYS(SETTINGS_ERROR, "STAGING_HOST: \"deploy@a\" is not HOST or HOST:PORT");
	assert_int_equal(settings_said.count, 1); /* wrong is not missing */
}

TEST(the_environment_wins_over_the_file_and_empty_is_not_set)
{
	struct settings *s = LOAD("LOG_LEVEL=debug\nAPI_SERVER_PORT=1\nREPOSITORY_URL=\n", MINIMUM,
	    "API_SERVER_PORT=2", "LOG_LEVEL=");

	assert_non_null(s);
	assert_int_equal(s->api_server_port, 2);
	assert_int_equal(s->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(s->repository_url, "https://github.com/acme/shop.git");
	settings_unref(s);
}

TEST(weak_secrets_are_refused_or_warned_of_and_never_printed)
{
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=hunter2"));
	SAYS(SETTINGS_ERROR,
	    "GITHUB_WEBHOOK_SECRET: is not a secret of at least 16 bytes and no placeholder");
	assert_false(settings_aid_says(SETTINGS_ERROR, "hunter2"));
	assert_null(
	    LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=changeme-changeme-changeme-changeme"));
	SAYS(SETTINGS_ERROR, "no placeholder");
	assert_null(
	    LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	s = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=k3k3-jd8f-29fj-xx");
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "GITHUB_WEBHOOK_SECRET: a secret shorter than 32");
	settings_unref(s);
}

TEST(what_the_guide_leaves_to_be_replaced_is_named)
{
	struct settings *s;

	assert_null(LOAD(NULL, TOKEN, ADMINS, "GITHUB_REPOSITORY=OWNER/NAME",
	    "STAGING_HOST=STAGING_IP", "STAGING_HEALTH_URL=http://STAGING_IP:8080/health",
	    "PRODUCTION_HOST=PRODUCTION_IP:2222", "REGISTRY_URL=REGISTRY"));
	SAYS(SETTINGS_ERROR, "GITHUB_REPOSITORY: OWNER/NAME stands for a value of yours");
	SAYS(SETTINGS_ERROR, "STAGING_HOST: STAGING_IP stands for");
	SAYS(SETTINGS_ERROR, "STAGING_HEALTH_URL: STAGING_IP stands for");
	SAYS(SETTINGS_ERROR, "PRODUCTION_HOST: PRODUCTION_IP stands for");
	SAYS(SETTINGS_ERROR, "REGISTRY_URL: REGISTRY stands for");
	s = LOAD(NULL, TOKEN, ADMINS, "GITHUB_REPOSITORY=CO-OWNER/NAMES",
	    "STAGING_HOST=MY_STAGING_IP", "REGISTRY_URL=REGISTRY.example.org",
	    "STAGING_HEALTH_URL=http://127.0.0.1/IMAGE");
	assert_non_null(s);
	assert_false(settings_aid_says(SETTINGS_ERROR, "stands for"));
	settings_unref(s);
}

TEST(a_bots_token_that_is_a_placeholder_is_called_one)
{
	assert_null(LOAD(NULL, "TELEGRAM_BOT_TOKEN=123456:example-example-example", ADMINS, REPO));
	SAYS(SETTINGS_ERROR, "no placeholder (as \"example\"");
}

TEST(webhook_mode_needs_its_secret_in_telegrams_alphabet)
{
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook"));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_SECRET: is not set");
	assert_null(LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook",
	    "TELEGRAM_WEBHOOK_SECRET=" SECRET "="));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_SECRET: is not 16 to 256 of A-Z a-z 0-9 _ -");
	assert_int_equal(settings_said.errors, 1);
	s = LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/telegram/webhook",
	    "TELEGRAM_WEBHOOK_SECRET=" SECRET, "TELEGRAM_API_BASE=http://127.0.0.1:9//");
	assert_non_null(s);
	assert_int_equal(s->telegram_mode, TELEGRAM_WEBHOOK);
	assert_int_equal(s->poll_repository_seconds, 300); /* beside webhooks */
	assert_string_equal(s->telegram_api_base, "http://127.0.0.1:9");
	settings_unref(s);
	s = LOAD(NULL, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://x.org/t", "TELEGRAM_MODE=polling");
	assert_int_equal(s->telegram_mode, TELEGRAM_POLLING);
	SAYS(SETTINGS_WARNING, "TELEGRAM_WEBHOOK_URL: is not used");
	settings_unref(s);
	assert_null(
	    LOAD(NULL, MINIMUM, "TELEGRAM_MODE=webhook", "TELEGRAM_WEBHOOK_SECRET=" SECRET));
	SAYS(SETTINGS_ERROR, "TELEGRAM_WEBHOOK_URL: is not set");
}

TEST(environments_are_a_list_with_settings_of_their_own)
{
	struct settings *s = LOAD(NULL, MINIMUM, "ENVIRONMENTS=staging, eu-west", "EU_WEST_HOST=h1",
	    "EU_WEST_PORT=81", "GITHUB_BRANCH_EU_WEST=release/eu", "STAGING_CONFIRM=true",
	    "EU_WEST_HEALTH_URL=https://a/h, http://b:1/");
	const struct environment_settings *e;

	assert_non_null(s);
	e = settings_environment(s, "eu-west");
	assert_string_equal(e->branch, "release/eu");
	assert_int_equal(e->health_url_count, 2);
	assert_string_equal(e->health_urls[0], "https://a/h");
	assert_string_equal(e->health_urls[1], "http://b:1/");
	assert_true(settings_environment(s, "staging")->confirm);
	assert_non_null(settings_runners_spec(s, NULL, "EU_WEST_HOST"));
	assert_null(settings_runners_spec(s, NULL, "EU_WEST_CONFIRM"));
	settings_unref(s);
}

TEST(names_of_environments_that_clash_are_refused)
{
	for (size_t i = 0; i < 2; i++) {
		assert_null(LOAD(NULL, MINIMUM,
		    i == 0 ? "ENVIRONMENTS=staging,job" : "ENVIRONMENTS=staging,job-b"));
		SAYS(SETTINGS_ERROR, "its settings would be mixed up with JOB_<NAME>, the jobs");
	}
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=qa,qa"));
	SAYS(SETTINGS_ERROR, "qa is there twice");
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=Staging"));
	SAYS(SETTINGS_ERROR, "ENVIRONMENTS: \"Staging\" is not the name");
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=a23456789012345678901"));
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS=-x"));
	assert_null(LOAD(NULL, MINIMUM, "ENVIRONMENTS= ,"));
}

TEST(a_secret_may_stand_in_a_file)
{
	char path[] = "/tmp/test_settings.XXXXXX", setting[100], runners[100];
	int fd = mkstemp(path);
	struct settings *s;

	assert_true(file_write_all(fd, SECRET "\n", strlen(SECRET) + 1, NULL));
	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "GITHUB_WEBHOOK_SECRET_FILE=%s", path);
	s = LOAD(NULL, MINIMUM, setting);
	assert_non_null(s);
	assert_string_equal(s->github_webhook_secret, SECRET);
	assert_string_equal(settings_secret_file(s, SETTING_GITHUB_WEBHOOK_SECRET), path);
	assert_null(settings_secret_file(s, SETTING_TELEGRAM_BOT_TOKEN));
	settings_unref(s);
	(void)snprintf(runners, sizeof(runners), "REPOSITORY_TOKEN_FILE=%s", path);
	s = LOAD(NULL, MINIMUM, runners);
	assert_non_null(s);
	assert_null(settings_text(s, SETTING_REPOSITORY_TOKEN)); /* the runner's: only its place */
	assert_string_equal(settings_secret_file(s, SETTING_REPOSITORY_TOKEN), path);
	settings_unref(s);
	assert_null(LOAD(NULL, MINIMUM, setting, "GITHUB_WEBHOOK_SECRET=" SECRET));
	SAYS(SETTINGS_ERROR, "GITHUB_WEBHOOK_SECRET_FILE: set together with");
	(void)unlink(path);
	assert_null(LOAD(NULL, MINIMUM, setting));
	SAYS(SETTINGS_ERROR, "GITHUB_WEBHOOK_SECRET_FILE: cannot open");
}

/* A container without its secret says so in its last line, and not that the secret "is not set". */
TEST(what_is_wrong_with_a_secrets_file_is_all_that_is_said_of_it)
{
	char path[] = "/tmp/deploybot-secret-XXXXXX", setting[100], words[120];
	int fd = mkstemp(path);

	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "TELEGRAM_BOT_TOKEN_FILE=%s", path);
	assert_null(LOAD(NULL, ADMINS, REPO, setting));
	assert_int_equal(settings_said.errors, 1);
	SAYS(SETTINGS_ERROR, "is empty: write the secret into it");
	(void)unlink(path);
	assert_null(LOAD(NULL, ADMINS, REPO, setting));
	assert_int_equal(settings_said.errors, 1);
	(void)snprintf(words, sizeof(words),
	    "No such file or directory: put it there, for user %u to read", (unsigned)geteuid());
	SAYS(SETTINGS_ERROR, words);
}

/* The server's user cannot open it, and is not to: what is wrong with it the runner says. */
TEST(a_secret_of_a_runner_that_is_a_service_is_not_read)
{
	static const char there[] = "REPOSITORY_TOKEN_FILE=/no/such/file";
	struct settings *s;

	assert_null(LOAD(NULL, MINIMUM, there));
	assert_true(settings_aid_says(SETTINGS_ERROR, "REPOSITORY_TOKEN_FILE"));
	s = LOAD(NULL, MINIMUM, there, "RUNNER_SOCKET=/run/runner.sock");
	assert_non_null(s);
	assert_string_equal(s->runner_socket, "/run/runner.sock");
	assert_true(settings_is_given(s, SETTING_REPOSITORY_TOKEN));	/* other settings ask */
	assert_null(settings_secret_file(s, SETTING_REPOSITORY_TOKEN)); /* not ours to look at */
	settings_unref(s);
	/* Our own are read as ever. */
	assert_null(LOAD(NULL, ADMINS, REPO, "TELEGRAM_BOT_TOKEN_FILE=/no/such/file",
	    "RUNNER_SOCKET=/run/runner.sock"));
	assert_true(settings_aid_says(SETTINGS_ERROR, "TELEGRAM_BOT_TOKEN_FILE"));
	s = LOAD(NULL, MINIMUM);
	assert_non_null(s);
	assert_null(s->runner_socket);
	settings_unref(s);
}

TEST(the_runner_sees_only_what_is_its_own)
{
	struct settings *s = LOAD(NULL, MINIMUM, "REPOSITORY_TOKEN=" SECRET);
	struct redact *r = redact_new();
	struct buf out;

	assert_non_null(s);
	assert_null(settings_text(s, SETTING_REPOSITORY_TOKEN));
	assert_true(settings_is_given(s, SETTING_REPOSITORY_TOKEN));
	assert_non_null(settings_runners_spec(NULL, NULL, "REPOSITORY_TOKEN"));
	assert_non_null(settings_runners_spec(NULL, NULL, "REPOSITORY_TOKEN_FILE"));
	assert_non_null(settings_runners_spec(s, NULL, "STATE_DIRECTORY"));
	assert_null(settings_runners_spec(s, NULL, "TELEGRAM_BOT_TOKEN"));
	assert_null(settings_runners_spec(s, NULL, "TELEGRAM_BOT_TOKEN_FILE"));
	assert_null(settings_runners_spec(s, NULL, "PATH"));
	assert_true(settings_redact(s, r, NULL));
	buf_init(&out, 1000);
	redact_text(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", 35, &out);
	redact_text(r, "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", 42, &out);
	assert_string_equal(buf_text(&out), "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789***");
	buf_done(&out);
	redact_free(r);
	assert_ptr_equal(settings_ref(s), s);
	settings_unref(s);
	assert_int_equal(s->admins.id[0], 11);
	settings_unref(s);
	settings_unref(NULL);
}

TEST(the_committed_example_is_the_tables)
{
	char *committed = file_read(".env.example", 1u << 20, NULL, NULL);
	struct buf example;
	struct settings *s;

	buf_init(&example, 1u << 20);
	settings_example(&example);
	assert_non_null(committed); /* tests run at the root of the tree */
	if (strcmp(committed, buf_text(&example)) != 0)
		fail_msg(".env.example is another: deploybot config-example >.env.example");
	free(committed);
	s = LOAD(buf_text(&example), COMPLETE); /* every default in it is valid */
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	buf_done(&example);
}

TEST(every_row_has_what_it_needs)
{
	for (size_t i = 0; i < SETTING_COUNT + FAMILY_SETTING_COUNT; i++) {
		const struct settings_spec *row = i < SETTING_COUNT ?
		    &settings_table[i] :
		    &settings_table_families[i - SETTING_COUNT];

		assert_true(strlen(row->name) > 2 && strlen(row->help) > 10);
		assert_true(!row->is_secret || row->fallback == NULL);
		assert_true((i < SETTING_COUNT) == (strchr(row->name, '<') == NULL));
		assert_true(strlen(row->name) + SETTINGS_MEMBER_NAME < SETTING_NAME_MAX);
		if (row->fallback != NULL)
			assert_true(setting_check(row->type, row->fallback, row->is_secret, NULL));
		if (row->type == SETTING_TYPE_BOOL) /* which nobody spells anew for scripts */
			assert_true(row->fallback == NULL || strcmp(row->fallback, "true") == 0 ||
			    strcmp(row->fallback, "false") == 0);
	}
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		assert_non_null(strchr(settings_families[i].stem, '<'));
}

TEST(users_of_the_machine_are_found_when_settings_are_read)
{
	struct settings *s = LOAD(NULL, COMPLETE, "LOCAL_WWW_DATA_IS=42",
	    "LOCAL_GAMES_IS=role admin", "LOCAL_NOBODY_HERE_IS=43", "LOCAL_MAN_IS=");
	const char *name = NULL;

	assert_non_null(s);
	assert_int_equal(settings_user(s, 33, &name), 42); /* www-data: - is _ in a name */
	assert_string_equal(name, "www-data");
	assert_int_equal(settings_user(s, 5, &name), -6);
	assert_string_equal(settings_user_name(s, -6), "games");
	assert_null(settings_user_name(s, -7));
	assert_int_equal(settings_user(s, 6, &name), 0);
	assert_int_equal(settings_user(s, 0, &name), 0);
	SAYS(SETTINGS_WARNING, "LOCAL_NOBODY_HERE_IS: there is no such user on this machine");
	SAYS(SETTINGS_WARNING, "LOCAL_WWW_DATA_IS: 42 has no role: nothing is granted to them");
	settings_unref(s);
}

TEST(users_that_are_never_let_in_are_refused_in_settings)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "LOCAL_ROOT_IS=42", "LOCAL_ROOT_IS: root has no such setting" },
		{ "LOCAL_NOBODY_IS=42", "LOCAL_NOBODY_IS: is never let in" },
		{ "LOCAL_GAMES_IS=role king", "LOCAL_GAMES_IS: there is no role king" },
		{ "LOCAL_GAMES_IS=ada", "LOCAL_GAMES_IS" },
		{ "LOCAL_GAMES_IS=-5", "LOCAL_GAMES_IS" },
		{ "LOCAL_SOCKET=local.sock", "LOCAL_SOCKET" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(LOAD(NULL, COMPLETE, cases[i].line));
		SAYS(SETTINGS_ERROR, cases[i].text);
	}
}

/* In an application's file it is a warning: that one's mistake keeps nobody else from starting. */
TEST(approvers_who_are_no_role_or_may_not_approve_are_refused)
{
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=king"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: king: there is no such role");
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:staging,deploy:production"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: lead: it has no grant approve there");
	/* One on a client is none on the environment. */
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:client/*"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_APPROVERS: lead: it has no grant approve there");
	s = LOAD(NULL, COMPLETE, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=admin,lead",
	    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:production");
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
}

TEST(a_stage_that_is_not_there_is_named)
{
	struct settings *s;

	s = LOAD(NULL, COMPLETE, "PRODUCTION_AFTER=staging,qa");
	SAYS(SETTINGS_WARNING, "PRODUCTION_AFTER: qa: there is no such environment");
	assert_int_equal(settings_said.count, 1);
	settings_unref(s);
	s = LOAD(NULL, COMPLETE, "PRODUCTION_AFTER=none");
	assert_int_equal(settings_said.count, 0);
	settings_unref(s);
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_AFTER=a,b,c,d"));
}

TEST(what_a_promotion_is_to_come_from_has_to_be_there)
{
	struct settings *s;

	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_PROMOTE_ONLY=true"));
	SAYS(SETTINGS_ERROR,
	    "PRODUCTION_PROMOTE_ONLY: is true, and <ENV>_PROMOTE_FROM does not say from where");
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_PROMOTE_FROM=stagign"));
	SAYS(SETTINGS_ERROR, "PRODUCTION_PROMOTE_FROM: stagign: there is no such environment");
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_PROMOTE_FROM=production"));
	SAYS(
	    SETTINGS_ERROR, "PRODUCTION_PROMOTE_FROM: production: that is this environment itself");
	assert_null(LOAD(NULL, COMPLETE, "PRODUCTION_PROMOTE_AFTER=30"));
	/* Each from the other is odd, and does no harm. */
	s = LOAD(NULL, COMPLETE, "PRODUCTION_PROMOTE_ONLY=true", "PRODUCTION_PROMOTE_FROM=staging",
	    "PRODUCTION_PROMOTE_AFTER=30m", "STAGING_PROMOTE_FROM=production");
	assert_non_null(s);
	assert_int_equal(settings_said.count, 0);
	assert_true(settings_environment(s, "production")->promote_only);
	assert_int_equal(settings_environment(s, "production")->promote_after_ms, INT64_C(1800000));
	assert_true(settings_promotes(s, "production", "staging"));
	assert_false(settings_promotes(s, "production", "production"));
	settings_unref(s);
}

TEST(a_window_that_is_wrong_is_named_among_several)
{
	assert_null(LOAD(NULL, COMPLETE,
	    "STAGING_FREEZE=Fri 16:00-Mon 08:00, Mon 25:00-Tue 06:00 Europe/Berlin, Wed 1:00-Wed 2:00"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_FREEZE: \"Mon 25:00-Tue 06:00 Europe/Berlin\": 25:00 is no time of a day (0:00 to "
	    "23:59), as in Fri 16:00-Mon 08:00");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_FREEZE=2026-12-20..2026-01-06"));
	SAYS(
	    SETTINGS_ERROR, "STAGING_FREEZE: \"2026-12-20..2026-01-06\": it ends before it begins");
	assert_null(LOAD(NULL, COMPLETE, "STAGING_FREEZE=Fri 16:00-Mon 08:00 Berlin"));
	SAYS(SETTINGS_ERROR,
	    "STAGING_FREEZE: \"Fri 16:00-Mon 08:00 Berlin\": Berlin is no time zone of this machine");
}

TEST(a_window_that_is_past_is_warned_of_and_one_to_come_is_not)
{
	struct settings *s =
	    LOAD(NULL, COMPLETE, "STAGING_FREEZE=2999-01-01..2999-01-02, 2025-12-20..2026-01-06,");

	assert_non_null(s);
	assert_int_equal(settings_said.count, 1);
	SAYS(SETTINGS_WARNING,
	    "STAGING_FREEZE: \"2025-12-20..2026-01-06\" is past and freezes nothing: take it out");
	settings_unref(s);
}

/* LOCAL_SOCKET is no setting of an environment that has this name. */
TEST(an_environment_may_be_called_local)
{
	struct settings *s =
	    LOAD(NULL, TOKEN, ADMINS, REPO, "ENVIRONMENTS=local", "GITHUB_BRANCH_LOCAL=main",
		"DEPLOY_TRANSPORT=local", "LOCAL_PORT=8001", "LOCAL_SOCKET=/run/x.sock");

	assert_non_null(s);
	assert_string_equal(settings_environment(s, "local")->branch, "main");
	assert_string_equal(settings_local_socket(s), "/run/x.sock");
	settings_unref(s);
}

/* Without TRUSTED_PROXY this machine may say who asks; with it, who it names alone. */
TEST(whom_the_proxy_is_said_to_be_is_believed_alone)
{
	static const struct {
		const char *set, *in, *out;
	} rows[] = {
		{ "TRUSTED_PROXY=10.0.0.7", "10.0.0.7", "10.0.0.8" },
		{ "TRUSTED_PROXY=10.0.0.7", "::ffff:10.0.0.7", "127.0.0.1" },
		{ "TRUSTED_PROXY=unix", "unix", "127.0.0.1" },
		{ "TRUSTED_PROXY=10.0.0.0/8, 127.0.0.1", "127.0.0.1", "unix" },
		{ "TRUSTED_PROXY=unix,fd00::/8", "fd00::1", "::1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings *s = LOAD(NULL, COMPLETE, rows[i].set);

		assert_non_null(s);
		assert_true(settings_trusts_proxy(s, rows[i].in, false));
		assert_false(settings_trusts_proxy(s, rows[i].out, true));
		settings_unref(s);
	}
	for (size_t i = 0; i < 2; i++) {
		struct settings *s =
		    LOAD(NULL, COMPLETE, i == 0 ? "TRUSTED_PROXY=" : "DEBUG=false");

		assert_non_null(s);
		assert_true(settings_trusts_proxy(s, "::1", true));
		assert_true(settings_trusts_proxy(s, "unix", true));
		assert_false(settings_trusts_proxy(s, "10.0.0.7", false));
		settings_unref(s);
	}
}

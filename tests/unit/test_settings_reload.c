/* Goal: what changed is named without its value, and what needs a restart stays as it runs.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include "lib/buf.h"
#include "settings/checks/settings_runners.h"

TEST(what_changed_is_named_without_its_value)
{
	struct settings *a = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=" SECRET);
	struct settings *b = LOAD(NULL, MINIMUM, "GITHUB_WEBHOOK_SECRET=x" SECRET,
	    "API_SERVER_PORT=9", "ENVIRONMENTS=staging", "STAGING_PORT=5");
	struct settings_change change, none;

	settings_change_init(&change);
	settings_change_init(&none);
	assert_true(settings_diff(a, b, &change));
	assert_string_equal(buf_text(&change.names),
	    "GITHUB_WEBHOOK_SECRET, API_SERVER_PORT, ENVIRONMENTS, "
	    "STAGING_PORT, PRODUCTION_RUNNER, PRODUCTION_CONFIRM, PRODUCTION_NOTIFY_AFTER_SECONDS, PRODUCTION_BAKE, PRODUCTION_DEPLOY_PUSHES, PRODUCTION_FREEZE_PUSHES, PRODUCTION_UPLOADS, PRODUCTION_GATE_REVIEWER, PRODUCTION_PROMOTE_ONLY, PRODUCTION_APPROVALS, PRODUCTION_ROLLBACK_APPROVALS, GITHUB_BRANCH_PRODUCTION, "
	    "PRODUCTION_COMPOSE_DIR, PRODUCTION_WAVES, PRODUCTION_FAILURES_MAX, PRODUCTION_WAVE_PAUSE");
	assert_string_equal(buf_text(&change.restart_names), "API_SERVER_PORT");
	assert_false(settings_diff(a, a, &none));
	settings_change_done(&change);
	settings_change_done(&none);
	settings_unref(a);
	settings_unref(b);
}

/* Reloads these beside running; what waits for a restart is in waiting. */
static struct settings *
reload(const struct settings *running, const char *const environment[], char waiting[256])
{
	struct settings *fresh = NULL;
	struct settings_change change;

	settings_change_init(&change);
	assert_true(settings_reload(running, NULL, (char *const *)(uintptr_t)environment, NULL,
	    &fresh, &settings_said, &change));
	(void)snprintf(waiting, 256, "%s", buf_text(&change.restart_names));
	settings_change_done(&change);
	return fresh;
}

#define RELOAD(running, waiting, ...) \
	reload(running, (const char *const[]){ __VA_ARGS__, NULL }, waiting)

TEST(what_needs_a_restart_stays_as_it_runs)
{
	struct settings *running = LOAD(NULL, MINIMUM, "STATE_DIRECTORY=/one", "LOG_LEVEL=INFO",
	    "API_SERVER_PORT=8081", "ENVIRONMENTS=staging");
	struct settings *first, *second;
	char waiting[256];

	first = RELOAD(running, waiting, MINIMUM, "STATE_DIRECTORY=/two", "LOG_LEVEL=DEBUG",
	    "ENABLE_TELEMETRY=false", "ENVIRONMENTS=staging,qa", "QA_HEALTH_URL=http://h/x");
	assert_string_equal(waiting, "API_SERVER_PORT, STATE_DIRECTORY");
	assert_string_equal(first->state_directory, "/one");
	assert_string_equal(settings_text(first, SETTING_STATE_DIRECTORY), "/one");
	assert_int_equal(first->api_server_port, 8081);
	assert_int_equal(first->log_level, LOG_LEVEL_DEBUG);
	assert_false(first->enable_telemetry);
	assert_int_equal(first->environment_count, 2);
	assert_string_equal(settings_environment(first, "qa")->health_urls[0], "http://h/x");
	assert_int_equal(first->admins.count, 2);
	/* It is the running one that is kept, not the one that waits, and it waits on. */
	second = RELOAD(first, waiting, MINIMUM, "STATE_DIRECTORY=/two", "API_SERVER_PORT=8081");
	assert_string_equal(waiting, "STATE_DIRECTORY");
	assert_string_equal(second->state_directory, "/one");
	settings_unref(running);
	settings_unref(first);
	settings_unref(second);
}

/* The file would be refused until then, and with it what does not wait. */
TEST(workflows_wait_for_the_restart_that_serves_them)
{
	struct settings *running = LOAD(NULL, MINIMUM), *fresh;
	char waiting[256];

	fresh = RELOAD(running, waiting, MINIMUM, "ENABLE_API_SERVER=true",
	    "PUBLIC_URL=https://b.example.org",
	    "WORKFLOW_SHOP_IS=github 456789 ci.yml@refs/heads/main",
	    "WORKFLOW_SHOP_MAY=deploy:staging");
	assert_string_equal(waiting, "ENABLE_API_SERVER");
	SAYS(SETTINGS_WARNING, "ENABLE_API_SERVER=true counts when deploybot starts again");
	settings_unref(running);
	settings_unref(fresh);
}

TEST(a_running_webhook_keeps_its_secret_when_polling_is_to_come)
{
	struct settings *running = LOAD(NULL, MINIMUM,
	    "TELEGRAM_WEBHOOK_URL=https://b.example.org/x", "TELEGRAM_WEBHOOK_SECRET=" SECRET);
	struct settings *polling, *rotated;
	char waiting[256];

	polling = RELOAD(running, waiting, MINIMUM);
	assert_string_equal(waiting, "TELEGRAM_WEBHOOK_URL, TELEGRAM_WEBHOOK_SECRET");
	assert_int_equal(polling->telegram_mode, TELEGRAM_WEBHOOK);
	assert_string_equal(polling->telegram_webhook_secret, SECRET);
	assert_int_equal(polling->poll_repository_seconds, 300); /* 60 goes with polling */
	rotated = RELOAD(polling, waiting, MINIMUM, "TELEGRAM_WEBHOOK_URL=https://b.example.org/x",
	    "TELEGRAM_WEBHOOK_SECRET=x" SECRET);
	assert_string_equal(waiting, "");
	assert_string_equal(rotated->telegram_webhook_secret, "x" SECRET);
	settings_unref(running);
	settings_unref(polling);
	settings_unref(rotated);
}

TEST(another_database_waits_for_the_restart)
{
	struct settings *running = LOAD(
	    NULL, MINIMUM, REGISTRY, "SERVER_NAME=a", "DATABASE_URL=postgres://bot:hunter22@h/d");
	char waiting[256];
	struct settings *fresh = RELOAD(running, waiting, MINIMUM, REGISTRY, "SERVER_NAME=b",
	    "DATABASE_URL=postgres://bot:hunter23@h/d", "INSTALLATION_NAME=shop");

	assert_string_equal(waiting, "DATABASE_URL, SERVER_NAME, INSTALLATION_NAME");
	assert_string_equal(fresh->database, "postgres://bot:hunter22@h/d");
	assert_string_equal(settings_server_name(fresh), "a");
	assert_null(settings_text(fresh, SETTING_INSTALLATION_NAME));
	settings_unref(fresh);
	settings_unref(running);
}

/* Nothing else of that reload is refused. */
TEST(a_new_runner_and_who_has_it_wait_for_the_restart)
{
	struct settings *running = LOAD(NULL, MINIMUM, "LOG_LEVEL=INFO"), *fresh;
	char waiting[256];

	fresh = RELOAD(running, waiting, MINIMUM, "LOG_LEVEL=DEBUG", "RUNNERS=build-1",
	    "STAGING_RUNNER=build-1");
	assert_string_equal(waiting, "RUNNERS");
	assert_int_equal(fresh->log_level, LOG_LEVEL_DEBUG);
	SAYS(SETTINGS_WARNING,
	    "STAGING_RUNNER: build-1 is none of RUNNERS, and not local; they are read at start");
	assert_non_null(strstr(settings_refusal(fresh, "staging"), "read at deploybot's start"));
	settings_unref(fresh);
	settings_unref(running);
}

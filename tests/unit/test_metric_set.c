/* Goal: what happened is in the text that Prometheus reads, under the names that were promised.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"

static int
set_up(void **state)
{
	*state = metric_set_new();
	return *state == NULL;
}

static int
tear_down(void **state)
{
	metric_set_free(*state);
	return 0;
}

/* Is that whole line in the text? */
static bool
says(const struct metric_set *set, const char *line)
{
	struct buf text, wanted;
	bool found;

	buf_init(&text, 1 << 20);
	buf_init(&wanted, 1 << 10);
	buf_addf(&wanted, "\n%s\n", line);
	metric_set_write(set, &text);
	found = strstr(buf_text(&text), buf_text(&wanted)) != NULL;
	buf_done(&text);
	buf_done(&wanted);
	return found;
}

static void
every_promised_name_is_there_once_it_was_fed(void **state)
{
	static const char *const lines[] = {
		"# TYPE deploybot_build_info gauge",
		"deploybot_build_info{version=\"" DEPLOYBOT_VERSION "\"} 1",
		"# TYPE deploybot_webhook_requests_total counter",
		"# TYPE deploybot_deployments_total counter",
		"# TYPE deploybot_deployment_duration_seconds histogram",
		"# TYPE deploybot_environment_busy gauge",
		"# TYPE deploybot_rollback_unacknowledged gauge",
		"# TYPE deploybot_release_info gauge",
		"# TYPE deploybot_health_up gauge",
		"# TYPE deploybot_telegram_requests_total counter",
		"# TYPE deploybot_telegram_pending_updates gauge",
		"# TYPE deploybot_outbox_pending gauge",
		"# TYPE deploybot_audit_entries_total counter",
		"deploybot_audit_entries_total 0",
		"# TYPE deploybot_audit_export_failures_total counter",
		"deploybot_audit_export_failures_total 0",
		"# TYPE deploybot_commands_total counter",
		"# TYPE deploybot_loop_lag_seconds gauge",
		"# TYPE deploybot_store_commit_seconds histogram",
		"# TYPE process_resident_memory_bytes gauge",
	};

	struct gauges gauges = {
		.n_environments = 1,
		.environment = { { "staging", true, false, "1a2b3c4" } },
	};
	const enum tally_kind kinds[] = { TALLY_DEPLOYMENT, TALLY_COMMAND, TALLY_COMMIT };

	metric_set_gauges(*state, &gauges);
	for (size_t i = 0; i < COUNT(kinds); i++)
		metric_set_tally(*state, &(struct tally){ kinds[i], { "a", "b", "c" }, 1 });
	metric_set_webhook(*state, "github", 200);
	metric_set_telegram(*state, "getMe", 200);
	metric_set_telegram_pending(*state, 0);
	metric_set_health(*state, "staging", true);
	metric_set_loop_lag(*state, 0);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (!says(*state, lines[i]))
			fail_msg("missing: %s", lines[i]);
}

static void
tallies_are_counted_under_their_labels(void **state)
{
	struct tally tallies[] = {
		{ TALLY_DEPLOYMENT, { "staging", "push", "live" }, 12.5 },
		{ TALLY_DEPLOYMENT, { "staging", "push", "live" }, 700 },
		{ TALLY_COMMAND, { "deploy", "denied", "" }, 0 },
		{ TALLY_AUDIT_EXPORT_FAILED, { "" }, 0 },
		{ TALLY_COMMIT, { "" }, 0.0007 },
	};

	for (size_t i = 0; i < COUNT(tallies); i++)
		metric_set_tally(*state, &tallies[i]);
	assert_true(says(*state,
	    "deploybot_deployments_total{environment=\"staging\","
	    "trigger=\"push\",outcome=\"live\"} 2"));
	assert_true(says(*state,
	    "deploybot_deployment_duration_seconds_bucket{"
	    "environment=\"staging\",le=\"20\"} 1"));
	assert_true(says(*state,
	    "deploybot_deployment_duration_seconds_count{"
	    "environment=\"staging\"} 2"));
	assert_true(
	    says(*state, "deploybot_commands_total{command=\"deploy\",outcome=\"denied\"} 1"));
	assert_true(says(*state, "deploybot_audit_export_failures_total 1"));
	assert_true(says(*state, "deploybot_store_commit_seconds_bucket{le=\"0.001\"} 1"));
	assert_true(says(*state, "deploybot_store_commit_seconds_bucket{le=\"0.0005\"} 0"));
}

static void
gauges_replace_what_they_said_before(void **state)
{
	struct gauges gauges = {
		.outbox_pending = 3,
		.audit_entries = 41,
		.n_environments = 2,
		.environment = { { "staging", true, false, "1a2b3c4" },
		    { "old", false, true, "" } },
	};

	metric_set_gauges(*state, &gauges);
	assert_true(says(*state, "deploybot_outbox_pending 3"));
	assert_true(says(*state, "deploybot_audit_entries_total 41"));
	assert_true(says(*state, "deploybot_environment_busy{environment=\"staging\"} 1"));
	assert_true(says(*state, "deploybot_rollback_unacknowledged{environment=\"old\"} 1"));
	assert_true(
	    says(*state, "deploybot_release_info{environment=\"staging\",commit=\"1a2b3c4\"} 1"));
	gauges = (struct gauges){
		.n_environments = 1,
		.environment = { { "staging", false, false, "9f8e7d6" } },
	};
	metric_set_gauges(*state, &gauges);
	assert_true(says(*state, "deploybot_environment_busy{environment=\"staging\"} 0"));
	assert_false(says(*state, "deploybot_rollback_unacknowledged{environment=\"old\"} 1"));
	assert_true(
	    says(*state, "deploybot_release_info{environment=\"staging\",commit=\"9f8e7d6\"} 1"));
	assert_false(
	    says(*state, "deploybot_release_info{environment=\"staging\",commit=\"1a2b3c4\"} 1"));
}

static void
requests_health_and_lag_are_told(void **state)
{
	metric_set_webhook(*state, "github", 401);
	metric_set_webhook(*state, "github", 401);
	metric_set_telegram(*state, "sendMessage", 200);
	metric_set_telegram(*state, "sendMessage", 0);
	metric_set_telegram_pending(*state, 4);
	metric_set_health(*state, "staging", true);
	metric_set_loop_lag(*state, 0.25);
	assert_true(
	    says(*state, "deploybot_webhook_requests_total{source=\"github\",code=\"401\"} 2"));
	assert_true(
	    says(*state, "deploybot_telegram_requests_total{method=\"sendMessage\",code=\"0\"} 1"));
	assert_true(says(*state, "deploybot_telegram_pending_updates 4"));
	assert_true(says(*state, "deploybot_health_up{environment=\"staging\"} 1"));
	assert_true(says(*state, "deploybot_loop_lag_seconds 0.25"));
	metric_set_health_forget(*state, "staging");
	assert_false(says(*state, "deploybot_health_up{environment=\"staging\"} 1"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_promised_name_is_there_once_it_was_fed),
		TEST(tallies_are_counted_under_their_labels),
		TEST(gauges_replace_what_they_said_before),
		TEST(requests_health_and_lag_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

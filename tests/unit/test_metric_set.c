/* Goal: what happened is in the text that Prometheus reads, under the names that were promised.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric_set.h"

#include "deployment/deployment.h"
#include "lib/buf.h"
#include "lib/text.h"
#include "lib/version.h"
#include "routes/metric.h"
#include "routes/state_watch.h"
#include "types/settings.h"
#include "unit.h"

#define HELD	 "deploybot_environment_held"
#define SINCE	 "deploybot_environment_busy_since_timestamp_seconds"
#define RELEASED "deploybot_release_timestamp_seconds"

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

	buf_init(&text, 32 << 20);
	buf_init(&wanted, 1 << 10);
	buf_addf(&wanted, "\n%s\n", line);
	metric_set_write(set, &text);
	found = strstr(buf_text(&text), buf_text(&wanted)) != NULL;
	buf_done(&text);
	buf_done(&wanted);
	return found;
}

/* Is there a series whose line begins so? */
static bool
knows(const struct metric_set *set, const char *start)
{
	struct buf text, wanted;
	bool found;

	buf_init(&text, 32 << 20);
	buf_init(&wanted, 1 << 10);
	buf_addf(&wanted, "\n%s", start);
	metric_set_write(set, &text);
	found = strstr(buf_text(&text), buf_text(&wanted)) != NULL;
	buf_done(&text);
	buf_done(&wanted);
	return found;
}

static size_t
written(struct metric_set *set)
{
	struct buf out;
	size_t size;

	buf_init(&out, 8 << 20);
	metric_set_write(set, &out);
	size = out.size;
	buf_done(&out);
	return size;
}

static struct settings_inside nothing;
static const struct settings none = { .application = "", .inside = &nothing };

/* Everything that our metrics are fed with, once. */
static void
feed(struct metric_set *set)
{
	struct gauges gauges = {
		.is_all = true,
		.audit_entries = 1,
		.has_witness = true,
		.n_environments = 1,
		.environment = (struct environment_gauge[]){ { .name = "staging",
		    .is_busy = true,
		    .has_failed = true,
		    .left_hosts = 1,
		    .has_hosts = true,
		    .is_down = true,
		    .poll_failing_since = 1767225600500,
		    .is_locked = true,
		    .busy_since = 1767225600500,
		    .released_at = 1767225000000,
		    .commit = "1a2b3c4" } },
	};
	const enum metric_increment_kind kinds[] = { INCREMENT_DEPLOYMENT, INCREMENT_CHANGE,
		INCREMENT_ACTION, INCREMENT_COMMAND, INCREMENT_AUDIT_EXPORT_FAILED,
		INCREMENT_COMMIT, INCREMENT_POLL_ROUND, INCREMENT_SECRET_PREVIOUS,
		INCREMENT_SECRET_OLDEST, INCREMENT_JOB_REFUSED, INCREMENT_OPA, INCREMENT_NOTIFY,
		INCREMENT_BAKE_UNKNOWN };

	metric_set_settings(set, &none);
	metric_set_gauges(set, &gauges, &none);
	for (size_t i = 0; i < COUNT(kinds); i++)
		metric_set_count(set, &(struct metric_increment){ kinds[i], { "a", "b", "c" }, 1 });
	metric_set_webhook(set, "", "github", 200);
	metric_set_telegram(set, "getMe", 200);
	metric_set_value(set, METRIC_TELEGRAM_PENDING, 0);
	metric_set_value(set, METRIC_TELEGRAM_RECEIVING, true);
	metric_set_clock(set, true, 0);
	metric_set_health(set, "staging", true);
	metric_set_health_url(set, "staging", 0, "https://a.example/h?key=1", true);
	metric_set_value(set, METRIC_GITHUB_INTERVAL, 1);
	metric_set_value(set, METRIC_JOB_KEYS_UNREACHABLE, 0);
	metric_set_value(set, METRIC_VAULT_UP, true);
	metric_set_value(set, METRIC_VAULT_TOKEN_TTL, 3600);
	metric_set_value(set, METRIC_HEALTH_INTERVAL, 60);
	metric_set_state(set,
	    &(struct state_facts){
		.size = 1000,
		.free = 100,
		.free_share = 0.0625,
		.backup_at = 1767225000,
		.check_begun_at = 1767225001,
		.check_passed_at = 1767225002,
	    });
	metric_set_value(set, METRIC_LOOP_LAG, 0);
	metric_set_value(set, METRIC_AUDIT_HEADS_MISSING, 0);
	metric_set_value(set, METRIC_MIRROR_SIZE, 4096);
	for (enum metric_id id = METRIC_AGENTS_CONNECTED; id <= METRIC_AGENTS_GONE_PRODUCTION; id++)
		metric_set_value(set, id, 1);
	metric_set_value(set, METRIC_RUNNER_UP, true);
	metric_set_value(set, METRIC_IS_LEADER, true);
	metric_set_value(set, METRIC_LEADER_EPOCH, 17);
	metric_set_value(set, METRIC_COMMITS_UNANSWERED, 1);
	metric_set_value(set, METRIC_DATABASE_REPLICAS, 1);
	metric_set_value(set, METRIC_STANDBY_CONNECTED, 1);
	metric_set_tls(set, true, 1);
}

static const struct {
	enum metric_kind kind;
	const char *name;
} rows[] = {
#define METRIC(name, kind, ...) { METRIC_KIND_##kind, name },
#include "routes/metric_set.def"
};

/* A page, with a newline in front of each line. */
static void
write_page(const struct metric_set *set, struct buf *page)
{
	buf_init(page, 32 << 20);
	buf_addf(page, "\n");
	metric_set_write(set, page);
}

/* Where the next line of it that is other than 0 is, and how much of that is before its value;
 * NULL: none is.  Of a histogram each count is a line. */
static const char *
next_counted(const char *at, const char *name, size_t *ret_series)
{
	char start[128];

	(void)snprintf(start, sizeof(start), "\n%s", name);
	while ((at = strstr(at + 1, start)) != NULL) {
		size_t line = 1 + strcspn(at + 1, "\n");

		*ret_series = line;
		while (at[*ret_series - 1] != ' ')
			(*ret_series)--;
		if (!(line == *ret_series + 1 && at[*ret_series] == '0'))
			return at;
	}
	return NULL;
}

/* A counter is there before anything feeds it: it has to be more than 0 then. */
TEST_WITH(every_row_of_the_table_is_fed_by_something, set_up, tear_down)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	char line[128];
	struct buf page;
	size_t series;

	feed(*state);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (i > 0)
			assert_true(strcmp(rows[i - 1].name, rows[i].name) < 0);
		(void)snprintf(
		    line, sizeof(line), "# TYPE %s %s", rows[i].name, types[rows[i].kind]);
		if (!says(*state, line))
			fail_msg("nothing feeds %s", rows[i].name);
	}
	write_page(*state, &page);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].kind != METRIC_KIND_GAUGE &&
		    next_counted(buf_text(&page), rows[i].name, &series) == NULL)
			fail_msg("nothing feeds %s", rows[i].name);
	buf_done(&page);
}

/* Those that may come from nowhere with what they count, each with its reason. */
static const char *const from_nowhere[] = {
	/* Each has many lines: an environment has them from its first work on, where there are no
	 * more than METRIC_SET_ENVIRONMENTS (what_the_settings_name_is_counted_from_zero). */
	"deploybot_deployment_duration_seconds",
};

static bool
may_come_from_nowhere(const char *name)
{
	for (size_t i = 0; i < COUNT(from_nowhere); i++)
		if (strcmp(name, from_nowhere[i]) == 0)
			return true;
	return false;
}

static void
refuse_what_was_not_there(const struct buf *before, const struct buf *page, const char *name)
{
	const char *at = buf_text(page);
	size_t series;

	while ((at = next_counted(at, name, &series)) != NULL)
		if (memmem(buf_text(before), before->size, at, series) == NULL)
			fail_msg("not at 0 before it counts: %.*s", (int)series - 1, at + 1);
}

/* On some page it is at 0 before it is more: else increase() misses the first, and so does each
 * alert and panel that asks it.  Which of them ask is in test_monitoring_files.py. */
TEST_WITH(no_counter_comes_from_nowhere, set_up, tear_down)
{
	struct buf before, page;

	metric_set_settings(*state, &none);
	write_page(*state, &before);
	feed(*state);
	for (int pages = 0; pages < 2; pages++) {
		write_page(*state, &page);
		for (size_t i = 0; i < COUNT(rows); i++)
			if (rows[i].kind != METRIC_KIND_GAUGE &&
			    !may_come_from_nowhere(rows[i].name))
				refuse_what_was_not_there(&before, &page, rows[i].name);
		buf_done(&before);
		before = page;
	}
	buf_done(&before);
}

TEST_WITH(the_build_says_its_version, set_up, tear_down)
{
	char line[100];

	(void)snprintf(line, sizeof(line), "deploybot_build_info{version=\"%s\"} 1", version_text);
	assert_true(says(*state, line));
}

TEST_WITH(tallies_are_counted_under_their_labels, set_up, tear_down)
{
	struct metric_increment increments[] = {
		{ INCREMENT_DEPLOYMENT, { "staging", "push", "live" }, 12.5 },
		{ INCREMENT_DEPLOYMENT, { "staging", "push", "live" }, 700 },
		{ INCREMENT_ACTION, { "client/acme", "restart-web", "done" }, 0 },
		{ INCREMENT_COMMAND, { "deploy", "denied", "" }, 0 },
		{ INCREMENT_AUDIT_EXPORT_FAILED, { "" }, 0 },
		{ INCREMENT_COMMIT, { "" }, 0.0007 },
	};

	for (size_t i = 0; i < COUNT(increments); i++)
		metric_set_count(*state, &increments[i]);
	(void)written(*state); /* at zero */
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
	assert_true(says(*state,
	    "deploybot_actions_total{application=\"client\",environment=\"client/acme\","
	    "action=\"restart-web\",outcome=\"done\"} 1"));
	assert_true(says(*state, "deploybot_audit_export_failures_total 1"));
	assert_true(says(*state, "deploybot_store_commit_seconds_bucket{le=\"0.001\"} 1"));
	assert_true(says(*state, "deploybot_store_commit_seconds_bucket{le=\"0.0005\"} 0"));
}

TEST_WITH(gauges_replace_what_they_said_before, set_up, tear_down)
{
	struct gauges gauges = {
		.outbox_pending = 3,
		.audit_entries = 41,
		.has_witness = true,
		.unwitnessed = 4,
		.unwitnessed_since = 1767225600500,
		.is_all = true,
		.n_environments = 2,
		.environment = (struct environment_gauge[]){ { .name = "staging",
								 .is_busy = true,
								 .has_failed = true,
								 .is_locked = true,
								 .busy_since = 1767225600500,
								 .released_at = 1767225000000,
								 .commit = "1a2b3c4",
								 .subject = "Sell \"medlars\"",
								 .by = "@ada" },
		    { .name = "old",
			.is_unacknowledged = true,
			.left_hosts = 2,
			.has_hosts = true,
			.hosts_behind = 3,
			.is_down = true,
			.is_frozen = true } },
	};

	metric_set_gauges(*state, &gauges, &none);
	assert_true(says(*state, "deploybot_outbox_pending 3"));
	assert_true(says(*state, "deploybot_audit_entries_total 41"));
	assert_true(says(*state, "deploybot_audit_witness_pending 4"));
	assert_true(
	    says(*state, "deploybot_audit_witness_waiting_since_timestamp_seconds 1767225600.5"));
	assert_true(says(*state, "deploybot_environment_busy{environment=\"staging\"} 1"));
	assert_true(says(*state, "deploybot_deployment_failed{environment=\"staging\"} 1"));
	assert_true(says(*state, "deploybot_deployment_failed{environment=\"old\"} 0"));
	assert_true(says(*state, SINCE "{environment=\"staging\"} 1767225600.5"));
	assert_false(knows(*state, SINCE "{environment=\"old\"}"));
	assert_true(says(*state, RELEASED "{environment=\"staging\"} 1767225000"));
	assert_false(knows(*state, RELEASED "{environment=\"old\"}"));
	assert_true(says(*state, "deploybot_rollback_unacknowledged{environment=\"old\"} 1"));
	assert_true(says(*state, "deploybot_environment_left_hosts{environment=\"old\"} 2"));
	assert_true(says(*state, "deploybot_hosts_behind{environment=\"old\"} 3"));
	assert_false(knows(*state, "deploybot_hosts_behind{environment=\"staging\"}"));
	assert_true(says(*state, "deploybot_environment_down{environment=\"old\"} 1"));
	assert_false(knows(*state, "deploybot_environment_down{environment=\"staging\"}"));
	assert_true(says(*state, HELD "{environment=\"staging\",kind=\"lock\"} 1"));
	assert_true(says(*state, HELD "{environment=\"staging\",kind=\"freeze\"} 0"));
	assert_true(says(*state, HELD "{environment=\"old\",kind=\"freeze\"} 1"));
	assert_true(says(*state,
	    "deploybot_release_info{environment=\"staging\",commit=\"1a2b3c4\","
	    "subject=\"Sell \\\"medlars\\\"\",by=\"@ada\"} 1"));
	gauges = (struct gauges){
		.is_all = true,
		.n_environments = 1,
		.environment =
		    (struct environment_gauge[]){
			{ .name = "staging", .commit = "9f8e7d6", .released_at = 9000 } },
	};
	metric_set_gauges(*state, &gauges, &none);
	assert_true(says(*state, "deploybot_environment_busy{environment=\"staging\"} 0"));
	assert_true(says(*state, "deploybot_deployment_failed{environment=\"staging\"} 0"));
	assert_false(knows(*state, SINCE "{"));
	assert_true(says(*state, HELD "{environment=\"staging\",kind=\"lock\"} 0"));
	assert_true(says(*state, RELEASED "{environment=\"staging\"} 9"));
	assert_false(says(*state, "deploybot_rollback_unacknowledged{environment=\"old\"} 1"));
	assert_false(knows(*state, "deploybot_environment_left_hosts{environment=\"old\"}"));
	assert_false(knows(*state, "deploybot_environment_down{environment=\"old\"}"));
	assert_true(
	    says(*state, "deploybot_release_info{environment=\"staging\",commit=\"9f8e7d6\"} 1"));
	assert_false(
	    knows(*state, "deploybot_release_info{environment=\"staging\",commit=\"1a2b3c4\""));
}

/* The others stay as they were, whatever they say. */
TEST_WITH(gauges_of_what_has_changed_replace_that_alone, set_up, tear_down)
{
	struct environment_gauge both[] = {
		{ .name = "shop/staging",
		    .is_busy = true,
		    .is_down = true,
		    .poll_failing_since = 1767225600500,
		    .busy_since = 1000,
		    .released_at = 1000,
		    .commit = "1a2b3c4" },
		{ .name = "shop/production", .is_busy = true, .busy_since = 1000, .commit = "2" },
	};
	struct environment_gauge one[] = { { .name = "shop/staging", .commit = "9f8e7d6" } };

	metric_set_gauges(*state,
	    &(struct gauges){ .is_all = true, .n_environments = 2, .environment = both }, &none);
	assert_true(says(*state,
	    "deploybot_environment_busy{application=\"shop\",environment=\"shop/staging\"} 1"));
	assert_true(says(*state,
	    "deploybot_poll_failing_since_timestamp_seconds{application=\"shop\","
	    "environment=\"shop/staging\"} 1767225600.5"));
	metric_set_gauges(
	    *state, &(struct gauges){ .n_environments = 1, .environment = one }, &none);
	assert_true(says(*state,
	    "deploybot_environment_busy{application=\"shop\",environment=\"shop/staging\"} 0"));
	assert_false(knows(*state, SINCE "{application=\"shop\",environment=\"shop/staging\""));
	assert_false(knows(*state, RELEASED "{application=\"shop\",environment=\"shop/staging\""));
	assert_false(knows(*state, "deploybot_environment_down{"));
	assert_false(knows(*state, "deploybot_poll_failing_since_timestamp_seconds{"));
	assert_false(knows(*state,
	    "deploybot_release_info{application=\"shop\",environment=\"shop/staging\","
	    "commit=\"1a2b3c4\"}"));
	assert_true(says(*state,
	    "deploybot_release_info{application=\"shop\",environment=\"shop/staging\","
	    "commit=\"9f8e7d6\"} 1"));
	assert_true(says(*state,
	    "deploybot_release_info{application=\"shop\",environment=\"shop/production\","
	    "commit=\"2\"} 1"));
	assert_true(says(*state, SINCE "{application=\"shop\",environment=\"shop/production\"} 1"));
}

TEST_WITH(requests_health_and_lag_are_told, set_up, tear_down)
{
	metric_set_webhook(*state, "", "github", 401);
	metric_set_webhook(*state, "", "github", 401);
	metric_set_telegram(*state, "sendMessage", 200);
	metric_set_telegram(*state, "sendMessage", 0);
	metric_set_value(*state, METRIC_TELEGRAM_PENDING, 4);
	metric_set_value(*state, METRIC_TELEGRAM_RECEIVING, false);
	metric_set_health(*state, "staging", true);
	metric_set_value(*state, METRIC_LOOP_LAG, 0.25);
	metric_set_value(*state, METRIC_RUNNER_UP, true);
	metric_set_health_url(*state, "staging", 0, "https://a.example/h?key=1", true);
	assert_true(says(*state, "deploybot_messages_waiting_since_timestamp_seconds 0"));
	metric_set_state(*state, &(struct state_facts){ .size = 1000, .free_share = 0.0625 });
	(void)written(*state); /* counters at zero */
	assert_true(says(*state, "deploybot_state_free_ratio 0.0625"));
	assert_true(says(*state,
	    "deploybot_health_url_up{environment=\"staging\",number=\"1\","
	    "url=\"https://a.example/h\"} 1"));
	assert_true(
	    says(*state, "deploybot_webhook_requests_total{source=\"github\",code=\"401\"} 2"));
	assert_true(
	    says(*state, "deploybot_telegram_requests_total{method=\"sendMessage\",code=\"0\"} 1"));
	assert_true(says(*state, "deploybot_telegram_pending_updates 4"));
	assert_true(says(*state, "deploybot_telegram_receiving 0"));
	assert_true(says(*state, "deploybot_health_up{environment=\"staging\"} 1"));
	assert_true(says(*state, "deploybot_loop_lag_seconds 0.25"));
	assert_true(says(*state, "deploybot_runner_up 1"));
	metric_set_clock(*state, true, -21);
	assert_true(says(*state, "deploybot_clock_ahead_seconds -21"));
	metric_set_clock(*state, false, 0); /* Telegram has not answered for long */
	assert_false(says(*state, "deploybot_clock_ahead_seconds -21"));
	assert_false(says(*state, "deploybot_clock_ahead_seconds 0"));
	metric_set_value(*state, METRIC_RUNNER_UP, false);
	assert_true(says(*state, "deploybot_runner_up 0"));
	metric_set_health_forget(*state, "staging");
	assert_false(says(*state, "deploybot_health_up{environment=\"staging\"} 1"));
}

/* increase() of a series that came from nowhere with 1 is 0: an alert would miss the first. */
TEST_WITH(what_the_settings_name_is_counted_from_zero, set_up, tear_down)
{
	static const struct settings of = { .application = "" };
	static const struct environment_settings environments[] = {
		{ .name = "staging", .of = &of, .branch = "develop" },
		{ .name = "production", .of = &of }, { .name = "unused", .of = &of }
	};
	struct environment_gauge worked[] = { { .name = "staging", .has_worked = true },
		{ .name = "production", .has_worked = true, .trigger = TRIGGER_LOCAL },
		{ .name = "unused" } };
	const struct gauges gauges = {
		.is_all = true, .n_environments = COUNT(worked), .environment = worked
	};
	struct settings_inside inside = {
		.values[SETTING_GITHUB_WEBHOOK_SECRET].text = "x",
	};
	const struct settings settings = {
		.application = "",
		.telegram_mode = TELEGRAM_WEBHOOK,
		.inside = &inside,
		.environment_count = COUNT(environments),
		.environments = environments,
	};

	metric_set_settings(*state, &settings);
	metric_set_gauges(*state, &gauges, &settings);
	metric_set_expect_command(*state, "deploy");
	assert_true(says(*state, "deploybot_environment_busy{environment=\"unused\"} 0"));
	assert_false(knows(*state, "deploybot_deployments_total{environment=\"unused\""));
	assert_true(says(*state,
	    "deploybot_deployments_total{environment=\"staging\",trigger=\"push\","
	    "outcome=\"rollback_failed\"} 0"));
	assert_true(says(*state,
	    "deploybot_deployments_total{environment=\"production\",trigger=\"chat\","
	    "outcome=\"live\"} 0"));
	assert_true(says(*state,
	    "deploybot_deployments_total{environment=\"production\",trigger=\"local\","
	    "outcome=\"failed\"} 0"));
	assert_false(
	    knows(*state, "deploybot_deployments_total{environment=\"staging\",trigger=\"local\""));
	assert_false(knows(
	    *state, "deploybot_deployments_total{environment=\"production\",trigger=\"push\""));
	assert_false(
	    knows(*state, "deploybot_deployments_total{environment=\"staging\",trigger=\"poll\""));
	assert_false(knows(*state,
	    "deploybot_deployments_total{environment=\"staging\","
	    "trigger=\"chat\",outcome=\"running\""));
	assert_true(
	    says(*state, "deploybot_webhook_requests_total{source=\"github\",code=\"401\"} 0"));
	assert_true(
	    says(*state, "deploybot_webhook_requests_total{source=\"telegram\",code=\"200\"} 0"));
	assert_true(
	    says(*state, "deploybot_commands_total{command=\"deploy\",outcome=\"denied\"} 0"));
	assert_true(
	    says(*state, "deploybot_deployment_duration_seconds_count{environment=\"staging\"} 0"));
	metric_set_webhook(*state, "", "github", 401);
	metric_set_settings(*state, &settings); /* a reload forgets nothing */
	assert_true(
	    says(*state, "deploybot_webhook_requests_total{source=\"github\",code=\"401\"} 1"));
}

/* Else the last ones would all be called "other". */
TEST_WITH(two_thousand_environments_have_their_own_series, set_up, tear_down)
{
	enum { N = 2000 };
	static char names[N][LIMIT_ENVIRONMENT];
	static struct environment_settings environments[N];
	static struct environment_gauge gauge[N];
	static const struct settings of = { .application = "", .poll_repository_seconds = 60 };
	struct metric_increment ended = { .kind = INCREMENT_DEPLOYMENT, .value = 42 };
	const struct settings settings = { .application = "",
		.inside = &nothing,
		.environment_count = N,
		.environments = environments };
	const struct gauges gauges = { .is_all = true, .n_environments = N, .environment = gauge };

	for (size_t i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "app-%zu/env%zu", i / 10, i % 10);
		environments[i] =
		    (struct environment_settings){ .name = names[i], .of = &of, .branch = "main" };
		gauge[i] = (struct environment_gauge){ .has_worked = true,
			.trigger = TRIGGER_PUSH,
			.released_at = 1767225600000,
			.commit = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b",
			.by = "github:somebody-with-a-name(1234)" };
		memset(gauge[i].subject, '"', sizeof(gauge[i].subject) - 1);
		(void)text_copy(gauge[i].name, sizeof(gauge[i].name), names[i]);
	}
	metric_set_settings(*state, &settings);
	metric_set_gauges(*state, &gauges, &settings);
	assert_true(knows(*state,
	    "deploybot_deployments_total{application=\"app-199\",environment=\"app-199/env8\""));
	assert_true(knows(
	    *state, "deploybot_release_info{application=\"app-199\",environment=\"app-199/env9\""));
	assert_true(says(*state,
	    "deploybot_deployments_total{application=\"app-199\",environment=\"app-199/env9\","
	    "trigger=\"push\",outcome=\"live\"} 0"));
	for (size_t i = 0; i < N; i++) {
		(void)text_copy(ended.label[0], sizeof(ended.label[0]), names[i]);
		(void)text_copy(ended.label[1], sizeof(ended.label[1]), "push");
		(void)text_copy(ended.label[2], sizeof(ended.label[2]), "live");
		metric_set_count(*state, &ended);
		metric_set_health(*state, names[i], true);
	}
	assert_true(says(*state,
	    "deploybot_deployment_duration_seconds_count{application=\"other\","
	    "environment=\"other\"} 1872"));
	assert_in_range(written(*state), 2000000, 3000000 - 1); /* what a page may have */
	assert_false(knows(*state, "deploybot_deployments_total{application=\"other\""));
	assert_false(knows(*state, "deploybot_release_info{application=\"other\""));
}

/* The first of its kind is an increase, also where not all kinds are there before. */
TEST_WITH(a_series_that_nobody_expected_is_born_at_zero, set_up, tear_down)
{
	static const char first[] =
	    "deploybot_deployments_total{environment=\"e\",trigger=\"chat\",outcome=\"cancelled\"} ";
	static const struct settings of = { .application = "" };
	static struct environment_settings environments[METRIC_SET_ENVIRONMENTS + 1];
	const struct settings settings = { .application = "",
		.inside = &nothing,
		.environment_count = COUNT(environments),
		.environments = environments };
	const struct metric_increment ended = { .kind = INCREMENT_DEPLOYMENT,
		.label = { "e", "chat", "cancelled" } };
	static const char *const then[] = { "0", "2", "3", "3" };
	char line[160];

	for (size_t i = 0; i < COUNT(environments); i++)
		environments[i] = (struct environment_settings){ .name = "e", .of = &of };
	metric_set_settings(*state, &settings);
	metric_set_count(*state, &ended);
	metric_set_count(*state, &ended);
	for (size_t i = 0; i < COUNT(then); i++) {
		(void)snprintf(line, sizeof(line), "%s%s", first, then[i]);
		if (!says(*state, line))
			fail_msg("not written: %s", line);
		if (i == 1)
			metric_set_count(*state, &ended);
	}
}

TEST_WITH(a_certificate_that_can_no_longer_be_read_keeps_its_date, set_up, tear_down)
{
	assert_false(knows(*state, "deploybot_tls_probe_up"));
	metric_set_tls(*state, false, 0);
	assert_true(says(*state, "deploybot_tls_probe_up 0"));
	assert_false(knows(*state, "deploybot_tls_expiry_timestamp_seconds"));
	metric_set_tls(*state, true, 1767225600);
	assert_true(says(*state, "deploybot_tls_probe_up 1"));
	metric_set_tls(*state, false, 0);
	assert_true(says(*state, "deploybot_tls_probe_up 0"));
	assert_true(says(*state, "deploybot_tls_expiry_timestamp_seconds 1767225600"));
}

/* metric_set.c - names, helps and labels of our metrics, and what feeds each.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deployment/deployment.h"
#include "lib/metrics.h"
#include "lib/text.h"
#include "lib/version.h"
#include "routes/state_watch.h"
#include "settings/settings_secrets.h"
#include "types/delivery.h"
#include "types/hook.h"
#include "types/secret.h"
#include "types/settings.h"

struct metric_set {
	struct metrics *registry;
#define METRIC(name, kind, field, ...) struct metric *field;
#include "routes/metric_set.def"
#undef METRIC
};

/* A build and a few health checks, up to the longest DEPLOY_TIMEOUT that is usual. */
static const double deployment_duration_bounds[] = { 1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600,
	1200, 1800, 3600 };
/* A flush takes 0.1 ms on a good disk and seconds on one that fails. */
static const double store_commit_bounds[] = { .0001, .00025, .0005, .001, .0025, .005, .01, .025,
	.05, .1, .25, .5, 1, 2.5, 5 };

#define DEFINE_gauge(reg, field, ...)	metrics_gauge(reg, __VA_ARGS__)
#define DEFINE_counter(reg, field, ...) metrics_counter(reg, __VA_ARGS__)
#define DEFINE_histogram(reg, field, ...) \
	metrics_histogram(reg, __VA_ARGS__, field##_bounds, COUNT(field##_bounds))

#define BEGIN_gauge(metric, labels)	((void)0)
#define BEGIN_counter(metric, labels)	begin_at_zero(metric, labels)
#define BEGIN_histogram(metric, labels) begin_at_zero(metric, labels)

/* increase() of a series that came from nowhere with 1 is 0: an alert would miss the first.  What
 * is known before is there before (below); all else is written once at zero. */
static void
begin_at_zero(struct metric *metric, const char *labels)
{
	if (labels == NULL)
		metrics_expect(metric, METRICS_BARE);
	else
		metrics_hold_new(metric, true); /* of a histogram nothing is held */
}

static void
define(struct metric_set *set, struct metrics *reg)
{
#define METRIC(name, kind, field, help, labels) \
	set->field = DEFINE_##kind(reg, field, name, help, labels); \
	BEGIN_##kind(set->field, labels);
#include "routes/metric_set.def"
#undef METRIC
	metrics_with_process(reg);
	metrics_set(set->build_info, 1, METRICS_LABELS(version_text));
	metrics_set(set->messages_waiting_since, 0, METRICS_BARE);
}

struct metric_set *
metric_set_new(void)
{
	struct metric_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->registry = metrics_new();
	if (set->registry == NULL) {
		free(set);
		return NULL;
	}
	define(set, set->registry);
	return set;
}

void
metric_set_free(struct metric_set *set)
{
	if (set == NULL)
		return;
	metrics_free(set->registry);
	free(set);
}

/* An environment's first two labels. */
#define OF(environment) application_of(environment).application, (environment)

static struct environment_id
application_of(const char *environment)
{
	struct environment_id id = { .application = "" };

	if (!environment_id_parse(environment, &id))
		id.application[0] = '\0'; /* a name that is none has none */
	return id;
}

void
metric_set_count(struct metric_set *set, const struct metric_increment *increment)
{
	const char *const label[] = { increment->label[0], increment->label[1],
		increment->label[2] };

	switch (increment->kind) {
	case INCREMENT_DEPLOYMENT:
		metrics_add(set->deployments, 1, METRICS_LABELS(OF(label[0]), label[1], label[2]));
		metrics_observe(
		    set->deployment_duration, increment->value, METRICS_LABELS(OF(label[0])));
		break;
	case INCREMENT_ACTION:
		metrics_add(set->actions, 1, METRICS_LABELS(OF(label[0]), label[1], label[2]));
		break;
	case INCREMENT_COMMAND:
		metrics_add(set->commands, 1, label, 2);
		break;
	case INCREMENT_AUDIT: /* gauges.audit_entries counts them, those of earlier starts too */
		break;
	case INCREMENT_AUDIT_EXPORT_FAILED:
		metrics_add(set->audit_export_failures, 1, METRICS_BARE);
		break;
	case INCREMENT_POLL_ROUND:
		metrics_set(set->poll_interval, increment->value, METRICS_BARE);
		break;
	case INCREMENT_SECRET_PREVIOUS:
		metrics_add(set->secret_previous_uses, 1, label, 2);
		break;
	case INCREMENT_SECRET_OLDEST:
		metrics_set(set->secret_oldest, increment->value, METRICS_BARE);
		break;
	case INCREMENT_COMMIT:
		metrics_observe(set->store_commit, increment->value, METRICS_BARE);
		break;
	}
}

static double
seconds_of(int64_t wall_ms)
{
	return (double)wall_ms / 1000;
}

/* A code as it stands in a label. */
struct code_text {
	char text[16];
};

static struct code_text
code_text(int code)
{
	struct code_text ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%d", code);
	return ret;
}

/* --- what is there before it happens --- */

#define HEALTH_URL_SHOWN 200
/* Of an environment's deployments. */
#define SERIES_MOST (TRIGGER_COUNT * (int)DEPLOY_STATE_COUNT)

static void
expect_deployments(struct metric_set *set, const char *environment, enum trigger trigger)
{
	char outcome[LIMIT_ENVIRONMENT];

	for (unsigned state = 0; state < DEPLOY_STATE_COUNT; state++) {
		if (deploy_flow_class((enum deploy_state)state) != DEPLOY_CLASS_FINAL ||
		    state == DEPLOY_DONE) /* an action's end */
			continue;
		deployment_outcome_label((enum deploy_state)state, outcome);
		metrics_expect(set->deployments,
		    METRICS_LABELS(OF(environment), trigger_word(trigger), outcome));
	}
}

/* Where there are so many environments that all series of each would be more than a page bears:
 * how its runs end, by the trigger that was there last. */
static void
expect_few(struct metric_set *set, const char *environment, enum trigger trigger)
{
	static const enum deploy_state ends[] = { DEPLOY_LIVE, DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_ROLLBACK_FAILED };
	char outcome[LIMIT_ENVIRONMENT];

	for (size_t i = 0; i < COUNT(ends); i++) {
		deployment_outcome_label(ends[i], outcome);
		metrics_expect(set->deployments,
		    METRICS_LABELS(OF(environment), trigger_word(trigger), outcome));
	}
}

/* Its counters are there, at zero, before the first of its works ends: one that began as 1 would be
 * no increase.  Those of an environment that nobody ever used would be all that is ever read. */
static void
expect_work(
    struct metric_set *set, const struct environment_settings *environment, enum trigger trigger)
{
	expect_deployments(set, environment->name, TRIGGER_CHAT);
	expect_deployments(set, environment->name, trigger); /* as that of a token */
	metrics_expect(set->deployment_duration, METRICS_LABELS(OF(environment->name)));
	if (environment->branch == NULL)
		return;
	expect_deployments(set, environment->name, TRIGGER_PUSH);
	if (environment->of->poll_repository_seconds > 0)
		expect_deployments(set, environment->name, TRIGGER_POLL);
}

static void
expect_requests(struct metric_set *set, const char *application, const char *source,
    const int codes[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		metrics_expect(set->webhook_requests,
		    METRICS_LABELS(application, source, code_text(codes[i]).text));
}

/* What another forge's hook, or a call of /hooks, is answered. */
static const int github_codes[] = { 200, 202, 400, 401, 413, 503 };
static const int hook_codes[] = { 202, 400, 401, 409, 429, 503 };

#define REQUESTS_MOST (4 * COUNT(github_codes) + COUNT(hook_codes)) /* of one file */

/* Of one file: the forges that its secrets open. */
static void
expect_forges(struct metric_set *set, const struct settings *settings)
{
	static const enum delivery_forge forges[] = { DELIVERY_GITLAB, DELIVERY_GITEA,
		DELIVERY_BITBUCKET };

	if (settings->github_webhook_secret != NULL)
		expect_requests(
		    set, settings->application, "github", github_codes, COUNT(github_codes));
	for (size_t i = 0; settings->forge_webhook_secret != NULL && i < COUNT(forges); i++)
		expect_requests(set, settings->application, delivery_forge_word(forges[i]),
		    github_codes, COUNT(github_codes));
}

/* Each file that has hooks, and who was not let in. */
static void
expect_hooks(struct metric_set *set, const struct settings *settings)
{
	struct hook hook;

	if (!settings->enable_api_server)
		return;
	for (size_t at = 0; hook_next(settings, &at, &hook);)
		expect_requests(set, hook.application, "hook", hook_codes, COUNT(hook_codes));
}

/* The previous values that open something. */
static void
expect_previous(void *ctx, const struct settings_secret *secret)
{
	struct metric_set *set = ctx;
	char name[SETTING_NAME_MAX];

	if (!text_ends(secret->name, SECRET_PREVIOUS))
		return;
	(void)text_copy(name, sizeof(name), secret->name); /* of the same size */
	name[strlen(name) - strlen(SECRET_PREVIOUS)] = '\0';
	metrics_expect(set->secret_previous_uses, METRICS_LABELS(secret->application, name));
}

void
metric_set_settings_valid(struct metric_set *set, bool is_valid)
{
	metrics_set(set->settings_valid, is_valid ? 1 : 0, METRICS_BARE);
}

void
metric_set_settings(struct metric_set *set, const struct settings *settings)
{
	static const int telegram_codes[] = { 200, 401, 413, 503 };

	size_t series = settings->environment_count * SERIES_MOST;

	metric_set_settings_valid(set, settings->refused_count == 0);
	metrics_bound(set->deployments, series);
	metrics_bound(set->deployment_failed, settings->environment_count);
	metrics_bound(set->environment_busy, settings->environment_count);
	metrics_bound(set->environment_busy_since, settings->environment_count);
	metrics_bound(set->rollback_unacknowledged, settings->environment_count);
	metrics_bound(set->environment_down, settings->environment_count);
	metrics_bound(set->poll_failing_since, settings->environment_count);
	metrics_bound(set->environment_held, 2 * settings->environment_count);
	metrics_bound(set->release_info, settings->environment_count);
	metrics_bound(set->release_at, settings->environment_count);
	metrics_bound(set->health_up, settings->environment_count);
	metrics_bound(set->health_url_up, settings->environment_count * SETTING_URLS_MAX);
	metrics_bound(set->webhook_requests,
	    settings->application_count * REQUESTS_MOST + METRICS_SERIES_MAX);
	if (settings->telegram_mode == TELEGRAM_WEBHOOK)
		expect_requests(set, "", "telegram", telegram_codes, COUNT(telegram_codes));
	expect_forges(set, settings);
	for (size_t i = 0; i < settings->application_count; i++)
		expect_forges(set, settings->applications[i]);
	expect_hooks(set, settings);
	settings_for_secrets(settings, expect_previous, set);
	metrics_set(set->secret_rotate, settings->rotate_days * 86400.0, METRICS_BARE);
}

void
metric_set_expect_command(struct metric_set *set, const char *word)
{
	static const char *const outcomes[] = { "taken", "denied", "refused" };

	for (size_t i = 0; i < COUNT(outcomes); i++)
		metrics_expect(set->commands, METRICS_LABELS(word, outcomes[i]));
}

/* --- what is the case now --- */

static void
forget_environment(struct metric_set *set, const char *name)
{
	metrics_remove(set->environment_busy_since, METRICS_LABELS(OF(name)));
	metrics_remove(set->environment_left_hosts, METRICS_LABELS(OF(name)));
	metrics_remove(set->environment_down, METRICS_LABELS(OF(name)));
	metrics_remove(set->poll_failing_since, METRICS_LABELS(OF(name)));
	metrics_remove(set->release_at, METRICS_LABELS(OF(name)));
	metrics_remove(set->environment_held, METRICS_LABELS(OF(name)));
	metrics_remove(set->release_info, METRICS_LABELS(OF(name))); /* of whatever commit */
}

static void
environment_gauges(struct metric_set *set, const struct environment_gauge *gauge)
{
	metrics_set(set->deployment_failed, gauge->has_failed, METRICS_LABELS(OF(gauge->name)));
	metrics_set(set->environment_busy, gauge->is_busy, METRICS_LABELS(OF(gauge->name)));
	if (gauge->is_busy)
		metrics_set(set->environment_busy_since, seconds_of(gauge->busy_since),
		    METRICS_LABELS(OF(gauge->name)));
	if (gauge->released_at != 0)
		metrics_set(set->release_at, seconds_of(gauge->released_at),
		    METRICS_LABELS(OF(gauge->name)));
	if (gauge->left_hosts > 0)
		metrics_set(set->environment_left_hosts, gauge->left_hosts,
		    METRICS_LABELS(OF(gauge->name)));
	if (gauge->is_down)
		metrics_set(set->environment_down, 1, METRICS_LABELS(OF(gauge->name)));
	if (gauge->poll_failing_since != 0)
		metrics_set(set->poll_failing_since, seconds_of(gauge->poll_failing_since),
		    METRICS_LABELS(OF(gauge->name)));
	metrics_set(set->rollback_unacknowledged, gauge->is_unacknowledged,
	    METRICS_LABELS(OF(gauge->name)));
	metrics_set(
	    set->environment_held, gauge->is_locked, METRICS_LABELS(OF(gauge->name), "lock"));
	metrics_set(
	    set->environment_held, gauge->is_frozen, METRICS_LABELS(OF(gauge->name), "freeze"));
	if (gauge->commit[0] != '\0')
		metrics_set(set->release_info, 1,
		    METRICS_LABELS(OF(gauge->name), gauge->commit, gauge->subject, gauge->by));
}

/* Environments go with a reload. */
static void
forget_all(struct metric_set *set)
{
	metrics_clear(set->deployment_failed);
	metrics_clear(set->environment_busy);
	metrics_clear(set->environment_busy_since);
	metrics_clear(set->release_at);
	metrics_clear(set->rollback_unacknowledged);
	metrics_clear(set->environment_left_hosts);
	metrics_clear(set->environment_down);
	metrics_clear(set->poll_failing_since);
	metrics_clear(set->environment_held);
	metrics_clear(set->release_info);
}

static void
set_witness(struct metric_set *set, const struct gauges *gauges)
{
	metrics_clear(set->witness_pending);
	metrics_clear(set->witness_waiting_since);
	if (!gauges->has_witness)
		return;
	metrics_set(set->witness_pending, (double)gauges->unwitnessed, METRICS_BARE);
	metrics_set(
	    set->witness_waiting_since, (double)gauges->unwitnessed_since / 1000, METRICS_BARE);
}

static void
set_forward(struct metric_set *set, const struct gauges *gauges)
{
	metrics_clear(set->forward_pending);
	metrics_clear(set->forward_waiting_since);
	for (enum forward_to to = 0; to < FORWARD_COUNT; to++) {
		if (!gauges->forwards[to])
			continue;
		metrics_set(set->forward_pending, (double)gauges->unforwarded[to],
		    METRICS_LABELS(forward_word(to)));
		metrics_set(set->forward_waiting_since,
		    (double)gauges->unforwarded_since[to] / 1000, METRICS_LABELS(forward_word(to)));
	}
}

void
metric_set_gauges(
    struct metric_set *set, const struct gauges *gauges, const struct settings *settings)
{
	metrics_set(set->outbox_pending, (double)gauges->outbox_pending, METRICS_BARE);
	metrics_set(set->audit_entries, (double)gauges->audit_entries, METRICS_BARE);
	set_witness(set, gauges);
	set_forward(set, gauges);
	if (gauges->is_all)
		forget_all(set);
	for (size_t i = 0; i < gauges->n_environments; i++) {
		const struct environment_gauge *gauge = &gauges->environment[i];
		const struct environment_settings *environment =
		    settings_environment(settings, gauge->name);

		if (!gauges->is_all)
			forget_environment(set, gauge->name);
		environment_gauges(set, gauge);
		if (!gauge->has_worked || environment == NULL)
			continue;
		if (settings->environment_count > METRIC_SET_ENVIRONMENTS)
			expect_few(set, environment->name, (enum trigger)gauge->trigger);
		else
			expect_work(set, environment, (enum trigger)gauge->trigger);
	}
}

/* --- what the other parts have seen --- */

void
metric_set_webhook(struct metric_set *set, const char *application, const char *source, int status)
{
	metrics_add(
	    set->webhook_requests, 1, METRICS_LABELS(application, source, code_text(status).text));
}

void
metric_set_telegram(struct metric_set *set, const char *method, int status)
{
	metrics_add(set->telegram_requests, 1, METRICS_LABELS(method, code_text(status).text));
}

void
metric_set_telegram_pending(struct metric_set *set, int64_t updates)
{
	metrics_set(set->telegram_pending, (double)updates, METRICS_BARE);
}

void
metric_set_telegram_receiving(struct metric_set *set, bool is_receiving)
{
	metrics_set(set->telegram_receiving, is_receiving ? 1 : 0, METRICS_BARE);
}

void
metric_set_clock(struct metric_set *set, bool is_known, int64_t ahead_s)
{
	if (is_known)
		metrics_set(set->clock_ahead, (double)ahead_s, METRICS_BARE);
	else
		metrics_clear(set->clock_ahead);
}

void
metric_set_health(struct metric_set *set, const char *environment, bool is_up)
{
	metrics_set(set->health_up, is_up, METRICS_LABELS(OF(environment)));
}

void
metric_set_health_url(
    struct metric_set *set, const char *environment, size_t i, const char *url, bool is_up)
{
	char number[24], shown[HEALTH_URL_SHOWN];

	(void)snprintf(number, sizeof(number), "%zu", i + 1);
	(void)snprintf(
	    shown, sizeof(shown), "%.*s", (int)strcspn(url, "?#"), url); /* cut at its room */
	metrics_set(set->health_url_up, is_up, METRICS_LABELS(OF(environment), number, shown));
}

void
metric_set_health_urls_forget(struct metric_set *set)
{
	metrics_clear(set->health_url_up);
}

void
metric_set_state(struct metric_set *set, const struct state_facts *facts)
{
	metrics_set(set->backup_at, (double)facts->backup_at, METRICS_BARE);
	metrics_set(set->check_begun_at, (double)facts->check_begun_at, METRICS_BARE);
	metrics_set(set->check_passed_at, (double)facts->check_passed_at, METRICS_BARE);
	if (facts->size == 0) {
		metrics_clear(set->state_size);
		metrics_clear(set->state_free);
		metrics_clear(set->state_free_share);
		return;
	}
	metrics_set(set->state_size, (double)facts->size, METRICS_BARE);
	metrics_set(set->state_free, (double)facts->free, METRICS_BARE);
	metrics_set(set->state_free_share, facts->free_share, METRICS_BARE);
}

void
metric_set_audit_heads(struct metric_set *set, int64_t missing)
{
	metrics_set(set->audit_heads_missing, (double)missing, METRICS_BARE);
}

void
metric_set_health_interval(struct metric_set *set, double seconds)
{
	metrics_set(set->health_interval, seconds, METRICS_BARE);
}

void
metric_set_health_forget(struct metric_set *set, const char *environment)
{
	metrics_remove(set->health_up, METRICS_LABELS(OF(environment)));
}

void
metric_set_messages_waiting(struct metric_set *set, int64_t since)
{
	metrics_set(set->messages_waiting_since, seconds_of(since), METRICS_BARE);
}

void
metric_set_tls(struct metric_set *set, bool is_read, int64_t expires_at_s)
{
	metrics_set(set->tls_probe_up, is_read, METRICS_BARE);
	if (is_read)
		metrics_set(set->tls_expiry, (double)expires_at_s, METRICS_BARE);
}

void
metric_set_runner(struct metric_set *set, bool is_up)
{
	metrics_set(set->runner_up, is_up ? 1 : 0, METRICS_BARE);
}

void
metric_set_mirror(struct metric_set *set, int64_t bytes)
{
	metrics_set(set->mirror_size, (double)bytes, METRICS_BARE);
}

void
metric_set_loop_lag(struct metric_set *set, double seconds)
{
	metrics_set(set->loop_lag, seconds, METRICS_BARE);
}

void
metric_set_write(const struct metric_set *set, struct buf *out)
{
	metrics_write(set->registry, out);
}

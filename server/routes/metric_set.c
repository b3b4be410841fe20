/* metric_set.c - the table of our metrics, and what feeds each.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric_set.h"

#include <math.h>

#include "deployment/deployment.h"
#include "forges/forge_row.h"
#include "lib/column.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/version.h"
#include "routes/metric.h"
#include "routes/metric_process.h"
#include "routes/route_job.h"
#include "routes/state_watch.h"
#include "settings/sources/settings_secrets.h"
#include "types/hook.h"
#include "types/secret.h"
#include "types/settings.h"

/* Of an environment's deployments. */
#define SERIES_MOST (TRIGGER_COUNT * (int)DEPLOY_STATE_COUNT)

struct metric_set {
	struct metric m[METRIC_COUNT];
	double booted_at; /* the machine, in seconds since 1970 */
};

static const struct metric_row rows[METRIC_COUNT] = {
#define METRIC(name, kind, id, per_environment, labels, help) \
	[METRIC_##id] = { METRIC_KIND_##kind, name, help, labels, per_environment },
#include "routes/metric_set.def"
};

static const double *const bounds[METRIC_COUNT] = {
	/* A build and a few health checks, up to the longest DEPLOY_TIMEOUT that is usual. */
	[METRIC_DEPLOYMENT_DURATION] = (const double[]){ 1, 2, 5, 10, 20, 30, 60, 120, 180, 300,
	    600, 1200, 1800, 3600, INFINITY },
	/* A flush takes 0.1 ms on a good disk and seconds on one that fails. */
	[METRIC_STORE_COMMIT] = (const double[]){ .0001, .00025, .0005, .001, .0025, .005, .01,
	    .025, .05, .1, .25, .5, 1, 2.5, 5, INFINITY },
};

struct metric_set *
metric_set_new(void)
{
	struct metric_set *set = mem_new(1, sizeof(*set));

	for (size_t i = 0; i < METRIC_COUNT; i++) {
		bool is_histogram = rows[i].kind == METRIC_KIND_HISTOGRAM;

		assert(is_histogram == (bounds[i] != NULL));
		set->m[i] = (struct metric){ .row = &rows[i],
			.bounds = bounds[i],
			.most = is_histogram ? METRIC_HISTOGRAMS_MAX : METRIC_SERIES_MAX };
		/* increase() of a series that came from nowhere with 1 is 0: an alert would miss
		 * the first.  Series with labels that are known are there before (below). */
		if (rows[i].kind != METRIC_KIND_GAUGE && rows[i].labels[0] == '\0')
			metric_expect(&set->m[i], METRIC_BARE);
	}
	set->booted_at = metric_process_boot_time();
	metric_put(&set->m[METRIC_BUILD_INFO], 1, METRIC_LABELS(version_text));
	metric_set_value(set, METRIC_MESSAGES_WAITING_SINCE, 0);
	return set;
}

void
metric_set_free(struct metric_set *set)
{
	for (size_t i = 0; set != NULL && i < METRIC_COUNT; i++)
		metric_remove(&set->m[i], METRIC_BARE);
	free(set);
}

void
metric_set_value(struct metric_set *set, enum metric_id id, double value)
{
	metric_put(&set->m[id], value, METRIC_BARE);
}

void
metric_set_forget(struct metric_set *set, enum metric_id id)
{
	metric_remove(&set->m[id], METRIC_BARE);
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
		metric_add(&set->m[METRIC_DEPLOYMENTS], 1,
		    METRIC_LABELS(OF(label[0]), label[1], label[2]));
		metric_observe(&set->m[METRIC_DEPLOYMENT_DURATION], increment->value,
		    METRIC_LABELS(OF(label[0])));
		break;
	case INCREMENT_CHANGE:
		metric_add(&set->m[METRIC_CHANGES], increment->value,
		    METRIC_LABELS(OF(label[0]), label[1]));
		break;
	case INCREMENT_ACTION:
		metric_add(
		    &set->m[METRIC_ACTIONS], 1, METRIC_LABELS(OF(label[0]), label[1], label[2]));
		break;
	case INCREMENT_COMMAND:
		metric_add(&set->m[METRIC_COMMANDS], 1, label, 2);
		break;
	case INCREMENT_AUDIT: /* gauges.audit_entries counts them, those of earlier starts too */
		break;
	case INCREMENT_AUDIT_EXPORT_FAILED:
		metric_add(&set->m[METRIC_AUDIT_EXPORT_FAILURES], 1, METRIC_BARE);
		break;
	case INCREMENT_JOB_REFUSED:
		metric_add(&set->m[METRIC_JOB_REFUSALS], 1, label, 1);
		break;
	case INCREMENT_OPA:
		metric_add(&set->m[METRIC_OPA_ANSWERS], 1, label, 1);
		break;
	case INCREMENT_BAKE_UNKNOWN:
		metric_add(&set->m[METRIC_BAKE_UNKNOWN], 1, METRIC_LABELS(OF(label[0])));
		break;
	case INCREMENT_NOTIFY:
		metric_add(&set->m[METRIC_NOTIFICATIONS], 1, label, 2);
		break;
	case INCREMENT_POLL_ROUND:
		metric_set_value(set, METRIC_POLL_INTERVAL, increment->value);
		break;
	case INCREMENT_SECRET_PREVIOUS:
		metric_add(&set->m[METRIC_SECRET_PREVIOUS_USES], 1, label, 2);
		break;
	case INCREMENT_SECRET_OLDEST:
		metric_set_value(set, METRIC_SECRET_OLDEST, increment->value);
		break;
	case INCREMENT_COMMIT:
		metric_observe(&set->m[METRIC_STORE_COMMIT], increment->value, METRIC_BARE);
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

	text_setf(ret.text, "%d", code);
	return ret;
}

/* --- what is there before it happens --- */

#define HEALTH_URL_SHOWN 200

static void
expect_deployments(struct metric_set *set, const char *environment, enum trigger trigger)
{
	char outcome[LIMIT_ENVIRONMENT];

	for (unsigned state = 0; state < DEPLOY_STATE_COUNT; state++) {
		if (deploy_flow_class((enum deploy_state)state) != DEPLOY_CLASS_FINAL ||
		    state == DEPLOY_DONE) /* an action's end */
			continue;
		deployment_outcome_label((enum deploy_state)state, outcome);
		metric_expect(&set->m[METRIC_DEPLOYMENTS],
		    METRIC_LABELS(OF(environment), trigger_word(trigger), outcome));
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
		metric_expect(&set->m[METRIC_DEPLOYMENTS],
		    METRIC_LABELS(OF(environment), trigger_word(trigger), outcome));
	}
}

/* Its counters are there, at zero, before the first of its works ends: one that began as 1 would be
 * no increase.  Those of an environment that nobody ever used would be all that is ever read. */
static void
expect_work(
    struct metric_set *set, const struct environment_settings *environment, enum trigger trigger)
{
	static const char *const changes[] = { "live", "failed", "rolled_back" };

	for (size_t i = 0; i < COUNT(changes); i++)
		metric_expect(
		    &set->m[METRIC_CHANGES], METRIC_LABELS(OF(environment->name), changes[i]));
	expect_deployments(set, environment->name, TRIGGER_CHAT);
	expect_deployments(set, environment->name, trigger); /* as that of a token */
	metric_expect(&set->m[METRIC_DEPLOYMENT_DURATION], METRIC_LABELS(OF(environment->name)));
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
		metric_expect(&set->m[METRIC_WEBHOOK_REQUESTS],
		    METRIC_LABELS(application, source, code_text(codes[i]).text));
}

/* What a forge, or a call of /hooks, is answered. */
static const int forge_codes[] = { 200, 202, 400, 401, 413, 503 };
static const int hook_codes[] = { 202, 400, 401, 409, 429, 503 };

#define REQUESTS_MOST (FORGE_ROWS * COUNT(forge_codes) + COUNT(hook_codes)) /* of one file */

/* Of one file: the forges that its secrets open. */
static void
expect_forges(struct metric_set *set, const struct settings *settings)
{
	for (size_t i = 0; i < FORGE_ROWS; i++)
		if (secret_get(settings, forge_rows[i].secret).values[0] != NULL)
			expect_requests(set, settings->application,
			    delivery_forge_word(forge_rows[i].forge), forge_codes,
			    COUNT(forge_codes));
}

/* Each file that has hooks, and who was not let in; why jobs were not. */
static void
expect_programs(struct metric_set *set, const struct settings *settings)
{
	struct hook hook;

	if (!settings->enable_api_server)
		return;
	for (size_t at = 0; hook_next(settings, &at, &hook);)
		expect_requests(set, hook.application, "hook", hook_codes, COUNT(hook_codes));
	for (size_t i = ROUTE_JOB_LET_IN + 1; i < COUNT(route_job_rows); i++)
		metric_expect(&set->m[METRIC_JOB_REFUSALS], METRIC_LABELS(route_job_rows[i].word));
}

/* The previous values that open something. */
static void
expect_previous(void *ctx, const struct settings_secret *secret)
{
	struct metric_set *set = ctx;
	char name[SETTING_NAME_MAX];

	if (!text_ends(secret->name, SECRET_PREVIOUS))
		return;
	text_set(name, secret->name); /* of the same size */
	name[strlen(name) - strlen(SECRET_PREVIOUS)] = '\0';
	metric_expect(
	    &set->m[METRIC_SECRET_PREVIOUS_USES], METRIC_LABELS(secret->application, name));
}

/* How many series it may have from now on; what is there stays. */
static void
bound(struct metric *m, size_t series)
{
	m->most = series > METRIC_SERIES_MAX ? series : METRIC_SERIES_MAX;
}

void
metric_set_settings(struct metric_set *set, const struct settings *settings)
{
	static const int telegram_codes[] = { 200, 401, 413, 503 };
	static const char *const judged[] = { "yes", "no", "none", "undefined" };

	for (size_t i = 0; settings->opa.url != NULL && i < COUNT(judged); i++)
		metric_expect(&set->m[METRIC_OPA_ANSWERS], METRIC_LABELS(judged[i]));
	metric_set_value(set, METRIC_SETTINGS_VALID, settings->refused_count == 0);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		if (rows[i].per_environment > 0)
			bound(&set->m[i], settings->environment_count * rows[i].per_environment);
	bound(&set->m[METRIC_WEBHOOK_REQUESTS],
	    settings->application_count * REQUESTS_MOST + METRIC_SERIES_MAX);
	if (settings->telegram_mode == TELEGRAM_WEBHOOK)
		expect_requests(set, "", "telegram", telegram_codes, COUNT(telegram_codes));
	expect_forges(set, settings);
	for (size_t i = 0; i < settings->application_count; i++)
		expect_forges(set, settings->applications[i]);
	expect_programs(set, settings);
	settings_for_secrets(settings, expect_previous, set);
	metric_set_value(set, METRIC_SECRET_ROTATE, settings->rotate_days * 86400.0);
}

void
metric_set_expect_command(struct metric_set *set, const char *word)
{
	static const char *const outcomes[] = { "taken", "denied", "refused" };

	for (size_t i = 0; i < COUNT(outcomes); i++)
		metric_expect(&set->m[METRIC_COMMANDS], METRIC_LABELS(word, outcomes[i]));
}

/* --- what is the case now --- */

/* Environments go with a reload. */
static void
forget_all(struct metric_set *set)
{
	static const enum metric_id of_environments[] = { METRIC_DEPLOYMENT_FAILED,
		METRIC_ENVIRONMENT_BUSY, METRIC_ENVIRONMENT_BUSY_SINCE, METRIC_RELEASE_AT,
		METRIC_ROLLBACK_UNACKNOWLEDGED, METRIC_ENVIRONMENT_LEFT_HOSTS, METRIC_HOSTS,
		METRIC_HOSTS_BEHIND, METRIC_ENVIRONMENT_DOWN, METRIC_POLL_FAILING_SINCE,
		METRIC_ENVIRONMENT_HELD, METRIC_RELEASE_INFO };

	for (size_t i = 0; i < COUNT(of_environments); i++)
		metric_set_forget(set, of_environments[i]);
}

static const char *const host_states[] = { HOST_STATES(COLUMN_SECOND) };

static void
environment_gauges(struct metric_set *set, const struct environment_gauge *gauge)
{
	const struct {
		enum metric_id id;
		bool is_there;
		double value;
	} values[] = {
		{ METRIC_DEPLOYMENT_FAILED, true, gauge->has_failed },
		{ METRIC_ENVIRONMENT_BUSY, true, gauge->is_busy },
		{ METRIC_ENVIRONMENT_BUSY_SINCE, gauge->is_busy, seconds_of(gauge->busy_since) },
		{ METRIC_RELEASE_AT, gauge->released_at != 0, seconds_of(gauge->released_at) },
		{ METRIC_ROLLBACK_UNACKNOWLEDGED, true, gauge->is_unacknowledged },
		{ METRIC_ENVIRONMENT_LEFT_HOSTS, gauge->left_hosts > 0, gauge->left_hosts },
		{ METRIC_HOSTS_BEHIND, gauge->has_hosts, (double)gauge->hosts_behind },
		{ METRIC_ENVIRONMENT_DOWN, gauge->is_down, 1 },
		{ METRIC_POLL_FAILING_SINCE, gauge->poll_failing_since != 0,
		    seconds_of(gauge->poll_failing_since) },
	};

	for (size_t i = 0; i < COUNT(values); i++)
		if (values[i].is_there)
			metric_put(
			    &set->m[values[i].id], values[i].value, METRIC_LABELS(OF(gauge->name)));
		else
			metric_remove(&set->m[values[i].id], METRIC_LABELS(OF(gauge->name)));
	for (size_t i = 0; i < HOST_STATE_COUNT; i++)
		if (gauge->has_hosts)
			metric_put(&set->m[METRIC_HOSTS], (double)gauge->hosts[i],
			    METRIC_LABELS(OF(gauge->name), host_states[i]));
	metric_put(&set->m[METRIC_ENVIRONMENT_HELD], gauge->is_locked,
	    METRIC_LABELS(OF(gauge->name), "lock"));
	metric_put(&set->m[METRIC_ENVIRONMENT_HELD], gauge->is_frozen,
	    METRIC_LABELS(OF(gauge->name), "freeze"));
	metric_remove(
	    &set->m[METRIC_RELEASE_INFO], METRIC_LABELS(OF(gauge->name))); /* of whatever commit */
	if (gauge->commit[0] != '\0')
		metric_put(&set->m[METRIC_RELEASE_INFO], 1,
		    METRIC_LABELS(OF(gauge->name), gauge->commit, gauge->subject, gauge->by));
}

static void
set_witness(struct metric_set *set, const struct gauges *gauges)
{
	metric_set_forget(set, METRIC_WITNESS_PENDING);
	metric_set_forget(set, METRIC_WITNESS_WAITING_SINCE);
	if (!gauges->has_witness)
		return;
	metric_set_value(set, METRIC_WITNESS_PENDING, (double)gauges->unwitnessed);
	metric_set_value(
	    set, METRIC_WITNESS_WAITING_SINCE, (double)gauges->unwitnessed_since / 1000);
}

void
metric_set_gauges(
    struct metric_set *set, const struct gauges *gauges, const struct settings *settings)
{
	metric_set_value(set, METRIC_OUTBOX_PENDING, (double)gauges->outbox_pending);
	metric_set_value(set, METRIC_AUDIT_ENTRIES, (double)gauges->audit_entries);
	metric_set_value(set, METRIC_GITHUB_MISSING_SINCE, (double)gauges->missing_since / 1000);
	set_witness(set, gauges);
	if (gauges->is_all)
		forget_all(set);
	for (size_t i = 0; i < gauges->n_environments; i++) {
		const struct environment_gauge *gauge = &gauges->environment[i];
		const struct environment_settings *environment =
		    settings_environment(settings, gauge->name);

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
	metric_add(&set->m[METRIC_WEBHOOK_REQUESTS], 1,
	    METRIC_LABELS(application, source, code_text(status).text));
}

void
metric_set_telegram(struct metric_set *set, const char *method, int status)
{
	metric_add(
	    &set->m[METRIC_TELEGRAM_REQUESTS], 1, METRIC_LABELS(method, code_text(status).text));
}

void
metric_set_clock(struct metric_set *set, bool is_known, int64_t ahead_s)
{
	if (is_known)
		metric_set_value(set, METRIC_CLOCK_AHEAD, (double)ahead_s);
	else
		metric_set_forget(set, METRIC_CLOCK_AHEAD);
}

void
metric_set_health(struct metric_set *set, const char *environment, bool is_up)
{
	metric_put(&set->m[METRIC_HEALTH_UP], is_up, METRIC_LABELS(OF(environment)));
}

void
metric_set_health_url(
    struct metric_set *set, const char *environment, size_t i, const char *url, bool is_up)
{
	char number[24], shown[HEALTH_URL_SHOWN];

	text_setf(number, "%zu", i + 1);
	text_setf(shown, "%.*s", (int)strcspn(url, "?#"), url); /* cut at its room */
	metric_put(
	    &set->m[METRIC_HEALTH_URL_UP], is_up, METRIC_LABELS(OF(environment), number, shown));
}

void
metric_set_state(struct metric_set *set, const struct state_facts *facts)
{
	metric_set_value(set, METRIC_BACKUP_AT, (double)facts->backup_at);
	metric_set_value(set, METRIC_CHECK_BEGUN_AT, (double)facts->check_begun_at);
	metric_set_value(set, METRIC_CHECK_PASSED_AT, (double)facts->check_passed_at);
	if (facts->size == 0) {
		metric_set_forget(set, METRIC_STATE_SIZE);
		metric_set_forget(set, METRIC_STATE_FREE);
		metric_set_forget(set, METRIC_STATE_FREE_SHARE);
		return;
	}
	metric_set_value(set, METRIC_STATE_SIZE, (double)facts->size);
	metric_set_value(set, METRIC_STATE_FREE, (double)facts->free);
	metric_set_value(set, METRIC_STATE_FREE_SHARE, facts->free_share);
}

void
metric_set_health_forget(struct metric_set *set, const char *environment)
{
	metric_remove(&set->m[METRIC_HEALTH_UP], METRIC_LABELS(OF(environment)));
}

void
metric_set_tls(struct metric_set *set, bool is_read, int64_t expires_at_s)
{
	metric_set_value(set, METRIC_TLS_PROBE_UP, is_read);
	if (is_read)
		metric_set_value(set, METRIC_TLS_EXPIRY, (double)expires_at_s);
}

void
metric_set_write(const struct metric_set *set, struct buf *out)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		metric_write(&set->m[i], out);
	metric_process_write(out, set->booted_at);
}

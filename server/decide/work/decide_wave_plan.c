/* decide_wave_plan.c - which host is in which wave of a deployment, and which run is for whom.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_wave_plan.h"

#include <stdlib.h>

#include "decide/work/decide_hosts.h"
#include "decide/work/decide_promotion.h"
#include "lib/fingerprint.h"
#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "store/row_binding.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_host.h"
#include "store/row_host_leave.h"
#include "store/row_host_list.h"
#include "store/row_wave_plan.h"
#include "types/settings.h"
#include "types/waves.h"

struct slot {
	char name[SETTINGS_CLAIM_HOST];
	bool is_canary;
	bool is_planned;
	bool is_behind;	 /* it does not run what is live */
	bool has_failed; /* and nothing has reached it since */
	int64_t failed_at;
};

static int
compare(const void *a, const void *b)
{
	const struct slot *one = a, *other = b;

	if (one->is_canary != other->is_canary)
		return one->is_canary ? -1 : 1;
	if (one->has_failed != other->has_failed)
		return one->has_failed ? -1 : 1;
	if (one->failed_at != other->failed_at)
		return one->failed_at < other->failed_at ? -1 : 1;
	return strcmp(one->name, other->name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct slot *)a)->name, ((const struct slot *)b)->name);
}

static void
add_past(struct tx *tx, const char *environment, struct slot *slots, size_t n)
{
	CLEANUP(freep) struct host_past *known = mem_new(HOST_LINES_MAX, sizeof(*known));
	size_t n_known = row_host_past(tx, environment, known);

	qsort(slots, n, sizeof(*slots), by_name);
	for (size_t i = 0; i < n_known; i++) {
		struct slot *slot = bsearch(known[i].name, slots, n, sizeof(*slots), by_name);

		if (slot != NULL) {
			slot->has_failed = known[i].has_failed;
			slot->failed_at = known[i].failed_at;
		}
	}
}

/* Of hosts as decide_hosts_of() has them, for which there is room. */
static size_t
read_slots(const struct environment_settings *settings, const char *list, struct slot *slots)
{
	char part[SETTING_PART_MAX + 1], canary[SETTINGS_CLAIM_HOST] = "";
	size_t n = 0;

	if (settings->in_waves.canary != NULL)
		(void)settings_claims_host(settings->in_waves.canary, canary);
	while (setting_next(&list, part, sizeof(part))) {
		(void)settings_claims_host(part, slots[n].name);
		slots[n].is_canary = strcmp(slots[n].name, canary) == 0;
		n++;
	}
	return n;
}

/* Does it bring what is live to the hosts that do not run it, and to no other? */
static bool
is_own(struct tx *tx, const struct deployment *work)
{
	struct promotion promotion;

	return promotion_is_own(decide_promotion_of(tx, work, &promotion), work->environment);
}

/* Leaves those that do not run what is live; returns how many. */
static size_t
keep_behind(struct tx *tx, const struct deployment *work, struct slot *slots, size_t n)
{
	CLEANUP(freep) struct host_past *behind = mem_new(HOST_LINES_MAX, sizeof(*behind));
	size_t n_behind = row_host_list_behind(tx, work->environment, work->commit, behind);
	size_t kept = 0;
	struct slot wanted, *slot;

	qsort(slots, n, sizeof(*slots), by_name);
	for (size_t i = 0; i < n_behind; i++) {
		text_set(wanted.name, behind[i].name);
		slot = bsearch(&wanted, slots, n, sizeof(*slots), by_name);
		if (slot != NULL)
			slot->is_behind = true;
	}
	for (size_t i = 0; i < n; i++)
		if (slots[i].is_behind)
			slots[kept++] = slots[i];
	return kept;
}

/* Those that failed go beside the hosts that the first wave has anyway. */
static size_t
wave_of(const struct waves *waves, size_t at, size_t n_failed)
{
	size_t wave = 0;

	if (at < n_failed + waves->ends[0])
		return 0;
	while (wave + 1 < waves->n && at >= waves->ends[wave])
		wave++;
	return wave;
}

/* NULL: it is released to all hosts at once. */
static const struct environment_settings *
settings_in_waves(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings = work->program == PROGRAM_DEPLOY ?
	    settings_environment(tx->settings, work->environment) :
	    NULL;

	return settings != NULL && settings->in_waves.is_set ? settings : NULL;
}

/* A line for each wave; hosts that do not run what is live are one. */
static void
write_plan(struct tx *tx, const struct deployment *work,
    const struct environment_settings *settings, struct buf *out)
{
	CLEANUP(freep) char *hosts = decide_hosts_of(tx, settings->hosts);
	size_t n = waves_hosts(hosts), n_failed = 0, last = 0;
	CLEANUP(freep) struct slot *slots = mem_new(n + 1, sizeof(*slots));
	struct waves waves;

	n = read_slots(settings, hosts, slots);
	if (is_own(tx, work)) {
		n = keep_behind(tx, work, slots, n);
		waves_fit(NULL, n, &waves);
	} else {
		waves_fit(settings->waves, n, &waves);
	}
	add_past(tx, work->environment, slots, n);
	qsort(slots, n, sizeof(*slots), compare);
	for (size_t i = 0; i < n; i++)
		n_failed += slots[i].has_failed ? 1 : 0;
	if (n_failed + waves.ends[0] >= n) /* they go first, and all are not one wave for that */
		n_failed = 0;
	for (size_t i = 0; i < n; i++) {
		size_t now = wave_of(&waves, i, n_failed);

		buf_addf(out, "%s%s", i == 0 ? "" : now > last ? "\n" : " ", slots[i].name);
		last = now; /* none is left empty by those that failed */
	}
}

/* Its order names its hosts, and nobody beside those that were shown is one. */
static bool
is_of_some(
    struct tx *tx, const struct deployment *work, const struct environment_settings *settings)
{
	return settings->in_waves.is_pattern || is_own(tx, work);
}

char *
decide_wave_shown(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings = settings_in_waves(tx, work);
	CLEANUP(freep) char *plan = NULL;

	if (settings == NULL)
		return NULL;
	plan = mem_new(1, LIMIT_RUN_HOSTS);
	row_wave_plan_get(tx, work->id, plan);
	/* One wave: its script reads which hosts there are. */
	return strchr(plan, '\n') != NULL || (plan[0] != '\0' && is_of_some(tx, work, settings)) ?
	    TAKE(plan) :
	    NULL;
}

void
decide_wave_show(struct tx *tx, const struct deployment *work, bool is_anew)
{
	const struct environment_settings *settings = settings_in_waves(tx, work);
	CLEANUP(buf_done) struct buf plan = buf_make(LIMIT_RUN_HOSTS);
	CLEANUP(freep) char *shown = is_anew ? NULL : decide_wave_shown(tx, work);

	if (settings == NULL || shown != NULL)
		return;
	write_plan(tx, work, settings, &plan);
	tx_check(tx, &plan);
	row_wave_plan_set(tx, work->id, buf_text(&plan));
}

/* hosts: as decide_hosts_of() has them. */
static bool
is_listed(const char *hosts, const char *name)
{
	char part[SETTING_PART_MAX + 1], host[SETTINGS_CLAIM_HOST];

	while (setting_next(&hosts, part, sizeof(part)))
		if (strcmp(settings_claims_host(part, host), name) == 0)
			return true;
	return false;
}

/* One that has left the settings since it was shown is in none, and one that came, which the runner
 * has taken for what was shown, in the last; an agent that came waits for the next deployment, and
 * one that was revoked is skipped and named.  Returns how many there are. */
static int
give_waves(struct tx *tx, const struct deployment *work,
    const struct environment_settings *settings, const char *plan, const struct release *before)
{
	CLEANUP(freep) char *hosts = decide_hosts_of(tx, settings->hosts);
	size_t n = waves_hosts(hosts);
	CLEANUP(freep) struct slot *slots = mem_new(n + 1, sizeof(*slots));
	bool is_new = true, names_left = settings->in_waves.is_pattern;
	struct slot wanted, *slot;
	int wave = 0;

	n = read_slots(settings, hosts, slots);
	if (is_own(tx, work))
		n = keep_behind(tx, work, slots, n);
	qsort(slots, n, sizeof(*slots), by_name);
	while (*plan != '\0') {
		size_t size = strcspn(plan, " \n");

		text_setf(wanted.name, "%.*s", (int)size, plan);
		slot = bsearch(&wanted, slots, n, sizeof(*slots), by_name);
		if (slot != NULL) {
			slot->is_planned = true;
			wave += is_new ? 1 : 0;
			is_new = false;
			row_host_plan(tx, work, wanted.name, wave, before);
		} else if (names_left && !is_listed(hosts, wanted.name)) {
			row_host_plan(tx, work, wanted.name, wave > 0 ? wave : 1, before);
		}
		plan += size;
		is_new |= *plan == '\n';
		plan += *plan != '\0';
	}
	if (names_left)
		decide_hosts_agents(tx); /* of a new row nobody knows yet that it has left */
	is_new = wave > 0 && !is_of_some(tx, work, settings);
	for (size_t i = 0; i < n && is_new; i++)
		if (!slots[i].is_planned)
			row_host_plan(tx, work, slots[i].name, wave, before);
	return wave;
}

void
decide_wave_plan(
    struct tx *tx, struct deployment *work, const struct environment_settings *settings)
{
	static const struct release nothing;
	struct environment environment;
	CLEANUP(freep) char *plan = NULL;
	int64_t n_known;

	work->wave = work->waves = 0;
	if (settings_in_waves(tx, work) == NULL)
		return;
	plan = decide_wave_shown(tx, work);
	if (plan == NULL) { /* nobody was asked */
		decide_wave_show(tx, work, true);
		plan = decide_wave_shown(tx, work);
	}
	if (plan == NULL && !is_own(tx, work))
		return;
	row_environment_get(tx, work->environment, &environment);
	/* Of a host that came later nobody has brought anything there. */
	n_known = row_host_count_list(tx, &(struct host_filter){ work->environment, false, "" });
	work->waves = give_waves(tx, work, settings, plan != NULL ? plan : "",
	    n_known == 0 && environment.unknown_since == 0 ? &environment.current : &nothing);
	if (n_known == 0 && environment.is_down) /* its last rollback failed */
		row_wave_plan_doubt(tx, work);
	/* Without hosts it is none for all: its runner refuses such an order. */
	if (work->waves == 0 && is_of_some(tx, work, settings))
		work->waves = 1;
	work->wave = work->waves > 0 ? 1 : 0;
}

int
decide_wave_failures(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	size_t hosts;

	if (settings == NULL)
		return 0;
	hosts = settings->in_waves.is_pattern ? (size_t)row_host_count(tx, work).all :
						waves_hosts(settings->hosts);
	return (int)waves_failures(settings->in_waves.failures_max, hosts);
}

bool
decide_wave_rolls_agents_back(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);

	return settings != NULL && settings->in_waves.is_pattern && deployment_is_rollback(work);
}

/* What it has shipped already is shipped on, whatever has become of the file with its hosts. */
static void
bind_without_hosts(struct tx *tx, const struct deployment *work, struct effect_run *run)
{
	char list[FINGERPRINT_LIST_MAX], name[LIMIT_ENVIRONMENT];
	const char *slash = strrchr(work->environment, '/');

	if (run->binding[0] == '\0' || !work->target_changed ||
	    !settings_claims_are_rows(tx->settings, work->environment))
		return;
	text_set(name, slash != NULL ? slash + 1 : work->environment);
	(void)row_binding_get(tx, work->id, list);
	(void)row_binding_digest(work, fingerprint_drop_hosts(list, name), run->binding);
}

void
decide_wave_order(struct tx *tx, const struct deployment *work, struct effect_run *run)
{
	int most;

	if (work->waves == 0) {
		if (decide_wave_rolls_agents_back(tx, work))
			(void)row_host_order_back(tx, work, run->run);
		return;
	}
	if (work->state == DEPLOY_ROLLING_BACK) {
		(void)row_host_order_back(tx, work, run->run);
		return;
	}
	bind_without_hosts(tx, work, run);
	if (settings_claims_are_rows(tx->settings, work->environment))
		(void)row_host_leave_skip(tx, work);
	(void)row_host_order(tx, work, run->run);
	text_setf(run->wave, "%d/%d", work->wave, work->waves);
	most = decide_wave_failures(tx, work) - (int)row_host_count(tx, work).failed_before;
	run->failures_max = most > 0 ? most : 0;
}

void
decide_wave_end(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	bool has_waves = settings != NULL && settings->in_waves.is_set;

	if (work->waves > 0 || settings_in_waves(tx, work) != NULL)
		row_wave_plan_drop(tx, work->id);
	if (work->waves > 0) {
		row_host_end(tx, work);
		/* Its message still counts its rows: they go behind it. */
		if (!has_waves && row_effect_timer_of(tx, TIMER_WAVES, work->id) == 0)
			(void)row_effect_timer(tx, TIMER_WAVES, "", work->id, tx->at);
		return;
	}
	if (!has_waves || deployment_is_action(work) || work->run == 0)
		return;
	if (decide_wave_rolls_agents_back(
		tx, work)) { /* each has said what it runs, or is not known */
		if (work->target_changed)
			row_host_gone(tx, work, work->run);
		row_host_end(tx, work);
	} else if (work->state == DEPLOY_LIVE)
		row_host_set_all(tx, work, true);
	else if (work->target_changed && work->state != DEPLOY_ROLLED_BACK)
		row_host_set_all(tx, work, false);
}

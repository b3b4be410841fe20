/* decide_wave_plan.c - which host is in which wave of a deployment, and which run is for whom.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_wave_plan.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "store/row_environment.h"
#include "store/row_host.h"
#include "store/row_host_list.h"
#include "types/settings.h"
#include "types/waves.h"

struct slot {
	char name[SETTINGS_CLAIM_HOST];
	bool has_failed; /* and nothing has reached it since */
	int64_t failed_at;
};

static int
compare(const void *a, const void *b)
{
	const struct slot *one = a, *other = b;

	if (one->has_failed != other->has_failed)
		return one->has_failed ? -1 : 1;
	if (one->failed_at != other->failed_at)
		return one->failed_at < other->failed_at ? -1 : 1;
	return strcmp(one->name, other->name);
}

static size_t
sorted(const char *list, const struct host *known, size_t n_known, struct slot *slots)
{
	char part[SETTING_PART_MAX + 1];
	size_t n = 0;

	while (n < SETTING_HOSTS_MAX && setting_next(&list, part, sizeof(part))) {
		struct slot *slot = &slots[n++];

		(void)settings_claims_host(part, slot->name);
		for (size_t i = 0; i < n_known; i++)
			if (strcmp(known[i].name, slot->name) == 0) {
				slot->has_failed = known[i].state == HOST_IS_FAILED ||
				    known[i].state == HOST_IS_UNKNOWN;
				slot->failed_at = known[i].failed_at;
			}
	}
	qsort(slots, n, sizeof(*slots), compare);
	return n;
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

struct plan {
	const struct slot *slots;
	size_t n;
	struct waves waves;
	const struct release *before; /* that a host without a row runs */
};

static int
write_plan(struct tx *tx, const struct deployment *work, const struct plan *plan)
{
	const struct slot *slots = plan->slots;
	const struct waves *waves = &plan->waves;
	size_t n = plan->n, n_failed = 0, last = 0;
	int wave = 1;

	while (n_failed < n && slots[n_failed].has_failed)
		n_failed++;
	if (wave_of(waves, n - 1, n_failed) == 0)
		return 0; /* one wave, of today's kind */
	for (size_t i = 0; i < n; i++) {
		size_t now = wave_of(waves, i, n_failed);

		wave += now > last ? 1 : 0; /* none is left empty by those that failed */
		last = now;
		row_host_plan(tx, work, slots[i].name, wave, plan->before);
	}
	return wave;
}

void
decide_wave_plan(
    struct tx *tx, struct deployment *work, const struct environment_settings *settings)
{
	CLEANUP(freep) struct slot *slots = NULL;
	CLEANUP(freep) struct host *known = NULL;
	static const struct release nothing;
	struct environment environment;
	struct waves waves;
	size_t n, n_known;

	work->wave = work->waves = 0;
	if (work->program != PROGRAM_DEPLOY || settings->waves == NULL ||
	    !waves_read(settings->waves, waves_hosts(settings->hosts), &waves, NULL) || waves.n < 2)
		return;
	slots = mem_new(SETTING_HOSTS_MAX, sizeof(*slots));
	known = mem_new(ROW_HOSTS_MAX, sizeof(*known));
	n_known = row_host_list(
	    tx, &(struct host_filter){ work->environment, false, "" }, 0, known, ROW_HOSTS_MAX);
	n = sorted(settings->hosts, known, n_known, slots);
	row_environment_get(tx, work->environment, &environment);
	/* Of a host that came later nobody has brought anything there. */
	work->waves = write_plan(tx, work,
	    &(struct plan){ slots, n, waves,
		n_known == 0 && environment.unknown_since == 0 ? &environment.current : &nothing });
	work->wave = work->waves > 0 ? 1 : 0;
}

int
decide_wave_failures(const struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);

	return settings == NULL ?
	    0 :
	    (int)waves_failures(settings->failures_max, waves_hosts(settings->hosts));
}

/* The runner begins nothing for a host that has left the settings: it would refuse all of the
 * order. */
static void
order_back(struct tx *tx, const struct deployment *work, int64_t run)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	const char *list = settings != NULL ? settings->hosts : NULL;
	CLEANUP(buf_done) struct buf hosts = buf_make(LIMIT_RUN_HOSTS);
	char part[SETTING_PART_MAX + 1], name[SETTINGS_CLAIM_HOST];

	buf_addf(&hosts, " ");
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		buf_addf(&hosts, "%s ", settings_claims_host(part, name));
	(void)row_host_order_back(tx, work, run, buf_text(&hosts));
}

void
decide_wave_order(struct tx *tx, const struct deployment *work, struct effect_run *run)
{
	int most;

	if (work->waves == 0)
		return;
	if (work->state == DEPLOY_ROLLING_BACK) {
		order_back(tx, work, run->run);
		return;
	}
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

	if (work->waves > 0) {
		row_host_end(tx, work);
		return;
	}
	if (settings == NULL || !waves_are_set(settings->waves) || deployment_is_action(work) ||
	    work->run == 0)
		return;
	if (work->state == DEPLOY_LIVE)
		row_host_set_all(tx, work, true);
	else if (work->target_changed && work->state != DEPLOY_ROLLED_BACK)
		row_host_set_all(tx, work, false);
}

/* figures.c - how often, how fast and how well a target is deployed, of a span and by its weeks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/figures.h"

#include "lib/mem.h"

static bool
is_failure(const struct ended_work *work)
{
	return work->state != DEPLOY_LIVE ||
	    (work->left_at != 0 && work->left_at - work->ended_at <= FIGURES_LEFT_MS);
}

/* The environment runs what nobody rolled back. */
static bool
runs_well(const struct ended_work *work)
{
	return work->state == DEPLOY_ROLLED_BACK ||
	    (work->state == DEPLOY_LIVE && work->left_at == 0);
}

/* An automatic rollback that succeeded is its own end. */
static int64_t
restored_behind(const struct ended_work *works, size_t i, size_t all)
{
	int64_t since = works[i].state == DEPLOY_LIVE ? works[i].left_at : works[i].ended_at;

	for (size_t k = i; k < all; k++)
		if (runs_well(&works[k]) && works[k].ended_at >= since)
			return works[k].ended_at - since;
	return FIGURE_NONE;
}

size_t
figures_count(
    const struct ended_work *works, size_t n, size_t all, struct figure_fact *ret, size_t used)
{
	for (size_t i = 0; i < n; i++) {
		const struct ended_work *work = &works[i];
		bool has_lead = work->state == DEPLOY_LIVE && work->committed_at > 0 &&
		    work->committed_at <= work->ended_at;

		if (!work->is_rollback)
			ret[used++] = (struct figure_fact){
				.id = work->id,
				.at = work->ended_at,
				.lead_ms =
				    has_lead ? work->ended_at - work->committed_at : FIGURE_NONE,
				.restore_ms =
				    is_failure(work) ? restored_behind(works, i, all) : FIGURE_NONE,
				.is_failure = is_failure(work),
				.is_live = work->state == DEPLOY_LIVE,
			};
	}
	return used;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t
percentile(const int64_t *sorted, size_t n, size_t percent)
{
	return n == 0 ? FIGURE_NONE : sorted[(n * percent + 99) / 100 - 1];
}

struct figures
figures_of(const struct figure_fact *facts, size_t n)
{
	int64_t *leads = mem_new(2 * n + 1, sizeof(*leads)), *restores = leads + n;
	size_t n_leads = 0, n_restores = 0;
	struct figures ret = { .n = n };

	for (size_t i = 0; i < n; i++) {
		if (facts[i].lead_ms != FIGURE_NONE)
			leads[n_leads++] = facts[i].lead_ms;
		else if (facts[i].is_live)
			ret.n_without_lead++;
		if (facts[i].restore_ms != FIGURE_NONE)
			restores[n_restores++] = facts[i].restore_ms;
		ret.n_failures += facts[i].is_failure;
	}
	qsort(leads, n_leads, sizeof(*leads), compare);
	qsort(restores, n_restores, sizeof(*restores), compare);
	ret.lead_median_ms = percentile(leads, n_leads, 50);
	ret.lead_p90_ms = percentile(leads, n_leads, 90);
	ret.restore_median_ms = percentile(restores, n_restores, 50);
	free(leads);
	return ret;
}

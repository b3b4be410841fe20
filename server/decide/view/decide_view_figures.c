/* decide_view_figures.c - the four figures of a span, as /v1 shows them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_reply.h"
#include "decide/view/decide_view.h"
#include "decide/view/decide_view_lists.h"

#include <inttypes.h>

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_figures.h"
#include "store/row_rate_limit.h"

/* They walk what may be years of rows. */
#define ASKED	       3 /* at once, of a person */
#define ASKED_EVERY_MS INT64_C(10000)

#define WORKS_MAX   20000 /* of all environments of an answer */
#define BEHIND_MAX  50	  /* works that may say when the last failure was over */
#define DAY_MS	    INT64_C(86400000)
#define DAYS_MAX    3660 /* ten years */
#define WORK_LISTED 500	 /* numbers in a week */

struct span {
	struct figure_span at;
	struct figure_fact *facts; /* WORKS_MAX + 1; those of an environment stand together */
	size_t n;
};

/* --- which --- */

static bool
read_span(struct tx *tx, struct span *ret)
{
	if (!decide_view_days(tx, tx->request, &ret->at.from, &ret->at.until))
		return false;
	if (ret->at.until > ret->at.from && ret->at.until - ret->at.from <= DAYS_MAX * DAY_MS)
		return true;
	decide_refusef(tx, 400,
	    ret->at.until <= ret->at.from ? "The last day stands before the first." :
					    "That is more than ten years: ask for a shorter span.");
	return false;
}

/* Returns how many facts came. */
static size_t
add_facts(struct tx *tx, const char *environment, struct ended_work *works, struct span *span)
{
	size_t before = span->n, room = WORKS_MAX + 1 - before;
	size_t n = row_figures_list(tx, environment, span->at, works, room);
	const struct figure_span behind = { span->at.until, INT64_MAX };
	size_t all = n + row_figures_list(tx, environment, behind, works + n, BEHIND_MAX);

	span->n = figures_count(works, n, all, span->facts, before);
	return span->n - before;
}

/* --- as JSON --- */

static void
put_time_s(struct json_out *json, const char *key, int64_t ms)
{
	json_put_i64_if(json, key, ms != FIGURE_NONE, ms / 1000);
}

/* A ratio with four digits; null: of nothing. */
static void
put_ratio(struct json_out *json, const char *key, double part, double of)
{
	char text[32] = "null";

	if (of > 0)
		text_setf(text, "%.4f", part / of);
	json_out_key(json, key);
	json_out_raw(json, text);
}

static void
put_figures(struct json_out *json, const struct figure_fact *facts, size_t n)
{
	struct figures figures = figures_of(facts, n);

	json_put_i64(json, "deployments", (int64_t)figures.n);
	json_put_i64(json, "failures", (int64_t)figures.n_failures);
	put_ratio(json, "change_failure_rate", (double)figures.n_failures, (double)figures.n);
	put_time_s(json, "lead_time_median_s", figures.lead_median_ms);
	put_time_s(json, "lead_time_p90_s", figures.lead_p90_ms);
	json_put_i64(json, "without_lead_time", (int64_t)figures.n_without_lead);
	put_time_s(json, "time_to_restore_median_s", figures.restore_median_ms);
}

static int
compare_ends(const void *a, const void *b)
{
	const struct figure_fact *x = a, *y = b;

	return x->at != y->at ? (x->at > y->at) - (x->at < y->at) :
				(x->id > y->id) - (x->id < y->id);
}

/* The Monday of its week. */
static struct zone_time
monday_of(const struct zone *zone, int64_t at)
{
	struct zone_time day = zone_local(zone, at);

	return (struct zone_time){
		.year = day.year, .month = day.month, .day = day.day - (day.weekday + 6) % 7
	};
}

/* Each of its weeks, also those in which nothing was deployed. */
static void
put_weeks(const struct zone *zone, const struct span *span, struct json_out *json)
{
	struct zone_time monday = monday_of(zone, span->at.from);
	char date[ZONE_DATE];
	size_t first = 0, next;

	json_put_open(json, "weeks", '[');
	for (int64_t at = zone_moment(zone, &monday); at < span->at.until;
	     at = zone_moment(zone, &monday), first = next) {
		json_out_object(json);
		json_put_str(json, "from", zone_date_text(zone, at, date));
		monday.day += 7;
		for (next = first;
		     next < span->n && span->facts[next].at < zone_moment(zone, &monday);)
			next++;
		put_figures(json, span->facts + first, next - first);
		json_put_open(json, "work", '[');
		for (size_t i = first; i < next && i < first + WORK_LISTED; i++) {
			char id[24];

			text_setf(id, "%" PRId64, span->facts[i].id);
			json_out_raw(json, id);
		}
		json_out_end(json);
		json_out_end(json);
	}
	json_out_end(json);
}

static void
put_environments(struct tx *tx, const struct decide_scope *scope, struct ended_work *works,
    struct span *span, struct json_out *json)
{
	json_put_open(json, "environments", '[');
	for (size_t i = 0; i < scope->n && span->n <= WORKS_MAX; i++) {
		size_t n = add_facts(tx, scope->at[i]->name, works, span);

		json_out_object(json);
		json_put_str(json, "environment", scope->at[i]->name);
		put_figures(json, span->facts + span->n - n, n);
		json_out_end(json);
	}
	json_out_end(json);
}

void
decide_view_figures(struct tx *tx, const struct decide_scope *scope, struct json_out *json)
{
	CLEANUP(freep) struct ended_work *works = NULL;
	CLEANUP(freep) struct figure_fact *facts = NULL;
	struct span span = { 0 };
	int64_t days;

	if (!row_rate_limit_take(tx, ASKED, ASKED_EVERY_MS, "figures:%" PRId64, scope->person)) {
		decide_refusef(tx, 429, "Figures can be asked for once in ten seconds.");
		return;
	}
	if (!read_span(tx, &span))
		return;
	days = (span.at.until - span.at.from + DAY_MS / 2) / DAY_MS; /* of 23 to 25 hours */
	works = mem_new(WORKS_MAX + 1 + BEHIND_MAX, sizeof(*works));
	span.facts = facts = mem_new(WORKS_MAX + 1, sizeof(*facts));
	json_put_str(json, "from", request_text(tx->request, "from"));
	json_put_str(json, "to", request_text(tx->request, "to"));
	json_put_i64(json, "days", days);
	put_environments(tx, scope, works, &span, json);
	if (span.n > WORKS_MAX) {
		decide_refusef(
		    tx, 400, "More than %d deployments: ask for a shorter span.", WORKS_MAX);
		return;
	}
	put_ratio(json, "deployments_a_week", 7.0 * (double)span.n, (double)days);
	put_figures(json, span.facts, span.n);
	qsort(span.facts, span.n, sizeof(*span.facts), compare_ends);
	put_weeks(tx->settings->zone, &span, json);
}

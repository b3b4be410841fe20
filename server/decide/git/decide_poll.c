/* decide_poll.c - whose repository is asked for its heads, and when.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_poll.h"

#include "decide/git/decide_git.h"
#include "decide/git/decide_push.h"
#include "decide/hold/decide_refusal.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "types/repository.h"

#define STEPS_MAX \
	12 /* times in a round that we wake up for it, where so many at once may be asked */
#define CROWDED_MS 1000
/* Behind a start: what else it does at once comes first.  Its round is none of those counted. */
#define START_MS    3000
#define START_ROUND (-1)

static bool
is_polled(struct tx *tx, const struct environment_settings *settings)
{
	return repository_is_polled(settings,
	    row_environment_get(tx, settings->name, &(struct environment){ 0 })->unknown_since);
}

/* The main one, then all others in their order. */
static const struct settings *
application_at(const struct settings *s, size_t i)
{
	return i == 0 ? s : s->applications[i - 1];
}

/* Is it asked for itself, or with an earlier one of the same repository? */
static bool
is_first(const struct settings *s, size_t i)
{
	const struct settings *application = application_at(s, i);

	for (size_t earlier = 0; earlier < i; earlier++)
		if (repository_poll_of(application_at(s, earlier)) > 0 &&
		    repository_is_shared(application_at(s, earlier), application))
			return false;
	return repository_poll_of(application) > 0;
}

/* --- asking --- */

/* One that is not answered yet is not asked again. */
static void
ask(struct tx *tx, struct effect_git_query *query)
{
	if (query->n_branches > 0 && !row_effect_is_polling(tx, query->environment))
		decide_git_query(tx, query, 0);
	*query = (struct effect_git_query){ .kind = GIT_QUERY_HEADS };
}

/* All branches of its repository, COUNT(branches) in a query. */
static void
ask_repository(struct tx *tx, const struct settings *application)
{
	struct effect_git_query query = { .kind = GIT_QUERY_HEADS };
	const struct settings *before = NULL;
	bool is_shared = false;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (e->of != before)
			is_shared = repository_is_shared(e->of, application);
		before = e->of;
		if (!is_shared || !is_polled(tx, e) || effect_asks_branch(&query, e->branch))
			continue;
		if (query.n_branches == COUNT(query.branches))
			ask(tx, &query);
		if (query.n_branches == 0) /* whose settings git is asked with */
			text_set(query.environment, e->name);
		(void)text_copy(query.branches[query.n_branches++], LIMIT_REF, e->branch);
	}
	ask(tx, &query);
}

/* Those that want it less often than the others are left out of some rounds. */
static bool
is_in_round(const struct settings *s, size_t i, int64_t round)
{
	const struct settings *application = application_at(s, i);
	int seconds = repository_poll_of(application), interval = repository_poll_seconds(s);

	for (size_t j = i + 1; j <= s->application_count; j++) {
		const struct settings *other = application_at(s, j);
		int often = repository_poll_of(other);

		if (often > 0 && often < seconds && repository_is_shared(application, other))
			seconds = often;
	}
	return round == START_ROUND || round % ((seconds + interval - 1) / interval) == 0;
}

/* --- rounds --- */

static void
add_timer(struct tx *tx, const struct effect_timer *timer, int64_t due)
{
	struct effect effect = { .kind = EFFECT_TIMER, .due = due, .u.timer = *timer };

	effect.u.timer.kind = TIMER_POLL;
	(void)row_effect_order(tx, &effect);
}

/* The first whose turn it may be; past the last: the round is over. */
static size_t
begin_at(const struct settings *s, const char *turn)
{
	size_t i = 0;

	while (i <= s->application_count && strcmp(application_at(s, i)->application, turn) < 0)
		i++;
	return i;
}

/* From there on: at most `most` repositories.  Returns whose turn is next. */
static size_t
ask_some(struct tx *tx, size_t from, size_t most, int64_t round)
{
	const struct settings *s = tx->settings;
	size_t i = from, asked = 0;

	for (; i <= s->application_count && asked < most; i++)
		if (is_first(s, i) && is_in_round(s, i, round)) {
			ask_repository(tx, application_at(s, i));
			asked++;
		}
	return i;
}

static void
next_round(struct tx *tx, struct effect_timer *timer, int64_t due)
{
	int64_t full = timer->began + repository_poll_seconds(tx->settings) * INT64_C(1000);

	if (due < full || timer->began > tx->at) /* by a clock that was ahead */
		due = full < tx->at ? tx->at : full;
	tx_count_metric(tx, INCREMENT_POLL_ROUND, "", "", "", (double)(due - timer->began) / 1000);
	*timer = (struct effect_timer){ .began = due, .round = timer->round + 1 };
	add_timer(tx, timer, due);
}

void
decide_poll(struct tx *tx)
{
	const struct settings *s = tx->settings;
	const int64_t interval_ms = repository_poll_seconds(s) * INT64_C(1000);
	struct effect_timer timer = tx->effect->u.timer;
	size_t n = s->application_count + 1, most, out, i;
	int64_t step_ms;

	if (interval_ms == 0)
		return;
	if (timer.began == 0 || timer.began > tx->at)
		timer.began = tx->at;
	most = (n + STEPS_MAX - 1) / STEPS_MAX;
	if (most > DECIDE_POLL_QUERIES)
		most = DECIDE_POLL_QUERIES;
	out = (size_t)row_effect_count_polls(tx);
	if (out >= DECIDE_POLL_QUERIES) {
		add_timer(tx, &timer, tx->at + CROWDED_MS);
		return;
	}
	if (most > DECIDE_POLL_QUERIES - out)
		most = DECIDE_POLL_QUERIES - out;
	/* What was pushed while nobody listened is looked for one query behind another. */
	step_ms =
	    timer.round == START_ROUND ? CROWDED_MS : interval_ms * (int64_t)most / (int64_t)n;
	i = ask_some(tx, begin_at(s, timer.name), most, timer.round);
	if (i >= n) {
		next_round(tx, &timer, tx->at);
		return;
	}
	text_set(timer.name, application_at(s, i)->application);
	add_timer(tx, &timer, tx->at + step_ms);
}

/* That one's settings were those that git was asked with, or an environment's that has become first
 * since. */
static void
note_answers(struct tx *tx, const struct environment_settings *e)
{
	if (!effect_asks_branch(&tx->effect->u.git_query, e->branch) ||
	    row_environment_get(tx, e->name, &(struct environment){ 0 })->poll_failing_since == 0)
		return;
	row_environment_set_poll_failing(tx, e->name, 0);
	tx_log(tx, LOG_LEVEL_INFO, "%s: git answers polls again", e->name);
}

void
decide_poll_failed(struct tx *tx, const char *why)
{
	const char *name = tx->effect->u.git_query.environment;

	if (row_environment_get(tx, name, &(struct environment){ 0 })->poll_failing_since != 0)
		return;
	row_environment_set_poll_failing(tx, name, tx->at);
	tx_log(tx, LOG_LEVEL_WARNING,
	    "%s: polling git failed: %s; it is polled on, pushes are not noticed meanwhile", name,
	    why);
}

/* It dates a push that comes later, also where the settings let nobody poll by now. */
static void
take_head(struct tx *tx, const struct environment_settings *e, const char *commit)
{
	char former[ENVIRONMENT_ID_MAX];

	if (commit[0] != '-')
		decide_head_is(tx, decide_row_name(tx, e->name, former), e->branch, commit);
	if (is_polled(tx, e))
		decide_polled(tx, e, commit);
}

void
decide_poll_answered(struct tx *tx, const struct git_answer *answer)
{
	const struct settings *asked =
	    settings_of(tx->settings, tx->effect->u.git_query.environment);
	const struct settings *before = NULL;
	bool is_shared = false;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (e->of != before)
			is_shared = repository_is_shared(e->of, asked);
		before = e->of;
		if (is_shared && e->branch != NULL)
			note_answers(tx, e);
		for (size_t h = 0; is_shared && e->branch != NULL && h < answer->n_heads; h++)
			if (strcmp(answer->head[h].branch, e->branch) == 0)
				take_head(tx, e, answer->head[h].commit);
	}
}

void
decide_poll_later(struct tx *tx)
{
	int64_t interval_ms = repository_poll_seconds(tx->settings) * INT64_C(1000);

	if (interval_ms > 0 && !row_effect_has_timer(tx, TIMER_POLL))
		add_timer(tx, &(struct effect_timer){ .round = 0 }, tx->at + interval_ms);
}

void
decide_poll_begin(struct tx *tx)
{
	int64_t due;

	row_effect_withdraw(tx, row_effect_find_timer(tx, TIMER_POLL, &due));
	if (repository_poll_seconds(tx->settings) > 0)
		add_timer(tx, &(struct effect_timer){ .round = START_ROUND }, tx->at + START_MS);
}

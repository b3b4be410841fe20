/* perform_git_query.c - a git question: once for a person, until git answers for a push.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "effects/perform_inside.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "runs/runs.h"
#include "types/git_answer.h"

#define MAGIC	      0x41736b31u
#define WAIT_FIRST_MS 1000
#define WAIT_MOST_MS  300000
#define STATUS_FAILED 69 /* as if git could not be reached */

/* One open question; a list of them hangs on perform->asking. */
struct perform_git_query_state {
	unsigned magic;
	struct perform_git_query_state *next;
	struct perform *perform;
	struct effect *effect;
	struct runs_git_query *sent; /* NULL: it waits to be asked again */
	struct loop_timer timer;
	int64_t wait_ms;
};

static void on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size);
static void on_due(struct loop_timer *timer, void *ctx);

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
query_take(struct perform_git_query_state *query)
{
	struct perform_git_query_state **back = &query->perform->git_queries;
	struct effect *effect = query->effect;

	while (*back != query)
		back = &(*back)->next;
	*back = query->next;
	loop_timer_stop(&query->timer);
	runs_git_query_cancel(query->perform->runs, query->sent);
	query->magic = 0;
	free(query);
	return effect;
}

static void
report(struct perform *perform, struct effect *effect, int exit_status, bool unreachable,
    const char *text)
{
	struct git_answered *answered = &effect->result->u.git_answered;

	answered->exit_status = exit_status;
	answered->unreachable = unreachable;
	/* NOANALYZE(malloc-leak): the effect has it */
	answered->answer = strdup(text); /* a packet, or a sentence of ours: bounded */
	if (answered->answer == NULL)
		answered->exit_status = STATUS_FAILED; /* half an answer is none */
	perform_report(perform, effect);
}

/* A little more or less, so that questions which failed together do not come back together. */
static int64_t
with_jitter(int64_t ms)
{
	uint16_t random;

	if (!crypto_random(&random, sizeof(random), NULL))
		return ms;
	return ms * 3 / 4 + ms / 2 * random / UINT16_MAX;
}

static void
later(struct perform_git_query_state *query, const char *why)
{
	int64_t wait_ms = with_jitter(query->wait_ms);

	log_warning("git did not answer: %s; it is asked again in %lld s", why,
	    (long long)(wait_ms + 500) / 1000);
	loop_timer_start(query->perform->loop, &query->timer, wait_ms, 0);
	query->wait_ms = query->wait_ms * 2 < WAIT_MOST_MS ? query->wait_ms * 2 : WAIT_MOST_MS;
}

static void
query_now(struct perform_git_query_state *query)
{
	struct perform *perform = query->perform;
	struct err err = { .code = ERR_NONE };

	query->sent = runs_git_query_start(
	    perform->runs, &query->effect->u.git_query, on_answer, query, &err);
	if (query->sent != NULL)
		return;
	if (query->effect->u.git_query.is_patient)
		later(query, err.text);
	else
		report(perform, query_take(query), STATUS_FAILED, true, err.text);
}

void
perform_git_query(struct perform *perform, struct effect *effect)
{
	struct perform_git_query_state *query = calloc(1, sizeof(*query));

	if (query == NULL) {
		report(perform, effect, STATUS_FAILED, true, "no memory to ask git");
		return;
	}
	query->magic = MAGIC;
	query->perform = perform;
	query->effect = effect;
	query->wait_ms = WAIT_FIRST_MS;
	query->next = perform->git_queries;
	perform->git_queries = query;
	loop_timer_init(&query->timer, on_due, query);
	query_now(query);
}

/* Asking twice changes nothing. */
void
recover_git_query(struct perform *perform, struct effect *effect)
{
	perform_git_query(perform, effect);
}

static void
on_due(struct loop_timer *timer, void *ctx)
{
	struct perform_git_query_state *query = ctx;

	(void)timer;
	OBJ_CHECK(query, MAGIC);
	query_now(query);
}

static void
on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size)
{
	struct perform_git_query_state *query = ctx;
	struct perform *perform;
	struct git_answer answer;

	(void)size; /* the text has a NUL behind it */
	OBJ_CHECK(query, MAGIC);
	perform = query->perform;
	query->sent = NULL;
	/* Read here only to know whether it is whole: a no is an answer, half of one is not. */
	if (!query->effect->u.git_query.is_patient ||
	    (!unreachable && git_answer_decode(text, exit_status, &answer, NULL)))
		report(perform, query_take(query), exit_status, unreachable, text);
	else
		later(query, unreachable ? text : answer.error);
}

bool
perform_git_query_withdraw(struct perform *perform, int64_t id)
{
	for (struct perform_git_query_state *query = perform->git_queries; query != NULL;
	     query = query->next) {
		if (query->effect->id == id) {
			effect_free(query_take(query));
			return true;
		}
	}
	return false;
}

void
perform_git_query_done(struct perform *perform)
{
	while (perform->git_queries != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(query_take(perform->git_queries));
}

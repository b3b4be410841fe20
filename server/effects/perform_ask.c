/* perform_ask.c - a git question: once for a person, until git answers for a push.  Side: loop. */
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
struct perform_ask_state {
	unsigned magic;
	struct perform_ask_state *next;
	struct perform *perform;
	struct effect *effect;
	struct runs_question *question; /* NULL: it waits to be asked again */
	struct loop_timer timer;
	int64_t wait_ms;
};

static void on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size);
static void on_again(struct loop_timer *timer, void *ctx);

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
ask_take(struct perform_ask_state *ask)
{
	struct perform_ask_state **back = &ask->perform->asking;
	struct effect *effect = ask->effect;

	while (*back != ask)
		back = &(*back)->next;
	*back = ask->next;
	loop_timer_stop(&ask->timer);
	runs_ask_cancel(ask->perform->runs, ask->question);
	ask->magic = 0;
	free(ask);
	return effect;
}

static void
report(struct perform *perform, struct effect *effect, int exit_status, bool unreachable,
    const char *text)
{
	struct asked *asked = &effect->result->u.asked;

	asked->exit_status = exit_status;
	asked->unreachable = unreachable;
	/* NOANALYZE(malloc-leak): the effect has it */
	asked->answer = strdup(text); /* a packet, or a sentence of ours: bounded */
	if (asked->answer == NULL)
		asked->exit_status = STATUS_FAILED; /* half an answer is none */
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
later(struct perform_ask_state *ask, const char *why)
{
	int64_t wait_ms = with_jitter(ask->wait_ms);

	log_warning("git did not answer: %s; it is asked again in %lld s", why,
	    (long long)(wait_ms + 500) / 1000);
	loop_timer_start(ask->perform->loop, &ask->timer, wait_ms, 0);
	ask->wait_ms = ask->wait_ms * 2 < WAIT_MOST_MS ? ask->wait_ms * 2 : WAIT_MOST_MS;
}

static void
ask_now(struct perform_ask_state *ask)
{
	struct perform *perform = ask->perform;
	struct err err = { .code = ERR_NONE };

	ask->question = runs_ask(perform->runs, &ask->effect->u.ask, on_answer, ask, &err);
	if (ask->question != NULL)
		return;
	if (ask->effect->u.ask.is_patient)
		later(ask, err.text);
	else
		report(perform, ask_take(ask), STATUS_FAILED, true, err.text);
}

void
perform_ask(struct perform *perform, struct effect *effect)
{
	struct perform_ask_state *ask = calloc(1, sizeof(*ask));

	if (ask == NULL) {
		report(perform, effect, STATUS_FAILED, true, "no memory to ask git");
		return;
	}
	ask->magic = MAGIC;
	ask->perform = perform;
	ask->effect = effect;
	ask->wait_ms = WAIT_FIRST_MS;
	ask->next = perform->asking;
	perform->asking = ask;
	loop_timer_init(&ask->timer, on_again, ask);
	ask_now(ask);
}

/* Asking twice changes nothing. */
void
again_ask(struct perform *perform, struct effect *effect)
{
	perform_ask(perform, effect);
}

static void
on_again(struct loop_timer *timer, void *ctx)
{
	struct perform_ask_state *ask = ctx;

	(void)timer;
	OBJ_CHECK(ask, MAGIC);
	ask_now(ask);
}

static void
on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size)
{
	struct perform_ask_state *ask = ctx;
	struct perform *perform;
	struct git_answer answer;

	(void)size; /* the text has a NUL behind it */
	OBJ_CHECK(ask, MAGIC);
	perform = ask->perform;
	ask->question = NULL;
	/* Read here only to know whether it is whole: a no is an answer, half of one is not. */
	if (!ask->effect->u.ask.is_patient ||
	    (!unreachable && git_answer_decode(text, exit_status, &answer, NULL)))
		report(perform, ask_take(ask), exit_status, unreachable, text);
	else
		later(ask, unreachable ? text : answer.error);
}

bool
perform_ask_withdraw(struct perform *perform, int64_t id)
{
	for (struct perform_ask_state *ask = perform->asking; ask != NULL; ask = ask->next) {
		if (ask->effect->id == id) {
			effect_free(ask_take(ask));
			return true;
		}
	}
	return false;
}

void
perform_ask_done(struct perform *perform)
{
	while (perform->asking != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(ask_take(perform->asking));
}

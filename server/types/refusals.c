/* refusals.c - requests that are refused unread: counted, and handed to the store once a minute.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "types/refusals.h"

#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/rate_summary.h"
#include "lib/text.h"

#define KINDS_MAX 64 /* more than all of our words together; the last one has the others */

struct kind {
	struct refusals *refusals;
	const char *source; /* NULL: not used */
	const char *reason;
	char application[ENVIRONMENT_NAME_MAX]; /* of the last, as is client */
	char client[48];
	struct rate_summary summary;
	int64_t asked;	/* in the event that the store has not decided on yet; 0: none */
	int64_t handed; /* the same of the last one, as the program ends */
};

struct refusals {
	struct refusals_config config;
	struct kind kinds[KINDS_MAX];
	struct loop_timer timer;
};

static event_done on_decided;
static loop_timer_fn on_due;

struct refusals *
refusals_new(const struct refusals_config *config)
{
	struct refusals *refusals = mem_new(1, sizeof(*refusals));

	refusals->config = *config;
	for (size_t i = 0; i < KINDS_MAX; i++)
		refusals->kinds[i].refusals = refusals;
	loop_timer_init(&refusals->timer, on_due, refusals);
	return refusals;
}

void
refusals_free(struct refusals *refusals)
{
	if (refusals == NULL)
		return;
	loop_timer_stop(&refusals->timer);
	free(refusals);
}

static struct kind *
kind_of(struct refusals *refusals, const char *source, const char *reason)
{
	struct kind *kind = refusals->kinds;

	while (kind < &refusals->kinds[KINDS_MAX - 1] && kind->source != NULL &&
	    (strcmp(kind->source, source) != 0 || strcmp(kind->reason, reason) != 0))
		kind++;
	kind->source = source;
	kind->reason = reason;
	return kind;
}

/* --- to the store --- */

/* Of what has no event at the store already: of each kind one is enough. */
static void
set_timer(struct refusals *refusals)
{
	int64_t soonest = -1;

	for (size_t i = 0; i < KINDS_MAX; i++) {
		const struct kind *kind = &refusals->kinds[i];
		int64_t wait =
		    kind->asked > 0 ? -1 : rate_summary_wait_ms(&kind->summary, loop_now_ms());

		if (wait >= 0 && (soonest < 0 || wait < soonest))
			soonest = wait;
	}
	loop_timer_stop(&refusals->timer);
	if (soonest >= 0)
		loop_timer_start(refusals->config.loop, &refusals->timer, soonest, 0);
}

static bool
submit(struct kind *kind, int64_t count, event_done *done)
{
	struct event *event = event_new(EVENT_REJECTED);
	struct rejected *rejected;

	rejected = &event->u.rejected;
	text_set(rejected->source, kind->source);
	text_set(rejected->reason, kind->reason); /* cut is fine */
	text_set(rejected->application, kind->application);
	text_set(rejected->client, kind->client);
	rejected->count = count;
	event->done = done;
	event->done_ctx = kind;
	if (kind->refusals->config.submit(kind->refusals->config.ctx, event))
		return true;
	event_free(event);
	return false;
}

static void
tell(struct kind *kind, int64_t count)
{
	if (count == 0)
		return;
	if (kind->asked == 0) {
		kind->asked = count;
		if (submit(kind, count, on_decided))
			return;
		kind->asked = 0;
	}
	rate_summary_put_back(&kind->summary, count);
}

static void
on_decided(void *ctx, const struct answer *answer)
{
	struct kind *kind = ctx;

	if (answer->status == 503)
		rate_summary_put_back(&kind->summary, kind->asked);
	kind->asked = 0;
	set_timer(kind->refusals);
}

static void
on_due(UNUSED struct loop_timer *timer, void *ctx)
{
	struct refusals *refusals = ctx;

	for (size_t i = 0; i < KINDS_MAX; i++)
		if (refusals->kinds[i].asked == 0)
			tell(&refusals->kinds[i],
			    rate_summary_due(
				&refusals->kinds[i].summary, REFUSALS_PERIOD_MS, loop_now_ms()));
	set_timer(refusals);
}

void
refusals_add(struct refusals *refusals, const char *source, const char *reason,
    const char *application, const char *client, bool is_now)
{
	struct kind *kind = kind_of(refusals, source, reason);
	int64_t count;

	text_set(kind->application, application);
	text_set(kind->client, client);
	count = rate_summary_add(&kind->summary, REFUSALS_PERIOD_MS, loop_now_ms());
	if (count == 0 && is_now)
		count = rate_summary_take(&kind->summary);
	tell(kind, count);
	set_timer(refusals);
}

static void
on_handed(void *ctx, const struct answer *answer)
{
	struct kind *kind = ctx;

	if (answer->status == 503)
		rate_summary_put_back(&kind->summary, kind->handed);
	kind->handed = 0;
}

void
refusals_hand_over(struct refusals *refusals)
{
	loop_timer_stop(&refusals->timer);
	for (size_t i = 0; i < KINDS_MAX; i++) {
		struct kind *kind = &refusals->kinds[i];
		int64_t count = rate_summary_take(&kind->summary);

		if (count == 0)
			continue;
		kind->handed = count;
		if (submit(kind, count, on_handed))
			continue;
		rate_summary_put_back(&kind->summary, count);
		kind->handed = 0;
	}
}

int64_t
refusals_left(const struct refusals *refusals)
{
	int64_t left = 0;

	for (size_t i = 0; i < KINDS_MAX; i++)
		left += refusals->kinds[i].summary.count + refusals->kinds[i].asked +
		    refusals->kinds[i].handed;
	return left;
}

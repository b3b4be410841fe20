/* crossing.c - two queues between the loop and the store.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/crossing.h"

#include <stdatomic.h>

#include "lib/mem.h"

struct crossing {
	struct queue *events;	   /* loop → store */
	atomic_int outside;	   /* of them from outside, those in the backlog too */
	struct queue *outcomes;	   /* store → loop */
	struct queue_list backlog; /* the store's: taken, but beyond its `max` */
};

/* --- outcomes --- */

struct outcome *
outcome_new(enum outcome_kind kind)
{
	struct outcome *outcome = mem_new(1, sizeof(*outcome));

	outcome->kind = kind;
	return outcome;
}

void
outcome_free(struct outcome *outcome)
{
	if (outcome == NULL)
		return;
	effect_free(outcome->effect);
	if (outcome->gauges != NULL)
		free(outcome->gauges->environment);
	free(outcome->gauges);
	free(outcome->tokens);
	known_peers_unref(outcome->peers);
	free(outcome->state);
	free(outcome->answer.text);
	free(outcome->answer.targets);
	free(outcome);
}

void
outcome_free_all(struct queue_list *outcomes)
{
	struct queue_link *link;

	while ((link = queue_list_take(outcomes)) != NULL)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
}

/* --- the crossing --- */

struct crossing *
crossing_new(void (*wake_loop)(void *ctx), void *ctx)
{
	struct crossing *crossing = mem_new(1, sizeof(*crossing));

	crossing->events = queue_new(NULL, NULL);
	crossing->outcomes = queue_new(wake_loop, ctx);
	return crossing;
}

/* Whatever nobody took any more: rows keep what matters of it. */
static void
drop_all(struct crossing *crossing)
{
	struct queue_list list = { 0 };

	while (crossing->events != NULL && crossing_take_events(crossing, &list, SIZE_MAX, 0) &&
	    list.length > 0)
		event_free_all(&list);
	while (crossing->outcomes != NULL && crossing_take_outcomes(crossing, &list))
		outcome_free_all(&list);
}

void
crossing_free(struct crossing *crossing)
{
	if (crossing == NULL)
		return;
	drop_all(crossing);
	queue_free(crossing->events);
	queue_free(crossing->outcomes);
	free(crossing);
}

bool
crossing_submit(struct crossing *crossing, struct event *event)
{
	if (event_is_from_outside(event)) {
		/* Only the loop adds, so none is let in between the two. */
		if (atomic_load(&crossing->outside) >= LIMIT_EVENTS)
			return false;
		(void)atomic_fetch_add(&crossing->outside, 1);
		if (queue_push(crossing->events, &event->link))
			return true;
		(void)atomic_fetch_sub(&crossing->outside, 1);
		return false;
	}
	if (!queue_push(crossing->events, &event->link))
		event_free(event); /* closed: its effect is open still, and done again at start */
	return true;
}

static void
take_backlog(struct crossing *crossing)
{
	struct queue_link *next, *item = queue_take_all(crossing->events);

	for (; item != NULL; item = next) {
		next = item->next;
		queue_list_add(&crossing->backlog, item);
	}
}

bool
crossing_take_events(
    struct crossing *crossing, struct queue_list *ret_list, size_t max, int timeout_ms)
{
	struct queue_link *item;

	if (crossing->backlog.length == 0) {
		if (!queue_wait(crossing->events, timeout_ms) &&
		    queue_is_closed(crossing->events) && queue_length(crossing->events) == 0)
			return false;
		take_backlog(crossing);
	}
	for (; max > 0 && (item = queue_list_take(&crossing->backlog)) != NULL; max--) {
		if (event_is_from_outside(QUEUE_ITEM(item, struct event, link)))
			(void)atomic_fetch_sub(&crossing->outside, 1);
		queue_list_add(ret_list, item);
	}
	return true;
}

void
crossing_put(struct crossing *crossing, struct queue_list *outcomes)
{
	bool taken = queue_push_all(crossing->outcomes, queue_list_take_all(outcomes));

	assert(taken); /* this end is never closed */
	(void)taken;
}

bool
crossing_take_outcomes(struct crossing *crossing, struct queue_list *ret_list)
{
	struct queue_link *next, *item = queue_take_all(crossing->outcomes);
	bool found = item != NULL;

	for (; item != NULL; item = next) {
		next = item->next;
		queue_list_add(ret_list, item);
	}
	return found;
}

void
crossing_close(struct crossing *crossing)
{
	queue_close(crossing->events);
}

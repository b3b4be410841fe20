/* Goal: everything crosses once, in order; outside is bounded, our own is never refused.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/crossing.h"

#include "unit.h"

#include <pthread.h>

static void
on_wake(void *ctx)
{
	(*(int *)ctx)++;
}

static void
free_events(struct queue_list *list)
{
	struct queue_link *link;

	while ((link = queue_list_take(list)) != NULL)
		event_free(QUEUE_ITEM(link, struct event, link));
}

TEST(outside_is_refused_when_the_queue_is_full_and_ours_never)
{
	struct crossing *crossing = crossing_new(NULL, NULL);
	struct event *refused = event_new(EVENT_DELIVERY);
	struct queue_list list = { 0 };

	for (int i = 0; i < LIMIT_EVENTS; i++)
		assert_true(crossing_submit(crossing, event_new(EVENT_UPDATE)));
	assert_false(crossing_submit(crossing, refused));
	for (int i = 0; i < 200; i++)
		assert_true(crossing_submit(crossing, event_new(EVENT_MESSAGE_SENT)));
	assert_true(crossing_take_events(crossing, &list, SIZE_MAX, 0));
	assert_int_equal(list.length, LIMIT_EVENTS + 200);
	assert_true(crossing_submit(crossing, refused));
	free_events(&list);
	crossing_free(crossing); /* frees what nobody took */
}

/* Else twice as many could wait as there is a place for, and connections run out before. */
TEST(what_the_store_has_put_by_counts_as_waiting)
{
	struct crossing *crossing = crossing_new(NULL, NULL);
	struct event *refused = event_new(EVENT_DELIVERY);
	struct queue_list list = { 0 };

	for (int i = 0; i < LIMIT_EVENTS; i++)
		assert_true(crossing_submit(crossing, event_new(EVENT_DELIVERY)));
	assert_true(crossing_take_events(crossing, &list, 1, 0));
	assert_true(crossing_submit(crossing, event_new(EVENT_DELIVERY)));
	assert_false(crossing_submit(crossing, refused));
	free_events(&list);
	event_free(refused);
	crossing_free(crossing);
}

TEST(events_come_out_in_their_order_and_at_most_max)
{
	struct crossing *crossing = crossing_new(NULL, NULL);
	struct queue_list list = { 0 };
	int64_t n = 0;

	for (int64_t i = 0; i < 10; i++) {
		struct event *event = event_new(EVENT_RUN_STEP);

		event->context.at = i;
		assert_true(crossing_submit(crossing, event));
	}
	while (crossing_take_events(crossing, &list, 3, 0) && list.length > 0) {
		assert_in_range(list.length, 1, 3);
		for (struct queue_link *l = list.first; l != NULL; l = l->next)
			assert_int_equal(QUEUE_ITEM(l, struct event, link)->context.at, n++);
		free_events(&list);
	}
	assert_int_equal(n, 10);
	crossing_free(crossing);
}

TEST(a_closed_crossing_gives_what_it_has_and_then_ends)
{
	struct crossing *crossing = crossing_new(NULL, NULL);
	struct event *late = event_new(EVENT_DELIVERY);
	struct queue_list list = { 0 };

	assert_true(crossing_submit(crossing, event_new(EVENT_MESSAGE_SENT)));
	crossing_close(crossing);
	assert_false(crossing_submit(crossing, late));
	event_free(late);
	assert_true(
	    crossing_submit(crossing, event_new(EVENT_MESSAGE_SENT))); /* taken, and dropped */
	assert_true(crossing_take_events(crossing, &list, 64, -1));
	assert_int_equal(list.length, 1);
	free_events(&list);
	assert_false(crossing_take_events(crossing, &list, 64, -1));
	crossing_free(crossing);
}

TEST(the_loop_is_woken_when_it_had_nothing)
{
	int woken = 0;
	struct crossing *crossing = crossing_new(on_wake, &woken);
	struct queue_list list = { 0 };

	assert_false(crossing_take_outcomes(crossing, &list));
	queue_list_add(&list, &outcome_new(OUTCOME_METRIC)->link);
	queue_list_add(&list, &outcome_new(OUTCOME_FATAL)->link);
	crossing_put(crossing, &list);
	assert_int_equal(list.length, 0);
	assert_int_equal(woken, 1);
	assert_true(crossing_take_outcomes(crossing, &list));
	assert_int_equal(list.length, 2);
	assert_int_equal(QUEUE_ITEM(list.first, struct outcome, link)->kind, OUTCOME_METRIC);
	for (struct queue_link *l; (l = queue_list_take(&list)) != NULL;)
		outcome_free(QUEUE_ITEM(l, struct outcome, link));
	crossing_free(crossing);
}

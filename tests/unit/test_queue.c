/* Goal: items cross threads whole and in order, until it is closed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/queue.h"

#include "unit.h"

#include <pthread.h>

struct item {
	int number;
	struct queue_link link;
};

static int wakes;

static void
on_wake(UNUSED void *arg)
{
	wakes++;
}

static int
number_of(struct queue_link *link)
{
	return QUEUE_ITEM(link, struct item, link)->number;
}

TEST(several_are_pushed_in_order_and_wake_once)
{
	struct item items[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 },
		{ .number = 3 } };
	struct queue *q = queue_new(on_wake, NULL);
	struct queue_link *all;

	wakes = 0;
	assert_non_null(q);
	assert_true(queue_push_all(q, NULL));
	assert_int_equal(wakes, 0);
	items[0].link.next = &items[1].link;
	items[1].link.next = &items[2].link;
	assert_true(queue_push_all(q, &items[0].link));
	assert_int_equal(queue_length(q), 3);
	assert_true(queue_push(q, &items[3].link));
	assert_int_equal(wakes, 1);
	all = queue_take_all(q);
	for (int i = 0; i < 4; i++, all = all->next)
		assert_int_equal(number_of(all), i);
	assert_null(all);
	queue_close(q);
	items[0].link.next = NULL;
	assert_false(queue_push_all(q, &items[0].link));
	queue_free(q);
}

TEST(what_is_taken_comes_in_order_and_the_next_wakes_again)
{
	struct item items[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 },
		{ .number = 3 } };
	struct queue *q = queue_new(on_wake, NULL);
	struct queue_link *all;

	wakes = 0;
	assert_non_null(q);
	assert_true(queue_push(q, &items[0].link));
	assert_true(queue_push(q, &items[1].link));
	assert_true(queue_push(q, &items[2].link));
	assert_int_equal(queue_length(q), 3);
	assert_int_equal(wakes, 1);
	all = queue_take_all(q);
	assert_int_equal(number_of(all), 0);
	assert_int_equal(number_of(all->next), 1);
	assert_int_equal(number_of(all->next->next), 2);
	assert_null(all->next->next->next);
	assert_null(queue_take_all(q));
	assert_true(queue_push(q, &items[3].link));
	assert_int_equal(wakes, 2);
	assert_int_equal(number_of(queue_take_all(q)), 3);
	queue_free(q);
}

TEST(a_closed_queue_takes_nothing_more_and_gives_what_it_has)
{
	struct item one = { .number = 1 }, two = { .number = 2 };
	struct queue *q = queue_new(NULL, NULL);

	assert_true(queue_push(q, &one.link));
	queue_close(q);
	assert_true(queue_is_closed(q));
	assert_false(queue_push(q, &two.link));
	assert_true(queue_wait(q, -1));
	assert_int_equal(number_of(queue_take_all(q)), 1);
	assert_false(queue_wait(q, -1));
	queue_free(q);
	queue_free(NULL);
}

TEST(waiting_ends_at_its_time)
{
	struct queue *q = queue_new(NULL, NULL);

	assert_false(queue_wait(q, 0));
	assert_false(queue_wait(q, 5));
	queue_free(q);
}

#define MANY 20000

static void *
push_many(void *arg)
{
	struct item *items = calloc(MANY, sizeof(*items));
	struct queue *q = arg;

	for (int i = 0; i < MANY; i++) {
		items[i].number = i;
		if (!queue_push(q, &items[i].link))
			break;
	}
	queue_close(q);
	return items;
}

TEST(another_thread_gets_every_item_in_order)
{
	struct queue *q = queue_new(NULL, NULL);
	pthread_t thread;
	void *items;
	int expected = 0;

	assert_int_equal(pthread_create(&thread, NULL, push_many, q), 0);
	while (queue_wait(q, -1))
		for (struct queue_link *l = queue_take_all(q); l != NULL; l = l->next)
			assert_int_equal(number_of(l), expected++);
	assert_int_equal(pthread_join(thread, &items), 0);
	assert_int_equal(expected, MANY);
	free(items);
	queue_free(q);
}

/* Goal: whoever waits for something new is woken by it once, at a pace and within limits.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_watch.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "runs/run_source.h"
#include "unit.h"

#define RUN  7
#define WORK 12

struct world {
	char folder[64];
	struct loop *loop;
	struct redact *redact;
	struct run_source *source;
	struct route_watch *watch;
	struct waiter {
		struct route_parked parked;
		int times;
		enum route_watch_why why;
		int64_t at;
		const char *sees; /* news of there; NULL: none */
	} waiters[LIMIT_PARKED + 1];
};

static void
path_of(const struct world *w, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s%s", w->folder, name);
}

static void
print(const struct world *w, const char *text)
{
	char path[128];

	path_of(w, "/runs/7/log", path);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char path[128];

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_route_watch-XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	path_of(w, "/runs", path);
	(void)mkdir(path, 0700);
	path_of(w, "/runs/7", path);
	(void)mkdir(path, 0700);
	w->loop = loop_new(NULL);
	w->redact = redact_new();
	w->source = run_source_new(w->loop, NULL, w->folder, w->redact);
	w->watch = route_watch_new(w->loop, w->source);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "/runs/7", "/runs", "" };
	char path[128];

	route_watch_stop(w->watch);
	run_source_free(w->source);
	route_watch_free(w->watch);
	redact_free(w->redact);
	loop_free(w->loop);
	path_of(w, "/runs/7/log", path);
	(void)unlink(path);
	for (size_t i = 0; i < COUNT(names); i++) {
		path_of(w, names[i], path);
		(void)rmdir(path);
	}
	free(w);
	return 0;
}

#define WATCH_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
on_wake(void *ctx, enum route_watch_why why)
{
	struct waiter *waiter = ctx;

	waiter->times++;
	waiter->why = why;
	waiter->at = clock_monotonic_ms();
}

static bool
wants(void *ctx, const struct news_entry *entry)
{
	const struct waiter *waiter = ctx;

	return waiter->sees != NULL && strcmp(entry->news.environment, waiter->sees) == 0;
}

/* One that has asked so many ms ago. */
static struct waiter *
waiter(struct world *w, size_t i, int64_t ago_ms)
{
	struct waiter *ret = &w->waiters[i];

	*ret = (struct waiter){ .parked = { .who = 1,
				    .is_network = true,
				    .asked_at = clock_monotonic_ms() - ago_ms,
				    .wants = wants,
				    .on_wake = on_wake,
				    .ctx = ret } };
	return ret;
}

static bool
park(struct world *w, struct waiter *waiter)
{
	return route_watch_park(w->watch, &waiter->parked);
}

static void
wait_for(struct world *w, const struct waiter *waiter)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (waiter->times == 0 && clock_monotonic_ms() < until)
		loop_run_once(w->loop);
	assert_int_equal(waiter->times, 1);
}

static void
change(struct world *w, const char *environment, int64_t work)
{
	struct news news = { .work = work };

	(void)snprintf(news.environment, sizeof(news.environment), "%s", environment);
	route_watch_news(w->watch, &news);
}

WATCH_TEST(a_log_that_grows_wakes_all_who_follow_it)
{
	struct waiter *first = waiter(w, 0, 1000), *second = waiter(w, 1, 1000);

	print(w, "a line\nhalf");
	first->parked.run = second->parked.run = RUN;
	first->parked.offset = second->parked.offset = 7;
	assert_true(park(w, first) && park(w, second));
	for (int i = 0; i < 3; i++)
		loop_run_once(w->loop); /* half a line is nothing yet */
	assert_int_equal(first->times + second->times, 0);
	print(w, "a line\nhalf a line\n");
	wait_for(w, second);
	assert_int_equal(first->times, 1); /* by the same look */
	assert_int_equal(first->why, ROUTE_WATCH_NEW);
	assert_int_equal(second->why, ROUTE_WATCH_NEW);
}

/* Its row has the runner's name, local, as those of other machines do. */
WATCH_TEST(a_log_of_here_is_looked_at_each_time)
{
	struct waiter *one = waiter(w, 0, 1000);

	print(w, "a line\n");
	one->parked.run = RUN;
	one->parked.offset = 7;
	(void)snprintf(one->parked.runner, sizeof(one->parked.runner), "local");
	assert_true(park(w, one));
	one->parked.looked_at = INT64_MAX / 2; /* elsewhere it would be left alone */
	print(w, "a line\nanother\n");
	wait_for(w, one);
}

/* The end of a run is written to the row of its work, and so is its next run. */
WATCH_TEST(what_becomes_of_its_work_wakes)
{
	struct waiter *of_it = waiter(w, 0, 1000), *of_another = waiter(w, 1, 1000);

	of_it->parked.work = WORK;
	of_another->parked.work = WORK + 1;
	assert_true(park(w, of_it) && park(w, of_another));
	change(w, "staging", WORK);
	assert_int_equal(of_it->times, 1);
	assert_int_equal(of_it->why, ROUTE_WATCH_NEW);
	assert_int_equal(of_another->times, 0);
}

/* It was decided what it is answered before that was committed. */
WATCH_TEST(what_has_changed_just_before_wakes_too)
{
	struct waiter *late = waiter(w, 0, 0), *later = waiter(w, 1, 0);

	change(w, "staging", WORK);
	change(w, "staging", WORK + 1);
	late->parked.work = WORK;
	later->parked.work = WORK;
	later->parked.asked_at += 60000;
	assert_true(park(w, late) && park(w, later));
	assert_true(late->parked.is_due);
	assert_false(later->parked.is_due);
}

WATCH_TEST(news_wake_who_sees_them)
{
	struct waiter *sees = waiter(w, 0, 1000), *sees_not = waiter(w, 1, 1000);

	sees->sees = "shop/staging";
	sees_not->sees = "blog/staging";
	assert_true(park(w, sees) && park(w, sees_not));
	change(w, "shop/staging", 0);
	assert_int_equal(sees->times, 1);
	assert_int_equal(sees_not->times, 0);
}

WATCH_TEST(nobody_is_answered_twice_in_a_second)
{
	struct waiter *soon = waiter(w, 0, 0);

	soon->parked.work = WORK;
	assert_true(park(w, soon));
	change(w, "staging", WORK);
	change(w, "staging", WORK);
	assert_int_equal(soon->times, 0);
	wait_for(w, soon);
	assert_int_equal(soon->why, ROUTE_WATCH_NEW);
	assert_true(soon->at - soon->parked.asked_at >= ROUTE_WATCH_PACE_MS);
}

WATCH_TEST(after_seven_seconds_it_is_over)
{
	struct waiter *patient = waiter(w, 0, ROUTE_WATCH_WAIT_MS - 1);

	assert_true(park(w, patient));
	wait_for(w, patient);
	assert_int_equal(patient->why, ROUTE_WATCH_TIME);
	assert_true(patient->at - patient->parked.asked_at >= ROUTE_WATCH_WAIT_MS);
}

WATCH_TEST(so_many_wait_of_one_and_so_many_of_all)
{
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_PARKED; i++) {
		struct waiter *one = waiter(w, i, 0);

		one->parked.who = i / ROUTE_WATCH_OF_TOKEN;
		assert_true(park(w, one));
		n++;
		if (n == ROUTE_WATCH_OF_TOKEN) /* the fifth of one is answered at once */
			assert_false(
			    (one = waiter(w, LIMIT_PARKED, 0), one->parked.who = 0, park(w, one)));
	}
	assert_false(
	    (waiter(w, LIMIT_PARKED, 0)->parked.who = 999, park(w, &w->waiters[LIMIT_PARKED])));
}

/* The 1 of a token is not the 1 of a user. */
WATCH_TEST(of_a_user_of_the_machine_two_wait)
{
	for (size_t i = 0; i < 4; i++) {
		struct waiter *one = waiter(w, i, 0);

		one->parked.is_network = i == 0;
		assert_int_equal(park(w, one), i < 3);
	}
}

WATCH_TEST(where_room_is_needed_all_are_answered_and_nobody_waits_for_a_second)
{
	struct waiter *first = waiter(w, 0, 0), *second = waiter(w, 1, 0);

	assert_false(route_watch_make_room(w->watch));
	assert_false(park(w, first));
	route_watch_free(w->watch);
	w->watch = route_watch_new(w->loop, w->source);
	assert_true(park(w, first) && park(w, second));
	assert_true(route_watch_make_room(w->watch));
	assert_int_equal(first->why, ROUTE_WATCH_ROOM);
	assert_int_equal(first->times + second->times, 2);
	assert_false(park(w, first));
}

WATCH_TEST(the_stop_answers_all_and_nobody_waits_any_more)
{
	struct waiter *first = waiter(w, 0, 0);

	assert_true(park(w, first));
	route_watch_stop(w->watch);
	assert_int_equal(first->why, ROUTE_WATCH_ROOM);
	assert_int_equal(first->times, 1);
	(void)route_watch_make_room(w->watch); /* the stop outlasts it */
	first->parked.asked_at = clock_monotonic_ms();
	while (clock_monotonic_ms() - first->parked.asked_at <= 1000)
		continue;
	assert_false(park(w, first));
}

TEST(a_ring_knows_what_it_has_lost)
{
	struct news_ring *ring = calloc(1, sizeof(*ring));
	const struct news news = { .work = WORK };

	assert_true(news_ring_has(ring, 0));
	assert_false(news_ring_has(ring, 1));
	assert_null(news_ring_next(ring, 0));
	for (int i = 0; i < NEWS_RING + 5; i++)
		news_ring_add(ring, &news, i);
	assert_int_equal(ring->last, NEWS_RING + 5);
	assert_false(news_ring_has(ring, 4)); /* the fifth has left */
	assert_true(news_ring_has(ring, 5));
	assert_false(news_ring_has(ring, NEWS_RING + 6));
	assert_int_equal(news_ring_next(ring, 5)->number, 6);
	assert_int_equal(news_ring_next(ring, 0)->number, 6);
	assert_int_equal(news_ring_next(ring, NEWS_RING + 4)->number, NEWS_RING + 5);
	assert_null(news_ring_next(ring, NEWS_RING + 5));
	free(ring);
}

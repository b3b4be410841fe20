/* Goal: who is refused, however often, is counted; no number is lost while the program lives or ends in order. */
/* SPDX-License-Identifier: ISC */
#include "types/refusals.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "unit.h"

struct world {
	struct loop *loop;
	struct refusals *refusals;
	struct event *events[8];
	size_t n;
	bool is_full; /* the store takes nothing */
};

/* Time passes as a test wants it, for libev too. */
static time_t ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead_s;
	return status;
}

static bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	if (w->is_full)
		return false;
	assert_in_range(w->n, 0, 7);
	w->events[w->n++] = event;
	loop_stop(w->loop);
	return true;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	w->loop = loop_new(&err);
	w->refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = submit, .ctx = w });
	*state = w;
	return w->refusals == NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->n; i++)
		event_free(w->events[i]);
	refusals_free(w->refusals);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
refuse(struct world *w, const char *source, const char *reason, const char *client)
{
	refusals_add(w->refusals, source, reason, "", client, false);
}

static void
decide(struct world *w, size_t i, int status)
{
	w->events[i]->done(w->events[i]->done_ctx, &(struct answer){ .status = status });
}

static void
assert_told(const struct world *w, size_t i, const char *reason, const char *client, int64_t count)
{
	assert_true(i < w->n);
	assert_string_equal(w->events[i]->u.rejected.reason, reason);
	assert_string_equal(w->events[i]->u.rejected.client, client);
	assert_int_equal(w->events[i]->u.rejected.count, count);
}

SCENE_TEST(what_is_counted_when_the_program_ends_is_handed_over)
{
	/* Goal: the minute that is not over, of each kind. */

	for (int i = 0; i < 3; i++) {
		refuse(w, "api", "no token", "192.0.2.1");
		refuse(w, "local", "a stranger", i == 2 ? "user 7" : "user 6");
	}
	assert_int_equal(w->n, 2); /* the first of each kind */
	refusals_hand_over(w->refusals);
	assert_int_equal(w->n, 4);
	assert_told(w, 2, "no token", "192.0.2.1", 2);
	assert_told(w, 3, "a stranger", "user 7", 2);
	refusals_hand_over(w->refusals); /* once */
	assert_int_equal(w->n, 4);
}

SCENE_TEST(what_nobody_repeats_is_told_after_a_minute_all_the_same)
{
	/* Goal: a number does not wait for another one to come. */

	refuse(w, "api", "no token", "192.0.2.1");
	decide(w, 0, 200);
	refuse(w, "api", "no token", "192.0.2.2");
	refuse(w, "api", "no token", "192.0.2.3");
	assert_int_equal(w->n, 1);
	ahead_s += 61;
	loop_run(w->loop);
	assert_int_equal(w->n, 2);
	assert_told(w, 1, "no token", "192.0.2.3", 2);
}

SCENE_TEST(what_the_store_could_not_commit_is_told_again)
{
	/* Goal: a full disk loses no number, and of a kind one event is at the store. */

	refuse(w, "hook", "token", "192.0.2.1");
	ahead_s += 61;
	refuse(w, "hook", "token", "192.0.2.2");
	assert_int_equal(w->n, 1);
	decide(w, 0, 503);
	ahead_s += 61;
	loop_run(w->loop);
	assert_int_equal(w->n, 2);
	assert_told(w, 1, "token", "192.0.2.2", 2);
	decide(w, 1, 200);
	refusals_hand_over(w->refusals);
	assert_int_equal(w->n, 2);
	assert_int_equal(refusals_left(w->refusals), 0);
}

SCENE_TEST(what_is_worth_an_event_at_once_has_all_that_was_counted)
{
	refuse(w, "local", "a stranger", "user 6");
	decide(w, 0, 200);
	refuse(w, "local", "a stranger", "user 6");
	refusals_add(w->refusals, "local", "a stranger", "", "user 7", true);
	assert_int_equal(w->n, 2);
	assert_told(w, 1, "a stranger", "user 7", 2);
}

SCENE_TEST(what_is_lost_at_the_end_is_said)
{
	w->is_full = true;
	refuse(w, "hook", "token", "192.0.2.1");
	refuse(w, "hook", "token", "192.0.2.1");
	refusals_hand_over(w->refusals);
	assert_int_equal(refusals_left(w->refusals), 2);
}

SCENE_TEST(what_is_given_back_behind_the_end_is_known_to_be_lost)
{
	/* Goal: one event was at the store as the program ended, the rest went behind it. */

	refuse(w, "hook", "token", "192.0.2.1");
	for (int i = 0; i < 3; i++)
		refuse(w, "hook", "token", "192.0.2.1");
	refusals_hand_over(w->refusals);
	assert_int_equal(w->n, 2);
	assert_int_equal(refusals_left(w->refusals), 4);
	decide(w, 0, 200);
	assert_int_equal(refusals_left(w->refusals), 3);
	decide(w, 1, 503);
	assert_int_equal(refusals_left(w->refusals), 3);
}

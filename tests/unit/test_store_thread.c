/* Goal: two threads, one sequence of decisions: all are answered, and all is decided before the end.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/store_thread.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_dedupe.h"
#include "store/row_effect.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

static void
on_delivery(struct tx *tx, const struct event *event)
{
	struct effect *effect;

	if (!row_dedupe_add(tx, "github", event->u.delivery.id, NULL)) {
		tx->answer.is_duplicate = true;
		return;
	}
	effect = effect_new(EFFECT_GIT_QUERY);
	if (effect != NULL)
		effect->subject = 1; /* somebody's question: those without one coalesce */
	(void)row_effect_add(tx, effect);
}

static atomic_bool is_full;
static atomic_int tries;

static void
on_git_answered(struct tx *tx, UNUSED const struct event *event)
{
	tries++;
	if (is_full)
		tx_fail(tx, ERR_FULL, "the disk is full");
	row_audit_add(tx, &(struct audit_entry){ .code = AUDIT_CODE_DENIED }, NULL);
}

static store_handler *const handlers[EVENT_KIND_COUNT] = {
	[EVENT_DELIVERY] = on_delivery,
	[EVENT_GIT_ANSWERED] = on_git_answered,
};

struct both {
	struct store_aid aid;
	struct crossing *crossing;
	struct store_thread *thread;
	int wake; /* eventfd */
	int answered;
	int refused;
	int effects;
	int commits;
	int audited;
};

static void
on_wake(void *ctx)
{
	const uint64_t one = 1;

	assert_int_equal(write(((struct both *)ctx)->wake, &one, sizeof(one)), sizeof(one));
}

static void
on_answer(void *ctx, const struct answer *answer)
{
	struct both *both = ctx;

	assert_int_equal(answer->status, 200);
	both->answered++;
}

static int
setup(void **state)
{
	static struct both both;
	struct err err;

	both = (struct both){ 0 };
	store_aid_open(&both.aid, handlers, NULL, NULL);
	both.wake = eventfd(0, EFD_CLOEXEC);
	both.crossing = crossing_new(on_wake, &both);
	both.thread = store_thread_start(both.aid.store, both.crossing, &err);
	assert_non_null(both.thread);
	*state = &both;
	return 0;
}

static void
end(struct both *both)
{
	if (both->thread == NULL)
		return;
	crossing_close(both->crossing);
	store_thread_join(TAKE(both->thread), NULL, 0);
}

static int
teardown(void **state)
{
	struct both *both = *state;

	/* A test that failed half-way: the thread must end before what it waits for is freed, or
	 * the failure would be told by nobody. */
	end(both);
	both->aid.store = NULL; /* joined, and closed with it */
	crossing_free(both->crossing);
	assert_int_equal(close(both->wake), 0);
	store_aid_close(&both->aid);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct both *both, setup, teardown)

static void
take(struct both *both, struct outcome *outcome)
{
	struct event *result;

	if (outcome->kind == OUTCOME_ANSWER) {
		outcome->done(outcome->done_ctx, &outcome->answer);
	} else if (outcome->kind == OUTCOME_EFFECT) {
		both->effects++;
		result = TAKE(outcome->effect->result);
		result->context.at = both->aid.at;
		assert_true(crossing_submit(both->crossing, result));
	} else if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_COMMIT) {
		both->commits++;
	} else if (outcome->kind == OUTCOME_METRIC && outcome->increment.kind == INCREMENT_AUDIT) {
		both->audited++;
	}
	outcome_free(outcome);
}

/* A turn of the loop: waits for outcomes and takes them. */
static void
turn(struct both *both)
{
	struct pollfd fd = { .fd = both->wake, .events = POLLIN };
	struct queue_list list = { 0 };
	struct queue_link *link;
	uint64_t n;

	assert_int_equal(poll(&fd, 1, 60000), 1);
	assert_int_equal(read(both->wake, &n, sizeof(n)), sizeof(n));
	(void)crossing_take_outcomes(both->crossing, &list); /* a wake may come for none */
	while ((link = queue_list_take(&list)) != NULL)
		take(both, QUEUE_ITEM(link, struct outcome, link));
}

static void
submit(struct both *both, int n)
{
	struct event *event = store_aid_event(&both->aid, EVENT_DELIVERY);

	(void)snprintf(event->u.delivery.id, sizeof(event->u.delivery.id), "%d", n);
	event->done = on_answer;
	event->done_ctx = both;
	while (!crossing_submit(both->crossing, event)) {
		both->refused++;
		turn(both);
	}
}

SCENE_TEST(every_event_is_answered_and_batches_share_a_commit)
{
	for (int i = 0; i < 2000; i++)
		submit(both, i);
	while (both->answered < 2000 || both->effects < 2000)
		turn(both);
	assert_true(both->commits < 2000);
	end(both);
}

static int statuses[1000];

static void
on_status(void *ctx, const struct answer *answer)
{
	statuses[answer->status]++;
	(*(int *)ctx)++;
}

SCENE_TEST(on_a_full_disk_requests_do_not_hurry_what_is_tried_again)
{
	int answered = 0;

	statuses[503] = 0;
	tries = 0;
	is_full = true;
	submit(both, 0);
	while (both->effects < 1) /* its result goes back, and cannot be decided */
		turn(both);
	for (int i = 1; i <= 200; i++) {
		struct event *event = store_aid_event(&both->aid, EVENT_DELIVERY);

		(void)snprintf(event->u.delivery.id, sizeof(event->u.delivery.id), "%d", i);
		event->done = on_status;
		event->done_ctx = &answered;
		assert_true(crossing_submit(both->crossing, event));
		while (answered < i)
			turn(both);
	}
	assert_true(statuses[503] >= 199); /* the first may have come before the result */
	assert_true(tries < 20);
	is_full = false;
	while (both->audited == 0) /* and is decided in the end */
		turn(both);
}

SCENE_TEST(what_was_submitted_before_the_end_is_decided)
{
	for (int i = 0; i < 50; i++)
		submit(both, i);
	end(both);
	while (both->answered < 50)
		turn(both);
	both->aid.store = NULL;
	store_aid_reopen(&both->aid);
	assert_int_equal(store_aid_count(&both->aid, EFFECT_GIT_QUERY), 50);
	store_close(both->aid.store);
}

SCENE_TEST(a_thread_with_nothing_to_do_ends_at_once)
{
	end(both);
}

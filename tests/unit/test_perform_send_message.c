/* Goal: only Telegram's no closes a message; without memory it is sent later.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>

#include "effects/perform_inside.h"

#include "unit.h"
#include "lib/loop.h"
#include "telegram/telegram.h"

/* --- Telegram and the store of this test --- */

static int refusals; /* so often memory is short */
static int tried, reported;
static struct message_sent reply;
static struct loop *loop;

struct telegram_send *
telegram_sender(struct telegram *telegram)
{
	(void)telegram;
	return NULL;
}

bool
telegram_message_send(struct telegram_send *send, struct message *message,
    void (*on_done)(void *ctx, const struct message_sent *said), void *ctx)
{
	(void)send;
	(void)message;
	tried++;
	if (refusals-- > 0)
		return false;
	on_done(ctx, &reply);
	return true;
}

void
telegram_message_change(struct telegram_send *send, struct message *message)
{
	(void)send;
	(void)message;
}

void
perform_report(struct effect *effect)
{
	assert_int_equal(effect->result->u.message_sent.remote_id, reply.remote_id);
	effect_free(effect);
	if (++reported == 2)
		loop_stop(loop);
}

/* --- */

static void
on_late(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	(void)ctx;
	loop_stop(loop);
}

static void
send(performer *how, struct perform *perform)
{
	struct effect *effect = effect_new(EFFECT_SEND_MESSAGE);

	assert_non_null(effect);
	effect->perform = perform;
	how(perform, effect);
}

TEST(what_memory_was_short_for_is_sent_later)
{
	struct perform perform = { 0 };
	struct loop_timer late;

	loop = perform.loop = loop_new(NULL);
	loop_timer_init(&late, on_late, NULL);
	loop_timer_start(loop, &late, 10000, 0);
	tried = reported = 0;
	refusals = 3; /* both at first, one of them once more */
	reply = (struct message_sent){ .remote_id = 7 };
	send(perform_send_message, &perform);
	send(perform_send_message, &perform);
	assert_int_equal(reported, 0);
	loop_run(loop);
	assert_int_equal(reported, 2);
	assert_int_equal(tried, 5);
	assert_null(perform.unsent);
	loop_timer_stop(&late);
	loop_free(loop);
}

TEST(what_waits_at_the_end_is_freed_and_its_row_stays)
{
	struct perform perform = { 0 };

	loop = perform.loop = loop_new(NULL);
	reported = 0;
	refusals = 2;
	send(perform_send_message, &perform);
	send(perform_send_message, &perform);
	done_send_message(&perform);
	done_send_message(&perform); /* nothing is left to do */
	assert_int_equal(reported, 0);
	loop_free(loop);
}

/* test_telegram_poll.c - Telegram is told of an update's receipt only when it is on disk. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_poll.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/log.h"
#include "telegram/telegram_api.h"
#include "tests/unit/fake_telegram.h"
#include "types/event.h"
#include "types/settings.h"
#include "unit.h"

#define TWO "{\"ok\":true,\"result\":[{\"update_id\":7,\"x\":{}},{\"update_id\":8,\"x\":{}}]}"

struct world {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *settings;
	struct telegram_api *api;
	struct telegram_poll *poll;
	struct event *event; /* submitted, not decided */
	size_t submitted;
	bool is_full;
	int64_t waiting;
	int receiving; /* -1: nobody has said */
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
	assert_null(w->event); /* one answer at a time */
	w->event = event;
	w->submitted++;
	return true;
}

static void
pending(void *ctx, int64_t updates)
{
	struct world *w = ctx;

	w->waiting = updates;
}

static void
receiving(void *ctx, bool is_receiving)
{
	struct world *w = ctx;

	w->receiving = is_receiving;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	log_to(-1);
	log_set_level(LOG_LEVEL_ERROR);
	w->receiving = -1;
	w->loop = loop_new(&err);
	w->fake = fake_telegram_new(w->loop);
	w->settings = fake_telegram_settings(w->fake, NULL);
	w->api = telegram_api_new(w->loop, w->settings, NULL, NULL, &err);
	assert_non_null(w->api);
	const struct telegram_config config = {
		.loop = w->loop,
		.submit = submit,
		.pending = pending,
		.receiving = receiving,
		.ctx = w,
	};

	w->poll = telegram_poll_new(&config, w->api, "our_bot");
	assert_non_null(w->poll);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	telegram_poll_free(w->poll);
	event_free(w->event);
	telegram_api_free(w->api);
	settings_unref(w->settings);
	fake_telegram_free(w->fake);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
decide(struct world *w, int status, int64_t offset)
{
	const struct answer answer = { .status = status, .offset = offset };
	struct event *event = w->event;

	assert_non_null(event);
	w->event = NULL;
	event->done(event->done_ctx, &answer);
	event_free(event);
}

static const char *
asked(struct world *w, size_t n)
{
	const struct fake_heard *heard = fake_telegram_heard(w->fake, "getUpdates", n);

	assert_non_null(heard);
	return heard->body;
}

SCENE_TEST(the_next_question_waits_for_the_decision_and_carries_its_offset)
{
	/* Goal: an update is acknowledged after the commit, never before. */

	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 300);
	assert_int_equal(w->submitted, 1);
	assert_int_equal(w->event->kind, EVENT_UPDATE);
	assert_int_equal(w->event->source, SOURCE_TELEGRAM_POLL);
	assert_string_equal(w->event->context.own_name, "our_bot");
	assert_int_equal(w->event->raw.size, strlen(TWO));
	assert_memory_equal(w->event->raw.data, TWO, strlen(TWO));
	assert_int_equal(fake_telegram_count(w->fake, "getUpdates"), 1);
	assert_string_equal(asked(w, 0),
	    "{\"limit\":100,\"timeout\":25,\"allowed_updates\":"
	    "[\"message\",\"edited_message\",\"channel_post\",\"callback_query\",\"my_chat_"
	    "member\"]}");
	decide(w, 200, 9);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 2000));
	assert_non_null(strstr(asked(w, 1), "\"offset\":9,"));
}

SCENE_TEST(a_store_that_cannot_write_gets_the_same_updates_again)
{
	/* Goal: 503 and a full queue lose nothing. */

	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 200);
	decide(w, 503, 0);
	w->is_full = true;
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 4000));
	fake_run_for(w->loop, 100);
	w->is_full = false;
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 3, 4000));
	assert_null(strstr(asked(w, 1), "offset"));
	assert_null(strstr(asked(w, 2), "offset"));
	assert_true(fake_telegram_heard(w->fake, "getUpdates", 2)->at -
		fake_telegram_heard(w->fake, "getUpdates", 1)->at >=
	    1900);
}

SCENE_TEST(updates_that_are_not_on_disk_yet_are_known)
{
	/* Goal: the gauge shows a store that cannot keep what Telegram gives, and its recovery. */

	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 200);
	assert_int_equal(w->waiting, 2);
	decide(w, 503, 0);
	assert_int_equal(w->waiting, 2);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 4000));
	fake_run_for(w->loop, 100);
	assert_int_equal(w->waiting, 2);
	decide(w, 200, 9);
	assert_int_equal(w->waiting, 0);
}

SCENE_TEST(an_empty_answer_costs_no_decision)
{
	/* Goal: a quiet chat does not write to the disk. */

	fake_telegram_script(w->fake, "getUpdates", 200, "{\"ok\":true,\"result\":[]}");
	telegram_poll_start(w->poll);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 2000));
	assert_int_equal(w->submitted, 0);
}

SCENE_TEST(a_webhook_that_is_set_is_removed_and_its_updates_are_kept)
{
	/* Goal: from webhook to polling nothing is dropped. */

	fake_telegram_script(w->fake, "getUpdates", 409,
	    "{\"ok\":false,\"error_code\":409,"
	    "\"description\":\"Conflict: can't use getUpdates method while webhook is active; use "
	    "deleteWebhook to delete the webhook first\"}");
	fake_telegram_script(w->fake, "deleteWebhook", 200, "{\"ok\":true,\"result\":true}");
	telegram_poll_start(w->poll);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 2000));
	assert_null(strstr(fake_telegram_heard(w->fake, "deleteWebhook", 0)->body, "drop"));
}

SCENE_TEST(failures_are_waited_out_with_fewer_updates_asked_for)
{
	/* Goal: an answer too large for us does not stop the bot for ever. */

	fake_telegram_script(w->fake, "getUpdates", 502, "<html>");
	telegram_poll_start(w->poll);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 4000));
	assert_non_null(strstr(asked(w, 1), "\"limit\":10,\"timeout\":0"));
	assert_true(fake_telegram_heard(w->fake, "getUpdates", 1)->at -
		fake_telegram_heard(w->fake, "getUpdates", 0)->at >=
	    990);
}

#define NOTHING "{\"ok\":true,\"result\":[]}"

SCENE_TEST(whether_updates_come_here_is_known)
{
	/* Goal: the gauge is 1 with the first answer, and 0 while the token is refused. */

	fake_telegram_script(w->fake, "getUpdates", 200, NOTHING);
	telegram_poll_start(w->poll);
	assert_int_equal(w->receiving, -1);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 2000));
	assert_int_equal(w->receiving, 1);
	telegram_poll_stop(w->poll);
	fake_telegram_script(w->fake, "getUpdates", 401,
	    "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 200);
	assert_int_equal(w->receiving, 0);
}

static void
ignore(UNUSED void *ctx, UNUSED const struct telegram_result *result)
{
}

SCENE_TEST(a_poll_that_cannot_be_begun_is_not_receiving)
{
	/* Goal: as of one that fails; no update comes, and the gauge stayed 1. */
	struct err err;
	size_t n = 0;

	fake_telegram_script(w->fake, "getUpdates", 200, NOTHING);
	telegram_poll_start(w->poll);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 2, 2000));
	assert_int_equal(w->receiving, 1);
	telegram_poll_stop(w->poll);
	while (telegram_api_post(w->api, "getMe", NULL, ignore, NULL, &err) != NULL)
		assert_true(++n < 1000);
	assert_int_equal(err.code, ERR_BUSY);
	telegram_poll_start(w->poll);
	assert_int_equal(w->receiving, 0);
}

SCENE_TEST(our_turn_between_another_programs_is_not_receiving)
{
	/* Goal: two programs that poll one bot take turns; an alert that waits for five minutes of
	 * 0 is not silenced by ours. */

	fake_telegram_script(w->fake, "getUpdates", 409,
	    "{\"ok\":false,\"error_code\":409,"
	    "\"description\":\"Conflict: terminated by other getUpdates request; make sure that "
	    "only one bot instance is running\"}");
	fake_telegram_script(w->fake, "getUpdates", 200, NOTHING);
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 200);
	assert_int_equal(w->receiving, 0);
	ahead_s += 6;
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 3, 2000));
	assert_int_equal(w->receiving, 0);

	/* The other one has ended; the answer that is awaited does not come, the next one does. */
	fake_telegram_script(w->fake, "getUpdates", 200, NOTHING);
	ahead_s += 130;
	assert_true(fake_run_until_heard(w->loop, w->fake, "getUpdates", 5, 20000));
	assert_int_equal(w->receiving, 1);
}

SCENE_TEST(after_stop_nothing_is_asked)
{
	/* Goal: a decision that comes late starts nothing. */

	fake_telegram_script(w->fake, "getUpdates", 200, TWO);
	telegram_poll_start(w->poll);
	fake_run_for(w->loop, 200);
	telegram_poll_stop(w->poll);
	decide(w, 200, 9);
	fake_run_for(w->loop, 200);
	assert_int_equal(fake_telegram_count(w->fake, "getUpdates"), 1);
}

int
main(void)
{
	struct err err;

	if (!crypto_start(&err))
		return 1;
	return unit_run(NULL);
}

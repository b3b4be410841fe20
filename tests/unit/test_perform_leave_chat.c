/* Goal: a chat that is to be left is, once, also when that had begun before a start.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "telegram/telegram.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

struct scene {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *bot;
	struct telegram *telegram;
	struct perform perform;
	int64_t reported;
	bool is_done;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_int_equal(event->kind, EVENT_CHAT_LEFT);
	scene->reported = event->effect;
	scene->is_done = true;
	event_free(event);
}

static bool
take_update(void *ctx, struct event *event)
{
	(void)ctx;
	(void)event;
	return false;
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	assert_non_null(scene);
	scene->loop = loop_new(NULL);
	scene->fake = fake_telegram_new(scene->loop);
	scene->bot = fake_telegram_settings(scene->fake, NULL);
	scene->telegram = telegram_new(
	    &(struct telegram_config){
		.loop = scene->loop, .settings = scene->bot, .submit = take_update, .ctx = scene },
	    &err);
	assert_non_null(scene->telegram);
	scene->perform = (struct perform){ .loop = scene->loop,
		.telegram = scene->telegram,
		.submit = take,
		.submit_ctx = scene };
	*state = scene;
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	perform_done(&scene->perform);
	telegram_free(scene->telegram);
	settings_unref(scene->bot);
	fake_telegram_free(scene->fake);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

static void
leave(struct scene *scene, int64_t id, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_LEAVE_CHAT);

	assert_non_null(effect);
	effect->id = id;
	effect->is_recovered = is_recovered;
	effect->u.leave_chat.chat = -555;
	perform_effect(&scene->perform, effect);
}

TEST_WITH(it_is_left_and_reported_whatever_telegram_says, begin, finish)
{
	struct scene *scene = *state;

	fake_telegram_script(scene->fake, "leaveChat", 200, "{\"ok\":true,\"result\":true}");
	fake_telegram_script(scene->fake, "leaveChat", 400,
	    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}");
	for (int64_t id = 1; id <= 2; id++) {
		scene->is_done = false;
		leave(scene, id, id == 2);
		assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
		assert_int_equal(scene->reported, id);
		assert_int_equal(fake_telegram_count(scene->fake, "leaveChat"), id);
	}
}

TEST_WITH(what_is_in_hand_is_freed_at_the_end, begin, finish)
{
	leave(*state, 1, false);
}

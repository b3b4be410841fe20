/* perform_aid.c - effects that Telegram carries out, and what is reported of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "perform_aid.h"

static void
take(void *ctx, struct event *event)
{
	struct perform_scene *scene = ctx;

	scene->kind = event->kind;
	scene->reported = event->effect;
	if (event->kind != EVENT_CHAT_LEFT)
		scene->said = event->u.message_sent;
	scene->is_done = true;
	event_free(event);
}

static bool
take_update(UNUSED void *ctx, UNUSED struct event *event)
{
	return false;
}

int
perform_aid_begin(void **state)
{
	struct perform_scene *scene = calloc(1, sizeof(*scene));
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

int
perform_aid_finish(void **state)
{
	struct perform_scene *scene = *state;

	perform_done(&scene->perform);
	telegram_free(scene->telegram);
	settings_unref(scene->bot);
	fake_telegram_free(scene->fake);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

void
perform_aid_do(struct perform_scene *scene, struct effect *effect, int64_t id)
{
	assert_non_null(effect);
	effect->id = id;
	scene->is_done = false;
	perform_effect(&scene->perform, effect);
}

void
perform_aid_until_reported(struct perform_scene *scene)
{
	assert_true(fake_run_until(scene->loop, &scene->is_done, 20000));
}

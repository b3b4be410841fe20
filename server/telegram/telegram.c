/* telegram.c - our bot: who it is, how it receives, how it sends.  Joins the parts of this room.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_live.h"
#include "telegram/telegram_pause.h"
#include "telegram/telegram_poll.h"
#include "telegram/telegram_webhook.h"
#include "types/roles.h"
#include "types/settings.h"

#define TELEGRAM_MAGIC 0x74676d6fu
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   60000

struct telegram {
	unsigned magic;
	struct telegram_config config;
	struct telegram_api *api;
	struct telegram_live *live;
	struct telegram_send *send;
	struct telegram_menu *menu;
	struct telegram_poll *poll; /* one of the two */
	struct telegram_webhook *webhook;
	struct loop_timer timer;    /* getMe again */
	struct telegram_call *call; /* getMe */
	unsigned failures;
	char name[LIMIT_PERSON];
	bool has_main_app;
};

static void introduce(struct telegram *telegram);
static void on_time(struct loop_timer *timer, void *ctx);
static void on_me(void *ctx, const struct telegram_result *result);

/* --- what the parts ask of each other --- */

static void
on_live(void *ctx, const struct message *message, struct buf *marked)
{
	struct telegram *telegram = ctx;

	telegram_live_fill(telegram->live, message, 0, marked);
}

static void
on_said(void *ctx, const struct message *message, const struct message_sent *said)
{
	struct telegram *telegram = ctx;

	telegram_live_set(telegram->live, message, said->remote_id);
}

static bool
may_send(void *ctx)
{
	const struct telegram_config *config = &((const struct telegram *)ctx)->config;

	return config->may_act == NULL || config->may_act(config->ctx);
}

/* --- making and ending --- */

static void
make_hearing(struct telegram *telegram)
{
	const struct telegram_config *config = &telegram->config;

	if (config->settings->telegram_mode == TELEGRAM_WEBHOOK)
		telegram->webhook = telegram_webhook_new(config, telegram->api, telegram->name);
	else
		telegram->poll = telegram_poll_new(config, telegram->api, telegram->name);
}

static void
make_speaking(struct telegram *telegram)
{
	const struct telegram_config *config = &telegram->config;
	const struct telegram_send_hooks hooks = { on_live, on_said, telegram, may_send };

	telegram->live = telegram_live_new(config->loop, config->tail, config->gate, config->ctx);
	telegram->send = telegram_send_new(config->loop, telegram->api, &hooks);
	telegram->menu =
	    telegram_menu_new(config->loop, telegram->api, config->commands, config->command_count);
	telegram_live_join(telegram->live, telegram->send);
}

struct telegram *
telegram_new(const struct telegram_config *config, struct err *err)
{
	struct telegram *telegram = mem_new(1, sizeof(*telegram));

	telegram->magic = TELEGRAM_MAGIC;
	telegram->config = *config;
	telegram->config.settings = settings_ref(config->settings);
	loop_timer_init(&telegram->timer, on_time, telegram);
	telegram->api =
	    telegram_api_new(config->loop, config->settings, config->count_call, config->ctx, err);
	if (telegram->api == NULL) {
		telegram_free(telegram);
		return NULL;
	}
	make_speaking(telegram);
	make_hearing(telegram);
	return telegram;
}

void
telegram_free(struct telegram *telegram)
{
	if (telegram == NULL)
		return;
	OBJ_CHECK(telegram, TELEGRAM_MAGIC);
	loop_timer_stop(&telegram->timer);
	telegram_api_cancel(telegram->call);
	telegram_poll_free(telegram->poll);
	telegram_webhook_free(telegram->webhook);
	telegram_menu_free(telegram->menu);
	telegram_send_free(telegram->send); /* calls live */
	telegram_live_free(telegram->live);
	telegram_api_free(telegram->api);
	settings_unref(telegram->config.settings);
	free(telegram);
}

void
telegram_start(struct telegram *telegram)
{
	OBJ_CHECK(telegram, TELEGRAM_MAGIC);
	introduce(telegram);
	if (telegram->poll != NULL)
		telegram_poll_start(telegram->poll);
	if (telegram->webhook != NULL)
		telegram_webhook_start(telegram->webhook);
	telegram_menu_set(telegram->menu, telegram->config.settings);
}

void
telegram_quiesce(struct telegram *telegram)
{
	if (telegram->poll != NULL)
		telegram_poll_stop(telegram->poll);
	if (telegram->webhook != NULL)
		telegram_webhook_quiesce(telegram->webhook);
}

static bool
same_chats(const struct settings *a, const struct settings *b)
{
	bool same = a->telegram_chat_id == b->telegram_chat_id &&
	    a->application_count == b->application_count;

	for (size_t i = 0; same && i < a->application_count; i++)
		same = a->applications[i]->telegram_chat_id == b->applications[i]->telegram_chat_id;
	return same;
}

void
telegram_change_settings(struct telegram *telegram, struct settings *settings)
{
	struct settings *old;

	OBJ_CHECK(telegram, TELEGRAM_MAGIC);
	old = telegram->config.settings;
	telegram->config.settings = settings_ref(settings);
	if (!roles_are_same(old->roles, settings->roles) || !same_chats(old, settings))
		telegram_menu_set(telegram->menu, settings);
	if (telegram->webhook != NULL)
		telegram_webhook_settings(telegram->webhook, settings);
	settings_unref(old);
}

bool
telegram_route(struct telegram *telegram, struct http_route *ret)
{
	if (telegram->webhook == NULL)
		return false;
	telegram_webhook_route(telegram->webhook, ret);
	return true;
}

const char *
telegram_main_app(const struct telegram *telegram)
{
	return telegram->has_main_app ? telegram->name : "";
}

bool
telegram_clock(const struct telegram *telegram, int64_t *ret_ahead_s)
{
	return telegram_api_clock(telegram->api, ret_ahead_s);
}

void
telegram_live_resume(struct telegram *telegram, const struct message *message)
{
	telegram_live_set(telegram->live, message, message->remote_id);
}

struct telegram_api *
telegram_api_of(struct telegram *telegram)
{
	return telegram->api;
}

struct telegram_send *
telegram_sender(struct telegram *telegram)
{
	return telegram->send;
}

/* --- who we are --- */

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	introduce(ctx);
}

static void
introduce_later(struct telegram *telegram, int64_t retry_after_s)
{
	telegram->failures++;
	loop_timer_start(telegram->config.loop, &telegram->timer,
	    telegram_pause_ms(telegram->failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, retry_after_s), 0);
}

static void
introduce(struct telegram *telegram)
{
	telegram->call = telegram_api_post(telegram->api, "getMe", NULL, on_me, telegram, NULL);
	if (telegram->call == NULL)
		introduce_later(telegram, 0);
}

static void
on_me(void *ctx, const struct telegram_result *result)
{
	struct telegram *telegram = OBJ_OF(struct telegram, ctx, TELEGRAM_MAGIC);
	const char *name = json_get_str(result->result, "username");

	telegram->call = NULL;
	if (result->ok && name != NULL) {
		text_set(telegram->name, name);
		telegram->has_main_app = json_get_bool(result->result, "has_main_web_app", false);
		log_info("connected to Telegram as @%s", telegram->name);
		return;
	}
	if (telegram->failures == 0 && telegram_result_is_token_refused(result))
		log_error("Telegram refuses TELEGRAM_BOT_TOKEN (%s)", result->description);
	introduce_later(telegram, result->retry_after_s);
}

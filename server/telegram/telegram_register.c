/* telegram_register.c - our webhook's registration at Telegram, made and kept.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_register.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "telegram/telegram_pause.h"
#include "telegram/telegram_update.h"
#include "types/settings.h"

#define REGISTER_MAGIC 0x74677267u
#define LOOK_MS	       60000
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   300000
#define RECENT_S       3600 /* Telegram shows its last failure for ever */

struct telegram_register {
	unsigned magic;
	struct telegram_config config;
	struct telegram_api *api;
	struct loop_timer timer;
	struct telegram_call *call;
	unsigned failures;  /* in a row */
	int64_t refused_at; /* Telegram's clock: when we refused it last, as far as we know */
	bool is_started;
	bool is_set;	  /* it was ours once: another one is not fought with */
	bool is_stale;	  /* the secret has changed since it was set */
	bool is_reported; /* of what is wrong now */
	bool is_late;	  /* what could not be delivered is reported */
};

static void on_time(struct loop_timer *timer, void *ctx);
static void look(struct telegram_register *reg);
static void on_info(void *ctx, const struct telegram_result *result);
static void set(struct telegram_register *reg);
static void on_set(void *ctx, const struct telegram_result *result);

struct telegram_register *
telegram_register_new(const struct telegram_config *config, struct telegram_api *api)
{
	struct telegram_register *reg = mem_new(1, sizeof(*reg));

	reg->magic = REGISTER_MAGIC;
	reg->config = *config;
	reg->config.settings = settings_ref(config->settings);
	reg->api = api;
	loop_timer_init(&reg->timer, on_time, reg);
	return reg;
}

void
telegram_register_free(struct telegram_register *reg)
{
	if (reg == NULL)
		return;
	OBJ_CHECK(reg, REGISTER_MAGIC);
	loop_timer_stop(&reg->timer);
	telegram_api_cancel(reg->call);
	settings_unref(reg->config.settings);
	free(reg);
}

void
telegram_register_start(struct telegram_register *reg)
{
	reg->is_started = true;
	look(reg);
}

void
telegram_register_settings(struct telegram_register *reg, struct settings *settings)
{
	struct settings *old;

	OBJ_CHECK(reg, REGISTER_MAGIC);
	old = reg->config.settings;
	reg->config.settings = settings_ref(settings);
	if (reg->is_started &&
	    !crypto_same_text(old->telegram_webhook_secret, settings->telegram_webhook_secret)) {
		loop_timer_stop(&reg->timer);
		telegram_api_cancel(reg->call);
		reg->failures = 0;
		reg->is_reported = false;
		reg->is_stale = true;
		look(reg);
	}
	settings_unref(old);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	look(ctx);
}

static void
look_after(struct telegram_register *reg, int64_t ms)
{
	loop_timer_start(reg->config.loop, &reg->timer, ms, 0);
}

static void
tell_receiving(const struct telegram_register *reg, bool is_receiving)
{
	if (reg->config.receiving != NULL)
		reg->config.receiving(reg->config.ctx, is_receiving);
}

static void
fail(struct telegram_register *reg, const char *what, const char *why, int64_t retry_after_s)
{
	if (!reg->is_reported)
		log_error("Telegram's webhook: %s: %s; retrying until it works", what, why);
	reg->is_reported = true;
	tell_receiving(reg, false);
	reg->failures++;
	look_after(
	    reg, telegram_pause_ms(reg->failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, retry_after_s));
}

static void
succeed(struct telegram_register *reg)
{
	reg->is_set = true;
	reg->is_reported = false;
	reg->failures = 0;
	look_after(reg, LOOK_MS);
}

static void
look(struct telegram_register *reg)
{
	struct err err = { 0 };

	OBJ_CHECK(reg, REGISTER_MAGIC);
	reg->call = telegram_api_post(reg->api, "getWebhookInfo", NULL, on_info, reg, &err);
	if (reg->call == NULL)
		fail(reg, "getWebhookInfo failed", err.text, 0);
}

static bool
wants(const struct json *kinds, const char *kind)
{
	for (size_t i = 0; i < json_count(kinds); i++) {
		const char *name = json_str(json_at(kinds, i));

		if (name != NULL && strcmp(name, kind) == 0)
			return true;
	}
	return false;
}

/* The same kinds in any order. */
static bool
kinds_are_ours(const struct json *kinds)
{
	CLEANUP(json_freep)
	struct json *ours = json_decode(TELEGRAM_UPDATE_KINDS, strlen(TELEGRAM_UPDATE_KINDS), NULL);
	bool same = ours != NULL && json_count(kinds) == json_count(ours);

	for (size_t i = 0; same && i < json_count(ours); i++)
		same = wants(kinds, json_str(json_at(ours, i)));
	return same;
}

/* Telegram does not show the secret that it has; our refusal of it does.  There is only a text "in
 * human-readable format" (Bot API, WebhookInfo.last_error_message): "Wrong response from the
 * webhook: 401 Unauthorized". */
static bool
was_refused(const struct json *info)
{
	return strstr(json_text(info, "last_error_message"), "401") != NULL;
}

/* Whether getWebhookInfo's result is what telegram_register_set() would make it. */
static bool
is_ours(const struct json *info, const struct settings *settings)
{
	return json_has(info, "url", settings->telegram_webhook_url) && !was_refused(info) &&
	    kinds_are_ours(json_get(info, "allowed_updates"));
}

/* Whether it stands as it should; once it was set, kinds and an old refusal are not looked at. */
static bool
stands(struct telegram_register *reg, const struct json *info)
{
	int64_t refused_at = was_refused(info) ? json_get_i64_or(info, "last_error_date", 0) : 0;
	bool is_refused_anew = refused_at > reg->refused_at;

	if (is_refused_anew)
		reg->refused_at = refused_at;
	if (reg->is_stale)
		return false;
	if (!reg->is_set)
		return is_ours(info, reg->config.settings);
	return json_text(info, "url")[0] != '\0' && !is_refused_anew;
}

/* Updates wait although it stands, and their delivery has failed of late. */
static bool
is_undelivered(const struct json *info)
{
	int64_t failed_at = json_get_i64_or(info, "last_error_date", 0);

	return json_get_i64_or(info, "pending_update_count", 0) > 0 &&
	    clock_wall_ms() / 1000 - failed_at < RECENT_S;
}

static void
report_undelivered(const struct json *info)
{
	const char *error = json_get_str(info, "last_error_message");
	char line[200];

	if (error == NULL)
		error = "it does not say why";
	log_warning("Telegram could not deliver updates to TELEGRAM_WEBHOOK_URL: %s (%lld wait)",
	    clean_line(line, sizeof(line), error, strlen(error)),
	    (long long)json_get_i64_or(info, "pending_update_count", 0));
}

static void
on_info(void *ctx, const struct telegram_result *result)
{
	struct telegram_register *reg = OBJ_OF(struct telegram_register, ctx, REGISTER_MAGIC);

	reg->call = NULL;
	if (!result->ok) {
		fail(reg, "Telegram does not say what is registered", result->description,
		    result->retry_after_s);
		return;
	}
	const char *url = json_text(result->result, "url");
	bool has_other =
	    url[0] != '\0' && strcmp(url, reg->config.settings->telegram_webhook_url) != 0;

	if (reg->config.pending != NULL)
		reg->config.pending(
		    reg->config.ctx, json_get_i64_or(result->result, "pending_update_count", 0));
	if (reg->is_set && has_other) {
		tell_receiving(reg, false);
		if (!reg->is_reported)
			log_error(
			    "somebody else has registered a webhook for this bot: its updates do not come here; run `deploybot webhook set` to restore it");
		reg->is_reported = true;
		look_after(reg, LOOK_MS);
	} else if (stands(reg, result->result)) {
		bool is_late = is_undelivered(result->result);

		if (is_late && !reg->is_late)
			report_undelivered(result->result);
		reg->is_late = is_late;
		tell_receiving(reg, !is_late);
		succeed(reg);
	} else {
		if (reg->is_set && !reg->is_stale) /* else the next look is the first that knows */
			tell_receiving(reg, false);
		set(reg);
	}
}

struct telegram_call *
telegram_register_set(struct telegram_api *api, const struct settings *settings,
    telegram_done_fn *on_done, void *ctx, struct err *err)
{
	CLEANUP(buf_wipe) struct buf body = buf_make(8192);
	struct json_out json = json_out_begin(&body, '{');

	json_put_str(&json, "url", settings->telegram_webhook_url);
	json_put_str(&json, "secret_token", settings->telegram_webhook_secret);
	json_put_bool(&json, "drop_pending_updates", false);
	json_out_key(&json, "allowed_updates");
	json_out_raw(&json, TELEGRAM_UPDATE_KINDS);
	json_out_end(&json);

	return telegram_api_post(api, "setWebhook", &body, on_done, ctx, err);
}

static void
set(struct telegram_register *reg)
{
	struct err err = { 0 };

	reg->call = telegram_register_set(reg->api, reg->config.settings, on_set, reg, &err);
	if (reg->call == NULL)
		fail(reg, "cannot be registered", err.text, 0);
}

static void
on_set(void *ctx, const struct telegram_result *result)
{
	struct telegram_register *reg = OBJ_OF(struct telegram_register, ctx, REGISTER_MAGIC);

	reg->call = NULL;
	if (!result->ok) {
		fail(reg, "Telegram does not register it", result->description,
		    result->retry_after_s);
		return;
	}
	reg->is_stale = false;
	log_info("Telegram sends updates to %s", reg->config.settings->telegram_webhook_url);
	succeed(reg);
}

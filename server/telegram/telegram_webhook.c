/* telegram_webhook.c - Telegram calls us: the route, its secret, and our registration there.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_webhook.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/crash_point.h"
#include "lib/http_server.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_register.h"
#include "telegram/telegram_update.h"
#include "types/event.h"
#include "types/refusals.h"
#include "types/secret.h"
#include "types/settings.h"

#define WEBHOOK_MAGIC	 0x74677768u
#define SECRET_HEADER	 "X-Telegram-Bot-Api-Secret-Token"
#define ORDER_PATIENCE_S 30 /* a person waits at the terminal */

struct telegram_webhook {
	unsigned magic;
	struct telegram_config config;
	const char *own_name;
	struct telegram_register *reg;
	bool is_quiet;
};

/* A request whose update is being decided. */
struct waiting {
	struct telegram_webhook *webhook;
	struct http_request *request;
};

static void on_begin(struct http_request *request, void *ctx);
static void reject(struct telegram_webhook *webhook, struct http_request *request);
static void on_request(struct http_request *request, void *ctx);
static void on_decided(void *ctx, const struct answer *answer);

struct telegram_webhook *
telegram_webhook_new(
    const struct telegram_config *config, struct telegram_api *api, const char *own_name)
{
	struct telegram_webhook *webhook = mem_new(1, sizeof(*webhook));

	webhook->magic = WEBHOOK_MAGIC;
	webhook->config = *config;
	webhook->config.settings = settings_ref(config->settings);
	webhook->own_name = own_name;
	webhook->reg = telegram_register_new(config, api);
	return webhook;
}

void
telegram_webhook_free(struct telegram_webhook *webhook)
{
	if (webhook == NULL)
		return;
	OBJ_CHECK(webhook, WEBHOOK_MAGIC);
	telegram_register_free(webhook->reg);
	settings_unref(webhook->config.settings);
	free(webhook);
}

void
telegram_webhook_route(struct telegram_webhook *webhook, struct http_route *ret)
{
	static const char *const types[] = { "application/json", NULL };

	*ret = (struct http_route){
		.methods = "POST",
		.path = TELEGRAM_WEBHOOK_PATH,
		.body_max = TELEGRAM_WEBHOOK_BODY_MAX,
		.types = types,
		.on_begin = on_begin,
		.on_request = on_request,
		.ctx = webhook,
	};
}

void
telegram_webhook_start(struct telegram_webhook *webhook)
{
	telegram_register_start(webhook->reg);
}

void
telegram_webhook_settings(struct telegram_webhook *webhook, struct settings *settings)
{
	struct settings *old;

	OBJ_CHECK(webhook, WEBHOOK_MAGIC);
	old = webhook->config.settings;
	webhook->config.settings = settings_ref(settings);
	telegram_register_settings(webhook->reg, settings);
	settings_unref(old);
}

void
telegram_webhook_quiesce(struct telegram_webhook *webhook)
{
	webhook->is_quiet = true;
}

/* --- a request --- */

static void
answer_request(struct telegram_webhook *webhook, struct http_request *request, int status)
{
	static const struct http_header later[] = { { "Retry-After", "2" }, { NULL, NULL } };

	if (webhook->config.count_request != NULL)
		webhook->config.count_request(webhook->config.ctx, status);
	http_request_answer(request, status, status == 503 ? later : NULL, NULL, 0);
}

static void
on_begin(struct http_request *request, void *ctx)
{
	struct telegram_webhook *webhook = OBJ_OF(struct telegram_webhook, ctx, WEBHOOK_MAGIC);
	const char *given = http_request_header(request, SECRET_HEADER); /* one, or NULL */

	const struct secret secret =
	    secret_get(webhook->config.settings, SETTING_TELEGRAM_WEBHOOK_SECRET);
	int value = secret_find(&secret, given);

	if (value < 0)
		reject(webhook, request);
	else if (value > 0)
		secret_note_used(&secret, webhook->config.submit, webhook->config.ctx);
}

static void
reject(struct telegram_webhook *webhook, struct http_request *request)
{
	refusals_add(webhook->config.refusals, "telegram", "wrong or missing secret", "",
	    http_request_client(request), false);
	answer_request(webhook, request, 401);
}

static struct event *
make_event(struct telegram_webhook *webhook, struct http_request *request)
{
	size_t size = 0;
	char *bytes = http_request_take_body(request, &size);
	struct waiting *waiting = mem_alloc(sizeof(*waiting));
	struct event *raw;

	*waiting = (struct waiting){ webhook, request };
	raw = telegram_update_raw(SOURCE_TELEGRAM_WEBHOOK, bytes, size, webhook->own_name);
	raw->done = on_decided;
	raw->done_ctx = waiting;
	return raw;
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct telegram_webhook *webhook = OBJ_OF(struct telegram_webhook, ctx, WEBHOOK_MAGIC);
	struct event *raw;

	raw = webhook->is_quiet ? NULL : make_event(webhook, request);
	CRASH_POINT(update_read);
	if (raw != NULL && webhook->config.submit(webhook->config.ctx, raw))
		return;
	if (raw != NULL)
		free(raw->done_ctx);
	event_free(raw);
	answer_request(webhook, request, 503);
}

static void
on_decided(void *ctx, const struct answer *answer)
{
	struct waiting *waiting = ctx;

	OBJ_CHECK(waiting->webhook, WEBHOOK_MAGIC);
	/* It is stored or it comes again: Telegram gives nothing else of that chat until 2xx. */
	answer_request(waiting->webhook, waiting->request, answer->status == 503 ? 503 : 200);
	free(waiting);
}

/* --- deploybot webhook set|info|delete --- */

struct order {
	enum telegram_webhook_command command;
	struct loop *loop;
	struct telegram_api *api;
	const struct settings *settings;
	struct loop_timer timer;
	int64_t waited_s;
	void (*on_done)(void *ctx, bool ok, const char *text);
	void *ctx;
};

static bool start_order(struct order *order, struct err *err);

static void
put_line(struct buf *text, const char *name, const char *value)
{
	char line[1024];

	if (value != NULL && value[0] != '\0')
		buf_addf(
		    text, "%s: %s\n", name, clean_line(line, sizeof(line), value, strlen(value)));
}

static void
put_kinds(struct buf *text, const struct json *kinds)
{
	buf_adds(text, "allowed_updates: ");
	struct json_out json = json_out_begin(text, '[');

	for (size_t i = 0; i < json_count(kinds); i++)
		json_out_str(&json, json_str(json_at(kinds, i)));
	json_out_end(&json);
	buf_addc(text, '\n');
}

/* Where Telegram has none: the server may not have come to it yet. */
static const char *
no_webhook(const struct settings *settings)
{
	if (settings->telegram_mode == TELEGRAM_POLLING)
		return "none: updates are polled";
	return "none yet: the server registers TELEGRAM_WEBHOOK_URL when it starts; ask again in a moment";
}

static void
put_info(struct buf *text, const struct settings *settings, const struct json *info)
{
	const char *url = json_get_str(info, "url");
	char at[TEXT_TIME_SIZE];
	int64_t error_at = json_get_i64_or(info, "last_error_date", 0);

	put_line(text, "url", url == NULL || url[0] == '\0' ? no_webhook(settings) : url);
	buf_addf(text, "pending_update_count: %lld\n",
	    (long long)json_get_i64_or(info, "pending_update_count", 0));
	put_line(text, "ip_address", json_get_str(info, "ip_address"));
	if (error_at > 0)
		put_line(text, "last_error_date", text_time(at, error_at * 1000));
	put_line(text, "last_error_message", json_get_str(info, "last_error_message"));
	if (json_get(info, "allowed_updates") != NULL)
		put_kinds(text, json_get(info, "allowed_updates"));
}

static void
end_order(struct order *order, bool ok, const char *text)
{
	order->on_done(order->ctx, ok, text);
	free(order);
}

static void
on_order_again(UNUSED struct loop_timer *timer, void *ctx)
{
	struct order *order = ctx;
	struct err err;

	if (!start_order(order, &err))
		end_order(order, false, err.text);
}

/* As Telegram asks for it, while a person may be let wait that long. */
static bool
is_ordered_again(struct order *order, const struct telegram_result *result)
{
	int64_t pause_s = result->retry_after_s > 0 ? result->retry_after_s : 1;

	if (result->code != 429 || pause_s > ORDER_PATIENCE_S - order->waited_s)
		return false;
	order->waited_s += pause_s;
	loop_timer_start(order->loop, &order->timer, pause_s * 1000, 0);
	return true;
}

static void
on_ordered(void *ctx, const struct telegram_result *result)
{
	struct order *order = ctx;
	CLEANUP(buf_done) struct buf text = buf_make((size_t)16 * 1024);

	if (is_ordered_again(order, result))
		return;
	if (!result->ok && result->code == 0)
		buf_addf(&text, "Telegram does not answer: %s: " TELEGRAM_UNREACHED "\n",
		    result->description);
	else if (!result->ok)
		buf_addf(&text, "Telegram refused: %s\n", result->description);
	else if (order->command == TELEGRAM_WEBHOOK_SET)
		buf_addf(
		    &text, "Telegram sends updates to %s\n", order->settings->telegram_webhook_url);
	else if (order->command == TELEGRAM_WEBHOOK_DELETE)
		buf_adds(&text, "the webhook is removed; updates are kept until they are polled\n");
	else
		put_info(&text, order->settings, result->result);
	end_order(order, result->ok, buf_text(&text));
}

static bool
start_order(struct order *order, struct err *err)
{
	const struct settings *settings = order->settings;

	if (order->command != TELEGRAM_WEBHOOK_SET)
		return telegram_api_post(order->api,
			   order->command == TELEGRAM_WEBHOOK_INFO ? "getWebhookInfo" :
								     "deleteWebhook",
			   NULL, on_ordered, order, err) != NULL;
	if (settings->telegram_webhook_url == NULL || settings->telegram_webhook_secret == NULL)
		return err_set(
		    err, ERR_CONFIG, "TELEGRAM_WEBHOOK_URL and TELEGRAM_WEBHOOK_SECRET are needed");
	return telegram_register_set(order->api, settings, on_ordered, order, err) != NULL;
}

bool
telegram_webhook_order(struct loop *loop, struct telegram_api *api, const struct settings *settings,
    enum telegram_webhook_command command, void (*on_done)(void *ctx, bool ok, const char *text),
    void *ctx, struct err *err)
{
	struct order *order = mem_new(1, sizeof(*order));

	order->command = command;
	order->loop = loop;
	order->api = api;
	order->settings = settings;
	order->on_done = on_done;
	order->ctx = ctx;
	loop_timer_init(&order->timer, on_order_again, order);
	if (start_order(order, err))
		return true;
	free(order);
	return false;
}

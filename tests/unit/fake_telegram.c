/* fake_telegram.c - a Bot API of a test's own: says what it is told to say, keeps what it heard. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"
#include "tests/unit/fake_telegram.h"

#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "types/settings.h"
#include "unit.h"

#define SCRIPTS_MAX 64
#define HEARD_MAX   512

static const char *const methods[] = { "getMe", "getUpdates", "sendMessage", "editMessageText",
	"answerCallbackQuery", "sendDocument", "setMyCommands", "setWebhook", "deleteWebhook",
	"getWebhookInfo", "leaveChat", "deleteMessage", "pinChatMessage", "unpinChatMessage",
	"deleteMyCommands", "setChatMenuButton" };

struct script {
	char method[32];
	int status;
	char *body;
	bool used;
};

struct fake_telegram {
	struct http_server *server;
	char base[64];
	char paths[COUNT(methods)][128];
	struct http_route routes[COUNT(methods)];
	struct script scripts[SCRIPTS_MAX];
	size_t n_scripts;
	struct fake_heard heard[HEARD_MAX];
	size_t n_heard;
	struct http_request *silent[SCRIPTS_MAX];
	size_t n_silent;
	int next_message;
};

static struct script *
find_script(struct fake_telegram *fake, const char *method)
{
	for (size_t i = 0; i < fake->n_scripts; i++)
		if (!fake->scripts[i].used && strcmp(fake->scripts[i].method, method) == 0)
			return &fake->scripts[i];
	return NULL;
}

static void
keep(struct fake_telegram *fake, struct http_request *request, const char *method)
{
	struct fake_heard *heard = &fake->heard[fake->n_heard++];

	assert_true(fake->n_heard <= HEARD_MAX);
	(void)snprintf(heard->method, sizeof(heard->method), "%s", method);
	heard->body = http_request_take_body(request, &heard->size);
	if (heard->body == NULL)
		heard->body = strdup("");
	heard->at = loop_now_ms();
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct fake_telegram *fake = ctx;
	const char *method = strrchr(request->path, '/') + 1;
	/* Of 2026-11-21T00:00:00Z: whoever asks is ahead of that. */
	static const struct http_header date[] = { { "Date", "Sat, 21 Nov 2026 00:00:00 GMT" },
		{ NULL, NULL } };
	struct script *script = find_script(fake, method);
	char body[128];

	keep(fake, request, method);
	if (script != NULL)
		script->used = true;
	if (script != NULL ? script->status == 0 : strcmp(method, "getUpdates") == 0) {
		assert_true(fake->n_silent < SCRIPTS_MAX);
		fake->silent[fake->n_silent++] = request;
		return;
	}
	if (script != NULL) {
		http_request_answer(
		    request, script->status, date, script->body, strlen(script->body));
		return;
	}
	(void)snprintf(body, sizeof(body), "{\"ok\":true,\"result\":{\"message_id\":%d}}",
	    ++fake->next_message);
	http_request_answer(request, 200, date, body, strlen(body));
}

struct fake_telegram *
fake_telegram_new(struct loop *loop)
{
	struct fake_telegram *fake = calloc(1, sizeof(*fake));
	struct err err;

	assert_non_null(fake);
	fake->next_message = 100;
	for (size_t i = 0; i < COUNT(methods); i++) {
		(void)snprintf(
		    fake->paths[i], sizeof(fake->paths[i]), "/bot%s/%s", FAKE_TOKEN, methods[i]);
		fake->routes[i] = (struct http_route){
			.methods = "POST",
			.path = fake->paths[i],
			.body_max = 4 << 20,
			.answer_timeout_ms = 60000,
			.on_request = on_request,
			.ctx = fake,
		};
	}
	struct http_server_config config = {
		.routes = fake->routes,
		.route_count = COUNT(methods),
	};

	fake->server = http_server_new(loop, &config, "127.0.0.1:0", &err);
	assert_non_null(fake->server);
	(void)snprintf(
	    fake->base, sizeof(fake->base), "http://127.0.0.1:%d", http_server_port(fake->server));
	return fake;
}

void
fake_telegram_free(struct fake_telegram *fake)
{
	http_server_free(fake->server);
	for (size_t i = 0; i < fake->n_silent; i++)
		http_request_answer(fake->silent[i], 503, NULL, NULL, 0);
	for (size_t i = 0; i < fake->n_heard; i++)
		free(fake->heard[i].body);
	for (size_t i = 0; i < fake->n_scripts; i++)
		free(fake->scripts[i].body);
	free(fake);
}

const char *
fake_telegram_base(const struct fake_telegram *fake)
{
	return fake->base;
}

struct settings *
fake_telegram_settings(const struct fake_telegram *fake, const char *webhook_url)
{
	char base[128];
	char url[256];
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=" FAKE_TOKEN,
		"ADMIN_TELEGRAM_IDS=4711,4712", "STAGING_TELEGRAM_IDS=4713",
		"LOCAL_WWW_DATA_IS=role admin", "TELEGRAM_CHAT_ID=-1001",
		"TELEGRAM_WEBHOOK_SECRET=" FAKE_SECRET, "GITHUB_REPOSITORY=acme/app", base,
		webhook_url == NULL ? NULL : url, NULL };
	static struct settings_report report;
	struct settings *settings = NULL;

	(void)snprintf(base, sizeof(base), "TELEGRAM_API_BASE=%s", fake->base);
	(void)snprintf(
	    url, sizeof(url), "TELEGRAM_WEBHOOK_URL=%s", webhook_url == NULL ? "" : webhook_url);
	if (!settings_load(NULL, environment, &settings, &report))
		for (size_t i = 0; i < report.count; i++)
			print_message("%s\n", report.lines[i].text);
	assert_non_null(settings);
	return settings;
}

void
fake_telegram_script(struct fake_telegram *fake, const char *method, int status, const char *body)
{
	struct script *script = &fake->scripts[fake->n_scripts++];

	assert_true(fake->n_scripts <= SCRIPTS_MAX);
	(void)snprintf(script->method, sizeof(script->method), "%s", method);
	script->status = status;
	script->body = strdup(body == NULL ? "" : body);
}

const struct fake_heard *
fake_telegram_heard(const struct fake_telegram *fake, const char *method, size_t n)
{
	for (size_t i = 0; i < fake->n_heard; i++)
		if ((method == NULL || strcmp(fake->heard[i].method, method) == 0) && n-- == 0)
			return &fake->heard[i];
	return NULL;
}

size_t
fake_telegram_count(const struct fake_telegram *fake, const char *method)
{
	size_t n = 0;

	while (fake_telegram_heard(fake, method, n) != NULL)
		n++;
	return n;
}

static void
on_over(UNUSED struct loop_timer *timer, void *ctx)
{
	*(bool *)ctx = true;
}

bool
fake_run_until(struct loop *loop, const bool *done, int64_t ms)
{
	struct loop_timer timer;
	bool over = false;

	loop_timer_init(&timer, on_over, &over);
	loop_timer_start(loop, &timer, ms, 0);
	while (!*done && !over)
		loop_run_once(loop);
	loop_timer_stop(&timer);
	return *done;
}

void
fake_run_for(struct loop *loop, int64_t ms)
{
	const bool never = false;

	(void)fake_run_until(loop, &never, ms);
}

bool
fake_run_until_heard(struct loop *loop, const struct fake_telegram *fake, const char *method,
    size_t count, int64_t ms)
{
	struct loop_timer timer;
	bool over = false;

	loop_timer_init(&timer, on_over, &over);
	loop_timer_start(loop, &timer, ms, 0);
	while (fake_telegram_count(fake, method) < count && !over)
		loop_run_once(loop);
	loop_timer_stop(&timer);
	return fake_telegram_count(fake, method) >= count;
}

/* cli_first_admin.c - `deploybot first-admin`: whoever opens its one-time link is the first admin.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A server that runs here has the updates of its bot: it draws the code, and is asked who has
 * opened the link.  Else: webhook? → who is the bot? → the link → updates, until one is the
 * code → a word to that person, and what was read is acknowledged.  It gives nobody a right: it
 * prints an id, for the settings.  While another server polls, or a webhook is set, Telegram
 * says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_api.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "lib/url.h"
#include "telegram/telegram_api.h"
#include "types/settings.h"

#define CODE_BYTES	8
#define PATIENCE_MS	((int64_t)10 * 60 * 1000)
#define POLL_SECONDS	25
#define POLL_TIMEOUT_MS ((POLL_SECONDS + 20) * 1000)
#define AGAIN_MS	2000
#define LOOK_MS		1000 /* the server is asked so often */
#define UPDATES_MAX	100
#define ANSWER_MAX	((size_t)8 * 1024 * 1024) /* so many updates with the longest texts */
#define BODY_MAX	1024

struct first_admin {
	struct loop *loop;
	struct telegram_api *api;
	struct loop_timer deadline;
	struct loop_timer again;
	struct cli_api server;
	bool is_servers; /* it has the updates */
	bool is_webhook; /* one is set, at: */
	char webhook[URL_PLACE];
	char unhelpful[LIMIT_LINE]; /* why one that runs is not asked; "": none does */
	char wanted[sizeof("/start ") + CODE_BYTES * 2];
	int64_t offset; /* 0: whatever there is */
	int64_t person; /* 0: not known yet */
	bool is_over;	/* it was said why; a loop that does not run yet cannot be stopped */
	bool is_found;	/* and all is done */
};

static void on_webhook(void *ctx, const struct telegram_result *result);
static void on_me(void *ctx, const struct telegram_result *result);
static void on_updates(void *ctx, const struct telegram_result *result);
static void on_greeted(void *ctx, const struct telegram_result *result);
static void on_acknowledged(void *ctx, const struct telegram_result *result);

static void
give_up(struct first_admin *admin, const char *why, const char *what)
{
	(void)fprintf(stderr, "error: %s%s\n", why, what);
	admin->is_over = true;
	loop_stop(admin->loop);
}

static void
call(struct first_admin *admin, const struct telegram_request *request)
{
	struct err err;

	if (telegram_api_call(admin->api, request, &err) == NULL)
		give_up(admin, "Telegram cannot be asked: ", err.text);
}

/* Without arguments. */
static void
ask(struct first_admin *admin, const char *method, telegram_done_fn *on_done)
{
	call(admin,
	    &(struct telegram_request){ .method = method, .on_done = on_done, .ctx = admin });
}

static void
refused(struct first_admin *admin, const struct telegram_result *result)
{
	give_up(admin,
	    result->code == 0 ?
		"Telegram does not answer (" TELEGRAM_UNREACHED "): " :
		telegram_result_is_token_refused(result) ?
		"TELEGRAM_BOT_TOKEN is not valid, ask @BotFather for it: " :
		result->code == 409 ?
		"another program polls this bot: stop it, or write /whoami to the bot: " :
		"Telegram: ",
	    result->code == 409 && admin->unhelpful[0] != '\0' ? admin->unhelpful :
								 result->description);
}

static void
on_webhook(void *ctx, const struct telegram_result *result)
{
	struct first_admin *admin = ctx;
	const char *url = json_text(result->result, "url");

	if (!result->ok) {
		refused(admin, result);
		return;
	}
	admin->is_webhook = url[0] != '\0';
	if (admin->is_webhook)
		(void)url_place(url, admin->webhook);
	ask(admin, "getMe", on_me);
}

/* Whose it is people know: what another one receives by is not ours to delete. */
static void
refuse_webhook(struct first_admin *admin, const char *name)
{
	char why[URL_PLACE + 200], at[URL_PLACE];

	(void)snprintf(why, sizeof(why), "the bot's updates go to a webhook: @%.64s's, at %s. ",
	    name, clean_line(at, sizeof(at), admin->webhook, strlen(admin->webhook)));
	give_up(admin, why,
	    "If another deploybot or program is there, take a new bot (/newbot to @BotFather); if it is this one's, write /whoami to the bot, or first: deploybot webhook delete");
}

static void
poll_updates(struct first_admin *admin, int64_t limit, int64_t seconds, telegram_done_fn *on_done)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	struct json_out json = json_out_begin(&body, '{');

	if (admin->offset != 0)
		json_put_i64(&json, "offset", admin->offset);
	json_put_i64(&json, "limit", limit);
	json_put_i64(&json, "timeout", seconds);
	json_out_key(&json, "allowed_updates");
	json_out_raw(&json, "[\"message\"]");
	json_out_end(&json);
	call(admin,
	    &(struct telegram_request){
		.method = "getUpdates",
		.json = &body,
		.timeout_ms = POLL_TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = admin,
	    });
}

static void
on_me(void *ctx, const struct telegram_result *result)
{
	struct first_admin *admin = ctx;
	const char *name = result->ok ? json_get_str(result->result, "username") : NULL;

	if (!result->ok || name == NULL) {
		refused(admin, result);
		return;
	}
	if (admin->is_webhook) {
		refuse_webhook(admin, name);
		return;
	}
	(void)fprintf(stderr,
	    "The first admin opens this link within 10 minutes, and presses Start there:\n\n"
	    "    https://t.me/%s?start=%s\n\n",
	    name, admin->wanted + strlen("/start "));
	if (admin->is_servers)
		loop_timer_start(admin->loop, &admin->again, LOOK_MS, 0);
	else
		poll_updates(admin, UPDATES_MAX, POLL_SECONDS, on_updates);
}

/* Is it the code, from a person, in private?  Then who. */
static int64_t
person_of(const struct first_admin *admin, const struct json *update)
{
	const struct json *message = json_get(update, "message");
	const struct json *from = json_get(message, "from");

	if (!crypto_same_text(json_get_str(message, "text"), admin->wanted) ||
	    !json_has(json_get(message, "chat"), "type", "private") ||
	    json_get_bool(from, "is_bot", true))
		return 0;
	return json_get_i64_or(from, "id", 0);
}

static void
greet(struct first_admin *admin)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	struct json_out json = json_out_begin(&body, '{');

	json_put_i64(&json, "chat_id", admin->person);
	json_put_str(&json, "text",
	    "Your id is shown where deploybot is set up: who does that says whether you are its first admin. It answers when that is finished.");
	json_out_end(&json);
	call(admin,
	    &(struct telegram_request){
		.method = "sendMessage", .json = &body, .on_done = on_greeted, .ctx = admin });
}

static void
on_updates(void *ctx, const struct telegram_result *result)
{
	struct first_admin *admin = ctx;
	size_t n;

	if (!result->ok && telegram_result_is_passing(result) &&
	    !telegram_result_is_token_refused(result)) {
		loop_timer_start(admin->loop, &admin->again, AGAIN_MS, 0);
		return;
	}
	if (!result->ok) {
		refused(admin, result);
		return;
	}
	n = json_count(result->result);
	for (size_t i = 0; i < n && admin->person <= 0; i++) {
		const struct json *update = json_at(result->result, i);

		admin->offset = json_get_i64_or(update, "update_id", 0) + 1;
		admin->person = person_of(admin, update);
	}
	if (admin->person > 0)
		greet(admin);
	else
		poll_updates(admin, UPDATES_MAX, POLL_SECONDS, on_updates);
}

/* Whether that arrived or not: who it is, is known. */
static void
on_greeted(void *ctx, UNUSED const struct telegram_result *result)
{
	poll_updates(ctx, 1, 0, on_acknowledged);
}

static void
on_acknowledged(void *ctx, UNUSED const struct telegram_result *result)
{
	struct first_admin *admin = ctx;

	admin->is_found = true;
	loop_stop(admin->loop);
}

/* --- the server that runs here --- */

/* Does it receive for our bot, and draw a code? */
static bool
ask_server(struct first_admin *admin, const struct cli *cli, const struct settings *s)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	struct err err;
	const char *code, *said;

	if (!cli_api_of(cli, geteuid() == 0 ? "admin" : NULL, &admin->server, &err) ||
	    !cli_api_ask(&admin->server, "/v1/first-admin-link", "{}", &answer, &err)) {
		if (err.code != ERR_BUSY) /* somebody listens */
			(void)text_copy(admin->unhelpful, sizeof(admin->unhelpful), err.text);
		return false;
	}
	if (answer.status != 200) {
		said = json_get_str(answer.json, "said");
		(void)snprintf(admin->unhelpful, sizeof(admin->unhelpful),
		    "the server that runs here: %s", said != NULL ? said : "refused");
		return false;
	}
	code = json_text(answer.json, "code");
	if (strlen(code) != (size_t)CODE_BYTES * 2 ||
	    json_get_i64_or(answer.json, "bot", 0) != strtoll(s->telegram_bot_token, NULL, 10))
		return false; /* another bot's: it receives nothing of ours */
	return text_copy(admin->wanted + strlen("/start "), (size_t)CODE_BYTES * 2 + 1, code);
}

/* One that is restarted meanwhile is asked again. */
static void
look_at_server(struct first_admin *admin)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };

	if (cli_api_ask(&admin->server, "/v1/first-admin", NULL, &answer, NULL) &&
	    answer.status == 200) {
		admin->person = json_get_i64_or(answer.json, "person", 0);
		admin->is_found = admin->person > 0;
		if (!admin->is_found && !json_get_bool(answer.json, "is_open", true)) {
			give_up(admin, "the link counts no more: ", "begin again");
			return;
		}
	}
	if (admin->is_found)
		loop_stop(admin->loop);
	else
		loop_timer_start(admin->loop, &admin->again, LOOK_MS, 0);
}

/* --- all of it --- */

static void
on_again(UNUSED struct loop_timer *timer, void *ctx)
{
	struct first_admin *admin = ctx;

	if (admin->is_servers)
		look_at_server(admin);
	else
		poll_updates(admin, UPDATES_MAX, POLL_SECONDS, on_updates);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	give_up(ctx, "nobody has opened the link within 10 minutes: ", "begin again");
}

static bool
begin(struct first_admin *admin, const struct cli *cli, const struct settings *s, struct err *err)
{
	uint8_t code[CODE_BYTES];

	memcpy(admin->wanted, "/start ", sizeof("/start "));
	if (!crypto_random(code, sizeof(code), err))
		return false;
	text_hex(admin->wanted + strlen("/start "), code, sizeof(code));
	admin->is_servers = ask_server(admin, cli, s);
	admin->api = telegram_api_new(admin->loop, s, NULL, NULL, err);
	if (admin->api == NULL)
		return false;
	loop_timer_init(&admin->deadline, on_deadline, admin);
	loop_timer_init(&admin->again, on_again, admin);
	loop_timer_start(admin->loop, &admin->deadline, PATIENCE_MS, 0);
	if (admin->is_servers)
		ask(admin, "getMe", on_me);
	else
		ask(admin, "getWebhookInfo", on_webhook);
	if (!admin->is_over)
		loop_run(admin->loop);
	loop_timer_stop(&admin->deadline);
	loop_timer_stop(&admin->again);
	telegram_api_free(admin->api);
	return true;
}

int
cli_first_admin(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct first_admin admin = { 0 };
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	admin.loop = loop_new(&err);
	if (admin.loop == NULL || !begin(&admin, cli, s, &err))
		(void)fprintf(stderr, "error: %s\n", err.text);
	loop_free(admin.loop);
	if (!admin.is_found)
		return 1;
	(void)printf("%" PRId64 "\n", admin.person);
	return EX_OK;
}

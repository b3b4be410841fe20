/* doctor_telegram.c - the bot, its chat and its webhook, as Telegram sees them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/cli_port.h"
#include "cli/doctor/doctor.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "routes/route_health.h"
#include "store/row_chat.h"
#include "telegram/telegram_api.h"
#include "types/settings.h"

#define PUBLIC_API "https://api.telegram.org"

#define MEMBERS_MAX 32 /* more are not asked about: each is a call */

/* Somebody who may act, to whom the bot may not write: are they in the group at least? */
struct member {
	struct doctor *doctor;
	int64_t person, group;
};

struct asking {
	struct telegram_api *api;
	size_t n_members;
	struct member member[MEMBERS_MAX];
};

/* --- the webhook's address --- */

struct network {
	uint32_t address;
	unsigned bits;
};

static bool
is_private(uint32_t address)
{
	static const struct network networks[] = { { 0x00000000, 8 }, { 0x0a000000, 8 },
		{ 0x64400000, 10 }, { 0x7f000000, 8 }, { 0xa9fe0000, 16 }, { 0xac100000, 12 },
		{ 0xc0a80000, 16 }, { 0xe0000000, 3 } };

	for (size_t i = 0; i < COUNT(networks); i++)
		if (((address ^ networks[i].address) >> (32 - networks[i].bits)) == 0)
			return true;
	return false;
}

static const char *
host_trouble(const char *host)
{
	static const char *const inside[] = { ".local", ".localhost", ".internal", ".lan", ".test",
		".home.arpa" };
	struct in_addr ipv4;

	if (host[0] == '[')
		return "Telegram calls IPv4 addresses only";
	if (inet_pton(AF_INET, host, &ipv4) == 1)
		return is_private(ntohl(ipv4.s_addr)) ? "its address is not public" : NULL;
	if (strchr(host, '.') == NULL)
		return "its name is not public";
	for (size_t i = 0; i < COUNT(inside); i++)
		if (text_ends(host, inside[i]))
			return "its name is not public";
	return NULL;
}

const char *
doctor_url_trouble(const char *url)
{
	static const char *const ports[] = { "", "443", "80", "88", "8443" };
	char host[256] = "";
	size_t size;
	bool is_odd = true;

	if (!text_starts_ci(url, "https://"))
		return "Telegram calls https only";
	url += strlen("https://");
	size = url[0] == '[' ? strcspn(url, "]") + 1 : strcspn(url, ":/?#");
	(void)snprintf(host, sizeof(host), "%.*s", (int)size, url);
	url += size;
	url += *url == ':';
	size = strcspn(url, "/?#");
	for (size_t i = 0; i < COUNT(ports); i++)
		if (strlen(ports[i]) == size && strncmp(ports[i], url, size) == 0)
			is_odd = false;
	if (is_odd)
		return "Telegram calls the ports 443, 80, 88 and 8443 only";
	return host_trouble(host);
}

static void
examine_url(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	const char *trouble;

	/* A Bot API server of one's own may call whatever it reaches. */
	if (s->telegram_mode != TELEGRAM_WEBHOOK || s->telegram_webhook_url == NULL ||
	    strcmp(s->telegram_api_base, PUBLIC_API) != 0)
		return;
	trouble = doctor_url_trouble(s->telegram_webhook_url);
	if (trouble != NULL)
		TELL(doctor, WEBHOOKS, WARNING,
		    "Telegram: TELEGRAM_WEBHOOK_URL: %s; change it, or leave it out and poll",
		    trouble);
}

/* --- answers --- */

static void
say_failure(struct doctor *doctor, const struct telegram_result *result)
{
	const char *hint = ": " TELEGRAM_UNREACHED;

	if (telegram_result_is_token_refused(result))
		hint = ": TELEGRAM_BOT_TOKEN is not valid: ask @BotFather for it";
	else if (result->code != 0)
		hint = "";
	TELL(doctor, TELEGRAM, ERROR, "Telegram: %s%s", result->description, hint);
}

/* A link of a group opens the page inside Telegram, logged in, where the bot's main app is that. */
static void
examine_main_app(struct doctor *doctor, const struct json *me)
{
	const char *url = settings_text(doctor->settings, SETTING_PUBLIC_URL);

	if (!doctor->settings->console || doctor->settings->telegram_chat_id > 0 || url == NULL)
		return;
	if (json_get_bool(me, "has_main_web_app", false))
		TELL(doctor, TELEGRAM, OK,
		    "Telegram: [Open] in groups opens the console inside Telegram, if the main app at @BotFather is %s%sconsole/",
		    url, text_ends(url, "/") ? "" : "/");
	else
		TELL(doctor, TELEGRAM, WARNING,
		    "Telegram: [Open] in groups opens a browser, where nobody is logged in: at @BotFather, Bot Settings, Configure Mini App, enable it with %s%sconsole/, then restart deploybot",
		    url, text_ends(url, "/") ? "" : "/");
}

static void
on_me(void *ctx, const struct telegram_result *result)
{
	struct doctor *doctor = ctx;

	if (!result->ok) {
		say_failure(doctor, result);
	} else {
		const char *name = json_get_str(result->result, "username");

		TELL(doctor, TELEGRAM, OK, "Telegram: the bot is @%s", name == NULL ? "?" : name);
		if (json_get_bool(result->result, "can_read_all_group_messages", false))
			TELL(doctor, TELEGRAM, WARNING,
			    "Telegram: privacy mode is off, the bot sees every message of its groups: /setprivacy at @BotFather");
		else
			TELL(doctor, TELEGRAM, OK,
			    "Telegram: privacy mode is on, the bot sees commands only");
		examine_main_app(doctor, result->result);
	}
	doctor_answered(doctor);
}

static void
on_chat(void *ctx, const struct telegram_result *result)
{
	struct doctor *doctor = ctx;
	const long long chat = (long long)doctor->settings->telegram_chat_id;

	if (result->ok)
		TELL(doctor, TELEGRAM, OK, "Telegram: chat %lld is reachable", chat);
	else if (result->new_chat != 0)
		TELL(doctor, TELEGRAM, WARNING,
		    "Telegram: chat %lld has moved: set TELEGRAM_CHAT_ID=%" PRId64, chat,
		    result->new_chat);
	else if (result->code >= 400 && result->code < 500 &&
	    !telegram_result_is_token_refused(result))
		TELL(doctor, TELEGRAM, ERROR,
		    "Telegram: chat %lld: %s: send /start to the bot there, or add it to the group",
		    chat, result->description);
	/* Otherwise getMe has said it. */
	doctor_answered(doctor);
}

/* Ours, none, or another one. */
static void
examine_registration(struct doctor *doctor, const char *url)
{
	const struct settings *s = doctor->settings;

	if (s->telegram_mode == TELEGRAM_POLLING)
		doctor_say(doctor, DOCTOR_WEBHOOKS, url[0] == '\0' ? DOCTOR_OK : DOCTOR_WARNING,
		    "Telegram: %s",
		    url[0] == '\0' ?
			"no webhook is registered, as polling wants it" :
			"a webhook is registered although we poll: it is removed when deploybot starts");
	else if (strcmp(url, s->telegram_webhook_url) == 0)
		TELL(doctor, WEBHOOKS, OK, "Telegram: our webhook is registered");
	else if (url[0] == '\0')
		TELL(doctor, WEBHOOKS, WARNING,
		    "Telegram: no webhook is registered: start deploybot, or type `deploybot webhook set`");
	else
		TELL(doctor, WEBHOOKS, ERROR,
		    "Telegram: another webhook is registered, which gets this bot's commands: restart deploybot if TELEGRAM_WEBHOOK_URL was changed, else type `deploybot webhook set`; if it comes back somebody else has the token: /revoke at @BotFather");
}

static void
on_webhook(void *ctx, const struct telegram_result *result)
{
	struct doctor *doctor = ctx;

	if (result->ok) {
		const char *url = json_text(result->result, "url");
		const char *trouble = json_get_str(result->result, "last_error_message");
		int64_t pending = json_get_i64_or(result->result, "pending_update_count", 0);
		char line[200];

		examine_registration(doctor, url);
		if (url[0] != '\0' && trouble != NULL)
			TELL(doctor, WEBHOOKS, WARNING,
			    "Telegram: its last call of the webhook failed: %s (%" PRId64
			    " updates wait)",
			    clean_line(line, sizeof(line), trouble, strlen(trouble)), pending);
	}
	doctor_answered(doctor);
}

/* What Telegram cannot say: whether the server that runs gets the updates. */
static void
examine_receiving(struct doctor *doctor)
{
	char answer[CLI_PORT_ANSWER + 1];

	if (!cli_port_get(doctor->settings, "/readyz", NULL, answer, NULL))
		return; /* it does not run; what else listens there is said of the port */
	if (cli_port_has_header(answer, ROUTE_HEALTH_MISSES))
		TELL(doctor, TELEGRAM, ERROR,
		    "Telegram: the server that runs here gets no updates: another program polls for this bot (stop it, or take another token), or Telegram is not reached: its log says which (journalctl -u deploybot)");
}

/* --- questions --- */

static void
ask(struct doctor *doctor, struct telegram_api *api, const char *method, const struct buf *json,
    telegram_done_fn *on_done, void *ctx)
{
	const struct telegram_request request = {
		.method = method,
		.json = json,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.on_done = on_done,
		.ctx = ctx,
	};
	struct err err;

	if (telegram_api_call(api, &request, &err) == NULL)
		TELL(doctor, TELEGRAM, ERROR, "Telegram: %s", err.text);
	else
		doctor_asked(doctor);
}

/* Telegram says it for sure where the bot is an administrator of the group, else mostly. */
static void
on_member(void *ctx, const struct telegram_result *result)
{
	const struct member *member = ctx;
	/* 400: it knows nobody of that number, or of no such member. */
	bool is_out = result->ok ? json_has(result->result, "status", "left") ||
		json_has(result->result, "status", "kicked") :
				   result->code == 400;

	if (is_out)
		TELL(member->doctor, TELEGRAM, WARNING,
		    "Telegram: %" PRId64 " may act on an environment, is not in its group %" PRId64
		    " as far as Telegram says, and never wrote to the bot (/start does it): nothing notifies them",
		    member->person, member->group);
	doctor_answered(member->doctor);
}

/* The group of an environment that they could act on; 0: none has one. */
static int64_t
group_of(const struct doctor *doctor, int64_t person)
{
	const struct settings *s = doctor->settings;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		const char *chat = settings_text(e->of, SETTING_TELEGRAM_CHAT_ID);

		if (chat != NULL && chat[0] == '-' &&
		    policy_could_act(s, principal_of_person(person), e->name, clock_wall_ms()))
			return strtoll(chat, NULL, 10);
	}
	return 0;
}

static void
ask_of_members(struct doctor *doctor, struct asking *telegram)
{
	const struct roles *roles = doctor->settings->roles;
	int64_t before = 0;

	for (size_t i = 0; i < roles->member_count && telegram->n_members < MEMBERS_MAX; i++) {
		struct member *member = &telegram->member[telegram->n_members];
		CLEANUP(buf_done) struct buf json = buf_make(96);

		*member = (struct member){ .doctor = doctor, .person = roles->member[i].person };
		if (member->person <= 0 || member->person == before)
			continue;
		before = member->person;
		member->group = group_of(doctor, member->person);
		if (member->group == 0 || row_chat_can_write(doctor->db, member->person))
			continue;
		telegram->n_members++;
		buf_addf(&json, "{\"chat_id\":%" PRId64 ",\"user_id\":%" PRId64 "}", member->group,
		    member->person);
		ask(doctor, telegram->api, "getChatMember", &json, on_member, member);
	}
}

static void
end(void *ctx)
{
	struct asking *telegram = ctx;

	telegram_api_free(telegram->api);
	free(telegram);
}

void
doctor_telegram(struct doctor *doctor)
{
	struct asking *telegram = mem_new(1, sizeof(*telegram));
	struct err err;
	CLEANUP(buf_done) struct buf chat = buf_make(64);

	examine_url(doctor);
	examine_receiving(doctor);
	doctor_at_end(doctor, end, telegram);
	telegram->api = telegram_api_new(doctor->loop, doctor->settings, NULL, NULL, &err);
	if (telegram->api == NULL) {
		TELL(doctor, TELEGRAM, ERROR, "Telegram: %s", err.text);
		return;
	}
	buf_addf(&chat, "{\"chat_id\":%" PRId64 "}", doctor->settings->telegram_chat_id);
	ask(doctor, telegram->api, "getMe", NULL, on_me, doctor);
	ask(doctor, telegram->api, "getChat", &chat, on_chat, doctor);
	ask(doctor, telegram->api, "getWebhookInfo", NULL, on_webhook, doctor);
	ask_of_members(doctor, telegram);
}

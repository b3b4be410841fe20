/* telegram_api.c - calls of the Bot API's methods: one try each, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_api.h"

#include <stdio.h>
#include <sys/queue.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/http_client.h"
#include "lib/json_mend.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/outbound.h"
#include "types/settings.h"

#define API_MAGIC	0x7467a91u
#define TIMEOUT_MS	20000
#define ANSWER_MAX	((size_t)256 * 1024)
#define DESCRIPTION_MAX 256
/* A long poll, a document, and what is said in several chats at once. */
#define IN_FLIGHT_MAX	  8
#define RETRY_AFTER_MAX_S 86400
#define CLOCK_AGE_MS	  (600 * INT64_C(1000)) /* an older Date says nothing of now */

struct telegram_api {
	unsigned magic;
	struct http_client *client;
	LIST_HEAD(, telegram_call) calls;
	void (*count)(void *ctx, const char *method, int code);
	void *count_ctx;
	bool has_clock;	  /* an answer had a Date, then and there: */
	int64_t clock_at; /* monotonic ms */
	int64_t clock_ahead_s;
	size_t base_size;  /* of TELEGRAM_API_BASE, with which that begins: */
	char prefix[1200]; /* "https://api.telegram.org/bot<token>/" */
};

struct telegram_call {
	struct telegram_api *api;
	LIST_ENTRY(telegram_call) of_api;
	struct http_client_call *http;
	const char *method;
	bool is_raw;
	telegram_piece_fn *on_piece;
	telegram_done_fn *on_done;
	void *ctx;
};

static void on_answer(void *ctx, const struct http_client_result *http);
static void read_refusal(const struct http_client_result *http, struct telegram_result *result,
    char description[DESCRIPTION_MAX]);

struct telegram_api *
telegram_api_new(struct loop *loop, const struct settings *settings,
    void (*count)(void *ctx, const char *method, int code), void *count_ctx, struct err *err)
{
	struct telegram_api *api = mem_new(1, sizeof(*api));

	api->magic = API_MAGIC;
	api->count = count;
	api->count_ctx = count_ctx;
	api->base_size = strlen(settings->telegram_api_base);
	int size = snprintf(api->prefix, sizeof(api->prefix), "%s/bot%s/",
	    settings->telegram_api_base, settings->telegram_bot_token);

	if (size < 0 || (size_t)size >= sizeof(api->prefix)) {
		(void)err_set(err, ERR_CONFIG, "TELEGRAM_API_BASE and token are too long");
		telegram_api_free(api);
		return NULL;
	}
	const struct http_client_config config = {
		.connections_max = IN_FLIGHT_MAX,
		.in_flight_max = IN_FLIGHT_MAX,
		.proxy = settings->telegram_proxy,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_TELEGRAM,
		    settings->telegram_proxy == NULL ? settings->telegram_api_base : NULL),
	};

	api->client = http_client_new(loop, &config, err);
	if (api->client != NULL)
		return api;
	telegram_api_free(api);
	return ERR_NULL(err_wrap(err, "Telegram"));
}

void
telegram_api_free(struct telegram_api *api)
{
	if (api == NULL)
		return;
	while (!LIST_EMPTY(&api->calls))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		telegram_api_cancel(LIST_FIRST(&api->calls));
	http_client_free(api->client);
	crypto_wipe(api, sizeof(*api));
	free(api);
}

static void
link_call(struct telegram_api *api, struct telegram_call *call)
{
	call->api = api;
	LIST_INSERT_HEAD(&api->calls, call, of_api);
}

static void
free_call(struct telegram_call *call)
{
	LIST_REMOVE(call, of_api);
	free(call);
}

static bool
on_piece(void *ctx, const void *data, size_t size)
{
	struct telegram_call *call = ctx;

	return call->on_piece(call->ctx, data, size);
}

/* https://core.telegram.org/bots/api#getfile: .../file/bot<token>/<file_path> */
static struct http_client_call *
start_file(struct telegram_api *api, const struct telegram_request *request,
    struct telegram_call *call, struct err *err)
{
	char url[sizeof(api->prefix) + TELEGRAM_PATH_MAX + 8];
	const struct http_client_request http = {
		.label = request->method,
		.url = url,
		.timeout_ms = request->timeout_ms,
		.answer_max = request->answer_max,
		.on_piece = on_piece,
		.on_done = on_answer,
		.ctx = call,
	};
	struct http_client_call *started;

	text_setf(url, "%.*s/file%s%s", (int)api->base_size, api->prefix,
	    api->prefix + api->base_size, request->file);
	started = http_client_start(api->client, &http, err);
	crypto_wipe(url, sizeof(url));
	return started;
}

static struct http_client_call *
start_http(struct telegram_api *api, const struct telegram_request *request,
    struct telegram_call *call, struct err *err)
{
	static const char *const json_headers[] = { "Content-Type: application/json", NULL };
	char url[sizeof(api->prefix) + 64];
	const bool has_json = request->json != NULL;

	text_setf(url, "%s%s", api->prefix, request->method);
	const struct http_client_request http = {
		.label = request->method,
		.method = "POST",
		.url = url,
		.headers = has_json ? json_headers : NULL,
		.body = has_json	    ? buf_text(request->json) :
		    request->part_count > 0 ? NULL :
					      "",
		.body_size = has_json ? request->json->size : 0,
		.parts = request->parts,
		.part_count = request->part_count,
		.timeout_ms = request->timeout_ms == 0 ? TIMEOUT_MS : request->timeout_ms,
		.answer_max = request->answer_max == 0 ? ANSWER_MAX : request->answer_max,
		.on_done = on_answer,
		.ctx = call,
	};
	struct http_client_call *started = http_client_start(api->client, &http, err);

	crypto_wipe(url, sizeof(url));
	return started;
}

struct telegram_call *
telegram_api_call(struct telegram_api *api, const struct telegram_request *request, struct err *err)
{
	OBJ_CHECK(api, API_MAGIC);
	assert(strlen(request->method) < 64);
	if (request->json != NULL && !buf_check(request->json, err))
		return NULL;
	struct telegram_call *call = mem_new(1, sizeof(*call));

	link_call(api, call);
	call->method = request->method;
	call->is_raw = request->is_raw;
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	call->on_piece = request->on_piece;
	call->http = request->file != NULL ? start_file(api, request, call, err) :
					     start_http(api, request, call, err);
	if (call->http != NULL)
		return call;
	free_call(call);
	return NULL;
}

struct telegram_call *
telegram_api_post(struct telegram_api *api, const char *method, const struct buf *json,
    telegram_done_fn *on_done, void *ctx, struct err *err)
{
	const struct telegram_request request = {
		.method = method, .json = json, .on_done = on_done, .ctx = ctx
	};

	return telegram_api_call(api, &request, err);
}

void
telegram_api_cancel(struct telegram_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free_call(call);
}

bool
telegram_api_may_be_done(const struct telegram_call *call)
{
	return http_client_was_sent(call->http);
}

/* An answer of 200 whose body says ok; false: it is none, whatever its status. */
static bool
read_success(const struct http_client_result *http, bool is_raw, struct json **ret_root,
    struct telegram_result *result)
{
	if (http->code != ERR_NONE || http->status != 200)
		return false;
	if (!is_raw) {
		*ret_root = json_decode_mended(http->body, http->body_size, NULL);
		if (!json_get_bool(*ret_root, "ok", false))
			return false;
		result->result = json_get(*ret_root, "result");
	}
	result->ok = true;
	result->code = 200;
	result->description = "";
	result->body = http->body;
	result->body_size = http->body_size;
	return true;
}

static void
note_clock(struct telegram_api *api, const struct http_client_result *http)
{
	int64_t date = http->code == ERR_NONE ? http_client_date(http) : -1;

	if (date < 0)
		return;
	api->has_clock = true;
	api->clock_at = clock_monotonic_ms();
	api->clock_ahead_s = clock_wall_ms() / 1000 - date;
}

bool
telegram_api_clock(const struct telegram_api *api, int64_t *ret_ahead_s)
{
	*ret_ahead_s = api->clock_ahead_s;
	return api->has_clock && clock_monotonic_ms() - api->clock_at <= CLOCK_AGE_MS;
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct telegram_call *call = ctx;
	struct telegram_api *api = call->api;
	struct telegram_result result = { 0 };
	char description[DESCRIPTION_MAX];
	CLEANUP(json_freep) struct json *root = NULL;

	OBJ_CHECK(api, API_MAGIC);
	note_clock(api, http);
	if (!read_success(http, call->is_raw, &root, &result))
		read_refusal(http, &result, description);
	telegram_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;
	const char *method = call->method;

	free_call(call);
	if (api->count != NULL)
		api->count(api->count_ctx, method, result.code);
	on_done(done_ctx, &result);
}

static void
describe(char description[DESCRIPTION_MAX], const char *text)
{
	(void)clean_line(description, DESCRIPTION_MAX, text, strlen(text));
}

/* https://core.telegram.org/bots/api#making-requests: {"ok":false,"error_code","description",
 * "parameters"}.  A proxy in between answers without any of it: then the status speaks. */
static void
read_refusal(const struct http_client_result *http, struct telegram_result *result,
    char description[DESCRIPTION_MAX])
{
	result->description = description;
	if (http->code != ERR_NONE) {
		result->is_unanswered = http_client_was_sent(http->call);
		describe(description, http->text);
		return;
	}
	CLEANUP(json_freep)
	struct json *root = json_decode_mended(http->body, http->body_size, NULL);
	const struct json *parameters = json_get(root, "parameters");
	const char *text = json_get_str(root, "description");
	int64_t code = json_get_i64_or(root, "error_code", http->status);

	result->code = code >= 300 && code < 600 ? (int)code :
	    http->status == 200			 ? 0 :
						   http->status;
	result->is_unanswered = result->code < 300 || result->code >= 500;
	result->retry_after_s = json_get_i64_or(parameters, "retry_after", 0);
	if (result->retry_after_s < 0)
		result->retry_after_s = 0;
	if (result->retry_after_s > RETRY_AFTER_MAX_S)
		result->retry_after_s = RETRY_AFTER_MAX_S;
	result->new_chat = json_get_i64_or(parameters, "migrate_to_chat_id", 0);
	if (text != NULL)
		describe(description, text);
	else
		(void)snprintf(description, DESCRIPTION_MAX,
		    "status %d without an answer of the Bot API", http->status);
}

bool
telegram_result_is_token_refused(const struct telegram_result *result)
{
	/* 404 is what a malformed token gets; every method that we call exists. */
	return !result->ok && (result->code == 401 || result->code == 404);
}

bool
telegram_result_is_passing(const struct telegram_result *result)
{
	if (result->ok)
		return false;
	return result->code < 400 || result->code == 408 || result->code == 409 ||
	    result->code == 429 || result->code >= 500 || telegram_result_is_token_refused(result);
}

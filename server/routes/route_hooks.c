/* route_hooks.c - from a call's head to the store's answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_hooks.h"

#include "lib/bucket.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/refusals.h"
#include "types/settings.h"

#define HOOKS_MAGIC  0x686f6f6bu
#define CALL_MAGIC   0x63616c6cu
#define REFUSED_WORD "hook"

/* Of one hook, before anything is decided: what it starts has a limit of its own
 * (decide_limit.h).  With more hooks than these, the one that was called longest ago loses its. */
#define CALLED_MAX 256
static const struct bucket_rate call_rate = { .capacity = 60, .token_ms = 100 };

struct called {
	char id[ENVIRONMENT_ID_MAX]; /* "": none */
	int64_t at;
	struct bucket calls;
};

struct route_hooks {
	unsigned magic;
	struct route_hooks_config config;
	struct called called[CALLED_MAX];
};

/* One that was let in. */
struct call {
	unsigned magic;
	struct route_hooks *hooks;
	struct http_request *request;
	char id[ENVIRONMENT_ID_MAX];
	char application[ENVIRONMENT_NAME_MAX];
	struct hook_line line;
};

static http_server_begin_fn on_begin;
static http_server_request_fn on_request;
static event_done on_decided;

struct route_hooks *
route_hooks_new(const struct route_hooks_config *config)
{
	struct route_hooks *hooks = mem_new(1, sizeof(*hooks));

	hooks->magic = HOOKS_MAGIC;
	hooks->config = *config;
	return hooks;
}

void
route_hooks_free(struct route_hooks *hooks)
{
	if (hooks == NULL)
		return;
	OBJ_CHECK(hooks, HOOKS_MAGIC);
	hooks->magic = 0;
	free(hooks);
}

struct http_route
route_hooks(struct route_hooks *hooks)
{
	static const char *const types[] = { "application/json", NULL };

	return (struct http_route){
		.methods = "POST",
		.path = ROUTE_HOOKS_PATH,
		.body_max = ROUTE_HOOKS_BODY_MAX,
		.types = types,
		.on_begin = on_begin,
		.on_request = on_request,
		.ctx = hooks,
	};
}

/* --- answers --- */

static void
answer(struct call *call, int status, const char *json)
{
	static const struct http_header later = { "Retry-After", "10" };
	const struct route_hooks_config *config = &call->hooks->config;

	config->count_request(config->ctx, call->application, status);
	http_request_answer_text(call->request, status, "application/json",
	    status == 503 || status == 429 ? &later : NULL, json);
}

static void
answer_said(struct call *call, int status, const char *said)
{
	CLEANUP(buf_done) struct buf out = buf_make(LIMIT_LINE * 8);
	struct json_out json = json_out_begin(&out, '{');

	json_put_str(&json, "id", NULL);
	json_put_str(&json, "state", NULL);
	json_put_str(&json, "said", said);
	json_out_end(&json);
	answer(call, status, buf_text(&out));
}

/* --- who is not let in --- */

/* The same for a hook that is not there: its name is not in the log, nor in the audit. */
static void
refuse(struct route_hooks *hooks, struct http_request *request)
{
	static const struct http_header headers[] = { { "WWW-Authenticate", "Bearer" },
		{ NULL, NULL } };

	log_debug("a call of " ROUTE_HOOKS_PATH " was refused: its token is missing or wrong");
	refusals_add(
	    hooks->config.refusals, REFUSED_WORD, "token", "", http_request_client(request), false);
	hooks->config.count_request(hooks->config.ctx, "", 401);
	http_request_answer(request, 401, headers, NULL, 0);
}

/* "Bearer TOKEN"; NULL: it is none, or there are two. */
static const char *
token_of(const struct http_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *value = http_request_header(request, "Authorization");

	if (value == NULL || !text_starts_ci(value, scheme))
		return NULL;
	return value + strlen(scheme) + strspn(value + strlen(scheme), " ");
}

/* --- a request, in the order of what happens --- */

static void
call_free(void *user)
{
	struct call *call = OBJ_OF(struct call, user, CALL_MAGIC);

	call->magic = 0;
	free(call);
}

static struct call *
call_new(struct route_hooks *hooks, struct http_request *request, const struct hook *hook)
{
	struct call *call = mem_new(1, sizeof(*call));

	call->magic = CALL_MAGIC;
	call->hooks = hooks;
	call->request = request;
	text_set(call->id, hook->id);
	text_set(call->application, hook->application);
	hook_line_read(hook->starts, hook->application, &call->line);
	return call;
}

static struct bucket *
bucket_of(struct route_hooks *hooks, const char *id)
{
	struct called *found = &hooks->called[0];

	for (size_t i = 0; i < CALLED_MAX && strcmp(found->id, id) != 0; i++)
		if (strcmp(hooks->called[i].id, id) == 0 || hooks->called[i].at < found->at)
			found = &hooks->called[i];
	if (strcmp(found->id, id) != 0)
		*found = (struct called){ .at = 0 };
	text_set(found->id, id); /* of the same size */
	found->at = clock_monotonic_ms();
	return &found->calls;
}

static void
on_begin(struct http_request *request, void *ctx)
{
	/* So that the same is done for a hook that is not there. */
	static const struct secret nobodys = {
		.values = { "a secret that is never compared with success" }
	};
	struct route_hooks *hooks = OBJ_OF(struct route_hooks, ctx, HOOKS_MAGIC);
	const char *token = token_of(request);
	struct hook hook = { 0 };
	bool is_there = hook_find(hooks->config.settings(hooks->config.ctx),
			    http_request_path(request) + strlen(ROUTE_HOOKS_PATH), &hook) &&
	    hook.secret.values[0] != NULL;
	int value = secret_find(is_there ? &hook.secret : &nobodys, token);
	struct call *call;

	if (!is_there || value < 0) {
		refuse(hooks, request);
		return;
	}
	if (value > 0)
		secret_note_used(&hook.secret, hooks->config.submit, hooks->config.ctx);
	call = call_new(hooks, request, &hook);
	http_request_set_user(request, call, call_free);
	if (!bucket_take(bucket_of(hooks, call->id), call_rate, clock_monotonic_ms(), 1))
		answer_said(call, 429, "too many calls of this hook: wait a moment");
}

/* By which key the caller knows it again; false: it is none that could be one. */
static bool
take_key(const struct http_request *request, char out[HOOK_KEY_MAX + 1])
{
	static const char *const names[] = { "Idempotency-Key", "X-Delivery-ID", "webhook-id" };
	const char *key = NULL;

	for (size_t i = 0; i < COUNT(names) && key == NULL; i++)
		key = http_request_header(request, names[i]);
	return hook_key_copy(key, out);
}

static bool
fill(struct call *call, struct hook_call *ret, struct err *err)
{
	size_t size = 0;
	CLEANUP(freep) char *body = http_request_take_body(call->request, &size);

	if (!hook_line_request(&call->line, body, size, &ret->request, err) ||
	    !crypto_sha256(body == NULL ? "" : body, size, ret->digest, err))
		return false;
	if (!take_key(call->request, ret->key))
		return err_set(err, ERR_INVALID,
		    "Idempotency-Key: expected 1 to %d characters of ASCII, without blanks",
		    HOOK_KEY_MAX);
	text_set(ret->id, call->id);
	ret->from = (struct update){ .kind = UPDATE_TEXT };
	text_setf(ret->from.name, "hook %s", call->id);
	return true;
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct route_hooks *hooks = OBJ_OF(struct route_hooks, ctx, HOOKS_MAGIC);
	struct call *call = OBJ_OF(struct call, http_request_user(request), CALL_MAGIC);
	struct event *event = event_new(EVENT_HOOK);
	struct err err;

	event->u.hook = mem_new(1, sizeof(*event->u.hook));
	if (!fill(call, event->u.hook, &err)) {
		event_free(event);
		answer_said(call, err.code == ERR_IO ? 503 : 400, err.text); /* OpenSSL's: 503 */
		return;
	}
	event->done = on_decided;
	event->done_ctx = call;
	if (hooks->config.submit(hooks->config.ctx, event))
		return;
	event_free(event);
	answer_said(call, 503, "the server is busy: try again in a moment");
}

static void
on_decided(void *ctx, const struct answer *decided)
{
	struct call *call = OBJ_OF(struct call, ctx, CALL_MAGIC);

	if (decided->text == NULL)
		answer_said(call, decided->status >= 400 ? decided->status : 503,
		    "the server could not decide on it: try again, and see its log");
	else
		answer(call, decided->status, decided->text);
}

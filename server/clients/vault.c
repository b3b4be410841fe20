/* vault.c - our own token comes first; whoever asks meanwhile waits for it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "clients/vault_life.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/outbound.h"
#include "types/settings.h"

#define TIMEOUT_MS 10000
#define LOGIN_MAX  4096
#define HEADERS	   6

struct vault {
	struct loop *loop;
	struct settings *settings;
	struct http_client *http; /* NULL: nobody can be asked, and why */
	char why[LIMIT_LINE];
	char token[VAULT_TOKEN_MAX + 1]; /* ours; "": none that counts */
	unsigned number;		 /* of logins: of which one it is */
	struct vault_life life;
	bool is_up;
	bool was_warned; /* that it ends, and nothing takes its place */
	enum vault_step step;
	struct http_client_call *own; /* in progress; NULL: none */
	struct loop_timer timer;      /* the next step */
	struct vault_answer last;     /* of the last step that failed */
	unsigned round;		      /* of who waited: whoever comes now waits for the next */
	size_t n_calls;
	TAILQ_HEAD(, vault_call) calls;
	struct loop_task end_task; /* calls that others' settings have ended */
};

struct vault_call {
	struct vault *vault;
	TAILQ_ENTRY(vault_call) of_vault;
	enum { WAITS, ASKED, PAUSES, ENDED } state;
	unsigned round, number;	       /* of waiting; of the login whose token it was asked with */
	bool is_second;		       /* it was refused before, or came too early */
	bool is_doubted;	       /* it waits to know whose the 403 was: `answer` has it */
	struct http_client_call *http; /* NULL: not ASKED */
	struct loop_timer timer;
	struct vault_answer answer;
	struct vault_request request; /* but for its path and body, which are these: */
	char path[VAULT_PATH];
	char *body;
	char *own;   /* of its request, and not ours; NULL: none */
	char *shown; /* the token that it was asked with; NULL: none */
};

static void take_step(struct vault *v, enum vault_step step);
static void on_reply(void *ctx, const struct http_client_result *http);

static bool
is_by_role(const struct vault *v)
{
	return v->settings->vault.role_id != NULL;
}

/* --- one request --- */

struct ask {
	const char *path, *method, *body;
	const char *token; /* NULL: none is shown */
	int wrap_ttl_s;
	bool is_once;
	void (*on_done)(void *ctx, const struct http_client_result *http);
	void *ctx;
};

static struct http_client_call *
send_ask(struct vault *v, const struct ask *ask, struct err *err)
{
	CLEANUP(buf_wipe) struct buf token = buf_make(VAULT_TOKEN_MAX + 64);
	const struct settings_vault *settings = &v->settings->vault;
	char url[LIMIT_URL + VAULT_PATH], space[320], wrap[64];
	const char *headers[HEADERS] = { "X-Vault-Request: true" };
	size_t n = 1;

	text_setf(url, "%s/v1/%s", settings->address, ask->path);
	if (ask->token != NULL) {
		buf_addf(&token, "X-Vault-Token: %s", ask->token);
		headers[n++] = buf_text(&token);
	}
	/* Of a node, and not of a namespace. */
	if (settings->name_space != NULL && strcmp(ask->path, VAULT_HEALTH) != 0) {
		text_setf(space, "X-Vault-Namespace: %s", settings->name_space);
		headers[n++] = space;
	}
	if (ask->wrap_ttl_s > 0) {
		text_setf(wrap, "X-Vault-Wrap-TTL: %d", ask->wrap_ttl_s);
		headers[n++] = wrap;
	}
	if (ask->body != NULL)
		headers[n++] = "Content-Type: application/json";
	assert(n < HEADERS);
	return http_client_start(v->http,
	    &(struct http_client_request){ .label = "Vault",
		.url = url,
		.headers = headers,
		.method = ask->method,
		.body = ask->body,
		.body_size = ask->body == NULL ? 0 : strlen(ask->body),
		.timeout_ms = TIMEOUT_MS,
		.is_once = ask->is_once,
		.answer_max = VAULT_ANSWER_MAX,
		.on_done = ask->on_done,
		.ctx = ask->ctx },
	    err);
}

static struct vault_answer
judge(const struct http_client_result *http, const char *path, const char *secret,
    struct json **ret_body)
{
	return vault_judge(&(struct vault_reply){ .code = http->code,
			       .text = http->why,
			       .was_sent = http_client_was_sent(http->call),
			       .status = http->status,
			       .body = http->body,
			       .body_size = http->body_size,
			       .retry_after = http_client_header(http, "Retry-After"),
			       .location = http_client_header(http, "Location"),
			       .date_s = http_client_date(http),
			       .now_s = clock_wall_ms() / 1000,
			       .is_health = strcmp(path, VAULT_HEALTH) == 0,
			       .secret = secret },
	    ret_body);
}

/* --- the end of a call --- */

static void
free_call(struct vault_call *call)
{
	TAILQ_REMOVE(&call->vault->calls, call, of_vault);
	call->vault->n_calls--;
	loop_timer_stop(&call->timer);
	settings_wipe_text(&call->body);
	settings_wipe_text(&call->own);
	settings_wipe_text(&call->shown);
	free(call);
}

static void
finish(struct vault_call *call, const struct vault_answer *answer, const struct json *body)
{
	vault_done_fn *on_done = call->request.on_done;
	void *ctx = call->request.ctx;

	free_call(call);
	on_done(ctx, answer, body);
}

void
vault_cancel(struct vault_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free_call(call);
}

/* False: it could not be sent, and *err says why. */
static bool
send_call(struct vault_call *call, struct err *err)
{
	struct vault *v = call->vault;

	call->number = v->number;
	call->is_doubted = false;
	settings_wipe_text(&call->shown);
	call->shown = mem_text(call->request.is_anonymous ? call->own : v->token);
	call->http = send_ask(v,
	    &(struct ask){ .path = call->path,
		.method = call->request.method,
		.body = call->body,
		.token = call->shown,
		.wrap_ttl_s = call->request.wrap_ttl_s,
		.is_once = true, /* a GET may make credentials, too */
		.on_done = on_reply,
		.ctx = call },
	    err);
	call->state = call->http != NULL ? ASKED : call->state;
	return call->http != NULL;
}

static void
go_on(struct vault_call *call)
{
	struct vault_answer answer = { .verdict = VAULT_AWAY };
	struct err err;

	if (send_call(call, &err))
		return;
	text_set(answer.detail, err.text); /* it fits */
	finish(call, &answer, NULL);
}

static struct vault_call *
next_waiting(const struct vault *v)
{
	struct vault_call *call;

	TAILQ_FOREACH(call, &v->calls, of_vault)
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
	if (call->state == WAITS && call->round != v->round)
		return call;
	return NULL;
}

/* A step has ended: whoever waited goes on with the token, or without one ends with its answer. */
static void
let_in(struct vault *v, const struct vault_answer *answer)
{
	struct vault_answer of_access = *answer;
	struct vault_call *call;

	of_access.is_of_access = true;
	v->round++;
	while ((call = next_waiting(v)) != NULL) {
		struct vault_answer its = call->answer;

		if (v->token[0] == '\0')
			finish(call, &of_access, NULL);
		else if (call->is_doubted && call->number == v->number)
			finish(call, &its, NULL);
		else
			go_on(call);
	}
}

/* --- our own token --- */

static void
forget_token(struct vault *v)
{
	crypto_wipe(v->token, sizeof(v->token));
	vault_life_forget(&v->life);
	v->was_warned = false;
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	struct vault *v = ctx;

	if (v->own == NULL)
		take_step(v, vault_life_next(&v->life, clock_monotonic_ms()));
}

static void
schedule(struct vault *v)
{
	loop_timer_start(v->loop, &v->timer, vault_life_wait_ms(&v->life, clock_monotonic_ms()), 0);
}

/* A person must put another one there, and is told once. */
static void
warn_of_end(struct vault *v)
{
	char left[TEXT_DURATION_SIZE];

	if (!vault_life_is_ending(&v->life) || v->was_warned)
		return;
	v->was_warned = true;
	log_warning(
	    "Vault: VAULT_TOKEN cannot be renewed any more and ends in %s: put another one there, best a periodic one",
	    text_duration(left, v->life.ends_at - clock_monotonic_ms()));
}

static void
succeed(struct vault *v)
{
	if (!v->is_up)
		log_info("Vault: our token is good");
	v->is_up = true;
	warn_of_end(v);
}

/* The step has failed as `answer` says: another try comes after a pause. */
static void
fail(struct vault *v, const struct vault_answer *answer)
{
	if (v->is_up || v->life.pause_s == 0)
		log_warning("Vault: %s: %s; deploybot doctor says what to do",
		    vault_step_path(v->step), answer->detail);
	v->is_up = false;
	v->last = *answer;
	vault_life_fail(&v->life, answer->retry_after_s);
}

/* What a good answer has of our token.  False: nothing that can be used. */
static bool
take_answer(struct vault *v, const struct json *body, struct err *err)
{
	const char *own = v->settings->vault.token; /* it may have been refused before */
	struct vault_token token;
	bool ok = v->step == VAULT_LOG_IN ? vault_read_login(body, &token, err) :
	    v->step == VAULT_RENEW	  ? vault_read_renewal(body, &token, err) :
					    vault_read_lookup(body, &token, err);

	if (ok && v->step == VAULT_LOG_IN) {
		forget_token(v);
		v->number++;
	}
	if (ok && (v->step == VAULT_LOG_IN || own != NULL))
		text_set(v->token, v->step == VAULT_LOG_IN ? token.text : own); /* both fit */
	if (ok)
		vault_life_take(&v->life, v->step, &token, clock_monotonic_ms());
	crypto_wipe(&token, sizeof(token));
	return ok;
}

/* Vault says no.  True: something else was begun at once; false: the step has failed. */
static bool
take_refusal(struct vault *v, struct vault_answer *answer)
{
	enum vault_step next;
	bool goes_on;

	if (answer->verdict != VAULT_FORBIDDEN && answer->verdict != VAULT_INVALID)
		return false;
	answer->verdict = VAULT_TOKEN_REFUSED;
	goes_on = vault_life_refuse(&v->life, v->step, &next);
	if (!v->life.has_token)
		forget_token(v);
	if (goes_on)
		take_step(v, next);
	return goes_on;
}

static void
on_step(void *ctx, const struct http_client_result *http)
{
	struct vault *v = ctx;
	const struct settings_vault *settings = &v->settings->vault;
	const char *own = is_by_role(v) ? v->token : settings->token;
	CLEANUP(json_freep) struct json *body = NULL;
	struct vault_answer answer = judge(http, vault_step_path(v->step),
	    v->step == VAULT_LOG_IN ? settings->secret_id : own, &body);
	struct err err;

	v->own = NULL;
	if (answer.verdict == VAULT_DONE && !take_answer(v, body, &err)) {
		answer.verdict = VAULT_TORN;
		text_set(answer.detail, err.text); /* it fits */
	}
	if (answer.verdict == VAULT_DONE && v->step == VAULT_LOG_IN) {
		take_step(v, VAULT_LOOK_UP);
		let_in(v, &answer);
		return;
	}
	if (answer.verdict == VAULT_DONE)
		succeed(v);
	else if (take_refusal(v, &answer))
		return;
	else
		fail(v, &answer);
	schedule(v);
	let_in(v, &answer);
}

static bool
send_step(struct vault *v, struct err *err)
{
	CLEANUP(buf_wipe) struct buf body = buf_make(LOGIN_MAX);
	const struct settings_vault *settings = &v->settings->vault;
	struct ask ask = { .path = vault_step_path(v->step),
		.token = is_by_role(v) ? v->token : settings->token,
		.on_done = on_step,
		.ctx = v };

	if (v->step == VAULT_LOG_IN) {
		struct json_out json = json_out_begin(&body, '{');

		json_put_str(&json, "role_id", settings->role_id);
		json_put_str(&json, "secret_id", settings->secret_id);
		json_out_end(&json);
		ask.token = NULL;
		ask.is_once = true;
	} else if (v->step == VAULT_RENEW) {
		buf_adds(&body, "{}");
	}
	ask.body = body.size > 0 ? buf_text(&body) : NULL;
	v->own = buf_check(&body, err) ? send_ask(v, &ask, err) : NULL;
	return v->own != NULL;
}

static void
take_step(struct vault *v, enum vault_step step)
{
	struct vault_answer answer = { .verdict = VAULT_AWAY };
	struct err err;

	loop_timer_stop(&v->timer);
	v->step = step;
	if (send_step(v, &err))
		return;
	text_set(answer.detail, err.text); /* it fits */
	fail(v, &answer);
	schedule(v);
	let_in(v, &answer);
}

/* --- a call --- */

/* Until a step has said how our token stands. */
static void
wait_for_token(struct vault_call *call)
{
	struct vault *v = call->vault;

	call->state = WAITS;
	call->round = v->round;
	if (v->own == NULL)
		loop_timer_start(v->loop, &v->timer, 0, 0);
}

static void
on_pause_over(UNUSED struct loop_timer *timer, void *ctx)
{
	struct vault_call *call = ctx;

	if (call->request.is_anonymous || call->vault->token[0] != '\0')
		go_on(call);
	else
		wait_for_token(call);
}

static void
on_reply(void *ctx, const struct http_client_result *http)
{
	struct vault_call *call = ctx;
	struct vault *v = call->vault;
	CLEANUP(json_freep) struct json *body = NULL;
	struct vault_answer answer = judge(http, call->path, call->shown, &body);
	bool is_refused = answer.verdict == VAULT_FORBIDDEN && !call->request.is_anonymous;

	call->http = NULL;
	if (call->is_second || (!is_refused && answer.verdict != VAULT_AGAIN)) {
		finish(call, &answer, body);
		return;
	}
	call->is_second = true;
	call->answer = answer;
	if (!is_refused) {
		call->state = PAUSES;
		loop_timer_start(v->loop, &call->timer, answer.retry_after_s * 1000, 0);
	} else if (call->number != v->number) {
		go_on(call); /* another token has come meanwhile */
	} else {
		call->is_doubted = true;
		wait_for_token(call);
	}
}

static bool
may_start(const struct vault *v, const struct vault_request *request, struct err *err)
{
	if (v->http == NULL)
		return err_set(err, ERR_CONFIG, "%s", v->why);
	if (!vault_path_is_fit(request->path))
		return err_set(err, ERR_INVALID, "no path of Vault's is like this");
	if (v->n_calls >= VAULT_CALLS)
		return err_set(err, ERR_BUSY, "%d calls of Vault are waited for", VAULT_CALLS);
	if (!request->is_anonymous && v->token[0] == '\0' && v->life.pause_s > 0 &&
	    v->last.verdict == VAULT_TOKEN_REFUSED)
		return err_set(err, ERR_DENIED, "%s", v->last.detail);
	return true;
}

struct vault_call *
vault_start(struct vault *v, const struct vault_request *request, struct err *err)
{
	struct vault_call *call;

	if (!may_start(v, request, err))
		return NULL;
	call = mem_new(1, sizeof(*call));
	*call = (struct vault_call){ .vault = v, .request = *request };
	call->body = mem_text(request->body);
	call->own = mem_text(request->token);
	text_set(call->path, request->path); /* it fits */
	loop_timer_init(&call->timer, on_pause_over, call);
	TAILQ_INSERT_TAIL(&v->calls, call, of_vault);
	v->n_calls++;
	if (!request->is_anonymous && v->token[0] == '\0') {
		wait_for_token(call);
	} else if (!send_call(call, err)) {
		free_call(call);
		return NULL;
	}
	return call;
}

/* --- all of it --- */

static void
open_client(struct vault *v)
{
	const struct settings_vault *settings = &v->settings->vault;
	struct err err = { .text = "VAULT_ADDR is not set" };

	if (settings->address != NULL)
		v->http = http_client_new(v->loop,
		    &(struct http_client_config){ .connections_max = VAULT_AT_ONCE,
			.in_flight_max = VAULT_AT_ONCE,
			.queue_max = VAULT_CALLS + 1,
			.user_agent = "deploybot",
			.ca_file = settings->ca_file,
			.address_is_allowed = outbound_allows,
			.address_ctx = outbound_of(OUTBOUND_VAULT, settings->address) },
		    &err);
	text_set(v->why, v->http == NULL ? err.text : ""); /* it fits */
	v->life.is_by_role = is_by_role(v);
	if (v->http != NULL)
		loop_timer_start(v->loop, &v->timer, 0, 0);
	else if (settings->address != NULL)
		log_warning("Vault cannot be asked: %s", v->why);
}

static void
close_client(struct vault *v)
{
	loop_timer_stop(&v->timer);
	http_client_cancel(v->own);
	v->own = NULL;
	http_client_free(v->http);
	v->http = NULL;
	forget_token(v);
	v->number++;
	v->is_up = false;
	v->life.pause_s = 0;
}

static void
on_end(UNUSED struct loop_task *task, void *ctx)
{
	struct vault *v = ctx;
	struct vault_call *call = TAILQ_FIRST(&v->calls);

	while (call != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		struct vault_answer answer = call->answer;

		if (call->state != ENDED) {
			call = TAILQ_NEXT(call, of_vault);
			continue;
		}
		finish(call, &answer, NULL);
		call = TAILQ_FIRST(&v->calls); /* others may have gone with it */
	}
}

/* Not in here: whoever reads settings anew is in the middle of that. */
static void
end_calls(struct vault *v)
{
	struct vault_call *call;

	TAILQ_FOREACH(call, &v->calls, of_vault)
	{
		if (call->state == ENDED)
			continue;
		call->answer = (struct vault_answer){ .verdict = VAULT_AWAY,
			.was_sent = call->http != NULL && http_client_was_sent(call->http),
			.detail = "other settings of Vault are in force since" };
		http_client_cancel(call->http);
		call->http = NULL;
		loop_timer_stop(&call->timer);
		call->state = ENDED;
	}
	loop_defer(v->loop, &v->end_task);
}

struct vault *
vault_new(struct loop *loop, struct settings *settings)
{
	struct vault *v = mem_new(1, sizeof(*v));

	v->loop = loop;
	v->settings = settings_ref(settings);
	TAILQ_INIT(&v->calls);
	loop_timer_init(&v->timer, on_time, v);
	loop_task_init(&v->end_task, on_end, v);
	open_client(v);
	return v;
}

void
vault_free(struct vault *v)
{
	if (v == NULL)
		return;
	while (!TAILQ_EMPTY(&v->calls))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		vault_cancel(TAILQ_FIRST(&v->calls));
	loop_task_cancel(&v->end_task);
	close_client(v);
	settings_unref(v->settings);
	free(v);
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : crypto_same_text(a, b);
}

void
vault_settings(struct vault *v, struct settings *settings)
{
	const struct settings_vault *now = &settings->vault, *before = &v->settings->vault;
	bool is_other = !is_same(now->address, before->address) ||
	    !is_same(now->ca_file, before->ca_file) ||
	    !is_same(now->name_space, before->name_space) || !is_same(now->token, before->token) ||
	    !is_same(now->role_id, before->role_id) || !is_same(now->secret_id, before->secret_id);

	settings_ref(settings);
	if (is_other) {
		end_calls(v);
		close_client(v);
	}
	settings_unref(v->settings);
	v->settings = settings;
	if (is_other)
		open_client(v);
}

struct vault_state
vault_look(const struct vault *v)
{
	bool has_token = v->token[0] != '\0';
	int64_t left_ms =
	    has_token && v->life.ends_at != 0 ? v->life.ends_at - clock_monotonic_ms() : 0;

	return (struct vault_state){ .is_set = v->settings->vault.address != NULL,
		.is_up = v->is_up,
		.ends = !has_token || v->life.ends_at != 0,
		.ends_in_s = left_ms > 0 ? left_ms / 1000 : 0 };
}

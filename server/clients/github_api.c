/* github_api.c - a call: where its repository is installed, a token for that, and the request itself.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "clients/github_account.h"
#include "clients/github_need.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/crypto_rsa.h"
#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/jwt.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/outbound.h"
#include "types/settings.h"

#define AT_ONCE	   10
#define TIMEOUT_MS 10000
#define WAITING	   512 /* 200 applications, each of which asks for two things */
#define HOSTS_MAX  16
#define BODY_MAX   65536
#define BEARER_MAX (JWT_MAX + 32)

/* An address, which is a trust zone. */
struct host {
	char *base;
	struct http_client *http;
};

struct github_api {
	struct loop *loop;
	struct github_accounts *accounts;
	size_t n_hosts;
	struct host hosts[HOSTS_MAX];
	LIST_HEAD(calls, github_api_call) waiting; /* for a token that another one asks for */
};

/* What its request in flight is for. */
enum step { STEP_FIND, STEP_TOKEN, STEP_CALL };

struct github_api_call {
	struct github_api *api;
	struct host *host;
	struct github_account *account; /* whose limit it counts for; NULL: not known yet */
	enum step step;
	struct http_client_call *http; /* NULL: it waits */
	LIST_ENTRY(github_api_call) of_waiting;
	uint32_t needs;
	int64_t timeout_ms;
	char *app_id;	  /* NULL: it asks as itself, without an installation */
	char *credential; /* the App's JWT, or a person's token */
	char *repository, *url, *method, *body, *etag;
	github_api_done_fn *on_done;
	void *ctx;
};

static bool take_step(struct github_api_call *call, struct err *err);
static void on_reply(void *ctx, const struct http_client_result *http);

/* --- the client --- */

struct github_api *
github_api_new(struct loop *loop)
{
	struct github_api *api = mem_new(1, sizeof(*api));

	api->loop = loop;
	api->accounts = github_accounts_new();
	LIST_INIT(&api->waiting);
	return api;
}

void
github_api_free(struct github_api *api)
{
	if (api == NULL)
		return;
	for (size_t i = 0; i < api->n_hosts; i++) {
		http_client_free(api->hosts[i].http);
		free(api->hosts[i].base);
	}
	github_accounts_free(api->accounts);
	free(api);
}

double
github_api_factor(const struct github_api *api)
{
	return github_accounts_factor(api->accounts, clock_wall_ms() / 1000);
}

/* Made when the first one asks there. */
static struct host *
host_of(struct github_api *api, const char *base, struct err *err)
{
	const struct http_client_config config = {
		.connections_max = AT_ONCE,
		.in_flight_max = AT_ONCE,
		.queue_max = WAITING,
		.user_agent = "deploybot",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_GITHUB, base),
	};
	struct http_client *http;

	for (size_t i = 0; i < api->n_hosts; i++)
		if (strcmp(api->hosts[i].base, base) == 0)
			return &api->hosts[i];
	if (api->n_hosts == HOSTS_MAX)
		return ERR_NULL(err_set(
		    err, ERR_LIMIT, "GITHUB_API_URL has had %d values: restart", HOSTS_MAX));
	http = http_client_new(api->loop, &config, err);
	if (http == NULL)
		return NULL;
	api->hosts[api->n_hosts] = (struct host){ mem_text(base), http };
	return &api->hosts[api->n_hosts++];
}

/* --- the end of a call --- */

static void
free_call(struct github_api_call *call)
{
	if (call->credential != NULL)
		crypto_wipe(call->credential, strlen(call->credential));
	free(call->credential);
	free(call->app_id);
	free(call->repository);
	free(call->url);
	free(call->method);
	free(call->body);
	free(call->etag);
	free(call);
}

static void
finish(
    struct github_api_call *call, const struct github_api_answer *answer, const struct json *body)
{
	github_api_done_fn *on_done = call->on_done;
	void *ctx = call->ctx;

	free_call(call);
	on_done(ctx, answer, body);
}

/* What could not even be asked. */
static void
fail(struct github_api_call *call, const struct err *err)
{
	struct github_api_answer answer = { .verdict = GITHUB_AWAY,
		.is_of_access = call->step != STEP_CALL };
	int64_t now_s = clock_wall_ms() / 1000;

	if (call->account != NULL && err->code == ERR_BUSY)
		answer.retry_after_s = github_api_budget_wait_s(&call->account->budget, now_s);
	if (answer.retry_after_s > 0)
		answer.verdict = GITHUB_LIMITED;
	(void)text_copy(answer.detail, sizeof(answer.detail), err->text); /* it fits */
	finish(call, &answer, NULL);
}

static void
go_on(struct github_api_call *call)
{
	struct err err;

	if (!take_step(call, &err))
		fail(call, &err);
}

/* A token has come, or none: whoever waits for it goes on, or ends as the one that asked.  answer
 * NULL: that was cancelled, and one of them asks. */
static void
wake(struct github_api *api, struct github_account *account, bool has_token,
    const struct github_api_answer *answer)
{
	struct calls woken = LIST_HEAD_INITIALIZER(woken);
	struct github_api_call *call, *next;

	for (call = LIST_FIRST(&api->waiting); call != NULL; call = next) {
		next = LIST_NEXT(call, of_waiting);
		if (call->account != account)
			continue;
		LIST_REMOVE(call, of_waiting);
		LIST_INSERT_HEAD(&woken, call, of_waiting);
	}
	while ((call = LIST_FIRST(&woken)) != NULL) {
		LIST_REMOVE(call, of_waiting);
		if (has_token || answer == NULL)
			go_on(call);
		else
			finish(call, answer, NULL);
	}
}

void
github_api_cancel(struct github_api_call *call)
{
	struct github_api *api;
	struct github_account *made = NULL;

	if (call == NULL)
		return;
	api = call->api;
	if (call->http == NULL)
		LIST_REMOVE(call, of_waiting);
	else if (call->step == STEP_TOKEN)
		made = call->account;
	http_client_cancel(call->http);
	free_call(call);
	if (made == NULL)
		return;
	made->is_making = false;
	wake(api, made, false, NULL);
}

/* --- requests --- */

struct wire {
	const char *bearer, *url, *method, *body, *etag;
};

static bool
start_http(struct github_api_call *call, const struct wire *wire, struct err *err)
{
	char authorization[BEARER_MAX], same[GITHUB_API_ETAG + 32];
	const char *headers[6] = { authorization, "Accept: application/vnd.github+json",
		"X-GitHub-Api-Version: 2022-11-28" };
	size_t n = 3;
	const struct http_client_request request = {
		.label = "GitHub",
		.method = wire->method,
		.url = wire->url,
		.headers = headers,
		.body = wire->body,
		.body_size = wire->body == NULL ? 0 : strlen(wire->body),
		.timeout_ms = call->timeout_ms,
		.answer_max = GITHUB_API_ANSWER_MAX,
		.on_done = on_reply,
		.ctx = call,
	};

	if (wire->body != NULL)
		headers[n++] = "Content-Type: application/json";
	if (wire->etag != NULL) {
		(void)snprintf(same, sizeof(same), "If-None-Match: %s", wire->etag);
		headers[n++] = same;
	}
	(void)snprintf(
	    authorization, sizeof(authorization), "Authorization: Bearer %s", wire->bearer);
	call->http = http_client_start(call->host->http, &request, err);
	crypto_wipe(authorization, sizeof(authorization));
	return call->http != NULL;
}

/* Where is the App installed for this repository? */
static bool
find(struct github_api_call *call, struct err *err)
{
	char path[GITHUB_API_PATH], url[LIMIT_URL + GITHUB_API_PATH];

	call->step = STEP_FIND;
	if (!github_api_path(call->repository, "/installation", path))
		return err_set(err, ERR_INVALID, "no repository is called so");
	(void)snprintf(url, sizeof(url), "%s%s", call->host->base, path);
	return start_http(call, &(struct wire){ .bearer = call->credential, .url = url }, err);
}

static bool
make_token(struct github_api_call *call, struct err *err)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	char url[LIMIT_URL + GITHUB_API_PATH];

	call->step = STEP_TOKEN;
	github_account_narrow(call->api->accounts, call->account, call->needs, &body);
	(void)snprintf(url, sizeof(url), "%s/app/installations/%lld/access_tokens",
	    call->host->base, (long long)call->account->installation);
	call->account->is_making = buf_check(&body, err) &&
	    start_http(call,
		&(struct wire){ .bearer = call->credential, .url = url, .body = buf_text(&body) },
		err);
	return call->account->is_making;
}

static bool
ask(struct github_api_call *call, const char *bearer, struct err *err)
{
	int64_t wait_s = github_api_budget_wait_s(&call->account->budget, clock_wall_ms() / 1000);

	call->step = STEP_CALL;
	if (wait_s > 0)
		return err_set(err, ERR_BUSY, "a fifth of its limit is used: again in %lld s",
		    (long long)wait_s);
	return start_http(
	    call, &(struct wire){ bearer, call->url, call->method, call->body, call->etag }, err);
}

/* The next thing that is missing, or the request itself.  A token that is being made is waited
 * for. */
static bool
take_step(struct github_api_call *call, struct err *err)
{
	struct github_home *home;

	if (call->app_id == NULL)
		return ask(call, call->credential, err);
	home =
	    github_home_find(call->api->accounts, call->host->base, call->app_id, call->repository);
	if (home == NULL)
		return find(call, err);
	call->account = home->account;
	if (github_home_is_open(home, call->needs))
		return ask(call, home->account->token, err);
	if (!home->account->is_making)
		return make_token(call, err);
	call->http = NULL;
	LIST_INSERT_HEAD(&call->api->waiting, call, of_waiting);
	return true;
}

/* --- replies --- */

static struct github_api_answer
judge(const struct http_client_result *http, struct json **ret_body)
{
	const struct github_api_reply reply = {
		.code = http->code,
		.text = http->why,
		.was_sent = http_client_was_sent(http->call),
		.status = http->status,
		.body = http->body,
		.body_size = http->body_size,
		.etag = http_client_header(http, "ETag"),
		.retry_after = http_client_header(http, "Retry-After"),
		.limit = http_client_header(http, "X-RateLimit-Limit"),
		.remaining = http_client_header(http, "X-RateLimit-Remaining"),
		.reset = http_client_header(http, "X-RateLimit-Reset"),
		.now_s = clock_wall_ms() / 1000,
	};

	return github_api_judge(&reply, ret_body);
}

/* False: it has failed as the answer says, which is about getting in. */
static bool
take_home(struct github_api_call *call, const struct json *body, struct github_api_answer *answer)
{
	int64_t id = github_api_installation(body);
	struct github_account *account;

	if (answer->verdict == GITHUB_DONE && id == 0) {
		answer->verdict = GITHUB_FORBIDDEN;
		(void)text_copy(answer->detail, sizeof(answer->detail),
		    "the App's installation there is suspended"); /* it fits */
	}
	if (answer->verdict != GITHUB_DONE)
		return false;
	account = github_account_get(call->api->accounts, call->host->base, call->app_id, id);
	account->granted = github_needs_granted(json_get(body, "permissions"));
	if (github_home_find(call->api->accounts, call->host->base, call->app_id,
		call->repository) == NULL) /* another call may have been faster */
		github_home_add(call->api->accounts, account, call->repository);
	return true;
}

static bool
take_token(struct github_api_call *call, const struct json *body, struct github_api_answer *answer)
{
	char token[GITHUB_API_TOKEN];

	if (answer->verdict == GITHUB_DONE && !github_api_token(body, token)) {
		answer->verdict = GITHUB_TORN;
		(void)text_copy(answer->detail, sizeof(answer->detail),
		    "it says that there is a token, and has none"); /* it fits */
	}
	if (answer->verdict != GITHUB_DONE)
		return false;
	github_account_take(call->api->accounts, call->account, token);
	crypto_wipe(token, sizeof(token));
	return true;
}

/* Of what was kept, what the answer makes doubtful goes: an App may be installed anew, with other
 * permissions; a token is refused for all where one repository is not its any more. */
static void
doubt(const struct github_api_call *call, enum github_verdict verdict)
{
	bool is_refused = verdict == GITHUB_FORBIDDEN || verdict == GITHUB_NOT_FOUND;

	if (call->app_id == NULL || call->step == STEP_FIND)
		return;
	if (call->step == STEP_TOKEN && (is_refused || verdict == GITHUB_UNFIT))
		github_home_forget(call->api->accounts, call->account, NULL);
	else if (call->step == STEP_CALL && is_refused)
		github_home_forget(call->api->accounts, call->account, call->repository);
	else if (verdict == GITHUB_UNAUTHORIZED)
		call->account->token[0] = '\0';
}

static void
on_reply(void *ctx, const struct http_client_result *http)
{
	struct github_api_call *call = ctx;
	CLEANUP(json_freep) struct json *body = NULL;
	struct github_api *api = call->api;
	struct github_account *account = call->account;
	struct github_api_answer answer = judge(http, &body);
	enum step step = call->step;
	bool is_in = false;

	if (step == STEP_CALL)
		github_api_budget_note(&account->budget, &answer);
	else if (step == STEP_FIND)
		is_in = take_home(call, body, &answer);
	else
		is_in = take_token(call, body, &answer);
	doubt(call, answer.verdict);
	answer.is_of_access = step != STEP_CALL;
	answer.may_be_done = answer.may_be_done && step == STEP_CALL;
	if (step == STEP_TOKEN)
		account->is_making = false;
	if (is_in)
		go_on(call);
	else
		finish(call, &answer, step == STEP_CALL ? body : NULL);
	if (step == STEP_TOKEN)
		wake(api, account, is_in, &answer);
}

/* --- starting --- */

static char *
sign(const struct settings_github *github, struct err *err)
{
	CLEANUP(crypto_rsa_freep) struct crypto_rsa *key = NULL;
	CLEANUP(buf_wipe) struct buf token = buf_make(JWT_MAX);
	char claims[GITHUB_API_CLAIMS];

	key = crypto_rsa_new_private(github->app_key, strlen(github->app_key), err);
	if (key == NULL ||
	    !jwt_write(&token, github_api_claims(github->app_id, clock_wall_ms() / 1000, claims),
		key, err))
		return NULL;
	return buf_take(&token);
}

/* How rows of accounts know a person's token. */
static bool
mark_of(const char *token, char out[2 * CRYPTO_SHA256_SIZE + 1], struct err *err)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];

	if (!crypto_sha256(token, strlen(token), digest, err))
		return false;
	text_hex(out, digest, sizeof(digest));
	return true;
}

/* The App's JWT, which is not needed where its token is there. */
static bool
take_app(struct github_api_call *call, const struct github_api_request *request, struct err *err)
{
	const struct settings_github *github = &request->settings->github;
	const struct github_home *home;

	if (github->app_id == NULL || github->app_key == NULL)
		return err_set(err, ERR_CONFIG, "GITHUB_APP_ID is not set");
	if (request->as == GITHUB_AS_APP) {
		call->account =
		    github_account_get(call->api->accounts, call->host->base, github->app_id, 0);
	} else {
		call->app_id = mem_text(github->app_id);
		home = github_home_find(
		    call->api->accounts, call->host->base, call->app_id, call->repository);
		if (home != NULL && github_home_is_open(home, call->needs))
			return true;
	}
	call->credential = sign(github, err);
	return call->credential != NULL;
}

static bool
take_person(struct github_api_call *call, const char *token, struct err *err)
{
	char mark[2 * CRYPTO_SHA256_SIZE + 1];

	if (token == NULL)
		return err_set(err, ERR_CONFIG, "GITHUB_API_TOKEN is not set");
	if (!mark_of(token, mark, err))
		return false;
	call->credential = mem_text(token);
	call->account = github_account_get(call->api->accounts, call->host->base, mark, 0);
	return true;
}

/* With what it asks; false: there is nothing. */
static bool
take_credential(
    struct github_api_call *call, const struct github_api_request *request, struct err *err)
{
	const struct settings_github *github = &request->settings->github;

	return request->as == GITHUB_AS_APP ||
		(request->as == GITHUB_AS_ITS && github->app_id != NULL) ?
	    take_app(call, request, err) :
	    take_person(call, github->token, err);
}

static bool
take_url(struct github_api_call *call, const struct github_api_request *request, struct err *err)
{
	char path[GITHUB_API_PATH];

	if (request->repository != NULL &&
	    !github_api_path(request->repository, request->path, path))
		return err_set(err, ERR_INVALID, "no repository is called so");
	call->url = mem_textf("%s%s", request->settings->github.url,
	    request->repository != NULL ? path : request->path);
	return true;
}

struct github_api_call *
github_api_start(struct github_api *api, const struct github_api_request *request, struct err *err)
{
	struct github_api_call *call = mem_new(1, sizeof(*call));

	assert(request->as != GITHUB_AS_ITS || request->repository != NULL);
	call->api = api;
	call->host = host_of(api, request->settings->github.url, err);
	call->needs = github_needs_of(request->settings);
	call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
	call->repository = mem_text(request->repository);
	call->method = mem_text(request->method);
	call->body = mem_text(request->body);
	call->etag = mem_text(request->etag);
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	if (call->host != NULL && take_url(call, request, err) &&
	    take_credential(call, request, err) && take_step(call, err))
		return call;
	free_call(call);
	return NULL;
}

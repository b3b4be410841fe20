/* forge_api.c - a call: where its repository is installed, a token for that, and the request itself.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/forge_api.h"

#include <inttypes.h>
#include <sys/queue.h>

#include "clients/github_need.h"
#include "clients/outbound_client.h"
#include "lib/array.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/jwt.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/settings.h"

#define AT_ONCE	   10
#define TIMEOUT_MS 10000
#define WAITING	   512		/* 200 applications, each of which asks for two things */
#define FRESH_MS   (50 * 60000) /* of the 60 minutes that a token lives */
#define BODY_MAX   65536
#define BUSY_S	   600 /* until a call is tried again whose credential has asked enough */

/* One credential at one address: a limit of its own. */
struct account {
	struct account *next;
	char *base, *name;	     /* GITHUB_API_URL; the App's number, or a token */
	int64_t installation;	     /* 0: the App itself, or a person */
	char token[FORGE_API_TOKEN]; /* of an installation; "": none */
	int64_t made_at;	     /* monotonic ms */
	uint32_t granted, has;	     /* rows of github_needs: of the installation, of the token */
	struct forge_api_budget budget;
};

/* Where is asked, as a client of its own each: by whether its addresses are public ones. */
static const struct {
	enum outbound_place place;
	const char *public;
} zones[] = { { OUTBOUND_GITHUB, "https://api.github.com" }, { OUTBOUND_GITHUB, NULL },
	{ OUTBOUND_GITLAB, "https://gitlab.com" }, { OUTBOUND_GITLAB, NULL } };

/* A repository in its installation. */
struct home {
	struct account *account;
	char *repository;
	bool is_covered; /* by the token */
};

struct forge_api {
	struct http_client *http[COUNT(zones)];
	struct account *accounts; /* few, and they stay */
	size_t n_homes;
	struct home *homes;
	struct forge_api_call *door; /* who asks to be let in, one at a time; NULL: nobody */
	TAILQ_HEAD(, forge_api_call) waiting;
};

struct forge_api_call {
	struct forge_api *api;
	struct settings *settings;
	struct account *account; /* whose limit it counts for; NULL: not known yet */
	enum { FIND, MAKE, ASK } step;
	struct http_client_call *http; /* NULL: it waits */
	TAILQ_ENTRY(forge_api_call) of_waiting;
	enum forge_api_as as;
	enum forge_api_share share;
	int64_t timeout_ms;
	char repository[LIMIT_REF], path[FORGE_API_PATH];
	const char *method;
	char *body;
	forge_api_done_fn *on_done;
	void *ctx;
};

static bool take_step(struct forge_api_call *call, struct err *err);
static void on_reply(void *ctx, const struct http_client_result *http);

/* --- the client --- */

struct forge_api *
forge_api_new(struct loop *loop, struct err *err)
{
	struct forge_api *api = mem_new(1, sizeof(*api));

	TAILQ_INIT(&api->waiting);
	for (size_t i = 0; i < COUNT(zones); i++) {
		api->http[i] = outbound_client(
		    loop, outbound_of(zones[i].place, zones[i].public), AT_ONCE, WAITING, err);
		if (api->http[i] == NULL) {
			forge_api_free(api);
			return NULL;
		}
	}
	return api;
}

void
forge_api_free(struct forge_api *api)
{
	struct account *account;

	if (api == NULL)
		return;
	for (size_t i = 0; i < COUNT(zones); i++)
		http_client_free(api->http[i]);
	while ((account = api->accounts) != NULL) {
		api->accounts = account->next;
		crypto_wipe(account->token, sizeof(account->token));
		settings_wipe_text(&account->name);
		free(account->base);
		free(account);
	}
	while (api->n_homes > 0)
		free(api->homes[--api->n_homes].repository);
	free(api->homes);
	free(api);
}

double
forge_api_factor(const struct forge_api *api)
{
	double most = 1, factor;

	for (const struct account *a = api->accounts; a != NULL; a = a->next) {
		factor = forge_api_budget_factor(&a->budget, clock_wall_ms() / 1000);
		most = factor > most ? factor : most;
	}
	return most;
}

static const char *
base_of(const struct forge_api_call *call)
{
	return call->as == FORGE_AS_GITLAB ? settings_text(call->settings, SETTING_GITLAB_URL) :
					     call->settings->github.url;
}

/* Made where there is none. */
static struct account *
account_of(struct forge_api_call *call, const char *name, int64_t installation)
{
	const char *base = base_of(call);
	struct account *a = call->api->accounts;

	while (a != NULL &&
	    (a->installation != installation || strcmp(a->base, base) != 0 ||
		!crypto_same_text(a->name, name)))
		a = a->next;
	if (a == NULL) {
		a = mem_new(1, sizeof(*a));
		*a = (struct account){ .base = mem_text(base),
			.name = mem_text(name),
			.installation = installation,
			.next = call->api->accounts };
		call->api->accounts = a;
	}
	return a;
}

/* --- homes --- */

static struct home *
home_of(const struct forge_api_call *call)
{
	const struct settings_github *github = &call->settings->github;

	for (size_t i = 0; i < call->api->n_homes; i++) {
		struct home *home = &call->api->homes[i];

		if (text_same_ci(home->repository, call->repository) &&
		    strcmp(home->account->base, github->url) == 0 &&
		    strcmp(home->account->name, github->app_id) == 0)
			return home;
	}
	return NULL;
}

/* What was known of a repository there is not so any more; NULL: of each. */
static void
forget(struct forge_api *api, const struct account *account, const char *repository)
{
	for (size_t i = api->n_homes; i-- > 0;) {
		struct home *home = &api->homes[i];

		if (home->account != account ||
		    (repository != NULL && !text_same_ci(home->repository, repository)))
			continue;
		free(home->repository);
		*home = api->homes[--api->n_homes];
	}
}

/* --- the end of a call --- */

static void
free_call(struct forge_api_call *call)
{
	settings_unref(call->settings);
	free(call->body);
	free(call);
}

static void
finish(struct forge_api_call *call, const struct forge_api_answer *answer, const struct json *body)
{
	forge_api_done_fn *on_done = call->on_done;
	void *ctx = call->ctx;

	free_call(call);
	on_done(ctx, answer, body);
}

struct forge_api_answer
forge_api_unsent(const struct err *err)
{
	bool is_busy = err->code == ERR_BUSY;
	struct forge_api_answer answer = { .verdict = is_busy ? FORGE_API_LIMITED : FORGE_API_AWAY,
		.retry_after_s = is_busy ? BUSY_S : 0,
		.factor = 1 };

	text_set(answer.detail, err->text); /* it fits */
	return answer;
}

static void
go_on(struct forge_api_call *call)
{
	struct forge_api_answer answer;
	struct err err;

	if (take_step(call, &err))
		return;
	answer = forge_api_unsent(&err);
	finish(call, &answer, NULL);
}

/* Nobody stands at the door any more: whoever waits goes on, or ends with that answer. */
static void
let_in(struct forge_api *api, const struct forge_api_answer *answer)
{
	struct forge_api_call *call;

	while (api->door == NULL && (call = TAILQ_FIRST(&api->waiting)) != NULL) {
		TAILQ_REMOVE(&api->waiting, call, of_waiting);
		if (answer == NULL)
			go_on(call);
		else
			finish(call, answer, NULL);
	}
}

void
forge_api_cancel(struct forge_api_call *call)
{
	struct forge_api *api = call == NULL ? NULL : call->api;

	if (call == NULL)
		return;
	if (call->http == NULL)
		TAILQ_REMOVE(&api->waiting, call, of_waiting);
	http_client_cancel(call->http);
	if (api->door == call)
		api->door = NULL;
	free_call(call);
	let_in(api, NULL);
}

/* --- requests --- */

/* Adds the App's JWT: from a minute ago until nine from now. */
static bool
sign(const struct settings_github *github, struct buf *out, struct err *err)
{
	CLEANUP(crypto_rsa_freep) struct crypto_rsa *key = NULL;
	int64_t now_s = clock_wall_ms() / 1000;
	char claims[128];

	text_setf(claims, "{\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"iss\":\"%.18s\"}", now_s - 60,
	    now_s + 540, github->app_id);
	key = crypto_rsa_new_private(github->app_key, strlen(github->app_key), err);
	return key != NULL && jwt_write(out, claims, key, err);
}

/* bearer NULL: the App itself. */
static bool
request(struct forge_api_call *call, const char *bearer, const char *path, const char *body,
    struct err *err)
{
	CLEANUP(buf_wipe) struct buf authorization = buf_make(JWT_MAX);
	char url[LIMIT_URL + FORGE_API_PATH];
	bool at_gitlab = call->as == FORGE_AS_GITLAB;
	const char *headers[5] = { NULL };
	enum outbound_place place = at_gitlab ? OUTBOUND_GITLAB : OUTBOUND_GITHUB;
	const char *base = base_of(call);
	size_t zone = 0, n = 1;

	buf_adds(&authorization, "Authorization: Bearer ");
	if (bearer != NULL)
		buf_adds(&authorization, bearer);
	else if (!sign(&call->settings->github, &authorization, err))
		return false;
	headers[0] = buf_text(&authorization);
	if (!at_gitlab) {
		headers[n++] = "Accept: application/vnd.github+json";
		headers[n++] = "X-GitHub-Api-Version: 2022-11-28";
	}
	if (body != NULL)
		headers[n++] = "Content-Type: application/json";
	text_setf(url, "%s%s%s", base, at_gitlab ? "/api/v4" : "", path);
	while (zones[zone].place != place ||
	    (zones[zone].public != NULL) != outbound_is_public(outbound_of(place, base)))
		zone++;
	call->http = http_client_start(call->api->http[zone],
	    &(struct http_client_request){ .label = at_gitlab ? "GitLab" : "GitHub",
		.url = url,
		.headers = headers,
		.method = call->step == ASK ? call->method : NULL,
		.body = body,
		.body_size = body == NULL ? 0 : strlen(body),
		.timeout_ms = call->timeout_ms,
		.is_once = call->step == ASK && call->method != NULL,
		.answer_max = FORGE_API_ANSWER_MAX,
		.on_done = on_reply,
		.ctx = call },
	    err);
	return call->http != NULL;
}

/* For its repositories, and of the needs what was granted. */
static bool
make_token(struct forge_api_call *call, uint32_t needs, struct err *err)
{
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX);
	struct json_out json = json_out_begin(&body, '{');
	struct account *account = call->account;
	char path[FORGE_API_PATH];

	call->step = MAKE;
	account->has = (account->has | needs) & account->granted;
	json_put_open(&json, "permissions", '{');
	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		if (github_needs_level(account->has, i) != NULL)
			json_put_str(&json, github_needs[i].permission, github_needs[i].level);
	json_out_end(&json);
	json_put_open(&json, "repositories", '[');
	for (struct home *h = call->api->homes; h < call->api->homes + call->api->n_homes; h++)
		if (h->account == account) {
			h->is_covered = true;
			json_out_str(&json, strchr(h->repository, '/') + 1);
		}
	json_out_end(&json);
	json_out_end(&json);
	text_setf(path, "/app/installations/%" PRId64 "/access_tokens", account->installation);
	return buf_check(&body, err) && request(call, NULL, path, buf_text(&body), err);
}

static bool
ask(struct forge_api_call *call, const char *bearer, struct err *err)
{
	struct forge_api_budget *budget = &call->account->budget;
	int64_t wait_s = forge_api_budget_wait_s(budget, clock_wall_ms() / 1000, call->share);

	call->step = ASK;
	if (wait_s > 0)
		return err_set(err, ERR_BUSY, "%s: again in %" PRId64 " s",
		    forge_api_budget_why(call->share), wait_s);
	if (!request(call, bearer, call->path, call->body, err))
		return false;
	/* Also where no answer says so. */
	(*(call->share == FORGE_SHARE_PRESSED ? &budget->pressed : &budget->used))++;
	return true;
}

/* By the token of the installation; what is missing for that is asked for by one at a time: first
 * where each repository is, then one token for all of them. */
static bool
ask_as_installation(struct forge_api_call *call, struct err *err)
{
	struct forge_api *api = call->api;
	uint32_t needs = github_needs_of(call->settings);
	struct home *home = home_of(call);
	char path[FORGE_API_PATH];

	call->account = home == NULL ? NULL : home->account;
	if (home != NULL && home->is_covered && call->account->token[0] != '\0' &&
	    (api->door == NULL || api->door->account != call->account) &&
	    (needs & call->account->granted & ~call->account->has) == 0 &&
	    clock_monotonic_ms() - call->account->made_at < FRESH_MS)
		return ask(call, call->account->token, err);
	if (api->door != NULL) {
		call->http = NULL;
		TAILQ_INSERT_TAIL(&api->waiting, call, of_waiting);
		return true;
	}
	call->step = FIND;
	if (home == NULL && !forge_api_path(call->repository, "/installation", path))
		return err_set(err, ERR_INVALID, "no repository is called so");
	if (home != NULL ? make_token(call, needs, err) : request(call, NULL, path, NULL, err))
		api->door = call;
	return api->door != NULL;
}

static bool
take_step(struct forge_api_call *call, struct err *err)
{
	const struct settings_github *github = &call->settings->github;
	bool is_app =
	    call->as == FORGE_AS_APP || (call->as == FORGE_AS_ITS && github->app_id != NULL);
	bool at_gitlab = call->as == FORGE_AS_GITLAB;
	const char *name = is_app ? github->app_id :
	    at_gitlab		  ? github->gitlab_token :
				    github->token;

	if (name == NULL || (is_app && github->app_key == NULL))
		return err_set(err, ERR_CONFIG, "%s is not set",
		    is_app	  ? "GITHUB_APP_ID" :
			at_gitlab ? "GITLAB_API_TOKEN" :
				    "GITHUB_API_TOKEN");
	if (is_app && call->as == FORGE_AS_ITS)
		return ask_as_installation(call, err);
	call->account = account_of(call, name, 0);
	return ask(call, is_app ? NULL : name, err);
}

/* --- replies --- */

/* False: it has failed as the answer says, which is about getting in. */
static bool
take_access(struct forge_api_call *call, const struct json *body, struct forge_api_answer *answer)
{
	int64_t id = call->step == FIND ? forge_api_installation(body) : 0;
	struct home *home;

	if (answer->verdict != FORGE_API_DONE)
		return false;
	if (call->step == MAKE && forge_api_token(body, call->account->token)) {
		call->account->made_at = clock_monotonic_ms();
		return true;
	}
	if (id == 0) {
		answer->verdict = call->step == FIND ? FORGE_API_FORBIDDEN : FORGE_API_TORN;
		text_setf(answer->detail, "%s",
		    call->step == FIND ? "the App's installation there is suspended" :
					 "it says that there is a token, and has none");
		return false;
	}
	call->account = account_of(call, call->settings->github.app_id, id);
	call->account->granted = github_needs_granted(json_get(body, "permissions"));
	if (home_of(call) == NULL) { /* another call may have been faster */
		home = array_add(&call->api->homes, &call->api->n_homes, sizeof(*home));
		*home = (struct home){ call->account, mem_text(call->repository), false };
	}
	return true;
}

/* Of what was kept, what the answer makes doubtful goes: an App may be installed anew, with other
 * permissions; a token is refused for all where one repository is not its any more. */
static void
doubt(const struct forge_api_call *call, enum forge_api_verdict verdict)
{
	bool is_refused = verdict == FORGE_API_FORBIDDEN || verdict == FORGE_API_NOT_FOUND;

	assert(call->step == FIND || call->account != NULL); /* what is found is its account */
	if (call->step == MAKE)
		forget(call->api, call->account, NULL);
	else if (call->step == ASK && is_refused)
		forget(call->api, call->account, call->repository);
	else if (call->step == ASK && verdict == FORGE_API_UNAUTHORIZED)
		call->account->token[0] = '\0';
}

static void
on_reply(void *ctx, const struct http_client_result *http)
{
	struct forge_api_call *call = ctx;
	CLEANUP(json_freep) struct json *body = NULL;
	const struct forge_api_reply reply = { http->code, http->why,
		http_client_was_sent(http->call), http->status, http->body, http->body_size,
		http_client_header(http, "Retry-After"), http_client_header(http, "Link"),
		http_client_header(http, "X-RateLimit-Limit"),
		http_client_header(http, "X-RateLimit-Remaining"),
		http_client_header(http, "X-RateLimit-Reset"), clock_wall_ms() / 1000 };
	struct forge_api_answer answer = forge_api_judge(&reply, &body);
	struct forge_api *api = call->api;
	bool is_in = call->step != ASK && take_access(call, body, &answer);
	bool is_of_all = call->step != ASK && /* it says nothing of the repository */
	    (answer.verdict == FORGE_API_UNAUTHORIZED || answer.verdict == FORGE_API_LIMITED ||
		answer.verdict >= FORGE_API_FAILED);

	if (api->door == call)
		api->door = NULL;
	answer.is_of_access = call->step != ASK;
	if (is_in) {
		call->http = NULL; /* behind whoever looks for their repository first */
		TAILQ_INSERT_TAIL(&api->waiting, call, of_waiting);
		let_in(api, NULL);
		return;
	}
	answer.granted = call->account != NULL ? call->account->granted : 0;
	if (call->step == ASK)
		forge_api_budget_note(&call->account->budget, &answer);
	answer.factor = call->account == NULL ?
	    1 :
	    forge_api_budget_factor(&call->account->budget, reply.now_s);
	doubt(call, answer.verdict);
	finish(call, &answer, answer.is_of_access ? NULL : body);
	let_in(api, is_of_all ? &answer : NULL);
}

/* --- starting --- */

struct forge_api_call *
forge_api_start(struct forge_api *api, const struct forge_api_request *request, struct err *err)
{
	struct forge_api_call *call = mem_new(1, sizeof(*call));
	bool is_fit = request->repository == NULL ?
	    text_copy(call->path, sizeof(call->path), request->path) :
	    (request->as == FORGE_AS_GITLAB ? forge_api_project_path : forge_api_path)(
		request->repository, request->path, call->path) &&
		text_copy(call->repository, sizeof(call->repository), request->repository);

	assert(request->as != FORGE_AS_ITS || request->repository != NULL);
	call->api = api;
	call->settings = settings_ref(request->settings);
	call->as = request->as;
	call->share = request->share;
	call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
	call->method = request->method;
	call->body = mem_text(request->body);
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	if (is_fit ? take_step(call, err) : err_set(err, ERR_INVALID, "no repository is called so"))
		return call;
	free_call(call);
	return NULL;
}

/* route_api.c - /v1: for users of this machine on a unix socket of its own, and for tokens on TCP.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api.h"

#include <unistd.h>

#include "clients/loan_shelf.h"
#include "lib/address.h"
#include "lib/bucket.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "routes/local_user.h"
#include "routes/route_api_inside.h"
#include "routes/route_job.h"
#include "routes/route_key.h"
#include "types/event.h"
#include "types/refusals.h"
#include "types/secret.h"

#define BODY_MAX 16384
#define SEEN_MAX 64 /* whose requests are counted; the one seen longest ago makes room */
#define BEARER	 "Bearer "
#define TOO_MANY "too many requests: wait a moment"

/* Of one user: looking at a deployment that goes on takes four requests a second. */
static const struct bucket_rate request_rate = { .capacity = 60, .token_ms = 100 };
static const struct bucket_rate line_rate = { .capacity = 1, .token_ms = 60000 };
/* Of all who are not let in, in log and audit: anybody can be many users. */
static const struct bucket_rate all_lines_rate = { .capacity = 10, .token_ms = 6000 };

/* Jobs ask every five seconds: twelve in a run, twenty-five of a workflow. */
static const struct bucket_rate run_rate = { .capacity = 120, .token_ms = 400 };
static const struct bucket_rate workflow_rate = { .capacity = 240, .token_ms = 200 };
/* Refused, of one address, which many jobs share: each check takes the loop some 50 µs. */
static const struct bucket_rate check_rate = { .capacity = 600, .token_ms = 20 };

/* Tokens that are not valid: of one address, and of all. */
static const struct bucket_rate try_rate = { .capacity = 10, .token_ms = 6000 };
static const struct bucket_rate all_tries_rate = { .capacity = 60, .token_ms = 100 };

struct seen {
	bool is_used;
	uint64_t who; /* a uid; of a token or an address the first bytes of its hash */
	int64_t at;   /* monotonic ms */
	struct bucket requests;
	struct bucket checks; /* of tokens of jobs, that were refused */
	struct bucket lines;  /* for the same reason; another one is said at once */
	const char *why;
};

/* A token that there is, and what it has left. */
struct known {
	struct known_token token;
	struct bucket requests;
};

struct route_api {
	struct route_api_config config;
	struct seen seen[SEEN_MAX];	      /* users */
	struct known known[2 * TOKENS_KNOWN]; /* on TCP */
	size_t n_known;
	struct seen tries[SEEN_MAX]; /* on TCP: addresses */
	struct seen jobs[SEEN_MAX];  /* the same, of jobs whose tokens prove nothing */
	struct seen runs[SEEN_MAX], workflows[SEEN_MAX]; /* of jobs whose tokens do */
	struct bucket all_tries;
	struct bucket all_lines;
	int64_t unlogged; /* refusals since the last that the log has */
	struct bucket crowded;
	int64_t without_place; /* without a place since the last of whom that was said */
	struct operation {
		struct route_api *local;
		enum api_operation operation;
	} operations[API_OPERATION_COUNT];
};

struct route_api *
route_api_new(const struct route_api_config *config)
{
	struct route_api *local = mem_new(1, sizeof(*local));

	local->config = *config;
	for (enum api_operation i = 0; i < API_OPERATION_COUNT; i++)
		local->operations[i] = (struct operation){ local, i };
	return local;
}

void
route_api_free(struct route_api *local)
{
	free(local);
}

/* --- who asks --- */

static struct seen *
find_seen(struct seen seen[SEEN_MAX], uint64_t who)
{
	for (size_t i = 0; i < SEEN_MAX; i++)
		if (seen[i].is_used && seen[i].who == who) {
			seen[i].at = clock_monotonic_ms();
			return &seen[i];
		}
	return NULL;
}

static struct seen *
seen_of(struct seen seen[SEEN_MAX], uint64_t who)
{
	struct seen *found = find_seen(seen, who), *oldest = &seen[0];

	if (found != NULL)
		return found;
	for (size_t i = 0; i < SEEN_MAX; i++)
		if (oldest->is_used && (!seen[i].is_used || seen[i].at < oldest->at))
			oldest = &seen[i];
	*oldest = (struct seen){ .is_used = true, .who = who, .at = clock_monotonic_ms() };
	return oldest;
}

/* What strangers of a chat do is counted in the audit; so is this.  The log and an entry of its own
 * have whoever was not seen for a minute. */
static void
note_refused(struct route_api *local, struct seen *seen, const char *client, const char *why,
    const char *detail)
{
	char more[64] = "";
	bool is_said;

	local->unlogged++;
	if (seen->why != why)
		seen->lines = (struct bucket){ 0 };
	is_said = bucket_take(&seen->lines, line_rate, seen->at, 1) &&
	    bucket_take(&local->all_lines, all_lines_rate, seen->at, 1);
	refusals_add(local->config.refusals,
	    local->config.is_network ? REJECTED_API : REJECTED_LOCAL, why, "", client, is_said);
	if (!is_said)
		return;
	seen->why = why;
	if (local->unlogged > 1)
		text_setf(more, " (and %lld more since the last such line)",
		    (long long)local->unlogged - 1);
	log_warning("%s: %s is not let in: %s%s%s%s",
	    local->config.is_network ? "/v1" : "LOCAL_SOCKET", client, why,
	    detail[0] != '\0' ? ": " : "", detail, more);
	local->unlogged = 0;
}

/* A bare name was enough once: it goes on, and the log says what to write. */
static void
note_bare(struct seen *seen, const char *as, const struct role_id *is)
{
	char text[ROLE_TEXT];

	(void)role_id_text(is->application, is->name, text);
	if (as != NULL && is->name[0] != '\0' && strcmp(as, text) != 0 &&
	    bucket_take(&seen->lines, line_rate, seen->at, 1))
		log_warning("root says --as %s, which only %s has: write --as %s", is->name,
		    is->application, text);
}

/* False: they were answered. */
static bool
let_in(struct route_api *local, struct http_request *request, struct update *ret)
{
	struct local_peer peer = { .server_uid = geteuid(),
		.runner_uid = local->config.runner_uid(local->config.ctx),
		.as = http_request_header(request, "Deploybot-Role") };
	const char *why = "the kernel does not say who has connected";
	struct seen *seen;
	char client[32];
	uid_t uid;

	if (!http_request_user_id(request, &uid)) {
		route_api_said(request, 403, why);
		return false;
	}
	peer.uid = uid;
	seen = seen_of(local->seen, uid);
	if (!bucket_take(&seen->requests, request_rate, seen->at, 1)) {
		route_api_said(request, 429, TOO_MANY);
		return false;
	}
	why = local_user_judge(local->config.settings(local->config.ctx), &peer, ret);
	if (why == NULL) {
		note_bare(seen, peer.as, &ret->as);
		return true;
	}
	text_setf(client, "user %u", peer.uid);
	note_refused(local, seen, client, why, "");
	if (ret->person == 0 && peer.uid != 0)
		local->config.on_unknown(local->config.ctx);
	route_api_said(request, 403, why);
	return false;
}

/* The first bytes of its hash, under which it is counted; 0: there is none. */
static uint64_t
number_of(const char *text)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	uint64_t number = 0;

	if (crypto_sha256(text, strlen(text), hash, NULL))
		memcpy(&number, hash, sizeof(number));
	return number;
}

/* What a request proves itself with, NULL: nothing.  Two of them are nothing. */
static const char *
bearer_of(const struct http_request *request)
{
	const char *value = http_request_header(request, "Authorization");

	return value != NULL && text_starts_ci(value, BEARER) ? value + strlen(BEARER) : NULL;
}

/* One of ours, or NULL. */
static const char *
token_of(const struct http_request *request)
{
	const char *value = bearer_of(request);

	return value != NULL && token_is_text(value) ? value : NULL;
}

/* One of a job, or NULL. */
static const char *
job_of(const struct route_api *local, const struct http_request *request)
{
	const char *value = local->config.jobs != NULL ? bearer_of(request) : NULL;

	return value != NULL && route_job_is_meant(value) ? value : NULL;
}

/* By a workflow's key; what has a token is by that. */
static bool
is_signed(const struct route_api *local, const struct http_request *request)
{
	return local->config.jobs != NULL && bearer_of(request) == NULL &&
	    http_request_header(request, "webhook-signature") != NULL;
}

void
route_api_tokens(struct route_api *local, const struct known_tokens *tokens)
{
	CLEANUP(freep) struct known *before = mem_new(COUNT(local->known), sizeof(*before));
	size_t n = local->n_known;

	if (n > 0)
		memcpy(before, local->known, n * sizeof(*before));
	local->n_known = tokens->n;
	for (size_t i = 0; i < tokens->n; i++) {
		local->known[i] = (struct known){ .token = tokens->at[i] };
		for (size_t j = 0; j < n; j++)
			if (crypto_same(before[j].token.mac, tokens->at[i].mac, TOKEN_MAC))
				local->known[i].requests = before[j].requests;
	}
}

/* By its MAC under either value of the secret.  All are compared, each in a time that says nothing
 * of it. */
static enum crypto_proof
find_known(struct route_api *local, const char *text, struct known **ret)
{
	const struct settings *settings = local->config.settings(local->config.ctx);
	const struct secret secret = secret_get(settings, SETTING_AUTH_TOKEN_SECRET);
	enum crypto_proof proof = CRYPTO_REFUSED;
	uint8_t mac[TOKEN_MAC];

	for (size_t i = 0; i < SECRET_VALUES; i++) {
		const char *key = secret.values[i];

		if (key == NULL)
			continue;
		if (!crypto_hmac(key, strlen(key), text, strlen(text), mac, NULL)) {
			proof = proof == CRYPTO_REFUSED ? CRYPTO_UNKNOWN : proof;
			continue;
		}
		for (size_t j = 0; j < local->n_known; j++)
			if (crypto_same(mac, local->known[j].token.mac, sizeof(mac))) {
				*ret = &local->known[j];
				proof = CRYPTO_PROVEN;
			}
	}
	return proof;
}

/* It has no valid token.  False: they were answered. */
static bool
let_try(struct route_api *local, struct http_request *request, const char *token, bool is_known)
{
	const char *client = http_request_client(request);
	const char *what = token == NULL ? "no token" : "an unknown token";
	char group[ADDRESS_GROUP], said[120];
	struct seen *seen = seen_of(local->tries, number_of(address_group(client, group)));

	if (!bucket_take(&seen->requests, try_rate, seen->at, 1) ||
	    !bucket_take(&local->all_tries, all_tries_rate, seen->at, 1)) {
		note_refused(local, seen, client, "too many tries", "");
		route_api_said(request, 429, TOO_MANY);
	} else if (!is_known) {
		note_refused(local, seen, client, what, "");
		text_setf(said,
		    "%s: make one with deploybot token add, and send it as Authorization: Bearer",
		    what);
		route_api_said(request, 401, said);
	} else {
		return true;
	}
	return false;
}

/* What it is worth the store says: here how often may be asked, and whether at all.  False: they
 * were answered. */
static bool
let_in_token(struct route_api *local, struct http_request *request, struct update *ret)
{
	const char *token = token_of(request);
	struct known *known = NULL;

	*ret = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	if (token != NULL && find_known(local, token, &known) == CRYPTO_UNKNOWN) {
		route_api_said(request, 503, "no memory to check the token: try again");
		return false;
	}
	if (known == NULL || clock_wall_ms() >= known->token.until) {
		if (!let_try(local, request, token, known != NULL))
			return false;
	} else if (!bucket_take(&known->requests, request_rate, clock_monotonic_ms(), 1)) {
		route_api_said(request, 429, TOO_MANY);
		return false;
	}
	return text_copy(ret->token, sizeof(ret->token), token);
}

/* Many jobs share an address of their forge: only what is refused counts. */
static struct seen *
job_tries(struct route_api *local, const struct http_request *request)
{
	char group[ADDRESS_GROUP];

	return seen_of(local->jobs, number_of(address_group(http_request_client(request), group)));
}

static void
refuse_job(struct route_api *local, struct http_request *request, enum route_job_result result,
    const char *why)
{
	struct seen *seen = job_tries(local, request);

	if (!bucket_take(&seen->checks, check_rate, seen->at, 1))
		result = ROUTE_JOB_TOO_MANY;
	local->config.jobs->count_refused(local->config.jobs->ctx, route_job_rows[result].word);
	route_api_said(
	    request, route_job_rows[result].status, result == ROUTE_JOB_TOO_MANY ? TOO_MANY : why);
}

static void
let_in_job(struct route_api *local, struct http_request *request, struct update *ret)
{
	struct seen *seen = job_tries(local, request);

	*ret = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	if (bucket_wait_ms(&seen->checks, check_rate, seen->at, 1) == 0)
		return;
	note_refused(local, seen, http_request_client(request), "too many tries", "");
	refuse_job(local, request, ROUTE_JOB_TOO_MANY, "");
}

/* A valid token is no leave to ask in a loop: one run leaves something to the others of its
 * workflow.  False: it was answered. */
static bool
may_ask(struct route_api *local, struct http_request *request, const struct job *job)
{
	struct seen *run, *workflow = seen_of(local->workflows, number_of(job->workflow));
	char name[3 * JOB_NUMBER];

	text_setf(name, "%s/%s", job->repository_id, job->run);
	run = seen_of(local->runs, number_of(job_is_by_key(job) ? job->workflow : name));
	if (bucket_take(&run->requests, run_rate, run->at, 1) &&
	    bucket_take(&workflow->requests, workflow_rate, workflow->at, 1))
		return true;
	note_refused(local, run, http_request_client(request), "a job asks too often", "");
	refuse_job(local, request, ROUTE_JOB_TOO_MANY, "");
	return false;
}

static void
free_from(void *user)
{
	struct update *from = user;

	crypto_wipe(from->token, sizeof(from->token));
	free(from);
}

/* Before anything of a body is read. */
static void
on_begin(struct http_request *request, void *ctx)
{
	struct operation *operation = ctx;
	struct update *from = mem_new(1, sizeof(*from));

	http_request_set_user(request, from, free_from);
	if (job_of(operation->local, request) != NULL || is_signed(operation->local, request))
		let_in_job(operation->local, request, from);
	else if (operation->local->config.is_network)
		(void)let_in_token(operation->local, request, from);
	else
		(void)let_in(operation->local, request, from);
}

/* --- for whom there is no place --- */

/* Ends with the connection. */
#define CROWDED(said) \
	"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n" \
	"Retry-After: 10\r\nConnection: close\r\n\r\n" \
	"{\"said\":\"" said "\",\"work\":null,\"is_to_be_answered\":false,\"asked_until\":null}"

const char *
route_api_crowded(void *api, uid_t uid, enum http_server_crowd why, const char *users)
{
	static const char *const words[] = {
		[HTTP_SERVER_CROWD_USER] = "their connections are all taken",
		[HTTP_SERVER_CROWD_GUESTS] = "those for users whom no setting names are all taken",
		[HTTP_SERVER_CROWD_ALL] = "all connections are taken",
	};
	struct route_api *local = api;

	local->without_place++;
	if (bucket_take(&local->crowded, line_rate, clock_monotonic_ms(), 1)) {
		log_warning(
		    "LOCAL_SOCKET: no place for user %u: %s, by user (connections): %s; %lld such since the last such line",
		    uid, words[why], users, (long long)local->without_place);
		local->without_place = 0;
	}
	return why == HTTP_SERVER_CROWD_USER ?
	    CROWDED("you have 4 connections open, which is the most: end one of them") :
	    CROWDED("all places are taken by others: try again, and see the server's log");
}

/* --- what they ask --- */

/* A request whose body is there. */
struct whole {
	const struct operation *operation;
	struct http_request *request;
	char *body; /* owned by whoever made it; NULL: none */
	size_t size;
};

/* Of what is asked: a job's token is good for that alone, and so is a key. */
static bool
put_digest(const struct whole *whole, uint8_t digest[CRYPTO_SHA256_SIZE])
{
	CLEANUP(crypto_sha256_freep) struct crypto_sha256 *hash = crypto_sha256_new(NULL);
	const char *method = api_rows[whole->operation->operation].method;
	const char *path = http_request_path(whole->request);

	return hash != NULL && crypto_sha256_add(hash, method, strlen(method) + 1, NULL) &&
	    crypto_sha256_add(hash, path, strlen(path) + 1, NULL) &&
	    (whole->body == NULL || crypto_sha256_add(hash, whole->body, whole->size, NULL)) &&
	    crypto_sha256_finish(hash, digest, NULL);
}

/* A job's token stands for one. */
static bool
put_key(const struct whole *whole, struct api_request *api, struct err *err)
{
	const char *key = http_request_header(whole->request, "Idempotency-Key");
	bool takes_key = api->job == NULL && api_is_post(whole->operation->operation);

	if (!hook_key_copy(takes_key ? key : NULL, api->key))
		return err_set(err, ERR_INVALID,
		    "Idempotency-Key: expected 1 to %d characters of ASCII, without blanks",
		    HOOK_KEY_MAX);
	return (api->job == NULL && api->key[0] == '\0') ||
	    put_digest(whole, api->job != NULL ? api->job->digest : api->digest) ||
	    err_set(err, ERR_IO, "no memory for a hash: try again");
}

static struct event *
new_event(const struct whole *whole, const struct job *job, struct err *err)
{
	bool is_network = whole->operation->local->config.is_network;
	enum api_operation operation = whole->operation->operation;
	struct http_request *request = whole->request;
	struct event *event = event_new(EVENT_API);

	event->u.api = mem_new(1, sizeof(*event->u.api));
	event->u.api->from = *(const struct update *)http_request_user(request);
	event->u.api->is_network = is_network;
	text_set(event->u.api->client, is_network ? http_request_client(request) : "");
	if (job != NULL)
		event->u.api->job = mem_copy(job, sizeof(*job));
	if (!put_key(whole, event->u.api, err) ||
	    !api_read(operation, http_request_path(request), whole->body, whole->size, event->u.api,
		err)) {
		event_free(event);
		event = NULL;
	}
	return event;
}

static uint64_t
who_asks(const struct route_api *local, const struct http_request *request,
    const struct api_request *api)
{
	uid_t uid;

	if (api->job != NULL)
		return number_of(api->job->workflow);
	if (local->config.is_network)
		return number_of(api->from.token);
	return http_request_user_id(request, &uid) ? uid : UINT64_MAX;
}

/* By the name that its effects have. */
static bool
is_crowded(const struct route_api *local, const struct job *job)
{
	char who[LIMIT_PERSON];

	text_setf(who, "workflow:%s", job->workflow); /* cut is fine */
	return loan_shelf_is_full(local->config.loans, who);
}

/* job: who asks, NULL: whoever was let in. */
static void
submit(const struct whole *whole, const struct job *job)
{
	struct route_api *local = whole->operation->local;
	struct http_request *request = whole->request;
	struct asked *asked;
	struct err err;
	struct event *event = new_event(whole, job, &err);

	if (event == NULL) {
		route_api_said(request, 400, err.text);
		return;
	}
	if (whole->operation->operation == API_LOAN)
		event->u.api->is_kept = loan_shelf_has(
		    local->config.loans, request_number(&event->u.api->request, "work"));
	if (whole->operation->operation == API_SECRET && job != NULL)
		event->u.api->is_crowded = is_crowded(local, job);
	asked = mem_new(1, sizeof(*asked));
	*asked = (struct asked){ .config = &local->config,
		.request = request,
		.operation = whole->operation->operation,
		.who = who_asks(local, request, event->u.api),
		.offset = event->u.api->offset };
	event->done = route_api_decided;
	event->done_ctx = asked;
	if (local->config.submit(local->config.ctx, event))
		return;
	event_free(event);
	free(asked);
	route_api_said(request, 503, "the server is busy: try again in a moment");
}

/* job: of LET_IN; else why says what is wrong, for whoever has sent it; the audit has no more of
 * that than a sentence of the table. */
static void
checked(const struct whole *whole, enum route_job_result result, const char *why,
    const struct job *job, bool is_signed)
{
	struct route_api *local = whole->operation->local;
	struct http_request *request = whole->request;
	struct seen *seen;

	if (result == ROUTE_JOB_LET_IN) {
		if (may_ask(local, request, job))
			submit(whole, job);
		return;
	}
	if (result != ROUTE_JOB_UNCHECKED) {
		seen = job_tries(local, request);
		if (!bucket_take(&seen->requests, try_rate, seen->at, 1))
			result = ROUTE_JOB_TOO_MANY;
		if (result == ROUTE_JOB_TOO_MANY)
			note_refused(
			    local, seen, http_request_client(request), "too many tries", "");
		else
			note_refused(local, seen, http_request_client(request),
			    is_signed ? route_job_rows[result].of_signature :
					route_job_rows[result].of_token,
			    why);
	}
	refuse_job(local, request, result, why);
}

static void
on_job(void *ctx, enum route_job_result result, const char *why, const struct job *job)
{
	struct whole *whole = ctx;

	checked(whole, result, why, job, false);
	free(whole->body);
	free(whole);
}

/* Each key takes the loop 3 µs, and with a body of BODY_MAX 22. */
static void
check_signature(const struct whole *whole)
{
	const struct route_api_config *config = &whole->operation->local->config;
	const struct http_request *request = whole->request;
	const struct route_key_request signed_request = {
		.method = api_rows[whole->operation->operation].method,
		.path = http_request_path(request),
		.body = whole->body,
		.size = whole->size,
		.headers = { .standard = http_request_header(request, "webhook-signature"),
		    .id = http_request_header(request, "webhook-id"),
		    .timestamp = http_request_header(request, "webhook-timestamp") },
	};
	struct route_key_found found;
	enum route_job_result result = route_key_check(
	    config->settings(config->ctx), &signed_request, clock_wall_ms(), &found);

	if (result == ROUTE_JOB_LET_IN && found.is_previous)
		secret_note_used(&found.secret, config->submit, config->ctx);
	checked(whole, result, found.why, &found.job, true);
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct whole whole = { .operation = ctx, .request = request };
	struct route_api *local = whole.operation->local;
	const char *token = job_of(local, request);

	whole.body = http_request_take_body(request, &whole.size);
	if (token != NULL) {
		route_job_check(local->config.jobs, token, on_job, mem_copy(&whole, sizeof(whole)));
		return;
	}
	if (is_signed(local, request))
		check_signature(&whole);
	else
		submit(&whole, NULL);
	free(whole.body);
}

void
route_api_routes(struct route_api *local, struct http_route ret[ROUTE_API_ROUTES])
{
	static const char *const types[] = { "application/json", NULL };
	/* Where nothing stands behind it, and where something does. */
	static const char *const paths[API_OPERATION_COUNT][2] = {
#define API(name, method, path, ...) [API_##name] = { path, path "/" },
#include "types/api.def"
	};

	for (size_t i = 0; i < ROUTE_API_ROUTES; i++) {
		const struct api_row *row = &api_rows[i / 2];
		bool is_post = api_is_post((enum api_operation)(i / 2));

		ret[i] = (struct http_route){ .methods = row->method,
			.path = paths[i / 2][i % 2],
			.body_max = is_post ? BODY_MAX : 0,
			.types = is_post ? types : NULL,
			.answer_timeout_ms = i / 2 == API_COMMAND ? ROUTE_API_LOG_MS + 1000 : 0,
			.on_begin = on_begin,
			.on_request = on_request,
			.ctx = &local->operations[i / 2] };
	}
}

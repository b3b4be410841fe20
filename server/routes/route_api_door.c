/* route_api_door.c - who is let in to /v1, and how often they may ask.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api_door.h"

#include <unistd.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "routes/local_user.h"
#include "telegram/telegram_init_data.h"
#include "types/refusals.h"
#include "types/secret.h"

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
let_in(struct route_api *local, struct http_request *request, bool is_upload, struct update *ret)
{
	struct local_peer peer = { .server_uid = geteuid(),
		.runner_uid = local->config.runner_uid(local->config.ctx),
		.upload_at = is_upload ? clock_wall_ms() : 0,
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

	return value != NULL && (token_is_text(value) || token_is_session(value)) ? value : NULL;
}

/* One of a job, or NULL. */
const char *
route_api_job_of(const struct route_api *local, const struct http_request *request)
{
	const char *value = local->config.jobs != NULL ? bearer_of(request) : NULL;

	return value != NULL && route_job_is_meant(value) ? value : NULL;
}

/* By a workflow's key; what has a token is by that. */
bool
route_api_is_signed(const struct route_api *local, const struct http_request *request)
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
	_Static_assert(COUNT(local->known) == COUNT(tokens->at), "each that the store knows");
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

/* --- sessions of the console --- */

bool
route_api_opens(const struct route_api *local, const struct operation *operation,
    const struct http_request *request)
{
	return local->config.is_network && operation->operation == API_SESSION &&
	    text_ends(http_request_path(request), "/open");
}

/* Not those of wrong tokens: whoever has no account would close the console with them. */
static struct seen *
logins_of(struct route_api *local, const struct http_request *request)
{
	char group[ADDRESS_GROUP];

	return seen_of(
	    local->logins, number_of(address_group(http_request_client(request), group)));
}

static void
let_open(struct route_api *local, struct http_request *request, struct update *ret)
{
	struct seen *seen = logins_of(local, request);

	*ret = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	if (bucket_wait_ms(&seen->requests, try_rate, seen->at, 1) == 0)
		return;
	note_refused(local, seen, http_request_client(request), "too many tries", "");
	route_api_said(request, 429, TOO_MANY);
}

static void
note_wrong_login(struct route_api *local, struct http_request *request, const char *why)
{
	struct seen *seen = logins_of(local, request);

	/* What is left is asked before the next one. */
	if (!bucket_take(&seen->requests, try_rate, seen->at, 1))
		why = "too many tries";
	note_refused(local, seen, http_request_client(request), why, "");
}

void
route_api_opened(void *ctx, const struct answer *decided)
{
	struct asked *asked = ctx;

	if (decided->status == 401 || decided->status == 403)
		note_wrong_login(asked->local, asked->request, "no valid login at the console");
	route_api_decided(asked, decided);
}

/* By initData the loop finds out who it is; by a code the store does.  False: it was answered. */
bool
route_api_check_login(
    struct route_api *local, struct http_request *request, struct api_request *api)
{
	const struct settings *settings = local->config.settings(local->config.ctx);
	struct telegram_init_data data;
	char *text = api->init_data;
	struct err err;
	bool is_right;

	if (text == NULL)
		return true;
	is_right = telegram_init_data_check(
	    settings->telegram_bot_token, text, clock_wall_ms(), &data, &err);
	crypto_wipe(text, strlen(text));
	free(text);
	api->init_data = NULL;
	if (!is_right) {
		note_wrong_login(local, request, "initData that proves nothing");
		route_api_said(request, err.code == ERR_IO ? 503 : 401, err.text);
		return false;
	}
	api->from.person = data.person;
	text_set(api->from.name, data.name);
	request_add(&api->request, "hash", data.hash);
	return true;
}

/* Many jobs share an address of their forge: only what is refused counts. */
static struct seen *
job_tries(struct route_api *local, const struct http_request *request)
{
	char group[ADDRESS_GROUP];

	return seen_of(local->jobs, number_of(address_group(http_request_client(request), group)));
}

static void
answer_job(struct route_api *local, struct http_request *request, enum route_job_result result,
    const char *why)
{
	struct seen *seen = job_tries(local, request);

	if (!bucket_take(&seen->checks, check_rate, seen->at, 1))
		result = ROUTE_JOB_TOO_MANY;
	local->config.jobs->count_refused(local->config.jobs->ctx, route_job_rows[result].word);
	route_api_said(
	    request, route_job_rows[result].status, result == ROUTE_JOB_TOO_MANY ? TOO_MANY : why);
}

void
route_api_refuse_job(struct route_api *local, struct http_request *request,
    enum route_job_result result, const char *why, bool is_signed)
{
	struct seen *seen = job_tries(local, request);
	const char *what =
	    is_signed ? route_job_rows[result].of_signature : route_job_rows[result].of_token;

	if (result != ROUTE_JOB_UNCHECKED) {
		if (!bucket_take(&seen->requests, try_rate, seen->at, 1))
			result = ROUTE_JOB_TOO_MANY;
		if (result == ROUTE_JOB_TOO_MANY)
			note_refused(
			    local, seen, http_request_client(request), "too many tries", "");
		else
			note_refused(local, seen, http_request_client(request), what, why);
	}
	answer_job(local, request, result, why);
}

static void
let_in_job(struct route_api *local, struct http_request *request, struct update *ret)
{
	struct seen *seen = job_tries(local, request);

	*ret = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	if (bucket_wait_ms(&seen->checks, check_rate, seen->at, 1) == 0)
		return;
	note_refused(local, seen, http_request_client(request), "too many tries", "");
	answer_job(local, request, ROUTE_JOB_TOO_MANY, "");
}

/* A valid token is no leave to ask in a loop: one run leaves something to the others of its
 * workflow.  False: it was answered. */
bool
route_api_may_ask(struct route_api *local, struct http_request *request, const struct job *job)
{
	struct seen *run, *workflow = seen_of(local->workflows, number_of(job->workflow));
	char name[3 * JOB_NUMBER];

	text_setf(name, "%s/%s", job->repository_id, job->run);
	run = seen_of(local->runs, number_of(job_is_by_key(job) ? job->workflow : name));
	if (bucket_take(&run->requests, run_rate, run->at, 1) &&
	    bucket_take(&workflow->requests, workflow_rate, workflow->at, 1))
		return true;
	note_refused(local, run, http_request_client(request), "a job asks too often", "");
	answer_job(local, request, ROUTE_JOB_TOO_MANY, "");
	return false;
}

/* Before anything of a body is read. */
void
route_api_begin(struct http_request *request, void *ctx)
{
	struct operation *operation = ctx;
	struct route_api *local = operation->local;
	struct caller *caller = mem_new(1, sizeof(*caller));
	bool is_upload = operation->operation == API_UPLOAD;

	caller->asked_at = clock_monotonic_ms();
	http_request_set_user(request, caller, route_api_free_caller);
	if (route_api_job_of(local, request) != NULL || route_api_is_signed(local, request))
		let_in_job(local, request, &caller->from);
	else if (route_api_opens(local, operation, request))
		let_open(local, request, &caller->from);
	else if (local->config.is_network)
		(void)let_in_token(local, request, &caller->from);
	else if (let_in(local, request, is_upload, &caller->from) && is_upload)
		route_api_begin_upload(local->config.uploads, request, caller);
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

uint64_t
route_api_who_asks(const struct route_api *local, const struct http_request *request,
    const struct api_request *api)
{
	uid_t uid;

	if (api->job != NULL)
		return number_of(api->job->workflow);
	if (local->config.is_network)
		return number_of(api->from.token);
	return http_request_user_id(request, &uid) ? uid : UINT64_MAX;
}

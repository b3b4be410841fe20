/* route_api.c - /v1: for users of this machine on a unix socket of its own, and for tokens on TCP.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api.h"

#include <strings.h>
#include <unistd.h>

#include "clients/loan_shelf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "routes/route_api_door.h"
#include "routes/route_key.h"
#include "types/secret.h"

#define UPLOAD_MS 60000

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
	event->u.api->from = ((const struct caller *)http_request_user(request))->from;
	event->u.api->is_network = is_network;
	text_set(event->u.api->client, is_network ? http_request_client(request) : "");
	if (job != NULL)
		event->u.api->job = mem_copy(job, sizeof(*job));
	if (!route_api_read_upload(request, event->u.api, err) ||
	    !put_key(whole, event->u.api, err) ||
	    !api_read(operation, http_request_path(request), whole->body, whole->size, event->u.api,
		err)) {
		event_free(event);
		event = NULL;
	}
	return event;
}

/* By the name that its effects have. */
static bool
is_crowded(const struct route_api *local, const struct job *job)
{
	char who[LIMIT_PERSON];

	text_setf(who, "workflow:%s", job->workflow); /* cut is fine */
	return loan_shelf_is_full(local->config.loans, who);
}

/* RFC 7240: a preference that is not understood is none. */
static bool
waits(const struct http_request *request)
{
	const char *prefer = http_request_header(request, "Prefer");

	return prefer != NULL && strcasecmp(prefer, "wait=7") == 0;
}

static struct asked *
new_asked(const struct whole *whole, const struct api_request *api)
{
	const struct route_api_config *config = &whole->operation->local->config;
	struct asked *asked = mem_new(1, sizeof(*asked));

	*asked = (struct asked){ .config = config,
		.request = whole->request,
		.operation = api->operation,
		.who = route_api_who_asks(whole->operation->local, whole->request, api),
		.offset = api->offset,
		.waits = config->waiting != NULL && waits(whole->request),
		.is_another =
		    api->operation == API_NEWS && strcmp(api->instance, config->instance) != 0,
		.settings = api->operation == API_NEWS ?
		    settings_ref(config->settings(config->ctx)) :
		    NULL };
	asked->local = whole->operation->local;
	asked->parked.asked_at =
	    ((const struct caller *)http_request_user(whole->request))->asked_at;
	return asked;
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
	if (route_api_opens(local, whole->operation, request) &&
	    !route_api_check_login(local, request, event->u.api)) {
		event_free(event);
		return;
	}
	asked = new_asked(whole, event->u.api);
	event->done = route_api_opens(local, whole->operation, request) ? route_api_opened :
									  route_api_decided;
	event->done_ctx = asked;
	if (local->config.submit(local->config.ctx, event))
		return;
	event_free(event);
	route_api_free_asked(asked);
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

	if (result == ROUTE_JOB_LET_IN) {
		if (route_api_may_ask(local, request, job))
			submit(whole, job);
		return;
	}
	route_api_refuse_job(local, request, result, why, is_signed);
}

static void
on_job(void *ctx, enum route_job_result result, const char *why, const struct job *job)
{
	struct whole *whole = ctx;

	checked(whole, result, why, job, false);
	free(whole->body);
	free(whole);
}

/* Each key takes the loop 3 µs, and with a body of 16 KB 22. */
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
on_upload(struct http_request *request, void *ctx)
{
	struct whole whole = { .operation = ctx, .request = request };

	if (!route_api_end_upload(request))
		return;
	/* What names it stands for it. */
	whole.body = ((struct caller *)http_request_user(request))->file.id;
	whole.size = strlen(whole.body);
	submit(&whole, NULL);
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct whole whole = { .operation = ctx, .request = request };
	struct route_api *local = whole.operation->local;
	const char *token = route_api_job_of(local, request);

	whole.body = http_request_take_body(request, &whole.size);
	if (token != NULL) {
		route_job_check(local->config.jobs, token, on_job, mem_copy(&whole, sizeof(whole)));
		return;
	}
	if (route_api_is_signed(local, request))
		check_signature(&whole);
	else
		submit(&whole, NULL);
	free(whole.body);
}

static void
stream(struct http_route *route)
{
	route->is_streamed = true;
	route->body_timeout_ms = UPLOAD_MS;
	route->on_piece = route_api_take_piece;
	route->on_request = on_upload;
}

size_t
route_api_routes(struct route_api *local, struct http_route ret[ROUTE_API_ROUTES])
{
	/* Where nothing stands behind it, and where something does. */
	static const char *const paths[API_OPERATION_COUNT][2] = {
#define API(name, method, path, ...) [API_##name] = { path, path "/" },
#include "types/api.def"
	};

	size_t n = 0;

	for (size_t i = 0; i < ROUTE_API_ROUTES; i++) {
		const struct api_row *row = &api_rows[i / 2];

		if (i / 2 == API_UPLOAD && local->config.is_network)
			continue;
		ret[n] = (struct http_route){ .methods = row->method,
			.path = paths[i / 2][i % 2],
			.body_max = row->body_max,
			.types = row->types[0] != NULL ? row->types : NULL,
			.answer_timeout_ms = i / 2 == API_COMMAND ? ROUTE_API_LOG_MS + 1000 : 0,
			.on_begin = route_api_begin,
			.on_request = on_request,
			.ctx = &local->operations[i / 2] };
		if (i / 2 == API_UPLOAD)
			stream(&ret[n]);
		n++;
	}
	return n;
}

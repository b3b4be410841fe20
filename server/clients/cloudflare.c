/* cloudflare.c - one call of Cloudflare's API.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/cloudflare.h"

#include <stdlib.h>

#include "clients/cloudflare_answer.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/limits.h"

#define TIMEOUT_MS 20000
#define TOKEN_MAX  1023

struct cloudflare_call {
	struct http_client_call *http;
	cloudflare_done_fn *on_done;
	void *ctx;
	char wanted[CLOUDFLARE_LEVEL]; /* "": it is asked for */
};

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct cloudflare_call *call = ctx;
	const char *wanted = call->wanted[0] != '\0' ? call->wanted : NULL;
	struct cloudflare_answer answer = http->code != ERR_NONE ?
	    cloudflare_judge(0, http->text, strlen(http->text), NULL, wanted) :
	    cloudflare_judge(http->status, http->body, http->body_size,
		http_client_header(http, "Retry-After"), wanted);
	cloudflare_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	free(call);
	on_done(done_ctx, &answer);
}

static struct http_client_call *
start_http(struct http_client *client, const struct cloudflare_request *request,
    struct cloudflare_call *call, struct err *err)
{
	char url[LIMIT_URL + CLOUDFLARE_PATH_MAX], path[CLOUDFLARE_PATH_MAX];
	char body[CLOUDFLARE_BODY_MAX], authorization[TOKEN_MAX + 32];
	const char *const headers[] = { authorization, "Accept: application/json",
		"Content-Type: application/json", NULL };
	bool is_set = request->level != NULL;
	struct http_client_call *started;

	text_setf(url, "%s%s", request->base, cloudflare_path(request->zone, path));
	text_setf(authorization, "Authorization: Bearer %s", request->token);
	if (is_set)
		cloudflare_body(request->level, body);
	const struct http_client_request http = {
		.label = "Cloudflare",
		.method = is_set ? "PATCH" : "GET",
		.url = url,
		.headers = headers,
		.body = is_set ? body : NULL,
		.body_size = is_set ? strlen(body) : 0,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = CLOUDFLARE_ANSWER_MAX,
		.on_done = on_answer,
		.ctx = call,
	};
	started = http_client_start(client, &http, err);
	crypto_wipe(authorization, sizeof(authorization));
	return started;
}

struct cloudflare_call *
cloudflare_start(
    struct http_client *client, const struct cloudflare_request *request, struct err *err)
{
	CLEANUP(freep) struct cloudflare_call *call = NULL;

	assert(cloudflare_is_zone(request->zone) && strlen(request->base) < LIMIT_URL);
	if (request->token == NULL || strlen(request->token) > TOKEN_MAX)
		return ERR_NULL(err_set(err, ERR_CONFIG, "CLOUDFLARE_API_TOKEN is not set"));
	call = mem_new(1, sizeof(*call));
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	if (request->level != NULL)
		text_setf(call->wanted, "%s", request->level);
	call->http = start_http(client, request, call, err);
	return call->http != NULL ? TAKE(call) : NULL;
}

void
cloudflare_cancel(struct cloudflare_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

/* opa.c - one question to OPA.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa.h"

#include <stdlib.h>

#include "clients/opa_answer.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/outbound.h"
#include "types/settings.h"

#define TIMEOUT_MS 2000
#define TOKEN_MAX  1023

struct opa_call {
	struct http_client_call *http;
	opa_done_fn *on_done;
	void *ctx;
};

struct http_client *
opa_client(struct loop *loop, const struct settings_opa *opa, struct err *err)
{
	return http_client_new(loop,
	    &(struct http_client_config){ .connections_max = OPA_AT_ONCE,
		.in_flight_max = OPA_AT_ONCE,
		.user_agent = "deploybot",
		.ca_file = opa->ca_file,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_OPA, opa->url) },
	    err);
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct opa_call *call = ctx;
	struct opa_answer answer = http->code != ERR_NONE ?
	    opa_judge(0, http->why, strlen(http->why)) :
	    opa_judge(http->status, http->body, http->body_size);
	opa_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	free(call);
	on_done(done_ctx, &answer);
}

struct opa_call *
opa_start(struct http_client *client, const struct opa_request *request, struct err *err)
{
	CLEANUP(buf_done) struct buf body = buf_make(OPA_INPUT + 16);
	CLEANUP(freep) struct opa_call *call = NULL;
	char authorization[TOKEN_MAX + 32];
	const char *const headers[] = { "Content-Type: application/json",
		request->token != NULL ? authorization : NULL, NULL };

	if (request->url == NULL)
		return ERR_NULL(err_set(err, ERR_CONFIG, "OPA_URL is not set"));
	buf_addf(&body, "{\"input\":%s}", request->input);
	if (!buf_check(&body, err))
		return NULL;
	text_setf(authorization, "Authorization: Bearer %s",
	    request->token != NULL ? request->token : "");
	call = mem_new(1, sizeof(*call));
	*call = (struct opa_call){ .on_done = request->on_done, .ctx = request->ctx };
	call->http = http_client_start(client,
	    &(struct http_client_request){ .label = "OPA",
		.url = request->url,
		.headers = headers,
		.body = buf_text(&body),
		.body_size = body.size,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = OPA_ANSWER_MAX,
		.on_done = on_answer,
		.ctx = call },
	    err);
	crypto_wipe(authorization, sizeof(authorization));
	return call->http != NULL ? TAKE(call) : NULL;
}

void
opa_cancel(struct opa_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

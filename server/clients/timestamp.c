/* timestamp.c - one request of RFC 3161 over HTTP, and its answer checked.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/timestamp.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/text.h"
#include "lib/mem.h"
#include "types/outbound.h"

#define TIMEOUT_MS 30000
#define TYPE	   "application/timestamp-reply"

struct timestamp_call {
	struct http_client_call *http;
	timestamp_done_fn *on_done;
	void *ctx;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	uint8_t nonce[CRYPTO_TS_NONCE];
	char ca_file[PATH_MAX]; /* "": the signature is not looked at */
};

struct http_client *
timestamp_client(struct loop *loop, struct err *err)
{
	const struct http_client_config config = {
		.connections_max = 1,
		.in_flight_max = 1,
		.user_agent = "deploybot",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_TIMESTAMP, NULL),
	};

	return http_client_new(loop, &config, err);
}

static bool
judge(const struct timestamp_call *call, const struct http_client_result *http,
    struct crypto_ts *ret, struct err *err)
{
	const char *type;

	if (http->code != ERR_NONE)
		return err_set(err, http->code, "%s", http->text);
	if (http->status != 200)
		return err_set(err, ERR_IO, "the timestamp authority answered %d", http->status);
	type = http_client_header(http, "Content-Type");
	if (type == NULL || strncasecmp(type, TYPE, strlen(TYPE)) != 0)
		return err_set(err, ERR_INVALID, "its answer is not of type " TYPE);
	return crypto_ts_read(http->body, http->body_size, call->hash, call->nonce,
	    call->ca_file[0] == '\0' ? CRYPTO_TS_NOBODY : CRYPTO_TS_FILE, call->ca_file, ret, err);
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct timestamp_call *call = ctx;
	timestamp_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;
	struct crypto_ts stamp;
	struct err err = { 0 };
	bool ok = judge(call, http, &stamp, &err);

	free(call);
	on_done(done_ctx, ok ? http->body : NULL, http->body_size, &stamp, &err);
}

static struct http_client_call *
start_http(
    struct http_client *client, const char *url, struct timestamp_call *call, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/timestamp-query",
		"Accept: " TYPE, NULL };
	uint8_t body[CRYPTO_TS_REQUEST];
	size_t size;

	if (!crypto_ts_request(call->hash, body, &size, call->nonce, err))
		return NULL;
	const struct http_client_request http = {
		.label = "the timestamp authority",
		.url = url,
		.headers = headers,
		.body = body,
		.body_size = size,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = CRYPTO_TS_ANSWER,
		.on_done = on_answer,
		.ctx = call,
	};
	return http_client_start(client, &http, err);
}

struct timestamp_call *
timestamp_start(
    struct http_client *client, const struct timestamp_request *request, struct err *err)
{
	struct timestamp_call *call = mem_new(1, sizeof(*call));

	call->on_done = request->on_done;
	call->ctx = request->ctx;
	memcpy(call->hash, request->hash, sizeof(call->hash));
	if (request->ca_file == NULL ||
	    text_copy(call->ca_file, sizeof(call->ca_file), request->ca_file))
		call->http = start_http(client, request->url, call, err);
	else
		(void)err_set(err, ERR_CONFIG, "AUDIT_TIMESTAMP_CA is too long");
	if (call->http != NULL)
		return call;
	free(call);
	return NULL;
}

void
timestamp_cancel(struct timestamp_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

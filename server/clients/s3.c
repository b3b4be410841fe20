/* s3.c - signs a PUT of an object and sends it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3.h"

#include <stdlib.h>

#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/text.h"

#define TIMEOUT_MS 120000 /* 4 MB over a slow line */

struct s3_call {
	struct http_client_call *http;
	s3_done_fn *on_done;
	void *ctx;
	bool is_repeated;
	char checksum[BASE64_SIZE(CRYPTO_SHA256_SIZE)];
};

/* That none came says nothing of what was done. */
static struct witness_answer
judge_failure(const struct http_client_result *http)
{
	struct witness_answer answer = { .verdict = WITNESS_UNKNOWN };

	text_set(answer.detail, http->text);
	return answer;
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct s3_call *call = ctx;
	const struct s3_put_answer answer = { .status = http->status,
		.checksum = http_client_header(http, "x-amz-checksum-sha256"),
		.version = http_client_header(http, "x-amz-version-id"),
		.body = http->body,
		.body_size = http->body_size };
	struct witness_answer judged = http->code != ERR_NONE ?
	    judge_failure(http) :
	    s3_judge_put(&answer, call->checksum, call->is_repeated);
	bool is_refused = http->code == ERR_NONE && s3_refuses_credentials(&answer);
	s3_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	free(call);
	on_done(done_ctx, &judged, is_refused);
}

static bool
start_http(struct http_client *client, const struct s3_put *put, struct s3_call *call,
    const char *hash, struct err *err)
{
	struct s3_address address;
	struct sigv4_lines lines;
	char checksum[sizeof("x-amz-checksum-sha256: ") + sizeof(call->checksum)];
	const char *const own[] = { "If-None-Match: *", "Content-Type: application/x-ndjson",
		checksum, NULL };
	const char *all[8] = { own[0], own[1], own[2], lines.date, lines.payload,
		lines.authorization, NULL, NULL };
	struct sigv4_request request = { .method = "PUT",
		.host = address.host,
		.path = address.path,
		.headers = own,
		.payload = hash,
		.region = put->place.region,
		.at = clock_wall_ms() };

	text_setf(checksum, "x-amz-checksum-sha256: %s", call->checksum);
	if (!s3_address(&put->place, put->key, &address, err) ||
	    !sigv4_sign(&request, put->credentials, &lines, err))
		return false;
	if (lines.token[0] != '\0')
		all[6] = lines.token;
	call->http = http_client_start(client,
	    &(struct http_client_request){ .label = "S3",
		.method = "PUT",
		.url = address.url,
		.headers = all,
		.body = put->body,
		.body_size = put->body_size,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = S3_ANSWER_MAX,
		.on_done = on_answer,
		.ctx = call },
	    err);
	crypto_wipe(&lines, sizeof(lines));
	return call->http != NULL;
}

struct s3_call *
s3_put_start(struct http_client *client, const struct s3_put *put, struct err *err)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char hex[CRYPTO_SHA256_HEX];
	CLEANUP(freep) struct s3_call *call = NULL;

	if (!crypto_sha256(put->body, put->body_size, hash, err))
		return NULL;
	call = mem_new(1, sizeof(*call));
	call->on_done = put->on_done;
	call->ctx = put->ctx;
	call->is_repeated = put->is_repeated;
	text_hex(hex, hash, sizeof(hash));
	(void)base64_encode(hash, sizeof(hash), call->checksum);
	return start_http(client, put, call, hex, err) ? TAKE(call) : NULL;
}

void
s3_cancel(struct s3_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

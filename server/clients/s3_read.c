/* s3_read.c - signs a GET and sends it; the bucket stands in the path.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/address.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/url.h"

#define TIMEOUT_MS 60000
#define URL_MAX	   8192
#define EMPTY	   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 */

struct s3_read_call {
	struct http_client_call *http;
	s3_read_fn *on_done;
	void *ctx;
};

static bool
is_allowed(const struct sockaddr *address, UNUSED const void *ctx)
{
	enum address_class class = address_class(address);

	return class != ADDRESS_LINK_LOCAL && class != ADDRESS_NOWHERE;
}

struct http_client *
s3_read_client(struct loop *loop, const char *ca_file, unsigned calls, struct err *err)
{
	const struct http_client_config config = {
		.connections_max = calls,
		.in_flight_max = calls,
		.user_agent = "deploybot",
		.ca_file = ca_file,
		.address_is_allowed = is_allowed,
	};

	return http_client_new(loop, &config, err);
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct s3_read_call *call = ctx;
	struct s3_read_answer answer = { .code = http->code,
		.text = http->text,
		.status = http->status,
		.body = http->body,
		.body_size = http->body_size };
	s3_read_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	if (http->code == ERR_NONE) {
		answer.version = http_client_header(http, "x-amz-version-id");
		answer.lock_mode = http_client_header(http, "x-amz-object-lock-mode");
		answer.lock_until = http_client_header(http, "x-amz-object-lock-retain-until-date");
	}
	free(call);
	on_done(done_ctx, &answer);
}

/* "/bucket/key?query", and where the query begins. */
static void
write_target(struct buf *target, const struct s3_read_place *place, const char *key)
{
	buf_addc(target, '/');
	sigv4_encode(target, place->bucket, true);
	if (key != NULL) {
		buf_addc(target, '/');
		sigv4_encode(target, key, true);
	}
}

static struct http_client_call *
start_http(struct http_client *client, const struct s3_read *read, struct buf *target,
    struct s3_read_call *call, struct err *err)
{
	const struct s3_read_place *place = read->place;
	char host[URL_PLACE], url[URL_MAX];
	struct sigv4_lines lines;
	const char *headers[5] = { lines.date, lines.payload, lines.authorization };
	const struct sigv4_request request = { .method = "GET",
		.host = url_place(place->endpoint, host),
		.path = buf_text(target),
		.query = read->query,
		.payload = EMPTY,
		.region = place->region,
		.at = clock_wall_ms() };
	struct http_client_call *started;

	if (!sigv4_sign(&request, &place->keys, &lines, err))
		return NULL;
	if (lines.token[0] != '\0')
		headers[3] = lines.token;
	if ((size_t)snprintf(url, sizeof(url), "%s%s%s%s", place->endpoint, buf_text(target),
		read->query[0] == '\0' ? "" : "?", read->query) >= sizeof(url))
		return ERR_NULL(
		    err_set(err, ERR_LIMIT, "a key or marker of the bucket is too long"));
	const struct http_client_request http = {
		.label = "S3",
		.url = url,
		.headers = headers,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = read->answer_max,
		.on_done = on_answer,
		.ctx = call,
	};
	started = http_client_start(client, &http, err);
	crypto_wipe(&lines, sizeof(lines));
	return started;
}

struct s3_read_call *
s3_read_start(struct http_client *client, const struct s3_read *read, struct err *err)
{
	CLEANUP(freep) struct s3_read_call *call = mem_new(1, sizeof(*call));
	CLEANUP(buf_done) struct buf target = buf_make(URL_MAX);

	call->on_done = read->on_done;
	call->ctx = read->ctx;
	write_target(&target, read->place, read->key);
	if (buf_check(&target, err))
		call->http = start_http(client, read, &target, call, err);
	return call->http != NULL ? TAKE(call) : NULL;
}

void
s3_read_cancel(struct s3_read_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

/* prometheus.c - one query to Prometheus.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/prometheus.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/mem.h"
#include "lib/promql.h"
#include "lib/sigv4.h"
#include "lib/text.h"
#include "types/outbound.h"
#include "types/settings.h"

#define TIMEOUT_MS 5000
#define AT_ONCE	   4
#define PROVEN_MAX (2 * 4096 + 2) /* bytes of user and password, or of a token */
#define HEADER_MAX (BASE64_SIZE(PROVEN_MAX) + 32)
#define URL_MOST   (1024 + 64 + 3 * PROMQL_FILLED_MAX)

struct prometheus_call {
	struct http_client_call *http;
	int64_t time;
	prometheus_done_fn *on_done;
	void *ctx;
};

struct http_client *
prometheus_client(struct loop *loop, const struct settings_prometheus *prometheus, struct err *err)
{
	return http_client_new(loop,
	    &(struct http_client_config){ .connections_max = AT_ONCE,
		.in_flight_max = AT_ONCE,
		.user_agent = "deploybot",
		.ca_file = prometheus->ca_file,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_PROMETHEUS, prometheus->url) },
	    err);
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct prometheus_call *call = ctx;
	const struct prometheus_answer answer = {
		.status = http->code != ERR_NONE ? 0 : http->status,
		.body = http->code != ERR_NONE ? http->why : http->body,
		.size = http->code != ERR_NONE ? strlen(http->why) : http->body_size,
		.asked_at = call->time,
	};
	prometheus_done_fn *on_done = call->on_done;
	void *done_ctx = call->ctx;

	free(call);
	on_done(done_ctx, &answer);
}

/* Bearer, or where there is a user Basic (RFC 7617). */
static void
write_header(const struct settings_prometheus *at, struct buf *out)
{
	char proven[PROVEN_MAX], encoded[BASE64_SIZE(PROVEN_MAX)];

	if (at->user == NULL) {
		buf_addf(out, "Authorization: Bearer %s", at->token);
		return;
	}
	text_setf(proven, "%s:%s", at->user, at->token);
	buf_addf(out, "Authorization: Basic %s", base64_encode(proven, strlen(proven), encoded));
	crypto_wipe(proven, sizeof(proven));
	crypto_wipe(encoded, sizeof(encoded));
}

static void
write_url(const struct prometheus_request *request, struct buf *out)
{
	buf_addf(out, "%s/api/v1/query?time=%" PRId64 ".%03d&timeout=%ds&query=", request->at->url,
	    request->time / 1000, (int)(request->time % 1000), TIMEOUT_MS / 1000);
	sigv4_encode(out, request->query, false);
}

struct prometheus_call *
prometheus_start(
    struct http_client *client, const struct prometheus_request *request, struct err *err)
{
	CLEANUP(buf_done) struct buf url = buf_make(URL_MOST);
	CLEANUP(buf_wipe) struct buf header = buf_make(HEADER_MAX);
	CLEANUP(freep) struct prometheus_call *call = NULL;
	const char *headers[] = { "Accept: application/json", NULL, NULL };

	if (request->at->url == NULL)
		return ERR_NULL(err_set(err, ERR_CONFIG, "PROMETHEUS_URL is not set"));
	write_url(request, &url);
	if (request->at->token != NULL) {
		write_header(request->at, &header);
		headers[1] = buf_text(&header);
	}
	if (!buf_check(&url, err) || !buf_check(&header, err))
		return NULL;
	call = mem_new(1, sizeof(*call));
	*call = (struct prometheus_call){
		.time = request->time, .on_done = request->on_done, .ctx = request->ctx
	};
	call->http = http_client_start(client,
	    &(struct http_client_request){ .label = "Prometheus",
		.url = buf_text(&url),
		.headers = headers,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = PROMETHEUS_ANSWER_MAX,
		.on_done = on_answer,
		.ctx = call },
	    err);
	return call->http != NULL ? TAKE(call) : NULL;
}

void
prometheus_cancel(struct prometheus_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	free(call);
}

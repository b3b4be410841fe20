/* tls_watch.c - once an hour: until when is our own certificate good?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/tls_watch.h"

#include <stdio.h>

#include "lib/http_client.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "types/outbound.h"
#include "types/settings.h"

#define MAGIC	   0x746c7377u
#define PERIOD_MS  INT64_C(3600000)
#define RETRY_MS   INT64_C(300000)
#define TIMEOUT_MS 20000 /* for the name, the connection, the handshake and an answer */
#define ANSWER_MAX 1024	 /* to a HEAD: none of it is looked at */

struct tls_watch {
	unsigned magic;
	struct tls_watch_config config;
	struct http_client *client;
	struct http_client_call *call;
	struct loop_timer timer;
	char url[TLS_WATCH_URL_SIZE]; /* "": nothing is looked at */
};

static void on_time(struct loop_timer *timer, void *ctx);
static void on_done(void *ctx, const struct http_client_result *result);

bool
tls_watch_host(const char *url, char ret[TLS_WATCH_URL_SIZE])
{
	static const char scheme[] = "https://";
	size_t size;

	if (url == NULL || strncasecmp(url, scheme, strlen(scheme)) != 0)
		return false;
	size = strcspn(url + strlen(scheme), "/?#");
	return snprintf(ret, TLS_WATCH_URL_SIZE, "%s%.*s/", scheme, (int)size,
		   url + strlen(scheme)) < TLS_WATCH_URL_SIZE;
}

struct tls_watch *
tls_watch_start(const struct tls_watch_config *config, struct err *err)
{
	/* A zone of its own: no connection, session or name is shared with what must be checked. */
	const struct http_client_config reader = {
		.connections_max = 1,
		.in_flight_max = 1,
		.queue_max = 1,
		.protocols = "https",
		.user_agent = "deploybot",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_CERTIFICATE, NULL),
		.reads_certificates = true,
	};
	struct tls_watch *watch = mem_new(1, sizeof(*watch));

	watch->magic = MAGIC;
	watch->config = *config;
	if (watch->config.period_ms == 0)
		watch->config.period_ms = PERIOD_MS;
	if (watch->config.retry_ms == 0)
		watch->config.retry_ms = RETRY_MS;
	loop_timer_init(&watch->timer, on_time, watch);
	watch->client = http_client_new(config->loop, &reader, err);
	if (watch->client == NULL) {
		tls_watch_free(watch);
		return NULL;
	}
	return watch;
}

void
tls_watch_settings(struct tls_watch *watch, const struct settings *settings)
{
	OBJ_CHECK(watch, MAGIC);
	http_client_cancel(TAKE(watch->call));
	loop_timer_stop(&watch->timer);
	if (settings->telegram_mode != TELEGRAM_WEBHOOK ||
	    !tls_watch_host(settings->telegram_webhook_url, watch->url))
		watch->url[0] = '\0';
	else
		loop_timer_start(watch->config.loop, &watch->timer, 0, 0);
}

void
tls_watch_free(struct tls_watch *watch)
{
	if (watch == NULL)
		return;
	OBJ_CHECK(watch, MAGIC);
	loop_timer_stop(&watch->timer);
	http_client_free(watch->client); /* and the call */
	watch->magic = 0;
	free(watch);
}

static void
conclude(struct tls_watch *watch, int64_t expires_at_s)
{
	bool is_read = expires_at_s != 0;

	loop_timer_start(watch->config.loop, &watch->timer,
	    is_read ? watch->config.period_ms : watch->config.retry_ms, 0);
	watch->config.on_read(watch->config.ctx, is_read, expires_at_s);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	struct tls_watch *watch = ctx;

	OBJ_CHECK(watch, MAGIC);
	const struct http_client_request request = {
		.label = "certificate",
		.method = "HEAD",
		.url = watch->url,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = watch,
	};

	watch->call = http_client_start(watch->client, &request, NULL);
	if (watch->call == NULL)
		conclude(watch, 0);
}

/* Whatever came behind the handshake: 404, garbage or silence say nothing of the certificate. */
static void
on_done(void *ctx, const struct http_client_result *result)
{
	struct tls_watch *watch = OBJ_OF(struct tls_watch, ctx, MAGIC);

	watch->call = NULL;
	conclude(watch, result->certificate_expires_at);
}

/* syslog.c - connects, sends over TLS, waits until the server has read it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/crypto_tls.h"
#include "lib/mem.h"
#include "types/outbound.h"

#define MAGIC	   0x73797367u
#define LABEL	   "the syslog server"
#define TIMEOUT_MS 30000 /* of all of it */
#define PORT	   "6514"
#define HOST_MOST  256

struct syslog_call {
	unsigned magic;
	struct loop *loop;
	struct syslog_send send;
	char host[HOST_MOST];
	struct http_client_call *connecting;
	int fd;
	struct crypto_tls *tls;
	struct loop_io io;
	struct loop_timer deadline;
};

struct http_client *
syslog_client(struct loop *loop, struct err *err)
{
	const struct http_client_config config = {
		.connections_max = 1,
		.in_flight_max = 1,
		.protocols = "http",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_SYSLOG, NULL),
	};

	return http_client_new(loop, &config, err);
}

static void
release(struct syslog_call *call)
{
	loop_timer_stop(&call->deadline);
	loop_io_stop(&call->io);
	crypto_tls_free(call->tls);
	if (call->fd >= 0)
		(void)close(call->fd);
	call->magic = 0;
	free(call);
}

void
syslog_cancel(struct syslog_call *call)
{
	if (call == NULL)
		return;
	OBJ_CHECK(call, MAGIC);
	http_client_cancel(call->connecting);
	release(call);
}

/* why: of us, or NULL. */
static void
finish(struct syslog_call *call, struct err *why)
{
	syslog_done_fn *on_done = call->send.on_done;
	void *ctx = call->send.ctx;

	if (why != NULL && why->code != ERR_NONE)
		(void)err_wrap(why, LABEL);
	release(call);
	on_done(ctx, why);
}

static void
go_on(struct syslog_call *call)
{
	struct err err = { 0 };

	switch (crypto_tls_step(call->tls, &err)) {
	case CRYPTO_TLS_READS:
		loop_io_start(call->loop, &call->io, call->fd, LOOP_READ);
		break;
	case CRYPTO_TLS_WRITES:
		loop_io_start(call->loop, &call->io, call->fd, LOOP_WRITE);
		break;
	case CRYPTO_TLS_DONE:
		finish(call, NULL);
		break;
	case CRYPTO_TLS_FAILED:
		finish(call, &err);
		break;
	}
}

static void
on_ready(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	go_on(OBJ_OF(struct syslog_call, ctx, MAGIC));
}

static void
on_connected(void *ctx, const struct http_client_result *result)
{
	struct syslog_call *call = OBJ_OF(struct syslog_call, ctx, MAGIC);
	struct crypto_tls_config config = { .host = call->host,
		.ca_file = call->send.ca_file,
		.certificate_file = call->send.certificate_file,
		.key_file = call->send.key_file };
	struct err err = { 0 };

	call->connecting = NULL;
	if (result->code != ERR_NONE) {
		syslog_done_fn *on_done = call->send.on_done;
		void *done_ctx = call->send.ctx;

		(void)err_set(&err, result->code, "%s", result->text);
		release(call);
		on_done(done_ctx, &err);
		return;
	}
	call->fd = http_client_take_connection(result);
	call->tls = crypto_tls_new(&config, call->fd, call->send.text, call->send.size, &err);
	if (call->tls == NULL)
		finish(call, &err);
	else
		go_on(call);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct syslog_call *call = OBJ_OF(struct syslog_call, ctx, MAGIC);
	struct err err = { 0 };

	(void)err_set(&err, ERR_TIMEOUT,
	    "it has not read all and closed the connection within %lld s",
	    (long long)call->send.timeout_ms / 1000);
	finish(call, &err);
}

/* The host without brackets; what stands behind it, ":PORT" or "". */
static const char *
take_host(const char *server, char out[HOST_MOST])
{
	bool is_bracketed = server[0] == '[';
	size_t size = strcspn(server + is_bracketed, is_bracketed ? "]" : ":");

	(void)snprintf(out, HOST_MOST, "%.*s", (int)size, server + is_bracketed);
	return server + size + 2 * is_bracketed;
}

static bool
connect_to(struct syslog_call *call, struct http_client *client, struct err *err)
{
	const char *port = take_host(call->send.server, call->host);
	char url[384];

	(void)snprintf(url, sizeof(url), "http://%.320s%s", call->send.server,
	    port[0] == '\0' ? ":" PORT : "");
	call->connecting = http_client_start(client,
	    &(struct http_client_request){ .label = LABEL,
		.url = url,
		.only_connects = true,
		.on_done = on_connected,
		.ctx = call },
	    err);
	return call->connecting != NULL;
}

struct syslog_call *
syslog_start(
    struct loop *loop, struct http_client *client, const struct syslog_send *send, struct err *err)
{
	struct syslog_call *call = mem_new(1, sizeof(*call));

	*call = (struct syslog_call){ .magic = MAGIC, .loop = loop, .send = *send, .fd = -1 };
	if (call->send.timeout_ms == 0)
		call->send.timeout_ms = TIMEOUT_MS;
	loop_io_init(&call->io, on_ready, call);
	loop_timer_init(&call->deadline, on_deadline, call);
	if (!connect_to(call, client, err)) {
		release(call);
		return NULL;
	}
	loop_timer_start(loop, &call->deadline, call->send.timeout_ms, 0);
	return call;
}

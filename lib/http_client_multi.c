/* http_client_multi.c - curl's multi handle inside our loop: descriptors and timer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "lib/http_client_inside.h"

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx);
static int on_curl_timer(CURLM *multi, long after_ms, void *ctx);
static void on_ready(struct loop_io *io, unsigned events, void *ctx);

bool
http_client_multi_make(struct http_client *client)
{
	CURLM *multi = curl_multi_init();
	long connections = (long)client->connections_max;

	client->multi = multi;
	return multi != NULL &&
	    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK &&
	    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK;
}

void
http_client_multi_drop(struct http_client *client)
{
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi); /* no handle is in it any more */
	client->multi = NULL;
	loop_timer_stop(&client->timer);
	while (client->watched != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		(void)on_socket(NULL, CURL_SOCKET_BAD, CURL_POLL_REMOVE, client, client->watched);
}

void
http_client_multi_replace(struct http_client *client)
{
	struct http_client_call *next;

	client->multi_failed = false;
	for (struct http_client_call *call = client->calls; call != NULL; call = next) {
		next = call->next;
		if (call->phase != HTTP_CLIENT_FLYING)
			continue;
		http_client_multi_remove(call);
		http_client_finish(call, CURLE_OUT_OF_MEMORY);
	}
	http_client_multi_drop(client);
	if (!http_client_multi_make(client))
		http_client_multi_drop(client);
}

bool
http_client_multi_add(struct http_client_call *call)
{
	struct http_client *client = call->client;
	int64_t left_ms = call->timeout_ms - (loop_now_ms() - call->started);

	if (client->multi == NULL) {
		loop_defer(client->loop, &client->work); /* it is tried again there */
		return false;
	}
	if (curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1)) !=
		CURLE_OK ||
	    curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
		return false;
	call->phase = HTTP_CLIENT_FLYING;
	client->in_flight++;
	return true;
}

void
http_client_multi_remove(struct http_client_call *call)
{
	call->client->in_flight--;
	(void)curl_multi_remove_handle(call->client->multi, call->easy); /* it is in there */
}

/* --- curl is driven --------------------------------------------------------------------------- */

static void
collect_finished(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct http_client_call *call = NULL;
		CURLcode code = message->data.result; /* the message goes with its handle */

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (void *)&call);
		OBJ_CHECK(call, HTTP_CLIENT_CALL_MAGIC);
		http_client_multi_remove(call);
		http_client_finish(call, code);
	}
}

static void
drive(struct http_client *client, curl_socket_t fd, int events)
{
	int running;

	if (client->multi == NULL)
		return;
	if (curl_multi_socket_action(client->multi, fd, events, &running) != CURLM_OK) {
		client->multi_failed = true;
		loop_defer(client->loop, &client->work);
		return;
	}
	collect_finished(client);
}

static void
on_ready(struct loop_io *io, unsigned events, void *ctx)
{
	struct http_client_watched *watched = ctx;
	curl_socket_t fd = loop_io_fd(io);

	drive(watched->client, fd,
	    ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
		((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

void
http_client_multi_on_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	drive(ctx, CURL_SOCKET_TIMEOUT, 0);
}

/* --- what curl wants watched ------------------------------------------------------------------ */

static int
on_curl_timer(UNUSED CURLM *multi, long after_ms, void *ctx)
{
	struct http_client *client = ctx;

	if (after_ms < 0)
		loop_timer_stop(&client->timer);
	else
		loop_timer_start(client->loop, &client->timer, after_ms, 0);
	return 0;
}

static void
unwatch(struct http_client_watched *watched)
{
	loop_io_stop(&watched->io);
	*watched->back = watched->next;
	if (watched->next != NULL)
		watched->next->back = watched->back;
	free(watched);
}

static struct http_client_watched *
new_watched(struct http_client *client, curl_socket_t fd)
{
	struct http_client_watched *watched = calloc(1, sizeof(*watched));

	if (watched == NULL)
		return NULL;
	if (curl_multi_assign(client->multi, fd, watched) != CURLM_OK) {
		free(watched);
		return NULL;
	}
	watched->client = client;
	loop_io_init(&watched->io, on_ready, watched);
	watched->next = client->watched;
	watched->back = &client->watched;
	if (watched->next != NULL)
		watched->next->back = &watched->next;
	client->watched = watched;
	return watched;
}

/* Stopped here, before curl closes the descriptor. */
static int
on_socket(UNUSED CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *client = ctx;
	struct http_client_watched *watched = socket_ctx;

	if (what == CURL_POLL_REMOVE) {
		if (watched != NULL)
			unwatch(watched);
		return 0;
	}
	if (watched == NULL)
		watched = new_watched(client, fd);
	if (watched == NULL)
		return -1; /* the multi fails, and is made anew */
	loop_io_start(client->loop, &watched->io, fd,
	    ((what & CURL_POLL_IN) != 0 ? LOOP_READ : 0u) |
		((what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0u));
	return 0;
}

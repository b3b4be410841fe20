/* http_client.c - HTTP calls and their client: from the start to on_done.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_client.h"

#include <errno.h>
#include <unistd.h>

#include "lib/http_client_inside.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"

static void on_wait_over(struct loop_timer *timer, void *ctx);
static void on_work(struct loop_task *task, void *ctx);
static void release_call(struct http_client_call *call);

/* --- curl is driven --------------------------------------------------------------------------- */

/* The call has left curl, or the waiting: on_done comes from the client's deferred work. */
static void
finish(struct http_client_call *call, CURLcode code)
{
	struct http_client *client = call->client;

	http_client_answer_conclude(call, code);
	call->phase = HTTP_CLIENT_FINISHED;
	TAILQ_INSERT_TAIL(&client->finished, call, in_line);
	loop_defer(client->loop, &client->work);
}

static void
multi_remove(struct http_client_call *call)
{
	call->client->in_flight--;
	(void)curl_multi_remove_handle(call->client->multi, call->easy); /* it is in there */
}

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
		multi_remove(call);
		finish(call, code);
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

static void
on_timer(UNUSED struct loop_timer *timer, void *ctx)
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
	LIST_REMOVE(watched, of_client);
	free(watched);
}

static struct http_client_watched *
new_watched(struct http_client *client, curl_socket_t fd)
{
	struct http_client_watched *watched = mem_new(1, sizeof(*watched));

	if (curl_multi_assign(client->multi, fd, watched) != CURLM_OK) {
		free(watched);
		return NULL;
	}
	watched->client = client;
	loop_io_init(&watched->io, on_ready, watched);
	LIST_INSERT_HEAD(&client->watched, watched, of_client);
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

/* --- its multi handle ------------------------------------------------------------------------- */

/* Makes the client's multi handle.  False: memory is short; to be dropped all the same. */
static bool
multi_make(struct http_client *client)
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

static void
multi_drop(struct http_client *client)
{
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi); /* no handle is in it any more */
	client->multi = NULL;
	loop_timer_stop(&client->timer);
	while (!LIST_EMPTY(&client->watched))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		(void)on_socket(
		    NULL, CURL_SOCKET_BAD, CURL_POLL_REMOVE, client, LIST_FIRST(&client->watched));
}

/* After a failure of the multi, which only a lack of memory or a bug of curl's leads to: what it
 * had is finished, and there is another one, or NULL. */
static void
multi_replace(struct http_client *client)
{
	struct http_client_call *call;

	client->multi_failed = false;
	for (call = LIST_FIRST(&client->calls); call != NULL; call = LIST_NEXT(call, of_client)) {
		if (call->phase != HTTP_CLIENT_FLYING)
			continue;
		multi_remove(call);
		finish(call, CURLE_OUT_OF_MEMORY);
	}
	multi_drop(client);
	if (!multi_make(client))
		multi_drop(client);
}

/* Hands a call to curl, whose deadline is curl's to watch from now on. */
static bool
multi_add(struct http_client_call *call)
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

/* --- the client ------------------------------------------------------------------------------- */

/* Debian's directory of hashed names is read one certificate at a time; its bundle would be
 * parsed whole, 140 of them, inside the loop. */
static const char *
system_ca_path(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (info->age < CURLVERSION_SEVENTH || info->capath == NULL ||
	    access(info->capath, R_OK | X_OK) != 0)
		return NULL;
	return info->capath;
}

static void
copy_config(struct http_client *client, const struct http_client_config *config)
{
	client->connections_max = config->connections_max > 0 ? config->connections_max : 4;
	client->in_flight_max = config->in_flight_max > 0 ? config->in_flight_max : 4;
	client->queue_max = config->queue_max > 0 ? config->queue_max : 64;
	client->address_is_allowed = config->address_is_allowed;
	client->address_ctx = config->address_ctx;
	client->reads_certificates = config->reads_certificates;
	client->tls13 = config->tls13;
	client->ca_path = config->ca_file == NULL ? system_ca_path() : NULL;
	client->protocols = mem_text(config->protocols != NULL ? config->protocols : "http,https");
	client->proxy = mem_text(config->proxy != NULL ? config->proxy : "");
	client->user_agent = mem_text(config->user_agent);
	client->ca_file = mem_text(config->ca_file);
}

static bool
check_config(const struct http_client_config *config, struct err *err)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };

	if (config->ca_file != NULL && access(config->ca_file, R_OK) != 0)
		return err_errno(err, ERR_CONFIG, errno, "CA file %s", config->ca_file);
	if (config->proxy == NULL)
		return true;
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strncmp(config->proxy, schemes[i], strlen(schemes[i])) == 0)
			return true;
	/* Its text may hold a password. */
	return err_set(
	    err, ERR_CONFIG, "proxy: expected http://, https://, socks5:// or socks5h://");
}

/* curl copies each header and each body, in which a token may stand, and keeps parts of answers. */
static bool
curl_begin(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, mem_wiped_free, mem_wiped_resize,
		   strdup, calloc) == CURLE_OK;
}

struct http_client *
http_client_new(struct loop *loop, const struct http_client_config *config, struct err *err)
{
	struct http_client *client;

	assert(config->address_is_allowed != NULL);
	if (!check_config(config, err))
		return NULL;
	if (!curl_begin())
		return ERR_NULL(err_errno(err, ERR_IO, ENOMEM, "HTTP client"));
	client = mem_new(1, sizeof(*client));
	client->magic = HTTP_CLIENT_MAGIC;
	client->loop = loop;
	loop_timer_init(&client->timer, on_timer, client);
	loop_task_init(&client->work, on_work, client);
	TAILQ_INIT(&client->waiting);
	TAILQ_INIT(&client->finished);
	copy_config(client, config);
	if (!multi_make(client)) {
		http_client_free(client);
		return ERR_NULL(err_errno(err, ERR_IO, ENOMEM, "HTTP client"));
	}
	return client;
}

void
http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	OBJ_CHECK(client, HTTP_CLIENT_MAGIC);
	while (!LIST_EMPTY(&client->calls))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		http_client_cancel(LIST_FIRST(&client->calls));
	while (client->idle_count > 0)
		curl_easy_cleanup(client->idle[--client->idle_count]);
	multi_drop(client);
	loop_task_cancel(&client->work);
	free(client->protocols);
	free(client->proxy);
	free(client->user_agent);
	free(client->ca_file);
	curl_global_cleanup();
	client->magic = 0;
	free(client);
}

/* --- a call ----------------------------------------------------------------------------------- */

static struct http_client_call *
new_call(struct http_client *client, const struct http_client_request *request)
{
	struct http_client_call *call = mem_new(1, sizeof(*call));

	call->magic = HTTP_CLIENT_CALL_MAGIC;
	call->client = client;
	call->label = request->label;
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	call->on_piece = request->on_piece;
	call->started = loop_now_ms();
	call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 10000;
	call->answer_max = request->answer_max > 0 ? request->answer_max : (size_t)1024 * 1024;
	loop_timer_init(&call->wait, on_wait_over, call);
	LIST_INSERT_HEAD(&client->calls, call, of_client);
	call->easy = client->idle_count > 0 ? client->idle[--client->idle_count] : curl_easy_init();
	return call;
}

static void
line_up(struct http_client_call *call)
{
	struct http_client *client = call->client;

	call->phase = HTTP_CLIENT_WAITING;
	client->waiting_count++;
	TAILQ_INSERT_TAIL(&client->waiting, call, in_line);
	loop_timer_start(client->loop, &call->wait, call->timeout_ms, 0);
}

struct http_client_call *
http_client_start(
    struct http_client *client, const struct http_client_request *request, struct err *err)
{
	struct http_client_call *call;
	bool has_slot;

	OBJ_CHECK(client, HTTP_CLIENT_MAGIC);
	assert(request->on_done != NULL && request->label != NULL && request->url != NULL);
	has_slot = client->in_flight < client->in_flight_max && client->waiting_count == 0;
	if (!has_slot && client->waiting_count >= client->queue_max)
		return ERR_NULL(err_set(err, ERR_BUSY, "%s: %u calls are waiting already",
		    request->label, client->waiting_count));
	call = new_call(client, request);
	if (call->easy == NULL || !http_client_request_set(call, request) ||
	    !http_client_answer_expect(call) || (has_slot && !multi_add(call))) {
		(void)err_errno(
		    err, ERR_BUSY, ENOMEM, "%s: cannot make the request", request->label);
		release_call(call);
		return NULL;
	}
	if (!has_slot)
		line_up(call);
	return call;
}

static void
leave_line(struct http_client_call *call)
{
	TAILQ_REMOVE(&call->client->waiting, call, in_line);
	call->client->waiting_count--;
	loop_timer_stop(&call->wait);
}

static void
on_wait_over(UNUSED struct loop_timer *timer, void *ctx)
{
	struct http_client_call *call =
	    OBJ_OF(struct http_client_call, ctx, HTTP_CLIENT_CALL_MAGIC);

	leave_line(call);
	finish(call, CURLE_OPERATION_TIMEDOUT);
}

/* --- ending ----------------------------------------------------------------------------------- */

/*
 * Handles are used again with their TLS sessions; reset forgets every option.  Not after a failure:
 * curl keeps the buffer where a name was not found, of a size that reset forgets.
 */
static void
keep_handle(struct http_client *client, CURL *easy, bool has_succeeded)
{
	if (!has_succeeded || client->idle_count == HTTP_CLIENT_IDLE_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	client->idle[client->idle_count++] = easy;
}

/* The call is in no queue and not in curl. */
static void
release_call(struct http_client_call *call)
{
	loop_timer_stop(&call->wait);
	LIST_REMOVE(call, of_client);
	if (call->easy != NULL)
		keep_handle(call->client, call->easy,
		    call->phase == HTTP_CLIENT_FINISHED && call->result.code == ERR_NONE);
	curl_mime_free(call->mime);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->recipients);
	free(call->streams);
	mem_wiped_free(call->body);
	call->magic = 0;
	free(call);
}

bool
http_client_was_sent(const struct http_client_call *call)
{
	long size = 0;

	OBJ_CHECK(call, HTTP_CLIENT_CALL_MAGIC);
	return curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &size) != CURLE_OK || size > 0;
}

void
http_client_cancel(struct http_client_call *call)
{
	struct http_client *client;

	if (call == NULL)
		return;
	OBJ_CHECK(call, HTTP_CLIENT_CALL_MAGIC);
	client = call->client;
	if (call->phase == HTTP_CLIENT_FLYING)
		multi_remove(call);
	else if (call->phase == HTTP_CLIENT_WAITING)
		leave_line(call);
	else
		TAILQ_REMOVE(&client->finished, call, in_line);
	release_call(call);
	if (client->waiting_count > 0)
		loop_defer(client->loop, &client->work);
}

static void
launch_waiting(struct http_client *client)
{
	while (!TAILQ_EMPTY(&client->waiting) && client->in_flight < client->in_flight_max) {
		struct http_client_call *call = TAILQ_FIRST(&client->waiting);

		leave_line(call);
		if (!multi_add(call))
			finish(call, CURLE_OUT_OF_MEMORY);
	}
}

static void
on_work(UNUSED struct loop_task *task, void *ctx)
{
	struct http_client *client = OBJ_OF(struct http_client, ctx, HTTP_CLIENT_MAGIC);
	struct http_client_call *call;

	if (client->multi_failed || client->multi == NULL)
		multi_replace(client);
	launch_waiting(client);
	while ((call = TAILQ_FIRST(&client->finished)) != NULL) {
		TAILQ_REMOVE(&client->finished, call, in_line);
		call->on_done(call->ctx, &call->result);
		release_call(call);
	}
}

/* http_client.c - HTTP calls and their client: from the start to on_done.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/http_client_inside.h"

static void on_wait_over(struct loop_timer *timer, void *ctx);
static void on_work(struct loop_task *task, void *ctx);
static void release_call(struct http_client_call *call);

/* --- two lines of calls ----------------------------------------------------------------------- */

static void
line_init(struct http_client_line *line)
{
	line->first = NULL;
	line->end = &line->first;
}

static void
line_add(struct http_client_line *line, struct http_client_call *call)
{
	call->line_next = NULL;
	*line->end = call;
	line->end = &call->line_next;
}

static void
line_remove(struct http_client_line *line, struct http_client_call *call)
{
	struct http_client_call **link = &line->first;

	while (*link != call)
		link = &(*link)->line_next;
	*link = call->line_next;
	if (line->end == &call->line_next)
		line->end = link;
}

/* --- the client ------------------------------------------------------------------------------- */

static bool
copy_text(char **ret_copy, const char *text)
{
	if (text == NULL)
		return true;
	*ret_copy = strdup(text);
	return *ret_copy != NULL;
}

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

static bool
copy_config(struct http_client *client, const struct http_client_config *config)
{
	client->connections_max = config->connections_max > 0 ? config->connections_max : 4;
	client->in_flight_max = config->in_flight_max > 0 ? config->in_flight_max : 4;
	client->queue_max = config->queue_max > 0 ? config->queue_max : 64;
	client->address_is_allowed = config->address_is_allowed;
	client->address_ctx = config->address_ctx;
	client->reads_certificates = config->reads_certificates;
	client->ca_path = config->ca_file == NULL ? system_ca_path() : NULL;
	return copy_text(&client->protocols,
		   config->protocols != NULL ? config->protocols : "http,https") &&
	    copy_text(&client->proxy, config->proxy != NULL ? config->proxy : "") &&
	    copy_text(&client->user_agent, config->user_agent) &&
	    copy_text(&client->ca_file, config->ca_file);
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

struct http_client *
http_client_new(struct loop *loop, const struct http_client_config *config, struct err *err)
{
	struct http_client *client;

	if (!check_config(config, err))
		return NULL;
	client = calloc(1, sizeof(*client));
	if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(client);
		(void)err_errno(err, ERR_NOMEM, ENOMEM, "HTTP client");
		return NULL;
	}
	client->magic = HTTP_CLIENT_MAGIC;
	client->loop = loop;
	loop_timer_init(&client->timer, http_client_multi_on_timer, client);
	loop_task_init(&client->work, on_work, client);
	line_init(&client->waiting);
	line_init(&client->finished);
	if (!copy_config(client, config) || !http_client_multi_make(client)) {
		http_client_free(client);
		(void)err_errno(err, ERR_NOMEM, ENOMEM, "HTTP client");
		return NULL;
	}
	return client;
}

void
http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	OBJ_CHECK(client, HTTP_CLIENT_MAGIC);
	while (client->calls != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		http_client_cancel(client->calls);
	while (client->idle_count > 0)
		curl_easy_cleanup(client->idle[--client->idle_count]);
	http_client_multi_drop(client);
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
	struct http_client_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->magic = HTTP_CLIENT_CALL_MAGIC;
	call->client = client;
	call->label = request->label;
	call->on_done = request->on_done;
	call->ctx = request->ctx;
	call->started = loop_now_ms();
	call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 10000;
	call->answer_max = request->answer_max > 0 ? request->answer_max : (size_t)1024 * 1024;
	loop_timer_init(&call->wait, on_wait_over, call);
	call->next = client->calls;
	call->back = &client->calls;
	if (call->next != NULL)
		call->next->back = &call->next;
	client->calls = call;
	call->easy = client->idle_count > 0 ? client->idle[--client->idle_count] : curl_easy_init();
	return call;
}

static void
line_up(struct http_client_call *call)
{
	struct http_client *client = call->client;

	call->phase = HTTP_CLIENT_WAITING;
	client->waiting_count++;
	line_add(&client->waiting, call);
	loop_timer_start(client->loop, &call->wait, call->timeout_ms, 0);
}

struct http_client_call *
http_client_start(
    struct http_client *client, const struct http_client_request *request, struct err *err)
{
	struct http_client_call *call;
	bool has_place;

	OBJ_CHECK(client, HTTP_CLIENT_MAGIC);
	assert(request->on_done != NULL && request->label != NULL && request->url != NULL);
	has_place = client->in_flight < client->in_flight_max && client->waiting_count == 0;
	if (!has_place && client->waiting_count >= client->queue_max) {
		(void)err_set(err, ERR_BUSY, "%s: %u calls are waiting already", request->label,
		    client->waiting_count);
		return NULL;
	}
	call = new_call(client, request);
	if (call == NULL || call->easy == NULL || !http_client_request_set(call, request) ||
	    !http_client_answer_expect(call) || (has_place && !http_client_multi_add(call))) {
		(void)err_errno(
		    err, ERR_NOMEM, ENOMEM, "%s: cannot make the request", request->label);
		if (call != NULL)
			release_call(call);
		return NULL;
	}
	if (!has_place)
		line_up(call);
	return call;
}

void
http_client_finish(struct http_client_call *call, CURLcode code)
{
	struct http_client *client = call->client;

	http_client_answer_conclude(call, code);
	call->phase = HTTP_CLIENT_FINISHED;
	line_add(&client->finished, call);
	loop_defer(client->loop, &client->work);
}

static void
leave_line(struct http_client_call *call)
{
	line_remove(&call->client->waiting, call);
	call->client->waiting_count--;
	loop_timer_stop(&call->wait);
}

static void
on_wait_over(UNUSED struct loop_timer *timer, void *ctx)
{
	struct http_client_call *call = ctx;

	OBJ_CHECK(call, HTTP_CLIENT_CALL_MAGIC);
	leave_line(call);
	http_client_finish(call, CURLE_OPERATION_TIMEDOUT);
}

/* --- ending ----------------------------------------------------------------------------------- */

/* Handles are used again with their TLS sessions; reset forgets every option. */
static void
keep_handle(struct http_client *client, CURL *easy)
{
	if (client->idle_count == HTTP_CLIENT_IDLE_MAX) {
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
	*call->back = call->next;
	if (call->next != NULL)
		call->next->back = call->back;
	if (call->easy != NULL)
		keep_handle(call->client, call->easy);
	curl_mime_free(call->mime);
	curl_slist_free_all(call->headers);
	free(call->streams);
	free(call->body);
	call->magic = 0;
	free(call);
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
		http_client_multi_remove(call);
	else if (call->phase == HTTP_CLIENT_WAITING)
		leave_line(call);
	else
		line_remove(&client->finished, call);
	release_call(call);
	if (client->waiting_count > 0)
		loop_defer(client->loop, &client->work);
}

static void
launch_waiting(struct http_client *client)
{
	while (client->waiting.first != NULL && client->in_flight < client->in_flight_max) {
		struct http_client_call *call = client->waiting.first;

		leave_line(call);
		if (!http_client_multi_add(call))
			http_client_finish(call, CURLE_OUT_OF_MEMORY);
	}
}

static void
on_work(UNUSED struct loop_task *task, void *ctx)
{
	struct http_client *client = ctx;

	OBJ_CHECK(client, HTTP_CLIENT_MAGIC);
	if (client->multi_failed || client->multi == NULL)
		http_client_multi_replace(client);
	launch_waiting(client);
	while (client->finished.first != NULL) {
		struct http_client_call *call = client->finished.first;

		line_remove(&client->finished, call);
		call->on_done(call->ctx, &call->result);
		release_call(call);
	}
}

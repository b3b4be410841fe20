/* http_client.c - curl multi inside our loop.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a call goes: http_client_start → (waits for a place) → curl, through on_socket and
 * on_curl_timer → collect_finished → on_work, a deferred task → on_done.  So an owner's code
 * never runs below curl's, but for the read function of a stream.
 */
#include "lib/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENT_MAGIC 0x68746363u
#define CALL_MAGIC   0x68746361u

#define CONNECTION_AGE_MAX_S 60L /* kept longer than that it is not trusted to be alive */
#define HEADERS_MAX	     ((size_t)64 * 1024) /* of an answer */
#define BODY_FIRST_ROOM	     ((size_t)2048)
#define IDLE_HANDLES_MAX     4 /* kept with their TLS sessions for the next calls */

enum call_phase {
	CALL_WAITING,  /* for a place */
	CALL_FLYING,   /* curl's */
	CALL_FINISHED, /* on_done is due */
};

/* A part that is read while it is sent. */
struct stream {
	http_client_read_fn *read;
	void *ctx;
	int64_t left;
};

/* A descriptor that curl wants watched. */
struct watched {
	struct loop_io io;
	struct http_client *client;
	struct watched *next;
	struct watched **back;
};

struct queue {
	struct http_client_call *first;
	struct http_client_call **end;
};

struct http_client_call {
	unsigned magic;
	enum call_phase phase;
	struct http_client *client;
	struct http_client_call *next; /* of the client */
	struct http_client_call **back;
	struct http_client_call *queue_next; /* among the waiting or the finished */
	CURL *easy;
	struct curl_slist *headers;
	curl_mime *mime;
	struct stream *streams;
	const char *label;
	void (*on_done)(void *ctx, const struct http_client_result *result);
	void *ctx;
	struct loop_timer wait;
	int64_t started;
	int64_t timeout_ms;
	size_t answer_max;
	size_t headers_size;
	char *body;
	size_t body_size;
	size_t body_room;
	bool is_too_large;
	bool is_refused_address;
	struct http_client_result result;
	struct err err;
};

struct http_client {
	unsigned magic;
	struct loop *loop;
	CURLM *multi; /* NULL: it failed and could not be made anew */
	char *protocols;
	char *proxy;
	char *user_agent;
	char *ca_file;
	const char *ca_path;
	http_client_address_fn *address_is_allowed;
	void *address_ctx;
	unsigned connections_max;
	unsigned in_flight_max;
	unsigned queue_max;
	unsigned in_flight;
	unsigned waiting_count;
	struct loop_timer timer;
	struct loop_task work;
	struct http_client_call *calls;
	struct watched *watched;
	struct queue waiting;
	struct queue finished;
	CURL *idle[IDLE_HANDLES_MAX];
	unsigned idle_count;
	bool multi_failed;
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx);
static int on_curl_timer(CURLM *multi, long after_ms, void *ctx);
static void on_ready(struct loop_io *io, unsigned events, void *ctx);
static void on_timer(struct loop_timer *timer, void *ctx);
static void on_wait_over(struct loop_timer *timer, void *ctx);
static void on_work(struct loop_task *task, void *ctx);
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address);
static size_t on_header(char *data, size_t one, size_t count, void *ctx);
static size_t on_body(char *data, size_t one, size_t count, void *ctx);
static size_t on_read(char *buffer, size_t one, size_t count, void *ctx);
static void release_call(struct http_client_call *call);

/* --- two lines of calls --------------------------------------------------------------------- */

static void
queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void
queue_add(struct queue *queue, struct http_client_call *call)
{
	call->queue_next = NULL;
	*queue->end = call;
	queue->end = &call->queue_next;
}

static void
queue_remove(struct queue *queue, struct http_client_call *call)
{
	struct http_client_call **link = &queue->first;

	while (*link != call)
		link = &(*link)->queue_next;
	*link = call->queue_next;
	if (queue->end == &call->queue_next)
		queue->end = link;
}

/* --- the client ----------------------------------------------------------------------------- */

static bool
copy_text(char **ret_copy, const char *text)
{
	if (text == NULL)
		return true;
	*ret_copy = strdup(text);
	return *ret_copy != NULL;
}

static bool
make_multi(struct http_client *client)
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
drop_multi(struct http_client *client)
{
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi); /* no handle is in it any more */
	client->multi = NULL;
	loop_timer_stop(&client->timer);
	while (client->watched != NULL)
		(void)on_socket(NULL, CURL_SOCKET_BAD, CURL_POLL_REMOVE, client, client->watched);
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
	client->magic = CLIENT_MAGIC;
	client->loop = loop;
	loop_timer_init(&client->timer, on_timer, client);
	loop_task_init(&client->work, on_work, client);
	queue_init(&client->waiting);
	queue_init(&client->finished);
	if (!copy_config(client, config) || !make_multi(client)) {
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
	OBJ_CHECK(client, CLIENT_MAGIC);
	while (client->calls != NULL)
		http_client_cancel(client->calls);
	while (client->idle_count > 0)
		curl_easy_cleanup(client->idle[--client->idle_count]);
	drop_multi(client);
	loop_task_cancel(&client->work);
	free(client->protocols);
	free(client->proxy);
	free(client->user_agent);
	free(client->ca_file);
	curl_global_cleanup();
	client->magic = 0;
	free(client);
}

unsigned
http_client_in_flight(const struct http_client *client)
{
	OBJ_CHECK(client, CLIENT_MAGIC);
	return client->in_flight;
}

unsigned
http_client_waiting(const struct http_client *client)
{
	OBJ_CHECK(client, CLIENT_MAGIC);
	return client->waiting_count;
}

/* --- making a call -------------------------------------------------------------------------- */

/* Stops at the first option that curl refuses: `ok` stays false. */
#define SET(easy, option, value) \
	(ok = ok && curl_easy_setopt((easy), CURLOPT_##option, (value)) == CURLE_OK)

static bool
set_safety(const struct http_client *client, CURL *easy)
{
	bool ok = true;

	SET(easy, NOSIGNAL, 1L);
	SET(easy, QUICK_EXIT, 1L); /* else the loop waits for a name server's time-out */
	SET(easy, PROTOCOLS_STR, client->protocols);
	SET(easy, FOLLOWLOCATION, 0L);
	SET(easy, NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, PROXY, client->proxy); /* "" also shuts out http_proxy */
	SET(easy, NOPROXY, "");
	SET(easy, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, MAXAGE_CONN, CONNECTION_AGE_MAX_S);
	SET(easy, SSL_VERIFYPEER, 1L);
	SET(easy, SSL_VERIFYHOST, 2L);
	SET(easy, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (client->ca_file != NULL || client->ca_path != NULL) {
		SET(easy, CAINFO, client->ca_file);
		SET(easy, CAPATH, client->ca_path);
	}
	if (client->user_agent != NULL)
		SET(easy, USERAGENT, client->user_agent);
	return ok;
}

static bool
set_callbacks(struct http_client_call *call, CURL *easy)
{
	bool ok = true;

	SET(easy, PRIVATE, call);
	SET(easy, OPENSOCKETFUNCTION, on_open_socket);
	SET(easy, OPENSOCKETDATA, call);
	SET(easy, HEADERFUNCTION, on_header);
	SET(easy, HEADERDATA, call);
	SET(easy, WRITEFUNCTION, on_body);
	SET(easy, WRITEDATA, call);
	return ok;
}

static bool
add_header(struct http_client_call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);

	if (longer == NULL)
		return false;
	call->headers = longer;
	return true;
}

static bool
set_headers(struct http_client_call *call, const struct http_client_request *request)
{
	bool ok = add_header(call, "Expect:"); /* no round trip before a body */

	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		ok = ok && add_header(call, request->headers[i]);
	SET(call->easy, HTTPHEADER, call->headers);
	return ok;
}

static bool
add_part(struct http_client_call *call, const struct http_client_part *from, struct stream *stream)
{
	curl_mimepart *part = curl_mime_addpart(call->mime);
	size_t size;

	if (part == NULL || curl_mime_name(part, from->name) != CURLE_OK ||
	    (from->filename != NULL && curl_mime_filename(part, from->filename) != CURLE_OK) ||
	    (from->type != NULL && curl_mime_type(part, from->type) != CURLE_OK))
		return false;
	if (from->value != NULL) {
		size = from->value_size > 0 ? from->value_size : strlen(from->value);
		return curl_mime_data(part, from->value, size) == CURLE_OK;
	}
	*stream =
	    (struct stream){ .read = from->read, .ctx = from->read_ctx, .left = from->read_size };
	return curl_mime_data_cb(part, from->read_size, on_read, NULL, NULL, stream) == CURLE_OK;
}

static bool
set_parts(struct http_client_call *call, const struct http_client_request *request)
{
	bool ok = true;

	call->mime = curl_mime_init(call->easy);
	call->streams = calloc(request->part_count, sizeof(*call->streams));
	if (call->mime == NULL || call->streams == NULL)
		return false;
	for (size_t i = 0; i < request->part_count && ok; i++)
		ok = add_part(call, &request->parts[i], &call->streams[i]);
	SET(call->easy, MIMEPOST, call->mime);
	return ok;
}

static bool
set_body(struct http_client_call *call, const struct http_client_request *request)
{
	const char *method = request->method;
	CURL *easy = call->easy;
	bool ok = true;

	if (request->part_count > 0) {
		ok = set_parts(call, request);
	} else if (request->body != NULL || (method != NULL && strcmp(method, "POST") == 0)) {
		SET(easy, POST, 1L);
		SET(easy, POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		SET(easy, COPYPOSTFIELDS, request->body == NULL ? "" : request->body);
	} else if (method != NULL && strcmp(method, "HEAD") == 0) {
		SET(easy, NOBODY, 1L);
	}
	if (method != NULL && strcmp(method, "HEAD") != 0)
		SET(easy, CUSTOMREQUEST, method);
	return ok;
}

static bool
set_request(struct http_client_call *call, const struct http_client_request *request)
{
	long connect_ms =
	    request->connect_timeout_ms > 0 ? (long)request->connect_timeout_ms : 5000;
	bool ok = set_safety(call->client, call->easy) && set_callbacks(call, call->easy) &&
	    set_headers(call, request) && set_body(call, request);

	SET(call->easy, URL, request->url);
	SET(call->easy, CONNECTTIMEOUT_MS, connect_ms);
	return ok;
}

static struct http_client_call *
new_call(struct http_client *client, const struct http_client_request *request)
{
	struct http_client_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->magic = CALL_MAGIC;
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

/* Hands the call to curl; what is left of its time is curl's to watch. */
static bool
launch(struct http_client_call *call)
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
	call->phase = CALL_FLYING;
	client->in_flight++;
	return true;
}

static void
line_up(struct http_client_call *call)
{
	struct http_client *client = call->client;

	call->phase = CALL_WAITING;
	client->waiting_count++;
	queue_add(&client->waiting, call);
	loop_timer_start(client->loop, &call->wait, call->timeout_ms, 0);
}

struct http_client_call *
http_client_start(
    struct http_client *client, const struct http_client_request *request, struct err *err)
{
	bool has_place = client->in_flight < client->in_flight_max && client->waiting_count == 0;
	struct http_client_call *call;

	OBJ_CHECK(client, CLIENT_MAGIC);
	assert(request->on_done != NULL && request->label != NULL && request->url != NULL);
	if (!has_place && client->waiting_count >= client->queue_max) {
		(void)err_set(err, ERR_BUSY, "%s: %u calls are waiting already", request->label,
		    client->waiting_count);
		return NULL;
	}
	call = new_call(client, request);
	if (call == NULL || call->easy == NULL || !set_request(call, request) ||
	    (has_place && !launch(call))) {
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

/* --- what curl asks and tells while it flies ------------------------------------------------ */

static curl_socket_t
on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client_call *call = ctx;
	struct http_client *client = call->client;

	(void)purpose;
	OBJ_CHECK(call, CALL_MAGIC);
	if (client->address_is_allowed != NULL &&
	    !client->address_is_allowed(&address->addr, client->address_ctx)) {
		call->is_refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
on_header(char *data, size_t one, size_t count, void *ctx)
{
	struct http_client_call *call = ctx;

	(void)data;
	OBJ_CHECK(call, CALL_MAGIC);
	call->headers_size += one * count;
	if (call->headers_size <= HEADERS_MAX)
		return one * count;
	call->is_too_large = true;
	return 0;
}

static bool
make_room(struct http_client_call *call, size_t size)
{
	size_t room = call->body_room > 0 ? call->body_room : BODY_FIRST_ROOM;
	char *larger;

	while (room < size)
		room *= 2;
	if (room == call->body_room)
		return true;
	larger = realloc(call->body, room);
	if (larger == NULL)
		return false;
	call->body = larger;
	call->body_room = room;
	return true;
}

/* A short count makes curl give up. */
static size_t
on_body(char *data, size_t one, size_t count, void *ctx)
{
	struct http_client_call *call = ctx;
	size_t size = one * count;

	OBJ_CHECK(call, CALL_MAGIC);
	call->is_too_large = size > call->answer_max - call->body_size;
	if (call->is_too_large || !make_room(call, call->body_size + size + 1))
		return 0;
	memcpy(call->body + call->body_size, data, size);
	call->body_size += size;
	call->body[call->body_size] = '\0';
	return size;
}

/* Promised and not given is a failure: a cut document must not look like a whole one. */
static size_t
on_read(char *buffer, size_t one, size_t count, void *ctx)
{
	struct stream *stream = ctx;
	size_t size = one * count;
	ssize_t got;

	if (stream->left == 0)
		return 0;
	if ((uint64_t)stream->left < size)
		size = (size_t)stream->left;
	got = stream->read(stream->ctx, buffer, size);
	if (got <= 0 || (size_t)got > size)
		return CURL_READFUNC_ABORT;
	stream->left -= got;
	return (size_t)got;
}

/* --- results -------------------------------------------------------------------------------- */

static enum err_code
code_of(const struct http_client_call *call, CURLcode code)
{
	if (call->is_too_large)
		return ERR_LIMIT;
	if (call->is_refused_address && code == CURLE_COULDNT_CONNECT)
		return ERR_DENIED;
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NOMEM;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

/* curl's own sentence for a code names neither URL nor host: CURLOPT_ERRORBUFFER may. */
static void
describe_failure(struct http_client_call *call, CURLcode code)
{
	enum err_code kind = code_of(call, code);
	long os_errno = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (kind == ERR_LIMIT)
		(void)err_set(&call->err, kind, "%s: the answer is larger than %zu bytes",
		    call->label, call->answer_max);
	else if (kind == ERR_DENIED)
		(void)err_set(&call->err, kind, "%s: its address is not allowed", call->label);
	else if (kind == ERR_TIMEOUT)
		(void)err_set(&call->err, kind, "%s: no answer within %lld ms", call->label,
		    (long long)(loop_now_ms() - call->started));
	else if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
		(void)err_errno(&call->err, kind, (int)os_errno, "%s: cannot connect", call->label);
	else
		(void)err_set(&call->err, kind, "%s: %s", call->label, curl_easy_strerror(code));
}

/* Takes it out of whatever it is in; on_done comes from on_work. */
static void
finish(struct http_client_call *call, CURLcode code)
{
	struct http_client *client = call->client;
	struct http_client_result *result = &call->result;
	curl_off_t connect_us = 0;
	long status = 0;
	long sent = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
	if (code != CURLE_OK)
		describe_failure(call, code);
	result->code = call->err.code;
	result->text = call->err.text;
	result->status = code == CURLE_OK ? (int)status : 0;
	result->body = call->body == NULL ? "" : call->body;
	result->body_size = call->body_size;
	result->never_sent = code != CURLE_OK && sent == 0;
	result->connect_ms = connect_us / 1000;
	result->total_ms = loop_now_ms() - call->started;
	result->call = call;
	call->phase = CALL_FINISHED;
	queue_add(&client->finished, call);
	loop_defer(client->loop, &client->work);
}

static void
leave_curl(struct http_client_call *call)
{
	call->client->in_flight--;
	(void)curl_multi_remove_handle(call->client->multi, call->easy); /* it is in there */
}

static void
leave_queue(struct http_client_call *call)
{
	queue_remove(&call->client->waiting, call);
	call->client->waiting_count--;
	loop_timer_stop(&call->wait);
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
		OBJ_CHECK(call, CALL_MAGIC);
		leave_curl(call);
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
	struct watched *watched = ctx;
	curl_socket_t fd = loop_io_fd(io);

	drive(watched->client, fd,
	    (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		(events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	drive(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_wait_over(struct loop_timer *timer, void *ctx)
{
	struct http_client_call *call = ctx;

	(void)timer;
	OBJ_CHECK(call, CALL_MAGIC);
	leave_queue(call);
	finish(call, CURLE_OPERATION_TIMEDOUT);
}

static int
on_curl_timer(CURLM *multi, long after_ms, void *ctx)
{
	struct http_client *client = ctx;

	(void)multi;
	if (after_ms < 0)
		loop_timer_stop(&client->timer);
	else
		loop_timer_start(client->loop, &client->timer, after_ms, 0);
	return 0;
}

static void
unwatch(struct watched *watched)
{
	loop_io_stop(&watched->io);
	*watched->back = watched->next;
	if (watched->next != NULL)
		watched->next->back = watched->back;
	free(watched);
}

static struct watched *
new_watched(struct http_client *client, curl_socket_t fd)
{
	struct watched *watched = calloc(1, sizeof(*watched));

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
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *client = ctx;
	struct watched *watched = socket_ctx;

	(void)easy;
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
	    (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u));
	return 0;
}

/* --- ending --------------------------------------------------------------------------------- */

/* Handles are used again with their TLS sessions; reset forgets every option. */
static void
keep_handle(struct http_client *client, CURL *easy)
{
	if (client->idle_count == IDLE_HANDLES_MAX) {
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
	OBJ_CHECK(call, CALL_MAGIC);
	client = call->client;
	if (call->phase == CALL_FLYING)
		leave_curl(call);
	else if (call->phase == CALL_WAITING)
		leave_queue(call);
	else
		queue_remove(&client->finished, call);
	release_call(call);
	if (client->waiting_count > 0)
		loop_defer(client->loop, &client->work);
}

const char *
http_client_header(const struct http_client_result *result, const char *name)
{
	struct curl_header *header;

	if (result->code != ERR_NONE ||
	    curl_easy_header(result->call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	if (header->amount > 1 &&
	    curl_easy_header(result->call->easy, name, header->amount - 1, CURLH_HEADER, -1,
		&header) != CURLHE_OK)
		return NULL;
	return header->value;
}

/* Only a lack of memory or a bug of curl's leads here. */
static void
replace_multi(struct http_client *client)
{
	struct http_client_call *next;

	client->multi_failed = false;
	for (struct http_client_call *call = client->calls; call != NULL; call = next) {
		next = call->next;
		if (call->phase != CALL_FLYING)
			continue;
		leave_curl(call);
		finish(call, CURLE_OUT_OF_MEMORY);
	}
	drop_multi(client);
	if (!make_multi(client))
		drop_multi(client);
}

static void
launch_waiting(struct http_client *client)
{
	while (client->waiting.first != NULL && client->in_flight < client->in_flight_max) {
		struct http_client_call *call = client->waiting.first;

		leave_queue(call);
		if (!launch(call))
			finish(call, CURLE_OUT_OF_MEMORY);
	}
}

static void
on_work(struct loop_task *task, void *ctx)
{
	struct http_client *client = ctx;

	(void)task;
	OBJ_CHECK(client, CLIENT_MAGIC);
	if (client->multi_failed || client->multi == NULL)
		replace_multi(client);
	launch_waiting(client);
	while (client->finished.first != NULL) {
		struct http_client_call *call = client->finished.first;

		queue_remove(&client->finished, call);
		call->on_done(call->ctx, &call->result);
		release_call(call);
	}
}

/* http_server.c - libmicrohttpd in external-epoll mode inside our loop.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a request goes: on_connection → on_request_line → on_access (head: checks, on_begin,
 * memory for the body) → on_access (pieces) → on_access (all there: on_request) → suspended
 * until its answer → on_access (the answer is queued) → on_completed.
 *
 * What libmicrohttpd 0.9.75 wants: MHD_run() after every batch of resumes, for resuming wakes
 * nobody; MHD_get_timeout() asked before every wait, for data that it has read already wakes
 * nobody either; an answer queued in the first call, after the body or not at all; every
 * connection resumed before MHD_stop_daemon().
 */
#include "lib/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/http_budget.h"
#include "lib/http_linger.h"
#include "lib/http_listen.h"
#include "lib/http_request_parts.h"

#define SERVER_MAGIC 0x68747376u
#define CONN_MAGIC   0x6874636eu

/* Head and read buffer of a connection: half of it takes a push of 7.7 KB in one read. */
#define CONNECTION_MEMORY   (32 * 1024)
#define RETRY_AFTER_SECONDS "5"

/* Whoever connects has this long to be heard before they count as idle. */
#define IDLE_MIN_MS 500

struct http_server_conn {
	unsigned magic;
	struct http_server *server;
	struct http_server_conn *next;
	struct http_server_conn **back;
	struct MHD_Connection *mhd;
	struct http_request *request;
	int fd;
	struct loop_timer timer;
	int64_t deadline;    /* monotonic; what the timer is for */
	int64_t armed;	     /* when it fires, at the latest by the deadline */
	size_t target_size;  /* of the request line's target, as sent */
	bool has_odd_target; /* a blank or a control character in it */
	bool had_request;
	bool is_suspended;
	bool is_cut;	/* shut down by us, and soon gone */
	int64_t opened; /* monotonic ms */
	bool must_linger;
	bool peer_is_local;
	char peer[HTTP_LISTEN_PEER_SIZE];
};

struct http_server {
	unsigned magic;
	struct loop *loop;
	struct http_server_config config;
	struct MHD_Daemon *mhd;
	struct loop_io io;
	struct loop_prepare prepare;
	struct loop_task run_again;
	struct loop_task share_memory;
	struct loop_timer crowded; /* makes room while few places are left */
	struct http_linger *linger;
	struct http_budget budget;
	struct http_server_conn *conns;
	struct http_request *routes_requests;
	struct MHD_Response *empty; /* these three are used again and again */
	struct MHD_Response *empty_close;
	struct MHD_Response *unavailable;
	unsigned conn_count;
	unsigned open_count;
	uint16_t port;
	bool has_resumed;
	bool is_quiesced;
	bool is_closing;   /* nothing is suspended any more: 503 */
	char *socket_path; /* to be removed; NULL: none of ours */
};

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode code);
static void *on_request_line(void *cls, const char *target, struct MHD_Connection *mhd);
static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *path,
    const char *method, const char *version, const char *data, size_t *data_size, void **context);
static void on_completed(
    void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);
static void on_deadline(struct loop_timer *timer, void *ctx);
static void on_mhd_ready(struct loop_io *io, unsigned events, void *ctx);
static void on_turn_ends(struct loop_prepare *prepare, void *ctx);
static void on_run_again(struct loop_task *task, void *ctx);
static void on_share_memory(struct loop_task *task, void *ctx);
static _Noreturn void on_panic(void *cls, const char *file, unsigned line, const char *why);
static size_t keep_target(void *cls, struct MHD_Connection *mhd, char *target);

/* --- answers -------------------------------------------------------------------------------- */

static bool
is_shared(const struct http_server *server, const struct MHD_Response *response)
{
	return response == server->empty || response == server->empty_close ||
	    response == server->unavailable;
}

static void
drop_response(struct http_server *server, struct MHD_Response *response)
{
	if (response != NULL && (server == NULL || !is_shared(server, response)))
		MHD_destroy_response(response);
}

static struct MHD_Response *
make_response(const struct http_header *headers, const void *body, size_t size)
{
	/* Copied by libmicrohttpd; a body of 0 bytes is none. */
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(size, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

	if (response == NULL)
		return NULL;
	for (; headers != NULL && headers->name != NULL; headers++) {
		if (MHD_add_response_header(response, headers->name, headers->value) == MHD_YES)
			continue;
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

/* Sets the answer that is queued when on_access comes next.  Short of memory: 503. */
static void
set_response(struct http_request *request, int status, const struct http_header *headers,
    const void *body, size_t size)
{
	struct http_server *server = request->server;

	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = status;
	if (headers == NULL && size == 0)
		request->response = server->is_quiesced ? server->empty_close : server->empty;
	else
		request->response = make_response(headers, body, size);
	if (request->response == NULL) {
		request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		request->response = server->unavailable;
	} else if (server->is_quiesced && request->response != server->empty_close) {
		/* Without it the connection merely stays open a little longer. */
		(void)MHD_add_response_header(request->response, "Connection", "close");
	}
}

static void
tell_refused(const struct http_request *request)
{
	const struct http_server_config *config = &request->server->config;

	if (config->on_refused != NULL)
		config->on_refused(config->ctx, request->path, request->status);
}

/* A refusal of our own: empty, and the connection closes. */
static void
refuse(struct http_request *request, int status, const char *name, const char *value)
{
	const struct http_header headers[] = {
		{ "Connection", "close" },
		{ name, value },
		{ NULL, NULL },
	};

	set_response(request, status, headers, NULL, 0);
	tell_refused(request);
}

/* A request that a route has is the route's to count: its answer is still to come. */
static void
refuse_for_now(struct http_request *request)
{
	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	request->response = request->server->unavailable;
	if (!request->is_routes)
		tell_refused(request);
}

/* --- a connection's one timer --------------------------------------------------------------- */

/* Moves the deadline.  A timer that fires too early is armed again then: so the usual case, a
 * deadline that moves away, costs nothing. */
static void
set_deadline(struct http_server_conn *conn, int64_t after_ms)
{
	conn->deadline = loop_now_ms() + after_ms;
	if (loop_timer_is_started(&conn->timer) && conn->armed <= conn->deadline)
		return;
	conn->armed = conn->deadline;
	loop_timer_start(conn->server->loop, &conn->timer, after_ms, 0);
}

static void
suspend(struct http_server_conn *conn)
{
	conn->is_suspended = true;
	MHD_suspend_connection(conn->mhd);
}

/* on_access is called for it by the next MHD_run(): on_turn_ends sees to that in this turn. */
static void
resume(struct http_server_conn *conn)
{
	if (!conn->is_suspended)
		return;
	conn->is_suspended = false;
	conn->server->has_resumed = true;
	MHD_resume_connection(conn->mhd);
}

/* libmicrohttpd sees the end and cleans up. */
static void
cut(struct http_server_conn *conn)
{
	conn->is_cut = true;
	(void)shutdown(conn->fd, SHUT_RDWR);
}

static void
on_deadline(struct loop_timer *timer, void *ctx)
{
	struct http_server_conn *conn = ctx;
	int64_t left_ms;

	(void)timer;
	OBJ_CHECK(conn, CONN_MAGIC);
	left_ms = conn->deadline - loop_now_ms();
	if (left_ms > 0) {
		conn->armed = conn->deadline;
		loop_timer_start(conn->server->loop, &conn->timer, left_ms, 0);
		return;
	}
	if (conn->is_suspended) {
		refuse_for_now(conn->request);
		set_deadline(conn, conn->server->config.request_timeout_ms);
		resume(conn);
		return;
	}
	cut(conn);
}

/* --- connections ---------------------------------------------------------------------------- */

static struct http_server_conn *
conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

/* Asks for nothing, or has not asked to the end; but one that came just now, or whose bytes nobody
 * has read yet (a burst is accepted before any of it is read), is no idler. */
static bool
is_idle(const struct http_server_conn *conn, int64_t now)
{
	int unread = 0;

	return conn->request == NULL && !conn->is_cut && now - conn->opened >= IDLE_MIN_MS &&
	    ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

static bool
is_crowded(const struct http_server *server)
{
	return server->conn_count >=
	    server->config.connections_max - server->config.connections_max / 8;
}

/* Few places are left: idle ones make room, the oldest first, until a quarter is free. */
static void
make_room(struct http_server *server)
{
	unsigned wanted = server->conn_count - server->config.connections_max * 3 / 4;
	int64_t now = loop_now_ms();
	unsigned idle = 0;

	for (struct http_server_conn *conn = server->conns; conn != NULL; conn = conn->next)
		idle += is_idle(conn, now) ? 1 : 0;
	for (struct http_server_conn *conn = server->conns; conn != NULL; conn = conn->next)
		if (is_idle(conn, now) && idle-- <= wanted)
			cut(conn); /* new ones are put in front */
}

static void
on_crowded(struct loop_timer *timer, void *ctx)
{
	struct http_server *server = ctx;

	if (!is_crowded(server))
		return;
	make_room(server);
	loop_timer_start(server->loop, timer, IDLE_MIN_MS, 0);
}

static void
open_conn(struct http_server *server, struct MHD_Connection *mhd, void **socket_context)
{
	struct http_server_conn *conn = calloc(1, sizeof(*conn));

	*socket_context = conn;
	if (conn == NULL)
		return; /* on_access closes it */
	/* At the limit nobody is accepted, so nobody could ask again: the timer does. */
	if (is_crowded(server) && !loop_timer_is_started(&server->crowded))
		loop_timer_start(server->loop, &server->crowded, 0, 0);
	conn->magic = CONN_MAGIC;
	conn->opened = loop_now_ms();
	conn->server = server;
	conn->mhd = mhd;
	conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	conn->peer_is_local = http_listen_peer(
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
	    conn->peer);
	conn->next = server->conns;
	conn->back = &server->conns;
	if (conn->next != NULL)
		conn->next->back = &conn->next;
	server->conns = conn;
	server->conn_count++;
	loop_timer_init(&conn->timer, on_deadline, conn);
	set_deadline(conn, server->config.request_timeout_ms);
}

static void
close_conn(struct http_server_conn *conn)
{
	struct http_server *server = conn->server;

	OBJ_CHECK(conn, CONN_MAGIC);
	if (conn->must_linger)
		http_linger_keep(server->linger, conn->fd);
	loop_timer_stop(&conn->timer);
	*conn->back = conn->next;
	if (conn->next != NULL)
		conn->next->back = conn->back;
	/* libmicrohttpd, at its limit, hears of new connections only from its next run on. */
	if (server->conn_count >= server->config.connections_max)
		loop_defer(server->loop, &server->run_again);
	server->conn_count--;
	conn->magic = 0;
	free(conn);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_conn(cls, mhd, socket_context);
	else if (*socket_context != NULL)
		close_conn(TAKE(*socket_context));
}

/* libmicrohttpd takes anything up to the last blank of the line for the target, a bare CR too. */
static bool
is_visible(const char *target)
{
	for (; *target != '\0'; target++)
		if ((unsigned char)*target <= ' ' || *target == 0x7f)
			return false;
	return true;
}

/* The first request's time runs since the connection was made. */
static void *
on_request_line(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *server = cls;
	struct http_server_conn *conn = conn_of(mhd);

	if (conn == NULL)
		return NULL;
	if (conn->had_request)
		set_deadline(conn, server->config.request_timeout_ms);
	conn->had_request = true;
	conn->target_size = target == NULL ? 0 : strlen(target);
	conn->has_odd_target = target != NULL && !is_visible(target);
	return NULL;
}

/* Paths are compared as they were sent. */
static size_t
keep_target(void *cls, struct MHD_Connection *mhd, char *target)
{
	(void)cls;
	(void)mhd;
	return strlen(target);
}

/* --- the head ------------------------------------------------------------------------------- */

static enum MHD_Result
add_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
    size_t value_size)
{
	struct http_request *request = cls;
	struct http_field *field = &request->fields[request->field_count];

	(void)kind;
	*field = (struct http_field){
		.name = name, .name_size = name_size, .value = value, .value_size = value_size
	};
	if (value == NULL)
		field->value = "";
	request->field_count++;
	return MHD_YES;
}

static struct http_request *
new_request(struct http_server_conn *conn, const char *path, const char *method)
{
	int count = MHD_get_connection_values(conn->mhd, MHD_HEADER_KIND, NULL, NULL);
	size_t room = count < 0 ? 0 : (size_t)count;
	struct http_request *request = malloc(sizeof(*request) + room * sizeof(request->fields[0]));

	if (request == NULL)
		return NULL;
	memset(request, 0, sizeof(*request));
	request->magic = HTTP_REQUEST_MAGIC;
	request->server = conn->server;
	request->conn = conn;
	request->path = path;
	request->peer = conn->peer;
	request->peer_is_local = conn->peer_is_local;
	(void)snprintf(request->method, sizeof(request->method), "%s", method); /* cut: unknown */
	(void)MHD_get_connection_values_n(conn->mhd, MHD_HEADER_KIND, add_field, request);
	conn->request = request;
	return request;
}

static bool
names_method(const char *methods, const char *method)
{
	size_t size = strlen(method);

	while (*methods != '\0') {
		size_t one = strcspn(methods, " ");

		if (one == size && memcmp(methods, method, size) == 0)
			return true;
		methods += one + strspn(methods + one, " ");
	}
	return false;
}

/* "GET, HEAD, POST" of all routes with that path. */
static void
list_methods(const struct http_server_config *config, const char *path, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < config->route_count; i++) {
		const char *next = config->routes[i].methods;

		if (strcmp(config->routes[i].path, path) != 0)
			continue;
		while (*next != '\0' && used < size) {
			int one = (int)strcspn(next, " ");

			used += (size_t)snprintf(
			    text + used, size - used, "%s%.*s", used == 0 ? "" : ", ", one, next);
			next += one;
			next += strspn(next, " ");
		}
	}
}

/* Finds the route or refuses. */
static bool
find_route(const struct http_server *server, struct http_request *request)
{
	const struct http_server_config *config = &server->config;
	char allow[64];

	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->routes[i];

		if (strcmp(route->path, request->path) == 0 &&
		    names_method(route->methods, request->method)) {
			request->route = route;
			return true;
		}
	}
	list_methods(config, request->path, allow, sizeof(allow));
	if (allow[0] == '\0')
		refuse(request, MHD_HTTP_NOT_FOUND, NULL, NULL);
	else
		refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", allow);
	return false;
}

/* Bytes of a line's end, of which libmicrohttpd makes NULs. */
#define LINE_END 2

/*
 * Whether the head holds bytes that are in no field: libmicrohttpd cuts a value at a NUL, joins
 * folded lines and takes a bare LF for a line's end, all unseen.  It parses in place, so between
 * a value and the next name lies exactly what ended the line, and it tells how long the head was:
 * the request line, all from the first name to the last value, and the empty line make that up.
 * It makes NULs of a line's end, and of the colon of a line without a name, with which it ends the
 * head: NUL LF for CRLF, and ":" LF for the empty line, look as they should.
 */
static bool
head_hides_something(const struct http_request *request, const char *version)
{
	const struct http_server_conn *conn = request->conn;
	const struct http_field *fields = request->fields;
	size_t size =
	    strlen(request->method) + 1 + conn->target_size + 1 + strlen(version) + LINE_END;
	size_t n = request->field_count;
	const char *at = version + strlen(version) + LINE_END; /* where a field must begin */
	static const char line_ends[2 * LINE_END]; /* the last field's and the empty line's */

	for (size_t i = 0; i < n; i++) {
		if (fields[i].name != at)
			return true;
		at = fields[i].value + fields[i].value_size + LINE_END;
	}
	if (n > 0)
		size += (size_t)(at - fields[0].name);
	return MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
		   ->header_size != size + LINE_END ||
	    (n > 0 && memcmp(at - LINE_END, line_ends, sizeof(line_ends)) != 0);
}

/* Every check that needs no byte of the body.  False: there is a refusal. */
static bool
check_head(struct http_server *server, struct http_request *request, const char *version)
{
	const struct http_route *route;
	struct http_guard_verdict verdict;

	if (!find_route(server, request))
		return false;
	route = request->route;
	verdict = http_guard_check(
	    request->fields, request->field_count, route->body_max > 0, route->body_max);
	request->body_size = (size_t)verdict.body_size;
	if (verdict.status != 0) {
		refuse(request, verdict.status, NULL, NULL);
	} else if (request->conn->has_odd_target || head_hides_something(request, version)) {
		refuse(request, MHD_HTTP_BAD_REQUEST, NULL, NULL);
	} else if (route->types != NULL &&
	    !http_guard_type_is_in(http_request_header(request, "Content-Type"), route->types)) {
		refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL, NULL);
	} else if (route->on_begin != NULL) {
		route->on_begin(request, route->ctx);
	}
	return request->phase != HTTP_REQUEST_ANSWERED;
}

static void
release_memory(struct http_server *server, struct http_request *request)
{
	if (request->claim.state == HTTP_BUDGET_IDLE)
		return;
	http_budget_release(&server->budget, &request->claim);
	if (server->budget.first != NULL)
		loop_defer(server->loop, &server->share_memory);
}

static enum MHD_Result
queue_answer(struct http_request *request)
{
	struct http_server_conn *conn = request->conn;
	struct MHD_Response *response = TAKE(request->response);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO; /* asked again although it was answered: close */
	set_deadline(conn, conn->server->config.request_timeout_ms);
	result = MHD_queue_response(conn->mhd, (unsigned)request->status, response);
	drop_response(conn->server, response);
	return result;
}

/* Answered before the body was read: what the sender still sends must not break the answer. */
static enum MHD_Result
queue_refusal(struct http_request *request)
{
	request->conn->must_linger = http_request_header_count(request, "Content-Length") > 0 ||
	    http_request_header_count(request, "Transfer-Encoding") > 0;
	return queue_answer(request);
}

/* The budget has room: the body may come. */
static enum MHD_Result
start_body(struct http_request *request)
{
	const struct http_route *route = request->route;
	int64_t timeout_ms = route->body_timeout_ms;

	request->phase = HTTP_REQUEST_BODY;
	if (timeout_ms > 0)
		set_deadline(request->conn, timeout_ms);
	if (route->body_max == 0)
		return MHD_YES;
	request->body = malloc(request->body_size + 1);
	if (request->body != NULL) {
		request->body[0] = '\0';
		return MHD_YES;
	}
	refuse_for_now(request);
	return queue_refusal(request);
}

static enum MHD_Result
take_head(struct http_server_conn *conn, const char *path, const char *method, const char *version,
    void **context)
{
	struct http_server *server = conn->server;
	struct http_request *request = new_request(conn, path, method);

	if (request == NULL)
		return MHD_NO;
	*context = request;
	if (server->is_closing)
		refuse_for_now(request);
	if (server->is_closing || !check_head(server, request, version))
		return queue_refusal(request);
	if (request->body_size > server->budget.max) {
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, NULL, NULL);
		return queue_refusal(request);
	}
	if (request->body_size == 0 ||
	    http_budget_ask(&server->budget, &request->claim, request->body_size))
		return start_body(request);
	set_deadline(conn, server->config.budget_wait_ms);
	suspend(conn);
	return MHD_YES;
}

/* --- the body and the answer ---------------------------------------------------------------- */

/* libmicrohttpd does not read again after a short read, so the end that came right behind it would
 * be noticed at the deadline only, and the budget be held until then. */
static bool
has_hung_up(const struct http_server_conn *conn)
{
	char byte;

	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static enum MHD_Result
take_piece(struct http_request *request, const char *data, size_t *data_size)
{
	const struct http_route *route = request->route;
	size_t size = *data_size;

	if (request->phase != HTTP_REQUEST_BODY || request->body == NULL ||
	    size > request->body_size - request->body_filled)
		return MHD_NO;
	memcpy(request->body + request->body_filled, data, size);
	request->body_filled += size;
	request->body[request->body_filled] = '\0';
	*data_size = 0;
	if (route->on_piece != NULL)
		route->on_piece(request, data, size, route->ctx);
	if (request->body_filled < request->body_size && has_hung_up(request->conn))
		return MHD_NO;
	return MHD_YES;
}

static void
give_to_route(struct http_server *server, struct http_request *request)
{
	request->is_routes = true;
	request->next = server->routes_requests;
	request->back = &server->routes_requests;
	if (request->next != NULL)
		request->next->back = &request->next;
	server->routes_requests = request;
	server->open_count++;
}

static void
take_from_route(struct http_request *request)
{
	*request->back = request->next;
	if (request->next != NULL)
		request->next->back = request->back;
	if (request->server != NULL)
		request->server->open_count--;
	request->is_routes = false;
}

static enum MHD_Result
ask_route(struct http_request *request)
{
	const struct http_route *route = request->route;
	struct http_server_conn *conn = request->conn;
	int64_t timeout_ms = route->answer_timeout_ms;

	if (conn->server->is_closing) {
		refuse_for_now(request);
		return queue_answer(request);
	}
	request->phase = HTTP_REQUEST_ASKED;
	give_to_route(conn->server, request);
	route->on_request(request, route->ctx);
	if (request->phase == HTTP_REQUEST_ANSWERED)
		return queue_answer(request);
	request->phase = HTTP_REQUEST_DEFERRED;
	set_deadline(conn, timeout_ms > 0 ? timeout_ms : conn->server->config.answer_timeout_ms);
	suspend(conn);
	return MHD_YES;
}

static enum MHD_Result
on_access(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
    const char *version, const char *data, size_t *data_size, void **context)
{
	struct http_server_conn *conn = conn_of(mhd);
	struct http_request *request = *context;

	(void)cls;
	if (conn == NULL)
		return MHD_NO; /* there was no memory for it */
	OBJ_CHECK(conn, CONN_MAGIC);
	if (request == NULL)
		return take_head(conn, path, method, version, context);
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (*data_size > 0)
		return take_piece(request, data, data_size);
	switch (request->phase) {
	case HTTP_REQUEST_HEAD:
		set_deadline(conn, conn->server->config.request_timeout_ms);
		return start_body(request);
	case HTTP_REQUEST_BODY:
		return ask_route(request);
	case HTTP_REQUEST_ANSWERED:
		return request->route->body_max > 0 && request->body_filled < request->body_size ?
		    queue_refusal(request) :
		    queue_answer(request);
	case HTTP_REQUEST_ASKED:
	case HTTP_REQUEST_DEFERRED:
		break;
	}
	return MHD_NO;
}

void
http_server_accept_answer(struct http_request *request, int status,
    const struct http_header *headers, const void *body, size_t size)
{
	struct http_server_conn *conn = request->conn;
	bool was_deferred = request->phase == HTTP_REQUEST_DEFERRED;

	assert(request->is_routes || request->phase == HTTP_REQUEST_HEAD);
	if (request->phase != HTTP_REQUEST_ANSWERED)
		set_response(request, status, headers, body, size);
	if (request->is_routes)
		take_from_route(request);
	if (request->server != NULL)
		release_memory(request->server, request);
	free(TAKE(request->body));
	if (conn == NULL)
		http_request_free(request);
	else if (was_deferred)
		resume(conn);
}

/* The request is over for libmicrohttpd: sent, broken off or given up. */
static void
on_completed(
    void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct http_server_conn *conn = conn_of(mhd);
	struct http_request *request = TAKE(*context);

	(void)code;
	if (conn != NULL) {
		conn->request = NULL;
		set_deadline(conn, server->config.idle_timeout_ms);
	}
	if (request == NULL)
		return;
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	request->conn = NULL;
	request->field_count = 0;
	request->path = "";
	request->peer = "";
	drop_response(server, TAKE(request->response));
	if (request->is_routes) {
		request->phase = HTTP_REQUEST_ANSWERED;
		return;
	}
	release_memory(server, request);
	http_request_free(request);
}

/* Memory was given back: who waits and fits by now goes on. */
static void
on_share_memory(struct loop_task *task, void *ctx)
{
	struct http_server *server = ctx;
	struct http_budget_claim *claim;

	(void)task;
	while ((claim = http_budget_next(&server->budget)) != NULL) {
		struct http_request *request =
		    (void *)((char *)claim - offsetof(struct http_request, claim));

		OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
		resume(request->conn);
	}
}

/* --- driving libmicrohttpd ------------------------------------------------------------------ */

static void
run_mhd(struct http_server *server)
{
	server->has_resumed = false;
	(void)MHD_run(server->mhd); /* fails only where epoll itself does; then asked again */
}

static bool
has_data_waiting(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG after_ms;

	return server->has_resumed ||
	    (MHD_get_timeout(server->mhd, &after_ms) == MHD_YES && after_ms == 0);
}

static void
on_mhd_ready(struct loop_io *io, unsigned events, void *ctx)
{
	(void)io;
	(void)events;
	run_mhd(ctx);
}

static void
on_turn_ends(struct loop_prepare *prepare, void *ctx)
{
	struct http_server *server = ctx;

	(void)prepare;
	if (has_data_waiting(server))
		loop_defer(server->loop, &server->run_again);
}

static void
on_run_again(struct loop_task *task, void *ctx)
{
	(void)task;
	run_mhd(ctx);
}

/* A bug, here or there: libmicrohttpd cannot go on. */
static _Noreturn void
on_panic(void *cls, const char *file, unsigned line, const char *why)
{
	(void)cls;
	(void)fprintf(stderr, "libmicrohttpd %s:%u: %s\n", file, line, why == NULL ? "" : why);
	abort();
}

/* --- life of the server --------------------------------------------------------------------- */

static void
fill_defaults(struct http_server_config *config)
{
	if (config->connections_max == 0)
		config->connections_max = 256;
	if (config->budget_bytes == 0)
		config->budget_bytes = (size_t)64 * 1024 * 1024;
	if (config->budget_wait_ms == 0)
		config->budget_wait_ms = 3000;
	if (config->request_timeout_ms == 0)
		config->request_timeout_ms = 10000;
	if (config->answer_timeout_ms == 0)
		config->answer_timeout_ms = 8000;
	if (config->idle_timeout_ms == 0)
		config->idle_timeout_ms = 75000;
}

static bool
make_shared_responses(struct http_server *server)
{
	static const struct http_header close_it[] = { { "Connection", "close" }, { NULL, NULL } };
	static const struct http_header later[] = { { "Connection", "close" },
		{ "Retry-After", RETRY_AFTER_SECONDS }, { NULL, NULL } };

	server->empty = make_response(NULL, NULL, 0);
	server->empty_close = make_response(close_it, NULL, 0);
	server->unavailable = make_response(later, NULL, 0);
	return server->empty != NULL && server->empty_close != NULL && server->unavailable != NULL;
}

/* No error log of its own; no Date, which tells a stranger nothing but our clock. */
static struct MHD_Daemon *
start_mhd(struct http_server *server, int listen_fd)
{
	MHD_set_panic_func(on_panic, NULL);
	return MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL,
	    NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, listen_fd,
	    MHD_OPTION_CONNECTION_LIMIT, server->config.connections_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
	    on_request_line, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_target, server,
	    MHD_OPTION_END);
}

static void
watch_mhd(struct http_server *server)
{
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	loop_io_start(server->loop, &server->io, info->epoll_fd, LOOP_READ);
	loop_prepare_start(server->loop, &server->prepare);
}

static struct http_server *
new_server(struct loop *loop, const struct http_server_config *config)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->config = *config;
	fill_defaults(&server->config);
	for (size_t i = 0; i < config->route_count; i++)
		assert(config->routes[i].on_request != NULL);
	http_budget_init(&server->budget, server->config.budget_bytes);
	loop_io_init(&server->io, on_mhd_ready, server);
	loop_prepare_init(&server->prepare, on_turn_ends, server);
	loop_timer_init(&server->crowded, on_crowded, server);
	loop_task_init(&server->run_again, on_run_again, server);
	loop_task_init(&server->share_memory, on_share_memory, server);
	return server;
}

struct http_server *
http_server_new_on(
    struct loop *loop, const struct http_server_config *config, int listen_fd, struct err *err)
{
	struct http_server *server = new_server(loop, config);

	if (server != NULL)
		server->linger = http_linger_new(loop);
	if (server != NULL && server->linger != NULL && make_shared_responses(server))
		server->mhd = start_mhd(server, listen_fd);
	if (server == NULL || server->mhd == NULL) {
		(void)err_set(err, ERR_NOMEM, "HTTP server: memory or descriptors are short");
		(void)close(listen_fd); /* nothing came in */
		http_server_free(server);
		return NULL;
	}
	server->port = http_listen_port(listen_fd);
	watch_mhd(server);
	return server;
}

struct http_server *
http_server_new(
    struct loop *loop, const struct http_server_config *config, const char *listen, struct err *err)
{
	int fd = http_listen_open(listen, err);
	struct http_server *server;

	if (fd < 0)
		return NULL;
	server = http_server_new_on(loop, config, fd, err);
	/* Without the copy the file merely stays, and the next start replaces it. */
	if (server != NULL && strncmp(listen, "unix:", 5) == 0)
		server->socket_path = strdup(listen + 5);
	return server;
}

uint16_t
http_server_port(const struct http_server *server)
{
	OBJ_CHECK(server, SERVER_MAGIC);
	return server->port;
}

unsigned
http_server_connections(const struct http_server *server)
{
	OBJ_CHECK(server, SERVER_MAGIC);
	return server->conn_count;
}

unsigned
http_server_open_requests(const struct http_server *server)
{
	OBJ_CHECK(server, SERVER_MAGIC);
	return server->open_count;
}

size_t
http_server_body_bytes(const struct http_server *server)
{
	OBJ_CHECK(server, SERVER_MAGIC);
	return server->budget.used;
}

void
http_server_quiesce(struct http_server *server)
{
	int fd;

	OBJ_CHECK(server, SERVER_MAGIC);
	if (server->is_quiesced)
		return;
	server->is_quiesced = true;
	fd = MHD_quiesce_daemon(server->mhd);
	if (fd >= 0)
		(void)close(fd); /* it only listened */
	if (server->socket_path != NULL)
		(void)unlink(server->socket_path); /* the next start replaces it */
}

/* Suspended connections get 503, then all get what the sockets take. */
static void
finish_requests(struct http_server *server)
{
	server->is_closing = true;
	for (struct http_server_conn *conn = server->conns; conn != NULL; conn = conn->next) {
		if (!conn->is_suspended)
			continue;
		refuse_for_now(conn->request);
		resume(conn);
	}
	for (int i = 0; i < 8 && (i == 0 || has_data_waiting(server)); i++)
		run_mhd(server);
}

static void
orphan_requests(struct http_server *server)
{
	struct http_request *next;

	for (struct http_request *one = server->routes_requests; one != NULL; one = next) {
		next = one->next;
		one->server = NULL;
		one->next = NULL;
		one->back = &one->next; /* a list of its own */
	}
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	OBJ_CHECK(server, SERVER_MAGIC);
	if (server->mhd != NULL) {
		http_server_quiesce(server);
		finish_requests(server);
		loop_prepare_stop(&server->prepare);
		loop_timer_stop(&server->crowded);
		loop_io_stop(&server->io);
		MHD_stop_daemon(server->mhd);
	}
	loop_task_cancel(&server->run_again);
	loop_task_cancel(&server->share_memory);
	orphan_requests(server);
	http_linger_free(server->linger);
	if (server->empty != NULL)
		MHD_destroy_response(server->empty);
	if (server->empty_close != NULL)
		MHD_destroy_response(server->empty_close);
	if (server->unavailable != NULL)
		MHD_destroy_response(server->unavailable);
	free(server->socket_path);
	server->magic = 0;
	free(server);
}

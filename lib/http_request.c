/* http_request.c - one request, from its head to the end of its answer, in that order.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_request.h"

#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/clean.h"
#include "lib/http_guard.h"
#include "lib/http_server_inside.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"

static void answer_unavailable(struct http_request *request);
static void refuse(struct http_request *request, int status, const char *allow);
static enum MHD_Result queue_answer(struct http_request *request);

/* --- the head: its fields --------------------------------------------------------------------- */

static enum MHD_Result
add_field(void *cls, UNUSED enum MHD_ValueKind kind, const char *name, size_t name_size,
    const char *value, size_t value_size)
{
	struct http_request *request = cls;

	request->fields[request->field_count++] = (struct http_field){ .name = name,
		.name_size = name_size,
		.value = value == NULL ? "" : value,
		.value_size = value_size };
	return MHD_YES;
}

static struct http_request *
new_request(struct http_server_conn *conn, const char *path, const char *method)
{
	int count = MHD_get_connection_values(conn->mhd, MHD_HEADER_KIND, NULL, NULL);
	size_t room = count < 0 ? 0 : (size_t)count;
	struct http_request *request =
	    mem_alloc(sizeof(*request) + room * sizeof(request->fields[0]));

	*request = (struct http_request){
		.magic = HTTP_REQUEST_MAGIC, .server = conn->server, .conn = conn, .path = path
	};
	(void)snprintf(request->method, sizeof(request->method), "%s", method); /* cut: unknown */
	(void)MHD_get_connection_values_n(conn->mhd, MHD_HEADER_KIND, add_field, request);
	conn->request = request;
	return request;
}

/* --- the head: its route ---------------------------------------------------------------------- */

static bool
names_method(const char *methods, const char *method)
{
	size_t size = strlen(method), one;

	for (; *methods != '\0'; methods += one + strspn(methods + one, ", ")) {
		one = strcspn(methods, ",");
		if (one == size && memcmp(methods, method, size) == 0)
			return true;
	}
	return false;
}

static bool
is_at(const struct http_route *route, const char *path)
{
	size_t size = strlen(route->path);

	return strcmp(route->path, path) == 0 ||
	    (route->path[size - 1] == '/' && strncmp(route->path, path, size) == 0);
}

/* Finds the route or refuses, with the methods of all routes with that path. */
static bool
find_route(struct http_request *request)
{
	const struct http_server_config *config = &request->server->config;
	char allow[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->routes[i];

		if (!is_at(route, request->path) ||
		    !clean_is_utf8(request->path, strlen(request->path)))
			continue;
		request->route = route;
		if (names_method(route->methods, request->method))
			return true;
		if (used < sizeof(allow))
			used += (size_t)snprintf(allow + used, sizeof(allow) - used, "%s%s",
			    used == 0 ? "" : ", ", route->methods);
	}
	refuse(request, request->route == NULL ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED,
	    allow);
	return false;
}

/* Bytes of a line's end, of which libmicrohttpd makes NULs. */
#define LINE_END 2

/*
 * Whether between a value and what comes next lies a line's end alone, and the empty line where it
 * is the last one.  libmicrohttpd 0.9 leaves NULs of both, 1.0 NUL LF of the first alone; and where
 * blanks are behind a value, which 1.0 cuts, a NUL of the first blank, the others and CRLF.
 */
static bool
is_line_end(const char *at, size_t size, bool is_last)
{
	static const char nuls[2 * LINE_END], crlfs[2 * LINE_END] = "\r\n\r\n";
	size_t end = is_last ? 2 * LINE_END : LINE_END;

	if (size < end || at[0] != '\0')
		return false;
	if (size == end)
		return memcmp(at, nuls, end) == 0 || memcmp(at + 1, crlfs + 1, end - 1) == 0;
	for (at++, size--; size > end; at++, size--)
		if (*at != ' ' && *at != '\t')
			return false;
	return memcmp(at, crlfs, end) == 0;
}

/*
 * Whether the head holds bytes that are in no field: libmicrohttpd cuts a value at a NUL, joins
 * folded lines and takes a bare LF for a line's end, all unseen.  It parses in place, so between
 * a value and the next name lies exactly what ended the line, and it shows how long the head was:
 * the request line, all from the first name to the last value, and the empty line make that up.
 * It makes NULs of a line's end, and of the colon of a line without a name, with which it ends the
 * head: NUL LF for CRLF, and ":" LF for the empty line, look as they should.
 */
static bool
head_hides_something(const struct http_request *request, const char *version)
{
	const struct http_server_conn *conn = request->conn;
	const struct http_field *fields = request->fields;
	size_t n = request->field_count;
	size_t left = MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			  ->header_size;
	size_t line =
	    strlen(request->method) + 1 + conn->target_size + 1 + strlen(version) + LINE_END;
	const char *at = version + strlen(version) + LINE_END; /* where a field must begin */

	if (left < line || n == 0)
		return left != line + LINE_END;
	left -= line;
	for (size_t i = 0; i < n; i++) {
		const char *end = fields[i].value + fields[i].value_size;
		size_t size = (size_t)(end - at), gap;

		if (fields[i].name != at || end < at || left < size)
			return true;
		left -= size;
		gap = i + 1 < n ? (size_t)(fields[i + 1].name - end) : left;
		if ((i + 1 < n && fields[i + 1].name < end) || left < gap ||
		    !is_line_end(end, gap, i + 1 == n))
			return true;
		left -= gap;
		at = end + gap;
	}
	return left != 0;
}

/* Makes every check that needs no byte of the body, then asks the route's on_begin. */
static void
check_head(struct http_request *request, const char *version)
{
	const struct http_route *route;
	struct http_guard_verdict verdict;

	request->route = NULL;
	if (!find_route(request))
		return;
	route = request->route;
	request->is_held = route->holds != NULL && route->holds(route->ctx);
	if (request->is_held)
		return;
	verdict = http_guard_check(
	    request->fields, request->field_count, route->body_max > 0, route->body_max);
	request->body_size = (size_t)verdict.body_size;
	if (verdict.status != 0)
		refuse(request, verdict.status, "");
	else if (request->conn->has_odd_target || head_hides_something(request, version))
		refuse(request, MHD_HTTP_BAD_REQUEST, "");
	else if (route->types != NULL &&
	    !http_guard_type_is_in(http_request_header(request, "Content-Type"), route->types))
		refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "");
	else if (!route->is_streamed && request->body_size > request->server->budget.max)
		refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "");
	else if (route->on_begin != NULL)
		route->on_begin(request, route->ctx);
}

/* --- memory for the body ---------------------------------------------------------------------- */

/* The budget has room: the body may come. */
static enum MHD_Result
start_body(struct http_request *request)
{
	const struct http_route *route = request->route;

	request->phase = HTTP_REQUEST_BODY;
	if (route->body_timeout_ms > 0)
		http_server_conn_set_deadline(request->conn, route->body_timeout_ms);
	if (route->body_max == 0 || route->is_streamed)
		return MHD_YES;
	request->body = mem_alloc(request->body_size + 1);
	request->body[0] = '\0';
	return MHD_YES;
}

static int64_t
answer_timeout_ms(const struct http_request *request)
{
	return request->route->answer_timeout_ms > 0 ? request->route->answer_timeout_ms :
						       request->server->config.answer_timeout_ms;
}

static enum MHD_Result
take_head(struct http_request *request, const char *version)
{
	struct http_server_conn *conn = request->conn;
	struct http_server *server = conn->server;

	if (server->is_closing)
		answer_unavailable(request);
	else
		check_head(request, version);
	if (request->phase == HTTP_REQUEST_ANSWERED)
		return queue_answer(request);
	if (request->is_held) {
		http_server_conn_set_deadline(conn, answer_timeout_ms(request));
		http_server_conn_suspend(conn);
		return MHD_YES;
	}
	if (request->body_size == 0 || request->route->is_streamed ||
	    http_budget_ask(&server->budget, &request->claim, request->body_size))
		return start_body(request);
	http_server_conn_set_deadline(conn, server->config.budget_wait_ms);
	http_server_conn_suspend(conn);
	return MHD_YES;
}

/* Memory was given back: whose body fits by now goes on. */
void
http_request_on_share_memory(UNUSED struct loop_task *task, void *ctx)
{
	struct http_server *server = ctx;
	struct http_budget_claim *claim;

	while ((claim = http_budget_next(&server->budget)) != NULL) {
		struct http_request *request =
		    (void *)((char *)claim - offsetof(struct http_request, claim));

		OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
		http_server_conn_resume(request->conn);
	}
}

static void
release_memory(struct http_request *request)
{
	struct http_server *server = request->server;

	free(TAKE(request->body));
	if (server == NULL || request->claim.state == HTTP_BUDGET_IDLE)
		return;
	http_budget_release(&server->budget, &request->claim);
	if (!TAILQ_EMPTY(&server->budget.waiting))
		loop_defer(server->loop, &server->share_memory);
}

/* --- the body --------------------------------------------------------------------------------- */

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

	if (request->phase != HTTP_REQUEST_BODY || (request->body == NULL && !route->is_streamed) ||
	    size > request->body_size - request->body_filled)
		return MHD_NO;
	if (!route->is_streamed) {
		memcpy(request->body + request->body_filled, data, size);
		request->body[request->body_filled + size] = '\0';
	}
	request->body_filled += size;
	*data_size = 0;
	if (route->on_piece != NULL)
		route->on_piece(request, data, size, route->ctx);
	if (request->body_filled < request->body_size && has_hung_up(request->conn))
		return MHD_NO;
	return MHD_YES;
}

/* --- the route -------------------------------------------------------------------------------- */

static void
give_to_route(struct http_server *server, struct http_request *request)
{
	request->phase = HTTP_REQUEST_ASKED;
	request->is_routes = true;
	LIST_INSERT_HEAD(&server->routes_requests, request, of_routes);
	server->open_count++;
}

static void
take_from_route(struct http_request *request)
{
	request->is_routes = false;
	if (request->server == NULL)
		return;
	LIST_REMOVE(request, of_routes);
	request->server->open_count--;
}

static enum MHD_Result
ask_route(struct http_request *request)
{
	const struct http_route *route = request->route;
	struct http_server_conn *conn = request->conn;

	request->is_read = true;
	if (conn->server->is_closing) {
		answer_unavailable(request);
		return queue_answer(request);
	}
	give_to_route(conn->server, request);
	route->on_request(request, route->ctx);
	if (request->phase == HTTP_REQUEST_ANSWERED)
		return queue_answer(request);
	request->phase = HTTP_REQUEST_DEFERRED;
	http_server_conn_set_deadline(conn, answer_timeout_ms(request));
	http_server_conn_suspend(conn);
	return MHD_YES;
}

/* --- libmicrohttpd calls: a head, a piece, the end of a body, or resumed ---------------------- */

enum MHD_Result
http_request_on_access(UNUSED void *cls, struct MHD_Connection *mhd, const char *path,
    const char *method, const char *version, const char *data, size_t *data_size, void **context)
{
	struct http_server_conn *conn = http_server_conn_of(mhd);
	struct http_request *request = *context;

	if (conn == NULL)
		return MHD_NO; /* there was no memory for it */
	OBJ_CHECK(conn, HTTP_SERVER_CONN_MAGIC);
	if (request == NULL) {
		request = *context = new_request(conn, path, method);
		return take_head(request, version);
	}
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (request->is_unheld) {
		request->is_unheld = false;
		return take_head(request, version);
	}
	if (*data_size > 0)
		return take_piece(request, data, data_size);
	if (request->phase == HTTP_REQUEST_BODY)
		return ask_route(request);
	if (request->phase == HTTP_REQUEST_HEAD && request->claim.state == HTTP_BUDGET_HELD &&
	    !conn->server->is_closing) {
		http_server_conn_set_deadline(conn, conn->server->config.request_timeout_ms);
		return start_body(request);
	}
	if (request->phase != HTTP_REQUEST_ANSWERED)
		answer_unavailable(request); /* resumed by its deadline, or by the server's end */
	return queue_answer(request);
}

/* --- the answer ------------------------------------------------------------------------------- */

struct MHD_Response *
http_request_response(const struct http_header *headers, const void *body, size_t size)
{
	/* A copy of ours, for libmicrohttpd would free its own with what it has: what is lent. */
	void *copy = mem_copy(size > 0 ? body : "", size);
	struct MHD_Response *response =
	    MHD_create_response_from_buffer_with_free_callback(size, copy, mem_wiped_free);

	if (response == NULL) {
		mem_wiped_free(copy);
		return NULL;
	}
	for (; headers != NULL && headers->name != NULL; headers++) {
		if (MHD_add_response_header(response, headers->name, headers->value) == MHD_YES)
			continue;
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

/* Sets the answer that is queued next.  Short of memory: 503. */
static void
set_answer(struct http_request *request, int status, const struct http_header *headers,
    const void *body, size_t size)
{
	struct http_server *server = request->server;

	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = status;
	if (headers == NULL && size == 0)
		request->response = server->is_quiesced ? server->empty_close : server->empty;
	else
		request->response = http_request_response(headers, body, size);
	if (request->response == NULL) {
		request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		request->response = server->unavailable;
	} else if (server->is_quiesced && request->response != server->empty_close) {
		/* Without it the connection merely stays open a little longer. */
		(void)MHD_add_response_header(request->response, "Connection", "close");
	}
}

static void
notify_refused(const struct http_request *request)
{
	const struct http_server_config *config = &request->server->config;

	if (config->on_refused != NULL)
		config->on_refused(config->ctx, request->path, request->status);
}

/* Sets a refusal of our own: empty, with Allow unless that is "", and the connection closes. */
static void
refuse(struct http_request *request, int status, const char *allow)
{
	const struct http_header headers[] = {
		{ "Connection", "close" },
		{ allow[0] != '\0' ? "Allow" : NULL, allow },
		{ NULL, NULL },
	};

	set_answer(request, status, headers, NULL, 0);
	notify_refused(request);
}

/* Sets 503 with Retry-After.  A request that a route has is the route's to count: its answer is
 * still to come. */
static void
answer_unavailable(struct http_request *request)
{
	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	request->response = request->server->unavailable;
	if (!request->is_routes)
		notify_refused(request);
}

/* The three that the server shares stay. */
static void
drop_response(const struct http_server *server, struct MHD_Response *response)
{
	if (response != NULL && response != server->empty && response != server->empty_close &&
	    response != server->unavailable)
		MHD_destroy_response(response);
}

static const struct http_field *
find(const struct http_request *request, const char *name, size_t *ret_count)
{
	const struct http_field *found = NULL;
	size_t size = strlen(name);

	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	*ret_count = 0;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];

		if (field->name_size != size || strncasecmp(field->name, name, size) != 0)
			continue;
		found = field;
		(*ret_count)++;
	}
	return found;
}

static bool
has_header(const struct http_request *request, const char *name)
{
	size_t count;

	return find(request, name, &count) != NULL;
}

/* Hands what was set to libmicrohttpd.  Before the body was read, what the sender still sends must
 * not break the answer. */
static enum MHD_Result
queue_answer(struct http_request *request)
{
	struct http_server_conn *conn = request->conn;
	struct MHD_Response *response = TAKE(request->response);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO; /* asked again although it was answered: close */
	conn->must_linger = !request->is_read &&
	    (has_header(request, "Content-Length") || has_header(request, "Transfer-Encoding"));
	http_server_conn_set_deadline(conn, conn->server->config.request_timeout_ms);
	result = MHD_queue_response(conn->mhd, (unsigned)request->status, response);
	drop_response(conn->server, response);
	return result;
}

/* --- the end: the route's, and libmicrohttpd's ------------------------------------------------ */

static void
free_request(struct http_request *request)
{
	if (request->user != NULL && request->free_user != NULL)
		request->free_user(request->user);
	request->magic = 0;
	free(request);
}

void
http_request_answer(struct http_request *request, int status, const struct http_header *headers,
    const void *body, size_t size)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	assert(status >= 200 && status <= 599);
	assert(request->is_routes || request->phase == HTTP_REQUEST_HEAD);
	if (request->phase != HTTP_REQUEST_ANSWERED)
		set_answer(request, status, headers, body, size);
	if (request->is_routes)
		take_from_route(request);
	release_memory(request);
	if (request->conn == NULL)
		free_request(request);
	else
		http_server_conn_resume(request->conn);
}

void
http_request_answer_text(struct http_request *request, int status, const char *type,
    const struct http_header *more, const char *text)
{
	const struct http_header headers[] = { { "Content-Type", type },
		{ "Cache-Control", "no-store" },
		more != NULL ? *more : (struct http_header){ NULL, NULL }, { NULL, NULL } };

	http_request_answer(request, status, headers, text, strlen(text));
}

void
http_request_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    UNUSED enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct http_server_conn *conn = http_server_conn_of(mhd);
	struct http_request *request = TAKE(*context);

	if (conn != NULL) {
		conn->request = NULL;
		http_server_conn_set_deadline(conn, server->config.idle_timeout_ms);
	}
	if (request == NULL)
		return;
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	request->conn = NULL;
	request->field_count = 0;
	request->path = "";
	drop_response(server, TAKE(request->response));
	if (request->is_routes) {
		request->phase = HTTP_REQUEST_ANSWERED;
		return;
	}
	release_memory(request);
	free_request(request);
}

/* --- what a route may read -------------------------------------------------------------------- */

const char *
http_request_header(const struct http_request *request, const char *name)
{
	size_t count;
	const struct http_field *field = find(request, name, &count);

	return count == 1 && clean_is_utf8(field->value, field->value_size) ? field->value : NULL;
}

const char *
http_request_path(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->path;
}

size_t
http_request_body_size(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->body_size;
}

static bool
is_proxy(const struct http_server_conn *conn)
{
	const struct http_server_config *config = &conn->server->config;

	return config->is_proxy != NULL ?
	    config->is_proxy(config->ctx, conn->peer, conn->peer_is_local) :
	    conn->peer_is_local;
}

const char *
http_request_client(const struct http_request *request)
{
	const char *told;

	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (request->conn == NULL)
		return "";
	told = is_proxy(request->conn) ? http_request_header(request, "X-Real-IP") : NULL;
	return told != NULL && http_listen_is_address(told) ? told : request->conn->peer;
}

bool
http_request_user_id(const struct http_request *request, uid_t *ret_uid)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (request->conn == NULL || !request->conn->has_uid)
		return false;
	*ret_uid = request->conn->uid;
	return true;
}

char *
http_request_take_body(struct http_request *request, size_t *ret_size)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	*ret_size = request->body == NULL ? 0 : request->body_filled;
	return TAKE(request->body);
}

void
http_request_set_user(struct http_request *request, void *user, void (*free_user)(void *))
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	request->user = user;
	request->free_user = free_user;
}

void *
http_request_user(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->user;
}

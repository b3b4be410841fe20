/* http_server_exchange.c - one request from its head to the end of its answer.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/http_server_inside.h"

/* --- the head --------------------------------------------------------------------------------- */

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

/* The budget has room: the body may come. */
static enum MHD_Result
start_body(struct http_request *request)
{
	const struct http_route *route = request->route;
	int64_t timeout_ms = route->body_timeout_ms;

	request->phase = HTTP_REQUEST_BODY;
	if (timeout_ms > 0)
		http_server_conn_set_deadline(request->conn, timeout_ms);
	if (route->body_max == 0)
		return MHD_YES;
	request->body = malloc(request->body_size + 1);
	if (request->body != NULL) {
		request->body[0] = '\0';
		return MHD_YES;
	}
	http_server_answer_unavailable(request);
	return http_server_answer_queue_refusal(request);
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
		http_server_answer_unavailable(request);
	if (server->is_closing || !http_server_head_check(server, request, version))
		return http_server_answer_queue_refusal(request);
	if (request->body_size > server->budget.max) {
		http_server_answer_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, NULL, NULL);
		return http_server_answer_queue_refusal(request);
	}
	if (request->body_size == 0 ||
	    http_budget_ask(&server->budget, &request->claim, request->body_size))
		return start_body(request);
	http_server_conn_set_deadline(conn, server->config.budget_wait_ms);
	http_server_conn_suspend(conn);
	return MHD_YES;
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

/* --- the route -------------------------------------------------------------------------------- */

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
		http_server_answer_unavailable(request);
		return http_server_answer_queue(request);
	}
	request->phase = HTTP_REQUEST_ASKED;
	give_to_route(conn->server, request);
	route->on_request(request, route->ctx);
	if (request->phase == HTTP_REQUEST_ANSWERED)
		return http_server_answer_queue(request);
	request->phase = HTTP_REQUEST_DEFERRED;
	http_server_conn_set_deadline(
	    conn, timeout_ms > 0 ? timeout_ms : conn->server->config.answer_timeout_ms);
	http_server_conn_suspend(conn);
	return MHD_YES;
}

enum MHD_Result
http_server_exchange_on_access(void *cls, struct MHD_Connection *mhd, const char *path,
    const char *method, const char *version, const char *data, size_t *data_size, void **context)
{
	struct http_server_conn *conn = http_server_conn_of(mhd);
	struct http_request *request = *context;

	(void)cls;
	if (conn == NULL)
		return MHD_NO; /* there was no memory for it */
	OBJ_CHECK(conn, HTTP_SERVER_CONN_MAGIC);
	if (request == NULL)
		return take_head(conn, path, method, version, context);
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (*data_size > 0)
		return take_piece(request, data, data_size);
	switch (request->phase) {
	case HTTP_REQUEST_HEAD:
		http_server_conn_set_deadline(conn, conn->server->config.request_timeout_ms);
		return start_body(request);
	case HTTP_REQUEST_BODY:
		return ask_route(request);
	case HTTP_REQUEST_ANSWERED:
		return request->route->body_max > 0 && request->body_filled < request->body_size ?
		    http_server_answer_queue_refusal(request) :
		    http_server_answer_queue(request);
	case HTTP_REQUEST_ASKED:
	case HTTP_REQUEST_DEFERRED:
		break;
	}
	return MHD_NO;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
release_memory(struct http_server *server, struct http_request *request)
{
	if (request->claim.state == HTTP_BUDGET_IDLE)
		return;
	http_budget_release(&server->budget, &request->claim);
	if (server->budget.first != NULL)
		loop_defer(server->loop, &server->share_memory);
}

void
http_server_exchange_answer(struct http_request *request, int status,
    const struct http_header *headers, const void *body, size_t size)
{
	struct http_server_conn *conn = request->conn;
	bool was_deferred = request->phase == HTTP_REQUEST_DEFERRED;

	assert(request->is_routes || request->phase == HTTP_REQUEST_HEAD);
	if (request->phase != HTTP_REQUEST_ANSWERED)
		http_server_answer_set(request, status, headers, body, size);
	if (request->is_routes)
		take_from_route(request);
	if (request->server != NULL)
		release_memory(request->server, request);
	free(TAKE(request->body));
	if (conn == NULL)
		http_request_free(request);
	else if (was_deferred)
		http_server_conn_resume(conn);
}

void
http_server_exchange_on_completed(
    void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_server *server = cls;
	struct http_server_conn *conn = http_server_conn_of(mhd);
	struct http_request *request = TAKE(*context);

	(void)code;
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
	request->peer = "";
	http_server_answer_drop(server, TAKE(request->response));
	if (request->is_routes) {
		request->phase = HTTP_REQUEST_ANSWERED;
		return;
	}
	release_memory(server, request);
	http_request_free(request);
}

void
http_server_exchange_on_share_memory(struct loop_task *task, void *ctx)
{
	struct http_server *server = ctx;
	struct http_budget_claim *claim;

	(void)task;
	while ((claim = http_budget_next(&server->budget)) != NULL) {
		struct http_request *request =
		    (void *)((char *)claim - offsetof(struct http_request, claim));

		OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
		http_server_conn_resume(request->conn);
	}
}

/* http_server_answer.c - makes an answer and hands it to libmicrohttpd.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_server_inside.h"

static bool
is_shared(const struct http_server *server, const struct MHD_Response *response)
{
	return response == server->empty || response == server->empty_close ||
	    response == server->unavailable;
}

void
http_server_answer_drop(struct http_server *server, struct MHD_Response *response)
{
	if (response != NULL && (server == NULL || !is_shared(server, response)))
		MHD_destroy_response(response);
}

struct MHD_Response *
http_server_answer_make(const struct http_header *headers, const void *body, size_t size)
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

void
http_server_answer_set(struct http_request *request, int status, const struct http_header *headers,
    const void *body, size_t size)
{
	struct http_server *server = request->server;

	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = status;
	if (headers == NULL && size == 0)
		request->response = server->is_quiesced ? server->empty_close : server->empty;
	else
		request->response = http_server_answer_make(headers, body, size);
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

void
http_server_answer_refuse(
    struct http_request *request, int status, const char *name, const char *value)
{
	const struct http_header headers[] = {
		{ "Connection", "close" },
		{ name, value },
		{ NULL, NULL },
	};

	http_server_answer_set(request, status, headers, NULL, 0);
	tell_refused(request);
}

void
http_server_answer_unavailable(struct http_request *request)
{
	request->phase = HTTP_REQUEST_ANSWERED;
	request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	request->response = request->server->unavailable;
	if (!request->is_routes)
		tell_refused(request);
}

enum MHD_Result
http_server_answer_queue(struct http_request *request)
{
	struct http_server_conn *conn = request->conn;
	struct MHD_Response *response = TAKE(request->response);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO; /* asked again although it was answered: close */
	http_server_conn_set_deadline(conn, conn->server->config.request_timeout_ms);
	result = MHD_queue_response(conn->mhd, (unsigned)request->status, response);
	http_server_answer_drop(conn->server, response);
	return result;
}

enum MHD_Result
http_server_answer_queue_refusal(struct http_request *request)
{
	request->conn->must_linger = http_request_header_count(request, "Content-Length") > 0 ||
	    http_request_header_count(request, "Transfer-Encoding") > 0;
	return http_server_answer_queue(request);
}

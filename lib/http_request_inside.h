/* http_request_inside.h - what http_request.c and the http_server files share.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef HTTP_REQUEST_INSIDE_H
#define HTTP_REQUEST_INSIDE_H

#include "lib/http_budget.h"
#include "lib/http_request.h"

struct MHD_Response;
struct http_route;
struct http_server;
struct http_server_conn;

#define HTTP_REQUEST_MAGIC 0x68747270u

enum http_request_phase {
	HTTP_REQUEST_HEAD,		/* its route's on_begin may look */
	HTTP_REQUEST_BODY,		/* waits for memory, then arrives */
	HTTP_REQUEST_ASKED,		/* on_request runs */
	HTTP_REQUEST_DEFERRED,		/* on_request has returned without an answer */
	HTTP_REQUEST_ANSWERED,		/* there is an answer: the route's, ours or none any more */
};

/*
 * Held by libmicrohttpd from its head to its end (conn is set) and by its route from on_request
 * to the answer (is_routes); freed when neither holds it.
 */
struct http_request {
	unsigned magic;
	enum http_request_phase phase;
	struct http_server *server;	/* NULL: the server is gone */
	struct http_server_conn *conn;	/* NULL: the connection is gone */
	const struct http_route *route;
	struct http_request *next;	/* among those of the routes */
	struct http_request **back;
	bool is_routes;
	const char *path;		/* these borrow from the connection */
	const char *peer;
	bool peer_is_local;
	char method[16];
	size_t body_size;		/* declared */
	size_t body_filled;
	char *body;
	struct http_budget_claim claim;
	void *user;
	void (*free_user)(void *);
	struct MHD_Response *response;	/* to be queued */
	int status;
	size_t field_count;
	struct http_field fields[];	/* borrow from the connection */
};

/* http_server_exchange.c: what an answer sets going. */
void http_server_exchange_answer(struct http_request *request, int status,
    const struct http_header *headers, const void *body, size_t size);

/* http_request.c: frees the request and all that it owns, but for the claim and the lists. */
void http_request_free(struct http_request *request);

#endif

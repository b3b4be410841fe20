/* http_server_inside.h - a server, its connections and requests: for it, http_request.c and tests.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A request's way, each file calling only those below it: http_server.c starts libmicrohttpd,
 * drives it and ends; http_request.c has what libmicrohttpd calls for each request, in the order
 * in which it happens (head, memory for the body, body, route, answer, end); http_server_conn.c
 * has what is said of its connection alone: accepted, how long it may wait, cut, closed.
 */
#pragma once

#include <microhttpd.h>
#include <sys/queue.h>

#include "lib/http_budget.h"
#include "lib/http_linger.h"
#include "lib/http_listen.h"
#include "lib/http_server.h"
#include "lib/loop.h"

#define HTTP_SERVER_MAGIC	0x68747376u
#define HTTP_SERVER_CONN_MAGIC	0x6874636eu
#define HTTP_REQUEST_MAGIC	0x68747270u

enum http_request_phase {
	HTTP_REQUEST_HEAD,		/* on_begin may look; then it waits for memory */
	HTTP_REQUEST_BODY,		/* arrives */
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
	LIST_ENTRY(http_request) of_routes;	/* while is_routes and the server is there */
	bool is_routes;
	bool is_held;			/* until the server has another config */
	bool is_unheld;			/* it has, and the request was not looked at since */
	bool is_read;			/* to the end of its body */
	const char *path;		/* as sent, without the query; borrowed from conn */
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

struct http_server_conn {
	unsigned magic;
	struct http_server *server;
	LIST_ENTRY(http_server_conn) of_server;
	struct MHD_Connection *mhd;
	struct http_request *request;
	int fd;
	struct loop_timer timer;
	int64_t deadline;	/* monotonic; what the timer is for */
	int64_t armed;		/* when it fires, at the latest by the deadline */
	size_t target_size;	/* of the request line's target, as sent */
	bool has_odd_target;	/* a blank or a control character in it */
	bool had_request;
	bool is_suspended;
	bool is_cut;		/* shut down by us, and soon gone */
	int64_t opened;		/* monotonic ms */
	int64_t asked;		/* when the request in progress began, or opened */
	bool must_linger;
	bool peer_is_local;
	bool has_uid;
	bool is_guest;
	uid_t uid;
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
	struct loop_timer crowded;	/* makes room while few places are left */
	struct loop_timer starved;	/* until accepting is tried again */
	struct http_linger *linger;
	struct http_budget budget;
	LIST_HEAD(, http_server_conn) conns;		/* the newest first */
	LIST_HEAD(, http_request) routes_requests;
	struct MHD_Response *empty;	/* these three are used again and again */
	struct MHD_Response *empty_close;
	struct MHD_Response *unavailable;
	unsigned conn_count;
	unsigned open_count;
	uint16_t port;
	bool has_resumed;
	bool is_refused;		/* in this run: no descriptor or memory for a connection */
	bool is_starved;		/* the same, until one was accepted or has gone */
	bool is_quiesced;
	bool is_closing;		/* nothing is suspended any more: 503 */
	char *socket_path;		/* to be removed; NULL: none of ours */
};

/* --- http_request.c --- */

/* libmicrohttpd's callbacks: head, piece, end and answer of a request; it is over (sent, broken
 * off or given up).  And the task's: memory was given back, who waits and fits goes on. */
enum MHD_Result http_request_on_access(void *cls, struct MHD_Connection *mhd, const char *path,
    const char *method, const char *version, const char *data, size_t *data_size, void **context);
void http_request_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code);
void http_request_on_share_memory(struct loop_task *task, void *ctx);

/* What an answer is sent as; headers and body are copied.  NULL when memory is short. */
struct MHD_Response *http_request_response(const struct http_header *headers, const void *body,
    size_t size) MUST_USE;

/* --- http_server_conn.c --- */

/* NULL: libmicrohttpd has none of it. */
struct http_server_conn *http_server_conn_of(struct MHD_Connection *mhd);

/* Moves the deadline, at which a suspended one is resumed (and answered 503), any other is cut. */
void http_server_conn_set_deadline(struct http_server_conn *conn, int64_t after_ms);

/* Until resumed nothing of it is read or sent.  Resumed (harmless when it was not suspended), it
 * has the time of a request, and http_request_on_access() is called for it by the next MHD_run(),
 * in this turn of the loop. */
void http_server_conn_suspend(struct http_server_conn *conn);
void http_server_conn_resume(struct http_server_conn *conn);

/* libmicrohttpd's callbacks: it comes or goes; a request line was read.  And the timer's. */
void http_server_conn_on_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode code);
void *http_server_conn_on_line(void *cls, const char *target, struct MHD_Connection *mhd);
void http_server_conn_on_crowded(struct loop_timer *timer, void *ctx);

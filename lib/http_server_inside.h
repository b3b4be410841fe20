/* http_server_inside.h - a server and its connections, for the http_server files alone.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a request goes: conn_on_notify → conn_on_line → exchange_on_access (head: head_check with
 * on_begin, memory for the body) → on_access (pieces) → on_access (all there: on_request) →
 * suspended until its answer → on_access (the answer is queued) → exchange_on_completed.
 */
#ifndef HTTP_SERVER_INSIDE_H
#define HTTP_SERVER_INSIDE_H

#include <microhttpd.h>

#include "lib/http_budget.h"
#include "lib/http_linger.h"
#include "lib/http_listen.h"
#include "lib/http_request_inside.h"
#include "lib/http_server.h"
#include "lib/loop.h"

#define HTTP_SERVER_MAGIC	0x68747376u
#define HTTP_SERVER_CONN_MAGIC	0x6874636eu

struct http_server_conn {
	unsigned magic;
	struct http_server *server;
	struct http_server_conn *next;
	struct http_server_conn **back;
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
	int64_t asked;		/* when the request that is under way began, or opened */
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
	struct loop_timer crowded;	/* makes room while few places are left */
	struct loop_timer starved;	/* until accepting is tried again */
	struct http_linger *linger;
	struct http_budget budget;
	struct http_server_conn *conns;
	struct http_request *routes_requests;
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

/* --- http_server_conn.c --- */

/* NULL: there was no memory for it, and libmicrohttpd is to close it. */
struct http_server_conn *http_server_conn_of(struct MHD_Connection *mhd);

/* Moves the deadline: then a suspended request gets 503, any other connection is cut. */
void http_server_conn_set_deadline(struct http_server_conn *conn, int64_t after_ms);

/* Until resumed nothing of it is read or sent.  Resumed (harmless when it was not suspended), it
 * has the time of a request, and exchange_on_access is called for it by the next MHD_run(), in
 * this turn of the loop. */
void http_server_conn_suspend(struct http_server_conn *conn);
void http_server_conn_resume(struct http_server_conn *conn);

/* libmicrohttpd's callbacks: it comes or goes; a request line was read.  And the timer's. */
void http_server_conn_on_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
    enum MHD_ConnectionNotificationCode code);
void *http_server_conn_on_line(void *cls, const char *target, struct MHD_Connection *mhd);
void http_server_conn_on_crowded(struct loop_timer *timer, void *ctx);

/* --- http_server_head.c --- */

/* Finds the route and makes every check that needs no byte of the body; then asks the route's
 * on_begin.  version: as libmicrohttpd gave it.  False: there is an answer, a refusal. */
bool http_server_head_check(struct http_server *server, struct http_request *request,
    const char *version) MUST_USE;

/* --- http_server_answer.c --- */

/* Headers and body are copied.  NULL when memory is short. */
struct MHD_Response *http_server_answer_make(const struct http_header *headers, const void *body,
    size_t size) MUST_USE;

/* NULL is fine; those that the server shares stay. */
void http_server_answer_drop(struct http_server *server, struct MHD_Response *response);

/* Sets the answer that is queued when exchange_on_access comes next.  Short of memory: 503. */
void http_server_answer_set(struct http_request *request, int status,
    const struct http_header *headers, const void *body, size_t size);

/* Sets a refusal of our own: empty, one header or none (NULL), and the connection closes. */
void http_server_answer_refuse(struct http_request *request, int status, const char *name,
    const char *value);

/* Sets 503 with Retry-After.  A request that a route has is the route's to count: its answer is
 * still to come. */
void http_server_answer_unavailable(struct http_request *request);

/* Hand what was set to libmicrohttpd; the second before the body was read: what the sender still
 * sends must not break the answer. */
enum MHD_Result http_server_answer_queue(struct http_request *request) MUST_USE;
enum MHD_Result http_server_answer_queue_refusal(struct http_request *request) MUST_USE;

/* --- http_server_exchange.c --- */

/* libmicrohttpd's callbacks: head, piece, end and answer of a request; it is over (sent, broken
 * off or given up).  And the task's: memory was given back, who waits and fits goes on. */
enum MHD_Result http_server_exchange_on_access(void *cls, struct MHD_Connection *mhd,
    const char *path, const char *method, const char *version, const char *data,
    size_t *data_size, void **context);
void http_server_exchange_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code);
void http_server_exchange_on_share_memory(struct loop_task *task, void *ctx);

#endif

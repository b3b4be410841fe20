/* http_server.h - an HTTP/1.1 server inside the loop, with every resource bounded.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * libmicrohttpd, driven by our loop.  No TLS, no chunked bodies, no forms: a proxy stands in
 * front.  What is answered here without any route: 400 and 411 (http_guard.h), 404, 405 with
 * Allow, 413 by the declared length and 415 before a byte of the body is read, 503 with
 * Retry-After when the memory for bodies stays used up or a route's deadline passes.
 * Refusals have empty bodies and close the connection; where libmicrohttpd refuses by itself it
 * adds a page.
 */
#pragma once

#include "lib/base.h"
#include "lib/err.h"
#include "lib/http_request.h"
#include "lib/loop.h"

struct http_server;

/*
 * The head is there and passed every check, the body is not: may answer, and then nothing of
 * the body is read (http_request_answer(): 401 and the like); may http_request_set_user().
 */
typedef void http_server_begin_fn(struct http_request *request, void *ctx);
/* A piece of the body, as it arrives.  Must not answer. */
typedef void
http_server_piece_fn(struct http_request *request, const void *data, size_t size, void *ctx);
/* All of it is there.  The request is the route's now and must be answered, now or later. */
typedef void http_server_request_fn(struct http_request *request, void *ctx);

/* For whom there is no place: so many of their own, of all guests, or of all. */
enum http_server_crowd { HTTP_SERVER_CROWD_USER, HTTP_SERVER_CROWD_GUESTS, HTTP_SERVER_CROWD_ALL };

struct http_route {
	const char *methods;		/* "POST", "GET, HEAD" */
	const char *path;		/* compared byte by byte; of one that ends with '/' it is
					 * what the request's path begins with */
	size_t body_max;		/* bytes; 0: takes no body */
	const char *const *types;	/* media types, NULL-terminated; NULL: any */
	int64_t body_timeout_ms;	/* head and body; 0: the server's */
	int64_t answer_timeout_ms;	/* from on_request to 503; 0: the server's */
	/* Asked before anything else is looked at.  True: the request waits for
	 * http_server_serve(), for the time of an answer at most, and nothing of its body is
	 * read.  NULL: none waits. */
	bool (*holds)(void *ctx);
	http_server_begin_fn *on_begin; /* NULL: nothing to say */
	http_server_piece_fn *on_piece; /* NULL: only gathered */
	bool is_streamed;		/* on_piece has the body, and nobody gathers it: it takes
					 * nothing of the budget */
	http_server_request_fn *on_request;
	void *ctx;
};

/* 0 means the default that stands behind each. */
struct http_server_config {
	const struct http_route *routes; /* borrowed for the server's life */
	size_t route_count;
	unsigned connections_max;      /* 256; from 7/8 on, and where descriptors have run out, the
					 * oldest idle and slow ones are cut */
	unsigned connections_per_user; /* of one uid, on a unix socket; more are closed at once, as
					 * are those beyond connections_max; no limit.  With one
					 * http_request_user_id() is known */
	/* Of them, who are guests, and how many of all guests there may be: others keep the rest
	 * of the places.  NULL: there are no guests. */
	bool (*is_guest)(void *ctx, uid_t uid);
	unsigned guests_max;
	/* One is closed for that; users: whose the places are, as "33 (4), 0 (1)".  Returns what is
	 * sent to them before, a whole answer; NULL: nothing.  May be NULL. */
	const char *(*on_crowded)(
	    void *ctx, uid_t uid, enum http_server_crowd why, const char *users);
	/* Few places are left: true, whoever waited by choice is answered now, and nobody is cut
	 * before the next look.  NULL: nobody waits so. */
	bool (*on_few)(void *ctx);
	/* Is that peer a proxy, whose X-Real-IP is believed?  peer: its address, or "unix";
	 * is_local: that, or loopback.  NULL: those are. */
	bool (*is_proxy)(void *ctx, const char *peer, bool is_local);
	size_t budget_bytes;	    /* 64 MB, for all bodies together */
	int64_t budget_wait_ms;	    /* 3,000: then 503 */
	int64_t request_timeout_ms; /* 10,000: head and body, absolute */
	int64_t answer_timeout_ms;  /* 8,000: below the patience of GitHub (10 s) */
	int64_t idle_timeout_ms;    /* 75,000 between requests: longer than nginx's 60 s */
	/* Called for each request that its route never gets: a wrong head (400 to 415),
	 * no memory for the body, the server's end (503).  Not of an answer's deadline: that
	 * request is the route's, which answers it all the same.  May be NULL.  path is borrowed,
	 * and nothing of this module may be called. */
	void (*on_refused)(void *ctx, const char *path, int status);
	void *ctx;
};

/*
 * Listens on "127.0.0.1:8080", "[::1]:0" or "unix:/run/x.sock" (numeric addresses only; a stale
 * socket file is replaced, a living one refused; its mode is 0660).  Nothing is accepted before
 * the loop runs.  NULL and *err when that cannot be.
 */
struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config,
    const char *listen, struct err *err) MUST_USE;

/* On a listening socket from elsewhere (socket activation).  It is the server's from now on,
 * also when this fails. */
struct http_server *http_server_new_on(struct loop *loop, const struct http_server_config *config,
    int listen_fd, struct err *err) MUST_USE;

/* From now on it is this config's, but for what its sockets and connections were made with.  Who
 * waits (holds) is a new request of it. */
void http_server_serve(struct http_server *server, const struct http_server_config *config);

/* The port that is listened on; 0 for a unix socket. */
uint16_t http_server_port(const struct http_server *server);

/* Requests that are a route's and not answered. */
unsigned http_server_open_requests(const struct http_server *server);
/* Connections whose peer waits for an answer, or is about to: accepted just now, not all read yet,
 * or an answer not all taken yet. */
unsigned http_server_unanswered(const struct http_server *server);

/* Accepts nobody any more; what is open goes on, each connection until its next answer. */
void http_server_quiesce(struct http_server *server);

/*
 * NULL is fine.  Sends what is answered already as far as the sockets take it, and closes.
 * Requests that were not answered get 503; their handles stay valid until they are answered,
 * which must happen (it then only frees).  Not to be called inside a route's callback.
 */
void http_server_free(struct http_server *server);

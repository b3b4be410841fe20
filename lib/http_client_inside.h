/* http_client_inside.h - a client and its calls, for the http_client files alone.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a call goes: http_client_start → request_set → (waits for a place) → multi_add → curl,
 * through its descriptors and its timer → finish, answer_conclude → on_work, a deferred task →
 * on_done.  So an owner's code never runs below curl's, but for the read function of a stream.
 */
#pragma once

#include <curl/curl.h>
#include <sys/queue.h>

#include "lib/http_client.h"
#include "lib/loop.h"

#define HTTP_CLIENT_MAGIC	0x68746363u
#define HTTP_CLIENT_CALL_MAGIC	0x68746361u

#define HTTP_CLIENT_IDLE_MAX	4	/* handles kept with their TLS sessions for later calls */

enum http_client_phase {
	HTTP_CLIENT_WAITING,	/* for a place */
	HTTP_CLIENT_FLYING,	/* curl's */
	HTTP_CLIENT_FINISHED,	/* on_done is due */
};

/* A part that is read while it is sent. */
struct http_client_stream {
	http_client_read_fn *read;
	void *ctx;
	int64_t left;
};

/* A descriptor that curl wants watched. */
struct http_client_watched {
	struct loop_io io;
	struct http_client *client;
	LIST_ENTRY(http_client_watched) of_client;
};

struct http_client_call {
	unsigned magic;
	enum http_client_phase phase;
	struct http_client *client;
	LIST_ENTRY(http_client_call) of_client;
	TAILQ_ENTRY(http_client_call) in_line;	/* among the waiting or the finished */
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *recipients;
	curl_mime *mime;
	struct http_client_stream *streams;
	const char *label;
	void (*on_done)(void *ctx, const struct http_client_result *result);
	void *ctx;
	struct loop_timer wait;
	int64_t started;
	int64_t timeout_ms;
	size_t answer_max;
	http_client_piece_fn *on_piece;
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
	CURLM *multi;	/* NULL: it failed and could not be made anew */
	char *protocols;
	char *proxy;
	char *user_agent;
	char *ca_file;
	const char *ca_path;
	http_client_address_fn *address_is_allowed;
	const void *address_ctx;
	bool reads_certificates;
	bool tls13;
	unsigned connections_max;
	unsigned in_flight_max;
	unsigned queue_max;
	unsigned in_flight;
	unsigned waiting_count;
	struct loop_timer timer;
	struct loop_task work;
	LIST_HEAD(, http_client_call) calls;
	LIST_HEAD(, http_client_watched) watched;
	TAILQ_HEAD(, http_client_call) waiting;	/* the oldest first, both */
	TAILQ_HEAD(, http_client_call) finished;
	CURL *idle[HTTP_CLIENT_IDLE_MAX];
	unsigned idle_count;
	bool multi_failed;
};

/* --- http_client_request.c --- */

/* Sets everything about the request in the call's handle, but for its deadline.  False: memory is
 * short, or curl refuses an option. */
bool http_client_request_set(struct http_client_call *call,
    const struct http_client_request *request) MUST_USE;

/* --- http_client_mail.c --- */

/* Sets the message of request->mail.  False: as above. */
bool http_client_mail_set(struct http_client_call *call,
    const struct http_client_mail *mail) MUST_USE;

/* --- http_client_answer.c --- */

/* Lets the call's handle bring the answer here.  False: as above. */
bool http_client_answer_expect(struct http_client_call *call) MUST_USE;

/* Fills in the result, from the handle and curl's verdict. */
void http_client_answer_conclude(struct http_client_call *call, CURLcode code);

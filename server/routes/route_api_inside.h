/* route_api_inside.h - a request to /v1 between its submission and its answer: route_api*.c alone.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "routes/route_api.h"
#include "routes/route_watch.h"
#include "types/event.h"

/* A request that waits for the store. */
struct asked {
	const struct route_api_config *config;
	struct route_api *local;
	struct http_request *request;
	enum api_operation operation;
	int64_t offset;
	int64_t run; /* whose log is read, which has ended */
	bool is_ended;
	bool goes_on;	   /* LOG: another run of its work may follow */
	bool is_elsewhere; /* the store has said what stands in the place of that log */
	uint64_t who;	   /* as in seen */
	/* Of one that waits for something new. */
	bool waits;	 /* it asks for that, and has not waited yet */
	bool is_another; /* NEWS: the number is another start's */
	struct route_parked parked;
	struct principal as;	   /* NEWS: whose they are, and by which settings; one reference */
	struct settings *settings;
	/* Of a status, until its health is known. */
	char *text;
	struct probe_target *targets;
	size_t n_targets;
};

/* Who asks, and what they upload. */
struct caller {
	struct update from;
	int64_t asked_at; /* monotonic ms: the HTTP server's patience begins then */
	struct upload *upload; /* as it comes, and until it is decided on; NULL: none */
	struct update_file file; /* when all of it has come; id "": none has */
};

void route_api_free_caller(void *caller);

/* An upload of that caller, from the head of its request to its end: a piece of it; all of it is
 * there, which is in file then.  What cannot be is answered. */
void route_api_begin_upload(
    struct uploads *uploads, struct http_request *request, struct caller *caller);
http_server_piece_fn route_api_take_piece;
bool route_api_end_upload(struct http_request *request) MUST_USE;

/* Of an upload, what other requests have in their body.  False: *err says what is wrong with it. */
bool route_api_read_upload(const struct http_request *request, struct api_request *ret,
    struct err *err) MUST_USE;

/* Answers with words alone, where nothing is decided. */
void route_api_said(struct http_request *request, int status, const char *said);

void route_api_free_asked(struct asked *asked);

/* An event's done(); asked: is freed by it, or when what it waits for is there. */
void route_api_decided(void *asked, const struct answer *decided);

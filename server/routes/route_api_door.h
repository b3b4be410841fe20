/* route_api_door.h - who is let in to /v1, and how often they may ask.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/bucket.h"
#include "routes/route_api_inside.h"
#include "routes/route_job.h"
#include "types/token.h"

#define SEEN_MAX 64 /* whose requests are counted; the one seen longest ago makes room */

struct seen {
	bool is_used;
	uint64_t who; /* a uid; of a token or an address the first bytes of its hash */
	int64_t at;   /* monotonic ms */
	struct bucket requests;
	struct bucket checks; /* of tokens of jobs, that were refused */
	struct bucket lines;  /* for the same reason; another one is said at once */
	const char *why;
};

/* A token that there is, and what it has left. */
struct known {
	struct known_token token;
	struct bucket requests;
};

struct route_api {
	struct route_api_config config;
	struct seen seen[SEEN_MAX];	      /* users */
	struct known known[CREDENTIALS_KNOWN]; /* on TCP */
	size_t n_known;
	struct seen tries[SEEN_MAX];  /* on TCP: addresses */
	struct seen logins[SEEN_MAX]; /* the same, of logins at the console that were wrong */
	struct seen jobs[SEEN_MAX];  /* the same, of jobs whose tokens prove nothing */
	struct seen runs[SEEN_MAX], workflows[SEEN_MAX]; /* of jobs whose tokens do */
	struct bucket all_tries;
	struct bucket all_lines;
	int64_t unlogged; /* refusals since the last that the log has */
	struct bucket crowded;
	int64_t without_place; /* without a place since the last of whom that was said */
	struct operation {
		struct route_api *local;
		enum api_operation operation;
	} operations[API_OPERATION_COUNT];
};

/* Before anything of a body is read: who is not let in is answered.  ctx: the operation. */
http_server_begin_fn route_api_begin;

/* A token of a job, or NULL. */
const char *route_api_job_of(const struct route_api *local, const struct http_request *request);

/* By a workflow's key; what has a token is by that. */
bool route_api_is_signed(const struct route_api *local, const struct http_request *request);

/* The one request without Authorization. */
bool route_api_opens(const struct route_api *local, const struct operation *operation,
    const struct http_request *request);

/* By initData the loop finds out who it is; by a code the store does.  False: it was answered. */
bool route_api_check_login(struct route_api *local, struct http_request *request,
    struct api_request *api) MUST_USE;

/* What its event's done() is, for whoever opens a session: as route_api_decided(). */
void route_api_opened(void *asked, const struct answer *decided);

/* A valid token is no leave to ask in a loop: one run leaves something to the others of its
 * workflow.  False: it was answered. */
bool route_api_may_ask(
    struct route_api *local, struct http_request *request, const struct job *job) MUST_USE;

/* What a job proved itself with is not LET_IN: answers it.  why says what is wrong, for whoever has
 * sent it; the audit has no more of that than a sentence of the table. */
void route_api_refuse_job(struct route_api *local, struct http_request *request,
    enum route_job_result result, const char *why, bool is_signed);

/* Whose request it is, as `who` of those that are seen. */
uint64_t route_api_who_asks(const struct route_api *local, const struct http_request *request,
    const struct api_request *api);

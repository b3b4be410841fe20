/* prometheus.h - one query to Prometheus: one try, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* The token stands in a header of the call and never in a log, an error or an answer. */
#pragma once

#include "clients/prometheus_answer.h"
#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/loop.h"

struct prometheus_call;
struct settings_prometheus;

typedef void prometheus_done_fn(void *ctx, const struct prometheus_answer *answer);

struct prometheus_request {
	const struct settings_prometheus *at; /* without an url: *err says that there is none */
	const char *query;		      /* PromQL */
	int64_t time;			      /* wall ms: it is asked of that moment */
	prometheus_done_fn *on_done;
	void *ctx;
};

/* The client of Prometheus alone, for a program's life; NULL: *err says why. */
struct http_client *prometheus_client(struct loop *loop,
    const struct settings_prometheus *prometheus, struct err *err) MUST_USE;

/* GET /api/v1/query.  on_done comes exactly once within 5 s, from the loop and never in here,
 * unless it is cancelled.  What the request points at may go at once, but for ctx.  NULL: it could
 * not be started; *err says why. */
struct prometheus_call *prometheus_start(struct http_client *client,
    const struct prometheus_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void prometheus_cancel(struct prometheus_call *call);

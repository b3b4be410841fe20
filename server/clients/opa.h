/* opa.h - one question to OPA: one try, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* The token stands in a header of the call and never in a log, an error or an answer. */
#pragma once

#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/loop.h"
#include "types/opa_verdict.h"

#define OPA_AT_ONCE 8 /* questions; others wait, their time running */

struct opa_call;
struct settings_opa;

typedef void opa_done_fn(void *ctx, const struct opa_answer *answer);

struct opa_request {
	const char *url;   /* OPA_URL; NULL: *err says that there is none */
	const char *token; /* OPA_TOKEN; NULL: none is sent */
	const char *input; /* JSON */
	opa_done_fn *on_done;
	void *ctx;
};

/* The client of OPA alone, for a program's life; NULL: *err says why. */
struct http_client *
opa_client(struct loop *loop, const struct settings_opa *opa, struct err *err) MUST_USE;

/* on_done comes exactly once within 2 s, from the loop and never in here, unless it is cancelled.
 * What the request points at may go at once, but for ctx.  NULL: could not be started; *err says
 * why. */
struct opa_call *opa_start(
    struct http_client *client, const struct opa_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void opa_cancel(struct opa_call *call);

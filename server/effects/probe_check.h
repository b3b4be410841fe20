/* probe_check.h - one look at a health URL, and what it says.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_client.h"
#include "types/probe.h"

#define PROBE_CHECK_BODY_MAX	65536	/* a health page; what is larger fails */

/* GETs the URL; on_done as in http_client.h.  NULL and *err as http_client_start(). */
struct http_client_call *probe_check_start(struct http_client *client, const char *url,
    int timeout_s, void (*on_done)(void *ctx, const struct http_client_result *result), void *ctx,
    struct err *err) MUST_USE;

/*
 * Did it pass?  2xx, and where a commit is expected ("": any) and the answer names one (`commit` at
 * the top of a JSON object, or X-Commit; 7 to 64 hex digits, anything else there is ignored), one
 * of the two begins with the other: the old version answering is no pass.  Fills http_status,
 * latency_ms, commit, detail and answer of the finding and leaves the rest.
 */
bool probe_check_judge(const struct http_client_result *result, const char *expected,
    int timeout_s, struct probe_finding *finding);

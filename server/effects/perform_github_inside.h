/* perform_github_inside.h - what performers that ask a forge share: a job, its question and its end.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "clients/forge_api.h"
#include "effects/perform_inside.h"

/* What stands in an address as it is. */
#define GITHUB_JOB_PLAIN \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

/* The first member of what asks more than one thing. */
struct github_job {
	struct perform_job job;
	struct forge_api_call *call; /* NULL: it waits */
};

/* Asks; request->on_done has the job as its ctx.  Where nothing can be asked it is called in here:
 * with *err, if that has a code, or with what forge_api_start() says. */
void github_job_ask(struct github_job *job, struct forge_api_request *request, struct err *err);

/* Seconds until that is asked again: those that GitHub says, or more than `pause_s` where much of
 * its limit is used. */
int64_t github_job_pause_s(const struct forge_api_answer *answer, int64_t pause_s);

/* The `end` of each. */
perform_end_fn github_job_end;

/* decide_job.h - a job of a workflow asks: who that is, and that its token changes one thing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/tx.h"
#include "types/api.h"
#include "types/delivery.h"

/*
 * api->job has been checked by the loop: from now on it is who asks.  A token is bound to its first
 * request that changes something: the same one again is answered as it was then, another one is
 * refused.  Of who has a key each webhook-id is good once, whatever it asks for.  False: it was
 * answered.
 */
MUST_USE bool decide_job_enter(struct tx *tx, struct api_request *api);

/* Is it a job that asks for this?  False: it was refused. */
MUST_USE bool decide_job_asks(struct tx *tx, const struct api_request *api);

/* Does what the request says under that key, if it says anything, equal the job's claim?  False: it
 * was refused. */
MUST_USE bool decide_job_is_as_claimed(
    struct tx *tx, const struct api_request *api, const char *key, const char *claimed);

/* Has this very job asked for that work?  It is noted that it asks how it stands. */
bool decide_job_began(struct tx *tx, const struct api_request *api, int64_t work);

/* Has the run whose job asks (if one does) a gate there?  A deployment would wait for its end: it
 * was refused. */
MUST_USE bool decide_job_is_behind_gate(struct tx *tx, const char *environment);

/* Does REQUIRE_OTP ask a code for that on the environment, and nobody is asked who has one?  A code
 * is a person's: whoever confirms or approves it gives theirs. */
bool decide_job_lacks_code(const struct tx *tx, enum policy_action action,
    const struct environment_settings *environment);
#define DECIDE_JOB_LACKS_CODE \
	"REQUIRE_OTP asks a code for %s, and nobody is asked: set <ENV>_APPROVALS, or <ENV>_CONFIRM"

/* Does a workflow have the grant to deploy there?  What its job has reported may wait, and a grant
 * may end. */
bool decide_job_reports(struct tx *tx, const char *environment);

/* What it asked for was decided, and is noted for its token. */
void decide_job_note(struct tx *tx, const struct api_request *api);

/* A forge has said that a job, or all of a run, is over: its tokens live on for a while.  Noted by
 * whoever has signed that, of repositories that have a workflow here. */
void decide_job_over(struct tx *tx, const struct delivery *delivery);

/* Was that said of the job that asks, signed for the application in whose file that name stands? */
bool decide_job_is_over(struct tx *tx, const struct job *job, const char *name);

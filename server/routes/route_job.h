/* route_job.h - who asks is a job of a forge's workflow: its token is checked, and says which.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/job.h"

struct jwks;
struct settings;

struct route_job_config {
	struct settings *(*settings)(void *ctx); /* today's; borrowed */
	/* NULL: no token of that forge is let in. */
	struct jwks *(*keys)(void *ctx, enum delivery_forge forge);
	void (*count_refused)(void *ctx, const char *why); /* a word of the table below */
	void *ctx;
};

/* R(name, status, word of the metric that counts them, why the audit says that it is refused; "":
 * that is none of the audit); whoever has it checked says TOO_MANY, the store REPLAYED. */
#define ROUTE_JOB_RESULTS(R) \
	R(LET_IN,    200, NULL,        "") \
	R(OFF,       401, "off",       "no token of a job is let in") \
	R(FORM,      401, "form",      "its form is wrong") \
	R(KEY,       401, "key",       "its issuer has no key of that name") \
	R(SIGNATURE, 401, "signature", "it is signed by another key") \
	R(ISSUER,    401, "issuer",    "its issuer is another") \
	R(AUDIENCE,  401, "audience",  "it is for another audience than PUBLIC_URL") \
	R(TIMES,     401, "times",     "it has expired, has not begun, or lives too long") \
	R(CLAIMS,    401, "claims",    "it lacks a claim") \
	R(WORKFLOW,  403, "workflow",  "it is of no workflow here, or of several") \
	R(UNCHECKED, 503, "unchecked", "") \
	R(REPLAYED,  401, "replayed",  "") \
	R(TOO_MANY,  429, "too_many",  "")  /* of one address, or of one run or workflow */

enum route_job_result {
#define R(name, ...) ROUTE_JOB_##name,
	ROUTE_JOB_RESULTS(R)
#undef R
	ROUTE_JOB_RESULT_COUNT
};

/* Both say the same of what has proven nothing, as whole sentences that live on. */
struct route_job_row {
	int status;
	const char *word;
	const char *of_token, *of_signature;
};
extern const struct route_job_row route_job_rows[ROUTE_JOB_RESULT_COUNT];

/* job: of LET_IN, borrowed; else why says what is wrong, for whoever sent the token. */
typedef void route_job_fn(
    void *ctx, enum route_job_result result, const char *why, const struct job *job);

/* Is it meant as a job's token, rather than one of ours? */
bool route_job_is_meant(const char *token);

/*
 * Checks a token, which is copied: form, key, signature, issuer, audience (PUBLIC_URL), moment, and
 * whose workflow it is.  Its `iss` says which forge's keys and rules are asked.  Calls on_checked
 * once, within this call or later, within JWKS_WAIT_MS.
 */
void route_job_check(const struct route_job_config *config, const char *token,
    route_job_fn *on_checked, void *ctx);

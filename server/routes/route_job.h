/* route_job.h - who asks is a job of a forge's workflow: its token is checked, and says which.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/job.h"

struct jwks;
struct settings;

struct route_job_config {
	struct settings *(*settings)(void *ctx); /* today's; borrowed */
	struct jwks *(*keys)(void *ctx); /* of GITHUB_TOKEN_ISSUER; NULL: no token is let in */
	void *ctx;
};

/* job: of status 200, borrowed; else why says what is wrong, for whoever sent the token. */
typedef void route_job_fn(void *ctx, int status, const char *why, const struct job *job);

/* Is it meant as a job's token, rather than one of ours? */
bool route_job_is_meant(const char *token);

/*
 * Checks a token, which is copied: form, key, signature, issuer, audience (PUBLIC_URL), moment, and
 * whose workflow it is.  Calls on_checked once, within this call or later, within JWKS_WAIT_MS:
 * 200; 401: it proves nothing; 403: it is of no workflow of the settings, or of several; 503: it
 * could not be checked.
 */
void route_job_check(const struct route_job_config *config, const char *token,
    route_job_fn *on_checked, void *ctx);

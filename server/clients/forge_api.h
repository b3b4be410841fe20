/* forge_api.h - GitHub's API, as an App or by a person's token, and GitLab's: one call, one try.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * An App shows a JWT of its own, and asks about a repository by a token of its installation there:
 * one for each, narrowed to the repositories asked about and to what is in use (github_need.h),
 * kept in memory, made anew after 50 of its 60 minutes or a 401.  Ten requests are in flight at
 * most at each place; a credential of GitHub's that has used a fifth of its limit waits for the
 * next hour (GitLab says 429), but for what a person has pressed, which has a part of its own: half
 * of the limit is used by all together.  Keys and tokens stand in headers alone, never in a log, an
 * error or an answer.
 */
#pragma once

#include "clients/forge_api_answer.h"
#include "lib/loop.h"

struct forge_api;
struct forge_api_call;
struct settings;

enum forge_api_as {
	FORGE_AS_ITS,	  /* the App's installation; where there is no App, a person */
	FORGE_AS_APP,	  /* what is asked of the App itself */
	FORGE_AS_PERSON, /* by GITHUB_API_TOKEN */
	FORGE_AS_GITLAB, /* at GITLAB_URL, by GITLAB_API_TOKEN */
};

/* body: of FORGE_API_DONE, valid within the call; NULL: nothing was said. */
typedef void forge_api_done_fn(
    void *ctx, const struct forge_api_answer *answer, const struct json *body);

struct forge_api_request {
	struct settings *settings; /* of the application that asks */
	enum forge_api_as as;
	const char *repository; /* "owner/name", "group/sub/name"; NULL: about none, not AS_ITS */
	const char *path;	/* "/app"; with a repository what stands behind it: "", "/hooks" */
	const char *method;	/* a literal; NULL: GET, or POST with a body */
	const char *body;	/* JSON; NULL: none */
	enum forge_api_share share; /* MINOR: nobody waits; PRESSED: a person has asked for it */
	int64_t timeout_ms;	/* of each request, of which a call has up to three; 0: 10,000 */
	forge_api_done_fn *on_done;
	void *ctx;
};

struct forge_api *forge_api_new(struct loop *loop, struct err *err) MUST_USE;
void forge_api_free(struct forge_api *api); /* takes NULL; when all calls have ended */

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  What the
 * request points at may go at once, but for ctx.  NULL: could not be started; *err says why,
 * ERR_BUSY where its share of the limit is used. */
struct forge_api_call *forge_api_start(
    struct forge_api *api, const struct forge_api_request *request, struct err *err) MUST_USE;

/* What a call is answered that could not be started. */
struct forge_api_answer forge_api_unsent(const struct err *err);

/* Without on_done.  NULL is fine. */
void forge_api_cancel(struct forge_api_call *call);

/* By how much what asks regularly is to ask less often: 1 to 60. */
double forge_api_factor(const struct forge_api *api);

/* github_api_answer.h - which repositories GitHub's API can be asked about, and what its answer means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.github.com/rest (X-GitHub-Api-Version 2022-11-28).  Which of the two it is where a
 * 403 comes, a limit or a permission, is said by its headers, and of the secondary limits by the
 * message alone.
 */
#pragma once

#include "lib/err.h"
#include "types/limits.h"

#define GITHUB_API_ANSWER_MAX (1u << 20)
#define GITHUB_API_TOKEN      1024 /* of an installation: opaque text, with the NUL */
#define GITHUB_API_PATH	      512

struct json;

enum github_verdict {
	GITHUB_DONE,
	GITHUB_UNAUTHORIZED, /* 401: the credential counts no more */
	GITHUB_FORBIDDEN,    /* 403, and no limit: a permission is missing */
	GITHUB_NOT_FOUND,    /* 404: not there, or no permission to see it */
	GITHUB_CONFLICT,     /* 409 */
	GITHUB_UNFIT,	     /* 422: it takes no such request */
	GITHUB_LIMITED,	     /* 429, or 403 with a limit: again after retry_after_s */
	GITHUB_MOVED,	     /* a redirect, which nobody follows */
	GITHUB_REFUSED,	     /* another 4xx */
	GITHUB_FAILED,	     /* 5xx, or what no API answers */
	GITHUB_TORN,	     /* a body that is not whole */
	GITHUB_TOO_LARGE,    /* a body above GITHUB_API_ANSWER_MAX */
	GITHUB_AWAY,	     /* no answer */
};

/* What came; a header that is not there is NULL. */
struct github_api_reply {
	enum err_code code; /* ERR_NONE: an answer; else `text` is why there is none */
	const char *text;
	bool was_sent; /* bytes of the request have gone out */
	int status;
	const char *body;
	size_t body_size;
	const char *retry_after, *link;
	const char *limit, *remaining, *reset; /* of x-ratelimit */
	int64_t now_s;			       /* since 1970 */
};

struct github_api_answer {
	enum github_verdict verdict;
	int status;		    /* 0: none */
	bool was_sent;		    /* bytes of the request have gone out */
	bool is_of_key;		    /* UNFIT: it does not know a key of the body */
	bool is_no_app;		    /* NOT_FOUND: no App has that number */
	bool is_of_access;	    /* it is about getting a token: nothing else was asked */
	uint32_t granted; /* rows of github_need.h that its installation has; 0: by no App */
	int64_t retry_after_s;	    /* of LIMITED, 1 to 3,600; else 0 */
	int64_t limit, reset_s;	    /* calls in an hour, and when that ends; 0: it does not say */
	char next[LIMIT_CURSOR];    /* the cursor of a list's next page; "": there is none */
	char detail[LIMIT_LINE];    /* of what is not DONE */
};

/* *ret_body: what a DONE has said, to be freed; NULL: nothing (204). */
struct github_api_answer
github_api_judge(const struct github_api_reply *reply, struct json **ret_body);

/* "/repos/OWNER/NAME" and what stands behind it; false: no such repository can be asked about. */
bool github_api_path(
    const char *repository, const char *behind, char out[GITHUB_API_PATH]) MUST_USE;

/* The installation that a repository is in; 0: it is none, or is suspended. */
int64_t github_api_installation(const struct json *body);

/* Its token; false: there is none that could be sent. */
bool github_api_token(const struct json *body, char out[GITHUB_API_TOKEN]) MUST_USE;

/* What one credential has asked in its hour. */
struct github_api_budget {
	int64_t limit, reset_s, used;
};

/* Counts an answer: what costs, in the hour that it names. */
void github_api_budget_note(
    struct github_api_budget *budget, const struct github_api_answer *answer);

/* Seconds until more may be asked: a fifth is used.  0: now. */
int64_t github_api_budget_wait_s(const struct github_api_budget *budget, int64_t now_s);

/* By how much what asks regularly asks less often: from 1, while less than half of that fifth is
 * used, to 60. */
double github_api_budget_factor(const struct github_api_budget *budget, int64_t now_s);

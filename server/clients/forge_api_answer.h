/* forge_api_answer.h - which repositories a forge's API can be asked about, and what it answers.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.github.com/rest (X-GitHub-Api-Version 2022-11-28).  Which of the two it is where a
 * 403 comes, a limit or a permission, is said by its headers, and of the secondary limits by the
 * message alone.  GitLab (https://docs.gitlab.com/api/rest) says the same by 429 and Retry-After.
 */
#pragma once

#include "lib/err.h"
#include "types/limits.h"

#define FORGE_API_ANSWER_MAX (1u << 20)
#define FORGE_API_TOKEN	     1024 /* of an installation: opaque text, with the NUL */
#define FORGE_API_PATH	     512

struct json;

enum forge_api_verdict {
	FORGE_API_DONE,
	FORGE_API_UNAUTHORIZED, /* 401: the credential counts no more */
	FORGE_API_FORBIDDEN, /* 403, and no limit: a permission is missing */
	FORGE_API_NOT_FOUND, /* 404: not there, or no permission to see it */
	FORGE_API_CONFLICT, /* 409 */
	FORGE_API_UNFIT, /* 422: it takes no such request */
	FORGE_API_LIMITED, /* 429, or 403 with a limit: again after retry_after_s */
	FORGE_API_MOVED, /* a redirect, which nobody follows */
	FORGE_API_REFUSED, /* another 4xx */
	FORGE_API_FAILED, /* 5xx, or what no API answers */
	FORGE_API_TORN, /* a body that is not whole */
	FORGE_API_TOO_LARGE, /* a body above FORGE_API_ANSWER_MAX */
	FORGE_API_AWAY, /* no answer */
};

/* What came; a header that is not there is NULL. */
struct forge_api_reply {
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

struct forge_api_answer {
	enum forge_api_verdict verdict;
	int status; /* 0: none */
	bool was_sent; /* bytes of the request have gone out */
	bool is_of_key; /* UNFIT: it does not know a key of the body */
	bool is_no_app; /* NOT_FOUND: no App has that number */
	bool is_of_access; /* it is about getting a token: nothing else was asked */
	uint32_t granted; /* rows of github_need.h that its installation has; 0: by no App */
	int64_t retry_after_s; /* of LIMITED, 1 to 3,600; else 0 */
	double factor; /* by which what asks regularly by that credential asks more rarely */
	int64_t limit, reset_s; /* calls in an hour, and when that ends; 0: it does not say */
	char next[LIMIT_CURSOR]; /* the cursor of a list's next page; "": there is none */
	char detail[LIMIT_LINE]; /* of what is not DONE */
};

/* *ret_body: what a DONE has said, to be freed; NULL: nothing (204). */
struct forge_api_answer
forge_api_judge(const struct forge_api_reply *reply, struct json **ret_body);

/* "/repos/OWNER/NAME" and what stands behind it, or at GitLab "/projects/GROUP%2FNAME"; false: no
 * such repository can be asked about. */
bool forge_api_path(const char *repository, const char *behind, char out[FORGE_API_PATH]) MUST_USE;
bool forge_api_project_path(
    const char *project, const char *behind, char out[FORGE_API_PATH]) MUST_USE;

/* The installation that a repository is in; 0: it is none, or is suspended. */
int64_t forge_api_installation(const struct json *body);

/* Its token; false: there is none that could be sent. */
bool forge_api_token(const struct json *body, char out[FORGE_API_TOKEN]) MUST_USE;

/* Who asks, by which part of the hour's limit there is for that: S(name, parts used, in so many,
 * words).  What people press counts by itself, so that nothing else uses it up, nor it theirs;
 * what nobody waits for leaves half of a fifth to all else. */
#define FORGE_API_SHARES(S) \
	S(REGULAR, 1, 5,  "a fifth of its limit is used") \
	S(MINOR,   1, 10, "a tenth of its limit is used") \
	S(PRESSED, 3, 10, "what people may use of its limit, three tenths, is used")

enum forge_api_share {
#define S(name, ...) FORGE_SHARE_##name,
	FORGE_API_SHARES(S)
#undef S
};

/* What one credential has asked in its hour; `used` (PRESSED: `pressed`) is counted by whoever
 * sends. */
struct forge_api_budget {
	int64_t limit, reset_s, used, pressed;
};

/* The limit that an answer says; one of a newer hour is the first of that. */
void forge_api_budget_note(
    struct forge_api_budget *budget, const struct forge_api_answer *answer);

/* Seconds until more may be asked, as that share is used; 0: now. */
int64_t forge_api_budget_wait_s(
    const struct forge_api_budget *budget, int64_t now_s, enum forge_api_share share);

/* "a fifth of its limit is used": why it waits. */
const char *forge_api_budget_why(enum forge_api_share share);

/* By how much what asks regularly asks less often: from 1, while less than half of that fifth is
 * used, to 60. */
double forge_api_budget_factor(const struct forge_api_budget *budget, int64_t now_s);

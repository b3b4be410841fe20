/* git_answer.h - what git said, as a struct; its text is in runner/protocol.h.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

enum git_kind { GIT_NONE, GIT_BRANCH, GIT_TAG, GIT_COMMIT, GIT_UPLOAD };

#define GIT_NO_ARCHIVE 66 /* exit status with which nobody was asked: it is not here */
#define GIT_IMAGE_BUILD	  "build"   /* the run will make it */
#define GIT_IMAGE_NONE	  "none"    /* the registry has none yet */
#define GIT_IMAGE_UNKNOWN "unknown" /* the registry did not say */

struct git_change {
	char commit[LIMIT_COMMIT];
	char author[LIMIT_PERSON];
	char subject[LIMIT_SUBJECT];
};

struct git_head {
	char commit[LIMIT_COMMIT];
	char branch[LIMIT_REF];
};

struct git_name {
	enum git_kind kind;
	char name[LIMIT_REF];
	char about[LIMIT_SUBJECT]; /* which of several; "": the name says it */
};

struct git_past {
	char commit[LIMIT_COMMIT];
	char reason[LIMIT_BARRIER];
};

/* Texts are one line of UTF-8 without control or bidirectional characters, cut to fit. */
struct git_answer {
	/* COMMITS */
	char ref[LIMIT_REF];
	enum git_kind kind;
	char commit[LIMIT_COMMIT];
	char tree[LIMIT_COMMIT];	/* of its files; "": not known */
	char author[LIMIT_PERSON];
	int64_t at;			/* committed; wall ms; 0: not known, or odd */
	char subject[LIMIT_SUBJECT];
	char branch[LIMIT_REF];		/* the environment's; "": it has none */
	char branch_commit[LIMIT_COMMIT]; /* its newest; "": there is no such branch */
	bool in_branch;
	bool has_base;
	char base[LIMIT_COMMIT];
	bool forced;			/* base is not an ancestor of commit */
	bool lacks_after;		/* what the push announced is not in the repository */
	char untouched[LIMIT_UNTOUCHED]; /* patterns that ask for more approvals, in which
					  * nothing differs; a comma behind each */
	bool touches;			/* it changes something in the paths; also: not known */
	char barrier[LIMIT_BARRIER];	/* why nobody rolls back past it, in the words of a commit
					 * that is not in base; "": none says so */
	size_t n_past;
	struct git_past past[LIMIT_PAST]; /* those that base has, and commit has not: the newest */
	bool no_history;		/* whether there is a barrier is not known */
	int64_t count;			/* commits not in base; may be more than n_changes */
	size_t n_changes;
	struct git_change change[LIMIT_COMMITS]; /* newest first */
	char missing[LIMIT_LINE];	/* submodules, LFS files that a release will not have */
	char image[LIMIT_IMAGE];	/* a digest, or GIT_IMAGE_…; "": a release needs none */
	int64_t mirror;			/* bytes on the runner's disk; 0: not known */
	int64_t files;			/* GIT_UPLOAD: how many */
	int64_t bytes;			/* GIT_UPLOAD: of all of them */
	size_t n_contained;
	char contained[LIMIT_BLOCKED][LIMIT_COMMIT]; /* of those that were asked about */
	/* HEADS */
	size_t n_heads;
	struct git_head head[LIMIT_ENVIRONMENTS];
	/* Not git's, but of who asked: what would ship the environment, borrowed, of who has it;
	 * NULL: not known. */
	const char *binding;
	const char *text; /* all of it, as git_answer_decode() reads it; NULL: it is not kept */
	const char *blocked; /* the commits that might be contained, as it was asked; borrowed */
	int64_t block;	     /* the newest block of the environment then */
	/* a no */
	char error[LIMIT_LINE];		/* "" unless git said no: then the line for people */
	bool advised;			/* `error` says what to do */
	char violation[LIMIT_VIOLATION]; /* an archive is refused for that: "archive_name" */
	size_t n_possible;
	struct git_name possible[LIMIT_COMMITS];
};

/* Of one that the registry has? */
bool git_image_is_digest(const char *image);

/* Decodes an answer with that exit status.  True: the answer is whole (status 0 or 64; with 64
 * `error` says why not).  False: git did not answer, or `violation` says why an archive is
 * refused; ret->error is never empty then, and *err (may be NULL) says the same.  text may be
 * NULL. */
bool git_answer_decode(const char *text, int exit_status, struct git_answer *ret, struct err *err)
    MUST_USE;

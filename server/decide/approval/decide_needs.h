/* decide_needs.h - what some work still needs before it may go on, by rows and settings of now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "policy/needs.h"
#include "store/row_deployment.h"

/* How it stands. */
struct decide_needs {
	struct needs needs;
	size_t n; /* approvals that count now: the first of them */
	struct approval approval[NEEDS_APPROVALS_MAX];
	enum needs_unknown unknown;
	char tokens[LIMIT_LINE]; /* "ci, made by @ada": by which it was asked for; cut */
	size_t n_others; /* people who may approve it and have not */
	bool is_code_lacking; /* some of those who may have no second factor, which it needs */
};

/* THE place that says whether some work may go on: nothing is missing.  ret: NULL, or how it
 * stands. */
bool decide_needs_look(struct tx *tx, const struct deployment *work, struct decide_needs *ret);

/* How many approvals an emergency passes; 0: none, or it is no emergency. */
int decide_needs_passed(struct tx *tx, const struct deployment *work);

/* May that person be one of those who approve it?  As needs_may_approve(). */
enum needs_verdict decide_needs_may(
    struct tx *tx, const struct deployment *work, int64_t person, const struct role **ret_role);

/* Why one may not who is NEEDS_ASKED. */
#define DECIDE_NEEDS_OWN(work, person) \
	((person) == (work)->confirmed_by && (person) != (work)->requested_by ? \
		"you confirmed it" : \
		"you asked for it")

/* Why one may not who is NEEDS_BY_TOKEN. */
#define DECIDE_NEEDS_BY_TOKEN \
	"a token joins you with who asked for it (you made it, or log in with it), so somebody else"

/* Has that person asked for it (confirmed it, made or lent a token that did), and could nobody but
 * they have approved it?  Of several who all asked for that commit, whoever did not ask for this
 * very work.  What they may is another question. */
bool decide_needs_is_alone(struct tx *tx, const struct deployment *work, int64_t person) MUST_USE;
/* Has a message in that chat buttons to approve it?  A group's, for who may; in private whoever
 * asked for it, or may not, has none that would only deny. */
bool decide_needs_may_in(struct tx *tx, const struct deployment *work, int64_t chat);

/* The person behind that one, by number, who may, and has the second factor that it may need; 0:
 * there is no other. */
int64_t decide_needs_next(struct tx *tx, const struct deployment *work, int64_t after);

/* What an approval of it is bound to, as one line: program, commit, what is live. */
void decide_needs_binding(struct tx *tx, const struct deployment *work, char ret[NEEDS_BINDING]);

/* What was approved by whom, and no longer counts, is voided and audited; work->approvers is who is
 * left.  Returns how many were voided. */
size_t decide_needs_void(struct tx *tx, struct deployment *work);

struct approval_request;

/* Waits until some work that awaits approvals is looked at again: when half of its time is over,
 * when all is, or, where what it needs hangs on the hour, soon.  Gives the timer. */
int64_t decide_needs_timer(
    struct tx *tx, const struct deployment *work, const struct approval_request *request);

/* work->approvers anew. */
void decide_needs_name(struct tx *tx, struct deployment *work);

/* Adds a line for each work of that environment that awaits approvals and that person sees, begin
 * before and end behind it; text NULL: nothing.  Returns how many there are, a few at most. */
size_t decide_needs_lines(struct tx *tx, int64_t person, const char *environment, const char *begin,
    const char *end, struct chat_text *text);

/* Is each who may approve there asked in private too?  Not where a chat is set for it. */
bool decide_needs_asks_in_private(const struct tx *tx, const char *environment);

/* The chat in which approvals for that environment are asked for; 0: in private alone. */
int64_t decide_needs_chat(struct tx *tx, const char *environment);

/* How long who confirms it again has: what others approved is not lost because they are away.
 * otherwise_ms: where no approvals were asked for. */
int64_t
decide_needs_question_ms(struct tx *tx, const struct deployment *work, int64_t otherwise_ms);

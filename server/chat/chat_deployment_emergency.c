/* chat_deployment_emergency.c - what is said of a deployment that no approval, lock or freeze holds.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"
#include "chat/chat_hold.h"

#define ELSE "somebody else than who asked."

static bool
has_not_begun(const struct deployment *work)
{
	return work->started_at == 0 && deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;
}

static void
add_what(struct chat_text *text, enum chat_first first, const struct deployment *work)
{
	chat_first(text, first, work->environment);
	chat_deployment_what(text, "", work);
}

static void
add_why(struct chat_text *text, const struct deployment *work)
{
	chat_text_outside(text, "\nby ", work->requester);
	chat_text_outside(text, ": ", work->exempt.emergency);
}

/* Within what a lock screen shows; the row's blank comes before the subject. */
static const char *
outcome(const struct deployment *work)
{
	return work->state == DEPLOY_LIVE	  ? "is live: " :
	    work->state == DEPLOY_FAILED	  ? "failed: " :
	    work->state == DEPLOY_ROLLED_BACK	  ? "rolled back: " :
	    work->state == DEPLOY_ROLLBACK_FAILED ? "may be DOWN: " :
	    work->state == DEPLOY_DONE		  ? "is done: " :
						    "";
}

static enum chat_first
first_of(const struct deployment *work)
{
	return has_not_begun(work)	  ? FIRST_EMERGENCY_NEVER :
	    work->exempt.reviewed_at != 0 ? FIRST_REVIEWED :
					    FIRST_EMERGENCY;
}

static void
add_review(struct chat_text *text, const struct deployment *work)
{
	if (work->exempt.reviewed_at != 0)
		chat_text_outside(text, "\nreviewed by ", work->exempt.reviewer);
	else
		chat_text_add(text, "\nLook at it%s, then press Review done: " ELSE,
		    work->started_at == 0 ? " when it has begun" : "");
}

void
chat_emergency_passed(struct chat_text *text, const struct holds *holds, int approvals, int64_t at)
{
	chat_text_add(text, "%s",
	    approvals > 0 || holds->n > 0 ?
		"goes past:" :
		"asks for no approval, and goes past locks and freezes");
	if (approvals > 0)
		chat_text_add(text, "\n⚠️ approved 0 of %d", approvals);
	chat_hold_lines(text, holds, at);
}

void
chat_emergency(struct chat_text *text, const struct deployment *work, const char *passed)
{
	chat_first(text, first_of(work), work->environment);
	if (!has_not_begun(work))
		chat_text_add(text, "%s", outcome(work));
	chat_deployment_what(text, "", work);
	add_why(text, work);
	if (has_not_begun(work))
		return;
	chat_text_add(
	    text, "\n#%lld%s%s", (long long)work->id, passed[0] == '\0' ? "" : " ", passed);
	add_review(text, work);
}

void
chat_emergency_reminder(
    struct chat_text *text, const struct deployment *work, int n, int of, int64_t at)
{
	add_what(text, FIRST_NOT_REVIEWED, work);
	add_why(text, work);
	chat_text_ago(text, "\nemergency, ", work->started_at, at);
	chat_text_add(text,
	    "; reminder %d of %d. " MARK_CODE "/review %lld" MARK_CODE " ends them.", n, of,
	    (long long)work->id);
}

void
chat_emergency_line(struct chat_text *text, const struct deployment *work, int64_t at)
{
	chat_text_add(text, "\n🚨 " MARK_BOLD "emergency not reviewed" MARK_BOLD ": #%lld",
	    (long long)work->id);
	chat_text_named(text, " ", COMMIT_OF(work));
	chat_text_ago(text, ", ", work->started_at, at);
	chat_text_outside(text, ", by ", work->requester);
	chat_text_outside(text, ": ", work->exempt.emergency);
	chat_text_add(text, "\n    " MARK_CODE "/review %lld" MARK_CODE, (long long)work->id);
}

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
	chat_text_outside(text, ": ", work->emergency);
}

static const char *
name_end(const struct deployment *work)
{
	return work->state == DEPLOY_LIVE	  ? "It is live." :
	    work->state == DEPLOY_FAILED	  ? "It failed." :
	    work->state == DEPLOY_ROLLED_BACK	  ? "It was rolled back." :
	    work->state == DEPLOY_ROLLBACK_FAILED ? "It failed, and so did its rollback." :
						    "It has ended.";
}

static enum chat_first
first_of(const struct deployment *work)
{
	return has_not_begun(work) ? FIRST_EMERGENCY_NEVER :
	    work->reviewed_at != 0 ? FIRST_REVIEWED :
				     FIRST_EMERGENCY;
}

static void
add_review(struct chat_text *text, const struct deployment *work, const char *when)
{
	if (work->reviewed_at != 0)
		chat_text_outside(text, "\nreviewed by ", work->reviewer);
	else
		chat_text_add(text, CHAT_SAID_LOOK "%s, then press Review done: " ELSE, when);
}

void
chat_emergency_begins(struct chat_text *text, const struct deployment *work,
    const struct holds *holds, int approvals, int64_t at)
{
	chat_text_init(text);
	add_what(text, first_of(work), work);
	add_why(text, work);
	if (has_not_begun(work))
		return;
	chat_text_add(text, "\n#%lld %s", (long long)work->id,
	    approvals > 0 || holds->n > 0 ?
		"goes past:" :
		"asks for no approval, and goes past locks and freezes");
	if (approvals > 0)
		chat_text_add(text, "\n⚠️ approved 0 of %d", approvals);
	chat_hold_lines(text, holds, at);
	add_review(text, work, " when it has begun");
}

/* In the place of a reminder, or of what an earlier version said in other words: what it passed is
 * in no row, and is left out. */
static void
say_anew(struct chat_text *text, const struct deployment *work)
{
	bool is_over = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;

	chat_text_init(text);
	add_what(text, first_of(work), work);
	add_why(text, work);
	if (has_not_begun(work))
		return;
	chat_text_add(text, "\n#%lld%s%s", (long long)work->id, is_over ? ": " : "",
	    is_over ? name_end(work) : "");
	add_review(text, work, "");
}

/* What it passed stands there as it was: only what is new is added. */
void
chat_emergency_goes_on(
    struct chat_text *text, const struct deployment *work, const char *said, bool has_ended)
{
	const char *not_yet = chat_first_rows[FIRST_EMERGENCY].before;
	const char *end = strstr(said, CHAT_SAID_LOOK);
	size_t size = end != NULL ? (size_t)(end - said) : strlen(said);

	if (work->reviewed_at != 0 && has_ended) {
		chat_text_init(text);
		chat_text_add(text, "%s\n%s", said, name_end(work));
		return;
	}
	if (has_not_begun(work) || strncmp(said, not_yet, strlen(not_yet)) != 0) {
		say_anew(text, work);
		return;
	}
	chat_text_init(text);
	if (work->reviewed_at != 0) {
		chat_text_add(text, "%s", chat_first_rows[FIRST_REVIEWED].before);
		said += strlen(not_yet);
		size -= strlen(not_yet);
	}
	chat_text_add(text, "%.*s", (int)size, said);
	if (has_ended)
		chat_text_add(text, "\n%s", name_end(work));
	add_review(text, work, "");
}

void
chat_emergency_reminder(struct chat_text *text, const struct deployment *work, int of, int64_t at)
{
	chat_text_init(text);
	add_what(text, FIRST_NOT_REVIEWED, work);
	add_why(text, work);
	chat_text_ago(text, "\nemergency, ", work->started_at, at);
	chat_text_add(text,
	    "; reminder %d of %d. " MARK_CODE "/review %lld" MARK_CODE " ends them.",
	    work->n_reminders, of, (long long)work->id);
}

void
chat_emergency_line(struct chat_text *text, const struct deployment *work, int64_t at)
{
	chat_text_add(text, "\n🚨 " MARK_BOLD "emergency not reviewed" MARK_BOLD ": #%lld",
	    (long long)work->id);
	chat_text_commit(text, " ", work->commit);
	chat_text_ago(text, ", ", work->started_at, at);
	chat_text_outside(text, ", by ", work->requester);
	chat_text_outside(text, ": ", work->emergency);
	chat_text_add(text, "\n    " MARK_CODE "/review %lld" MARK_CODE, (long long)work->id);
}

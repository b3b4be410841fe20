/* chat_deployment_question.c - what the question about a deployment says, and what points to it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include <stdio.h>

#include "chat/chat_hold.h"
#include "chat/chat_status.h"
#include "deployment/turn.h"
#include "lib/text.h"

#define CHANGED_NAME 13 /* "its place in staging is …" */

/* A person asks for an ancestor of what is live.  A push of one is a branch that was reset. */
static bool
is_older(const struct deployment *deployment, const struct git_answer *answer)
{
	return deployment_is_by_request(deployment) && turn_is_behind(answer);
}

static void
add_link(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_some(text, "\n🔗 ", about->link);
}

/* What is odd about it: in front of the commits, of which there may be many. */
static void
add_odd(struct chat_text *text, const struct chat_deployment *about)
{
	struct deployment shown = *about->deployment;

	if (about->answer == NULL)
		return;
	if (is_older(&shown, about->answer)) {
		chat_text_add(text, "\n⚠️ " MARK_BOLD "older than what is live" MARK_BOLD);
		shown.is_force_push = false;
	}
	chat_deployment_odd(text, &shown);
}

/* The commits between what is live and what is wanted. */
static void
add_what_would_change(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_replaces(text, about);
	if (about->answer == NULL)
		return;
	if (!is_older(about->deployment, about->answer))
		chat_deployment_changes(text, about->answer, about->failed);
	add_link(text, about);
}

/* Somebody has confirmed it, and git is asked once more. */
static void
say_confirmed(struct chat_text *text, const struct deployment *deployment)
{
	chat_first(text, FIRST_CONFIRMED, deployment->environment);
	chat_text_outside(text, " by ", deployment->confirmer);
	chat_text_add(text, ", asking git once more …\n");
	chat_deployment_commit(text, "", deployment);
	chat_deployment_requester(text, deployment);
}

void
chat_deployment_gone(struct chat_text *text, const struct release *gone, size_t n)
{
	for (size_t i = 0; i < n && i < CHAT_GONE; i++) {
		chat_text_commit(text, i == 0 ? "rolls back " : ", ", gone[i].commit);
		chat_text_subject(text, " ", gone[i].subject);
	}
	if (n > CHAT_GONE)
		chat_text_add(text, " and more");
}

static void
add_to_release(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->to == NULL)
		return;
	chat_text_add(text, "\nrelease %lld", (long long)about->to->number);
	chat_text_ago(text, ", ", about->to->at, about->at);
	if (about->deployment->is_forward)
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD "newer than what runs: this goes forward" MARK_BOLD);
	if (about->gone_count > 0) {
		chat_deployment_gone_commits(text, about);
	} else {
		chat_text_add(text, "%s", about->n_gone > 0 ? "\n" : "");
		chat_deployment_gone(text, about->gone, about->n_gone);
	}
	add_link(text, about); /* to all commits that go with them */
}

/* Why no push deploys it, and what allows it. */
static void
add_block_of_question(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->block == NULL)
		return;
	chat_text_add(text, "\n⚠️ " MARK_BOLD "this commit is blocked" MARK_BOLD ": ");
	chat_block(text, about->block, about->at);
	chat_text_add(text, ". Your confirmation allows it; once live it is not blocked any more.");
}

#define CONTAINED_SHOWN 3

void
chat_deployment_contained(struct chat_text *text, const struct chat_deployment *about)
{
	for (size_t i = 0; i < about->n_contained && i < CONTAINED_SHOWN; i++) {
		const struct block *block = &about->contained[i];

		if (strcmp(block->commit, about->deployment->commit) == 0) {
			chat_text_add(text, "\n⚠️ this commit was ");
		} else {
			chat_text_commit(text, "\n⚠️ contains ", block->commit);
			chat_text_add(text, ", ");
		}
		if (!block->is_rejected) {
			chat_block(text, block, about->at);
			continue;
		}
		chat_text_outside(text, "", block->why);
		chat_text_ago(text, ", ", block->at, about->at);
	}
	if (about->n_contained > CONTAINED_SHOWN)
		chat_text_add(text, "\n… and %zu more that are blocked or were rejected",
		    about->n_contained - CONTAINED_SHOWN);
}

/* Where stands within what a lock screen shows: "production runs 1a2b3c4 now" begins with it. */
static void
add_changed(struct chat_text *text, const struct deployment *deployment)
{
	const char *name = strstr(deployment->changed, deployment->environment);

	enum chat_first first = deployment->answered_at != 0 ? FIRST_NOT_STARTED : FIRST_ASKED_ANEW;

	if (name == NULL || name - deployment->changed > CHANGED_NAME)
		chat_first(text, first, deployment->environment);
	else
		chat_text_add(text, "%s", chat_first_rows[first].before);
	chat_text_outside(text, "", deployment->changed);
	chat_text_add(text, "\n\n");
}

/* What changed since it was asked, what is not known, and the question itself up to the commit. */
static void
add_beginning(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const struct environment *environment = about->environment;

	if (deployment->changed[0] != '\0')
		add_changed(text, deployment);
	chat_first(text, chat_first_of_question(deployment), deployment->environment);
	chat_text_add(text, "%s\n",
	    deployment->is_again && !deployment_is_rollback(deployment) ? " This is live already:" :
									  "");
	if (environment->unknown_since != 0) {
		chat_unknown(text, environment, about->host, about->at);
		chat_text_add(text, "\nIs no other deploybot at work there? Look first.\n");
	}
	if (deployment_is_rollback(deployment)) {
		if (environment_is_in_doubt(environment))
			chat_text_add(text, "what runs is not known");
		else if (environment->current.id != 0)
			chat_text_commit(text, "", environment->current.commit);
		else
			chat_text_add(text, "nothing");
		chat_text_add(text, " → ");
	}
}

/* What would keep a push, an emergency or a rollback from it, and what it would do beside. */
static void
add_warnings(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_block_of_question(text, about);
	chat_deployment_contained(text, about);
	chat_deployment_past(text, about);
	chat_barriers(text, about->barriers, about->n_barriers);
	chat_deployment_past_migration(text, about);
	if (about->answer != NULL && about->answer->no_history &&
	    about->environment->current.id != 0)
		chat_text_add(text,
		    "\n⚠️ no common history with what is live: whether it can be rolled back is not known");
	if (about->passed > 0) /* an emergency */
		chat_text_add(text, "\n⚠️ approved 0 of %d", about->passed);
	if (!deployment_is_rollback(deployment))
		chat_hold_lines(text, about->holds, about->at);
	chat_deployment_warning(text, deployment);
	chat_deployment_draining(text, about);
}

void
chat_deployment_question(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_action(deployment)) {
		chat_action_question(text, about);
		return;
	}
	if (deployment->confirmed_by != 0) {
		say_confirmed(text, deployment);
		return;
	}
	add_beginning(text, about);
	chat_deployment_commit(text, "", deployment);
	add_to_release(text, about);
	chat_deployment_shown_image(text, deployment);
	chat_deployment_requester(text, deployment);
	chat_deployment_missing(text, deployment);
	if (!deployment_is_rollback(deployment))
		add_odd(text, about);
	add_warnings(text, about);
	chat_deployment_warned_live(text, about);
	if (!deployment_is_rollback(deployment)) {
		chat_deployment_runs_first(text, about);
		chat_deployment_ran(text, about);
		add_what_would_change(text, about);
		chat_deployment_rollback_target(text, about);
	}
	if (about->n_urls == 0)
		chat_text_add(
		    text, "\nNo health check configured: success means the script exits with 0.");
	chat_deployment_note(text, deployment);
	chat_deployment_until(text, about);
}

const char *
chat_deployment_yes(const struct deployment *deployment, char out[LIMIT_BUTTON])
{
	char target[LIMIT_ENVIRONMENT], what[LIMIT_BUTTON] = "🚀 Deploy to";

	if (deployment_is_action(deployment))
		(void)snprintf(what, sizeof(what), "🔧 %.24s", deployment->action);
	else if (deployment->is_behind && deployment->program == PROGRAM_DEPLOY)
		(void)snprintf(what, sizeof(what), "↩️ Go back to %.7s in", deployment->commit);
	else if (deployment->is_past_barrier && deployment_is_rollback(deployment))
		(void)text_copy(what, sizeof(what), CHAT_PAST_BARRIER ":");
	else if (deployment_is_rollback(deployment))
		(void)text_copy(what, sizeof(what),
		    deployment->is_forward ? "↪️ Roll forward" : CHAT_ROLL_BACK);
	else if (deployment->is_again)
		(void)text_copy(what, sizeof(what), "🔁 Deploy again to");
	return chat_deployment_label(what, deployment_target(deployment, target), out);
}

/* Of a name that is too long its end says which environment it is. */
const char *
chat_deployment_label(const char *what, const char *target, char out[LIMIT_BUTTON])
{
	static const char cut[] = "…";
	size_t room = LIMIT_BUTTON - 2 - strlen(what), size = strlen(target);
	bool fits = size <= room;

	if (!fits)
		target += size - (room - strlen(cut));
	(void)snprintf(out, LIMIT_BUTTON, "%s %s%s", what, fits ? "" : cut, target);
	return out;
}

char *
chat_deployment_found(const struct deployment *deployment)
{
	bool is_anew = deployment->changed[0] != '\0' || deployment_is_action(deployment);
	char target[LIMIT_ENVIRONMENT];
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!is_anew && deployment->confirmed_by != 0) {
		chat_first(&text, FIRST_NEEDS_APPROVAL, deployment->environment);
		chat_deployment_what(&text, "", deployment);
		chat_text_outside(&text, " by ", deployment->confirmer);
		chat_text_add(&text, "; others are asked to approve it below");
		return chat_text_take(&text);
	}
	chat_first(&text, is_anew ? FIRST_ASKED_BELOW : FIRST_FOUND,
	    deployment_target(deployment, target));
	if (is_anew)
		chat_text_outside(&text,
		    deployment->changed[0] != '\0' ? "asked again below: " : "asked again below",
		    deployment->changed);
	else
		chat_text_ref(&text, "", deployment->ref);
	chat_deployment_what(&text, is_anew ? " — " : " is ", deployment);
	return chat_text_take(&text);
}

char *
chat_deployment_shared(const struct deployment *question, const char *requester)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_ASKED_BEFORE, question->environment);
	if (deployment_is_by_request(question))
		chat_text_outside(&text, ", by ", question->requester);
	chat_deployment_what(&text, ": ", question);
	if (question->confirmed_by != 0) {
		chat_text_outside(&text, "\nConfirmed by ", question->confirmer);
		chat_text_add(&text, " just now: git is asked once more, then it starts.");
	} else if (requester == NULL) {
		chat_text_add(&text, "\nAnswer it there.");
	} else {
		chat_text_outside(&text, "\nYou may answer it too, ", requester);
		chat_text_add(&text, ".");
	}
	return chat_text_take(&text);
}

char *
chat_deployment_awaits(const struct deployment *question, const char *link)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_CLOSED, question->environment);
	chat_text_add(&text, ", #%lld awaits approval\n", (long long)question->id);
	if (deployment_is_by_request(question))
		chat_text_outside(&text, "requested by ", question->requester);
	chat_deployment_what(&text, deployment_is_by_request(question) ? ": " : "", question);
	chat_text_add(&text, "\nApprove or reject it: ");
	if (link[0] != '\0')
		chat_text_add(&text, "%s", link);
	else
		chat_text_add(&text, MARK_CODE "/pending %s" MARK_CODE, question->environment);
	return chat_text_take(&text);
}

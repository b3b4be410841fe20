/* chat_deployment_question.c - what the question about a deployment says, and what points to it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "chat/chat_hold.h"
#include "chat/chat_status.h"
#include "deployment/turn.h"

static void
add_changes(struct chat_text *text, const struct git_answer *answer)
{
	for (size_t i = 0; i < answer->n_changes; i++) {
		chat_text_commit(text, "\n• ", answer->change[i].commit);
		chat_text_outside(text, " ", answer->change[i].subject);
		chat_text_outside(text, " — ", answer->change[i].author);
	}
	if (answer->count > (int64_t)answer->n_changes)
		chat_text_add(text, "\n… and %lld more",
		    (long long)(answer->count - (int64_t)answer->n_changes));
}

/* A person asks for an ancestor of what is live.  A push of one is a branch that was reset. */
static bool
is_older(const struct deployment *deployment, const struct git_answer *answer)
{
	return deployment->trigger == TRIGGER_CHAT && turn_is_behind(answer);
}

/* The commits between what is live and what is wanted, and what is odd about it. */
static void
add_what_would_change(struct chat_text *text, const struct chat_deployment *about)
{
	const struct release *current = &about->environment->current;
	const struct git_answer *answer = about->answer;

	if (current->id == 0) {
		chat_text_add(
		    text, "\nNothing was released to %s yet.", about->deployment->environment);
	} else {
		chat_text_commit(text, "\nreplaces ", current->commit);
		chat_text_add(text, " (release %lld, ", (long long)current->number);
		chat_text_ago(text, "", current->at, about->at);
		chat_text_add(text, ")");
	}
	if (answer == NULL)
		return;
	if (is_older(about->deployment, answer))
		chat_text_add(text, "\n⚠️ " MARK_BOLD "older than what is live" MARK_BOLD);
	else if (answer->has_base && answer->count == 0)
		chat_text_add(text, "\nno new commits");
	else if (answer->has_base)
		chat_text_add(text, "\n%lld commit%s since:", (long long)answer->count,
		    answer->count == 1 ? "" : "s");
	add_changes(text, answer);
	if (about->deployment->is_force_push && !is_older(about->deployment, answer))
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD
		    "force push: the live commit is not in its history" MARK_BOLD);
	if (about->deployment->is_off_branch)
		chat_text_add(text, "\n⚠️ " MARK_BOLD "not on the branch of %s" MARK_BOLD,
		    about->deployment->environment);
}

/* Somebody has confirmed it, and git is asked once more. */
static void
say_confirmed(struct chat_text *text, const struct deployment *deployment)
{
	chat_text_add(text, "🔎 " MARK_BOLD "%s" MARK_BOLD ": confirmed", deployment->environment);
	chat_text_outside(text, " by ", deployment->confirmer);
	chat_text_add(text, ", asking git once more …\n");
	chat_deployment_commit(text, "", deployment);
	chat_deployment_requester(text, deployment);
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

void
chat_deployment_question(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const struct environment *environment = about->environment;

	if (deployment->confirmed_by != 0) {
		say_confirmed(text, deployment);
		return;
	}
	if (deployment->changed[0] != '\0') {
		chat_text_add(text, "⚠️ " MARK_BOLD "Not started" MARK_BOLD);
		chat_text_outside(text, ": ", deployment->changed);
		chat_text_add(text, "\n\n");
	}
	if (environment->unknown_since != 0) {
		chat_unknown(text, environment, about->host, about->at);
		chat_text_add(text, "\nIs no other deploybot at work there? Look first.\n\n");
	}
	if (deployment_is_rollback(deployment)) {
		chat_text_add(text, "❓ " MARK_BOLD "Roll %s %s?" MARK_BOLD "\n",
		    deployment->is_forward ? "forward" : "back", deployment->environment);
		if (environment->is_down)
			chat_text_add(text, "DOWN");
		else if (environment->current.id != 0)
			chat_text_commit(text, "", environment->current.commit);
		else
			chat_text_add(text, "nothing");
		chat_text_add(text, " → ");
	} else if (deployment->is_again) {
		chat_text_add(text,
		    "❓ " MARK_BOLD "Deploy to %s again?" MARK_BOLD " This is live already:\n",
		    deployment->environment);
	} else {
		chat_text_add(
		    text, "❓ " MARK_BOLD "Deploy to %s?" MARK_BOLD "\n", deployment->environment);
	}
	chat_deployment_commit(text, "", deployment);
	add_to_release(text, about);
	chat_deployment_image(text, "\n", deployment);
	chat_deployment_requester(text, deployment);
	chat_deployment_missing(text, deployment);
	if (!deployment_is_rollback(deployment))
		add_what_would_change(text, about);
	add_block_of_question(text, about);
	/* What keeps it from starting, or would but for an exception or its owner. */
	if (!deployment_is_rollback(deployment))
		chat_hold_lines(text, about->holds, about->at);
	if (!about->can_roll_back && !deployment_is_rollback(deployment))
		chat_text_add(text, "\nno release to roll back to");
	if (about->n_urls == 0)
		chat_text_add(
		    text, "\nNo health check configured: success means the script exits with 0.");
	chat_deployment_note(text, deployment);
}

char *
chat_deployment_found(const struct deployment *deployment)
{
	bool is_anew = deployment->changed[0] != '\0';
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "%s " MARK_BOLD "%s" MARK_BOLD ": ", is_anew ? "🔁" : "🔎",
	    deployment->environment);
	if (is_anew)
		chat_text_outside(&text, "asked again below: ", deployment->changed);
	else
		chat_text_code(&text, "", deployment->ref);
	chat_deployment_commit(&text, is_anew ? " — " : " is ", deployment);
	return chat_text_take(&text);
}

char *
chat_deployment_shared(const struct deployment *question, const char *requester)
{
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "☝️ " MARK_BOLD "%s" MARK_BOLD ": asked about already",
	    question->environment);
	if (question->trigger == TRIGGER_CHAT)
		chat_text_outside(&text, ", by ", question->requester);
	chat_deployment_commit(&text, ": ", question);
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

/* chat_deployment_question.c - what the question about a deployment says, and what points to it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include <stdio.h>

#include "lib/text.h"

#define CHANGED_NAME 13 /* "its place in staging is …" */

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
	bool is_to_hosts = chat_deployment_is_to_hosts(about);

	if (deployment->changed[0] != '\0')
		add_changed(text, deployment);
	chat_first(text, chat_first_of_question(deployment, is_to_hosts), deployment->environment);
	if (is_to_hosts)
		chat_text_add(text, ": %zu host%s not run what is live?",
		    about->waves->planned.of[0],
		    about->waves->planned.of[0] == 1 ? " that does" : "s that do");
	else if (deployment->is_again && !deployment_is_rollback(deployment))
		chat_text_add(text, " This is live already:");
	chat_text_add(text, "\n");
	chat_deployment_doubted(text, about);
	if (deployment_is_rollback(deployment)) {
		if (environment_is_in_doubt(environment))
			chat_text_add(text, "%s",
			    environment_is_left(environment) ? "what was left as it is" :
							       "what runs is not known");
		else if (environment->current.id != 0)
			chat_text_named(text, "", COMMIT_OF(&environment->current));
		else
			chat_text_add(text, "nothing");
		chat_text_add(text, " → ");
	}
}

/* Whoever wants to leave what is bad may not have seen that it has been left. */
static void
say_fled(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->fled.at == 0)
		return;
	chat_text_add(text, "\n⚠️ ");
	if (about->fled.commit[0] != '\0')
		chat_text_named(text, "", COMMIT_OF(&about->fled));
	else
		chat_text_add(text, "what ran before");
	chat_text_ago(text, " was rolled back ", about->fled.at, about->at);
	chat_text_add(text, "; this goes further back");
}

static void
say_removed(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->to == NULL || about->to->removed_at == 0)
		return;
	chat_text_ago(text, "\n⚠️ removed by a clean-up, ", about->to->removed_at, about->at);
	chat_text_add(text, "; to bring it back: ");
	chat_text_again(text, about->to->environment, COMMIT_OF(about->to));
}

void
chat_deployment_question(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const struct chat_approvals *follow = about->approvals;

	if (deployment_is_action(deployment)) {
		chat_action_asked(text, deployment);
		chat_text_add(text, "%s", about->environment->unknown_since != 0 ? "\n" : "");
		chat_deployment_doubted(text, about);
	} else if (deployment->confirmed_by != 0) {
		say_confirmed(text, deployment);
		return;
	} else {
		add_beginning(text, about);
		chat_deployment_commit(text, "", deployment);
		say_fled(text, about);
		chat_deployment_failed_since(text, "\n", about->failed_since, about->at);
		say_removed(text, about);
	}
	chat_deployment_shown(text, about);
	if (follow != NULL && follow->needed > 0)
		chat_text_add(text, "\nthen it needs %d approval%s%s", follow->needed,
		    follow->needed == 1 ? "" : "s",
		    follow->counts_own ? "" : ": who asked for it, or confirms it, does not count");
	chat_deployment_until(text, about);
}

const char *
chat_deployment_yes(const struct deployment *deployment, char out[LIMIT_BUTTON])
{
	char target[LIMIT_ENVIRONMENT], what[LIMIT_BUTTON] = "🚀 Deploy to";

	if (deployment_is_pipeline(deployment))
		text_setf(what, "🔧 Run %.16s%s%.24s", deployment->argument,
		    deployment->subject[0] != '\0' ? " " : "", deployment->subject);
	else if (deployment_is_gate(deployment))
		text_setf(what, "🚦 Confirm gate %.7s", deployment->commit);
	else if (deployment_is_action(deployment))
		text_setf(what, "🔧 %.24s", deployment->action);
	else if (deployment->wait.is_behind && deployment->program == PROGRAM_DEPLOY)
		text_setf(what, "↩️ Go back to %.7s in", deployment->commit);
	else if (deployment->is_past_barrier && deployment_is_rollback(deployment))
		text_set(what, CHAT_PAST_BARRIER ":");
	else if (deployment_is_rollback(deployment))
		text_set(what, deployment->is_forward ? "↪️ Roll forward" : CHAT_ROLL_BACK);
	else if (deployment->is_again)
		text_set(what, "🔁 Deploy again to");
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

void
chat_deployment_others(struct chat_text *text, const struct deployment *deployment)
{
	chat_first(text, FIRST_CLOSED, deployment_target_here(deployment));
	chat_deployment_what(text, ", ", deployment);
	chat_text_add(
	    text, "\n#%lld is asked of others, who may approve it.", (long long)deployment->id);
}

char *
chat_deployment_shared(const struct deployment *question, const char *requester, const char *asked)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_ASKED_BEFORE, question->environment);
	chat_text_add(&text, ", as #%lld", (long long)question->id);
	if (deployment_is_by_request(question))
		chat_text_outside(&text, ", by ", FORGE_PERSON(question->requester));
	if (question->confirmed_by == 0 && requester != NULL)
		chat_text_outside(&text, ". You may answer it too, ", requester);
	chat_text_add(&text, ".\n\n%s", asked != NULL ? asked : "");
	return chat_text_take(&text);
}

char *
chat_deployment_moved(const struct deployment *question)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_ASKED_BELOW, deployment_target_here(question));
	chat_text_add(&text, "asked again below");
	chat_deployment_what(&text, " — ", question);
	return chat_text_take(&text);
}

char *
chat_deployment_awaits(const struct deployment *question, const char *link)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_CLOSED, question->environment);
	chat_text_add(&text, ", #%lld awaits approval\n", (long long)question->id);
	if (deployment_is_by_request(question))
		chat_text_outside(&text, "requested by ", FORGE_PERSON(question->requester));
	chat_deployment_what(&text, deployment_is_by_request(question) ? ": " : "", question);
	chat_text_add(&text, "\nApprove or reject it: ");
	if (link[0] != '\0')
		chat_text_add(&text, "%s", link);
	else
		chat_text_add(&text, MARK_CODE "/pending %s" MARK_CODE, question->environment);
	return chat_text_take(&text);
}

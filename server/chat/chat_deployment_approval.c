/* chat_deployment_approval.c - what awaits approvals, and what it lacks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include <stdio.h>

#include "lib/condition.h"

/* 'production "Make it blue" 1a2b3c4', "client/acme restart-web"; a rollback's says so in words, if
 * not in front of its target already. */
static void
add_subject(struct chat_text *text, enum chat_first first, const struct deployment *deployment)
{
	bool is_named = first != FIRST_APPROVED && first != FIRST_AWAITS_ANEW;

	chat_first(text, first, deployment_target_here(deployment));
	chat_deployment_what(text,
	    !deployment_is_rollback(deployment) ? "" :
		is_named			? "to " :
		deployment->is_forward		? "roll forward to " :
						  "roll back to ",
	    deployment);
}

/* Who it waits for; said at once where they cannot be enough. */
static void
add_standing(struct chat_text *text, const struct chat_deployment *about)
{
	const struct chat_approvals *is = about->approvals;
	size_t missing = (size_t)is->needed > is->n ? (size_t)is->needed - is->n : 0;
	char words[CONDITION_WORDS];

	chat_text_add(text, "\n#%lld · " MARK_BOLD "approved %zu of %d" MARK_BOLD,
	    (long long)about->deployment->id, is->n, is->needed);
	chat_text_outside(text, is->n > 0 ? ": " : "", about->deployment->approvers);
	chat_text_some(text, "\nseen by ", about->question != NULL ? about->question->seen_by : "");
	if (is->because != NULL)
		chat_text_outside(text, " · because of ", condition_text(is->because, words));
	if (is->roles != NULL)
		chat_text_outside(text, " · asked: ", is->roles);
	if (is->until != 0)
		chat_text_since(text, "\n⏳ open until ", &about->clock, is->until, about->at);
	if (is->asked != NULL && is->asked[0] == '\0' && is->n_others > 0)
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD "nobody could be asked" MARK_BOLD
		    ": who may approve it has to write /start to the bot first");
	else
		chat_text_some(text, "\nasked in private: ", is->asked != NULL ? is->asked : "");
	if (is->n_others >= missing)
		return;
	if (is->n_others > 0)
		chat_text_add(text,
		    "\n⚠️ " MARK_BOLD "%zu more must approve, and only %zu may%s" MARK_BOLD,
		    missing, is->n_others, is->is_code_lacking ? " with a code" : "");
	else
		chat_text_add(text, "\n⚠️ " MARK_BOLD "nobody %s" MARK_BOLD,
		    is->is_code_lacking ? "who may approve it has a second factor, which it needs" :
					  "else may approve it");
	chat_text_add(text, ": %s; else press Cancel below",
	    is->is_code_lacking ? "/2fa in private makes one, or deploybot 2fa add on the server" :
				  "an admin can change the settings");
}

/* It may be one of those who are asked: by which door they came, and who can say who they are. */
static void
add_unknown(struct chat_text *text, const struct chat_deployment *about)
{
	static const char *const words[] = {
		[NEEDS_KNOWN] = "",
		[NEEDS_UNKNOWN_PUSHER] =
		    "\nwho pushed it is not known here: PERSON_<ID>_GITHUB (_GITLAB) says so",
		[NEEDS_UNKNOWN_TOKEN] =
		    "\n⚠️ whoever has that token asked for it, perhaps one of you",
		[NEEDS_UNKNOWN_USER] =
		    "\n⚠️ asked for on the machine by a role, perhaps by one of you: LOCAL_<USER>_IS=<their Telegram id> says who",
		[NEEDS_UNKNOWN_ROOT] =
		    "\n⚠️ asked for on the machine by root, perhaps by one of you: nothing here says who that was",
		[NEEDS_UNKNOWN_HOOK] =
		    "\n⚠️ asked for by a hook, whose secret one of you may have",
		[NEEDS_UNKNOWN_WORKFLOW] =
		    "\n⚠️ asked for by a job that one of you may have started",
	};
	const struct chat_approvals *is = about->approvals;

	chat_text_some(text, "\n🔑 by a token: ", is->tokens);
	if (is->unknown == NEEDS_KNOWN ||
	    (is->unknown == NEEDS_UNKNOWN_PUSHER && !deployment_has_pusher(about->deployment)))
		return;
	chat_text_add(text, "%s", words[is->unknown]);
	if (is->is_one_more)
		chat_text_add(text,
		    is->unknown == NEEDS_UNKNOWN_PUSHER || is->unknown == NEEDS_UNKNOWN_USER ?
			"; until then one more must approve" :
			"; so one more must approve");
}

void
chat_deployment_approval(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_subject(text, chat_first_of(about), deployment);
	chat_text_some(
	    text, "\n⚠️ " MARK_BOLD "asked again" MARK_BOLD ": ", deployment->changed);
	if (about->environment->unknown_since != 0) {
		chat_text_add(text, "\n\n");
		chat_deployment_doubted(text, about);
	}
	if (deployment->is_again && !deployment_is_rollback(deployment) &&
	    !chat_deployment_is_to_hosts(about))
		chat_text_add(text, "\n⚠️ this is live already");
	if (deployment_is_rollback(deployment)) /* of a deployment it is a part */
		chat_deployment_replaces(text, about);
	chat_deployment_shown(text, about);
	if (about->question != NULL &&
	    about->question->is_unconfirmed) /* by them, or another one */
		chat_text_outside(text,
		    "\nafter its approvals it is to be confirmed again: ", deployment->confirmer);
	add_unknown(text, about);
	add_standing(text, about);
}

void
chat_deployment_decided(struct chat_text *text, const struct deployment *deployment)
{
	add_subject(text, FIRST_APPROVED, deployment);
	chat_text_outside(text, "\napproved by ", deployment->approvers);
}

void
chat_deployment_expired(struct chat_text *text, const struct chat_deployment *about)
{
	const struct chat_approvals *is = about->approvals;

	chat_deployment_first(text, about);
	chat_deployment_requester(text, about->deployment);
	chat_text_add(text, "\n%zu of %d had approved it. Nothing was started: %s.", is->n,
	    is->needed,
	    deployment_is_gate(about->deployment) ? "run its job again" : "ask for it again");
}

void
chat_deployment_rejected(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_first(text, about);
	chat_text_outside(text, "\n", about->deployment->detail);
	chat_deployment_requester(text, about->deployment);
}

#define NAME_SHOWN 32 /* of a name that is too long its end says which environment it is */

const char *
chat_deployment_approve(const struct deployment *deployment, char out[LIMIT_BUTTON])
{
	char target[LIMIT_ENVIRONMENT];
	size_t size = strlen(deployment_target(deployment, target));
	bool fits = size <= NAME_SHOWN;

	if (deployment_is_gate(deployment))
		(void)snprintf(out, LIMIT_BUTTON, "✅ Approve gate %.20s %.7s", target,
		    deployment->commit); /* cut is fine */
	else if (deployment_is_pipeline(deployment))
		(void)snprintf(out, LIMIT_BUTTON, "✅ Approve %.12s %.15s %.20s",
		    deployment->argument, deployment->subject, target); /* as above */
	else if (deployment_is_action(deployment))
		(void)snprintf(out, LIMIT_BUTTON, "✅ Approve %.15s%s%.12s %.20s",
		    deployment_action_word(deployment), deployment->argument[0] != '\0' ? " " : "",
		    deployment->argument, target); /* cut is fine */
	else if (deployment_is_rollback(deployment))
		(void)snprintf(out, LIMIT_BUTTON, "✅ Approve roll%s of %.24s",
		    deployment->is_forward ? " forward" : "back", target); /* as above */
	else
		(void)snprintf(out, LIMIT_BUTTON, "✅ Approve %s%.*s %s", fits ? "" : "…",
		    NAME_SHOWN, fits ? target : target + size - NAME_SHOWN,
		    commit_name_here(COMMIT_OF(deployment)));
	return out;
}

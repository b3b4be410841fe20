/* chat_deployment_line.c - a deployment in a list: its two lines in /history.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "lib/text.h"

/* What its message begins with. */
static void
add_sign(struct chat_text *text, const struct deployment *deployment, const struct chat_history *is)
{
	static const struct environment none;
	const struct chat_deployment about = {
		.deployment = deployment, .environment = &none, .since = is
	};
	const char *before = chat_first_rows[chat_first_of(&about)].before;

	chat_text_add(text, "%.*s", (int)strcspn(before, " "), before);
}

void
chat_deployment_live(struct chat_text *text, const struct chat_history *is)
{
	if (is->serves && is->hosts.n < is->hosts.all)
		chat_text_add(text, "live on %lld of %lld hosts", (long long)is->hosts.n,
		    (long long)is->hosts.all);
	if (is->serves)
		chat_text_since(text, is->hosts.n < is->hosts.all ? " since " : "live since ",
		    &is->clock, is->since, is->at);
	else if (is->until != 0)
		chat_text_ago(text, "was live until ", is->until, is->at);
	else
		chat_text_since(text, "went live ", &is->clock, is->since, is->at);
	if (is->is_left)
		chat_text_add(text, ", then rolled back");
}

void
chat_deployment_line(
    struct chat_text *text, const struct deployment *deployment, const struct chat_history *is)
{
	char brief[100];

	if (is->serves || (deployment->state == DEPLOY_LIVE && !is->is_left))
		chat_text_add(text, /* also where a rollback brought it */
		    is->hosts.n < is->hosts.all ? "🟡" : "✅");
	else if (is->is_left)
		chat_text_add(text, "↩️");
	else
		add_sign(text, deployment, is);
	chat_text_add(text, " #%lld ", (long long)deployment->id);
	if (deployment->client[0] != '\0')
		chat_text_add(text, "%s ", deployment->client);
	chat_deployment_commit(text, "", deployment);
	chat_text_add(text, "\n    %s",
	    deployment->is_forward		   ? "roll forward, " :
		deployment_is_rollback(deployment) ? "rollback, " :
		is->is_promotion		   ? "promotion, " :
		is->is_to_hosts			   ? "to some hosts, " :
						     "");
	if (is->release != 0)
		chat_deployment_live(text, is);
	else
		chat_text_add(text, "%s", deploy_flow_word(deployment->state));
	if (deployment->why == DEPLOY_WHY_REFUSED && deployment->detail[0] != '\0') {
		text_set(brief, deployment->detail);
		chat_text_outside(text, ": ", brief);
	} else if (deployment_why_word(deployment)[0] != '\0')
		chat_text_add(text, " (%s)", deployment_why_word(deployment));
	chat_text_outside(text, " · ", FORGE_PERSON(deployment->requester));
	chat_text_some(text, ", confirmed by ", deployment_confirmer(deployment));
	chat_text_ago(text, " · ", deployment->requested_at, is->at);
	chat_text_some(text, ", approved by ", deployment->approvers);
	chat_text_some(text, "\n    ⚠️ in a freeze: ", deployment->exempt.exception);
	chat_deployment_emergency(text, "\n    ", deployment);
}

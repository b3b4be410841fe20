/* chat_deployment_parts.c - what its texts say alike: commit, image, people, what it lacks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

void
chat_deployment_commit(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (deployment->commit[0] != '\0')
		chat_text_commit(text, before, deployment->commit);
	else
		chat_text_code(text, before, deployment->ref);
	if (deployment->subject[0] != '\0')
		chat_text_outside(text, " ", deployment->subject);
}

void
chat_deployment_image(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (deployment->image[0] != '\0')
		chat_text_image(text, before, deployment->image);
}

void
chat_deployment_requester(struct chat_text *text, const struct deployment *deployment)
{
	chat_text_add(text, "\n");
	if (deployment->author[0] != '\0') {
		chat_text_outside(text, "by ", deployment->author);
		chat_text_add(text, " · ");
	}
	if (deployment->trigger == TRIGGER_POLL)
		chat_text_add(text, "found by polling"); /* who pushed it is not known */
	else
		chat_text_outside(text,
		    deployment->trigger == TRIGGER_CHAT ? "requested by " : "pushed by ",
		    deployment->requester);
	if (deployment_confirmer(deployment)[0] != '\0')
		chat_text_outside(text, " · confirmed by ", deployment_confirmer(deployment));
	if (deployment->exception[0] != '\0')
		chat_text_outside(text, "\n⚠️ in a freeze: ", deployment->exception);
}

void
chat_deployment_missing(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment->missing[0] != '\0')
		chat_text_outside(text, "\n⚠️ without ", deployment->missing);
}

void
chat_deployment_note(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment->note[0] != '\0')
		chat_text_outside(text, "\nℹ️ ", deployment->note);
}

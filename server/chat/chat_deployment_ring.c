/* chat_deployment_ring.c - what is said to who asked alone.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next)
{
	chat_first(
	    text, is_next ? FIRST_IS_NEXT : FIRST_YOUR_TURN, deployment_target_here(deployment));
	chat_deployment_what(text, "", deployment);
	chat_text_add(text, "%s", is_next ? "\nIt starts by itself." : "\nIt was queued.");
}

void
chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who)
{
	chat_first(text, FIRST_GIVEN, deployment_target_here(deployment));
	chat_text_add(text, "%s", what);
	chat_text_outside(text, "", who);
	chat_deployment_what(text, " — ", deployment);
}

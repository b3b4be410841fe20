/* message.c - frees a message; buttons that copy, and that lead somewhere.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/message.h"

#include "lib/text.h"

void
buttons_add_copy(struct buttons *buttons, const char *label, const char *copy)
{
	struct button button = { 0 };

	if (copy[0] == '\0' || buttons->n == COUNT(buttons->at) ||
	    !text_copy(button.label, sizeof(button.label), label) ||
	    !text_copy(button.copy, sizeof(button.copy), copy))
		return;
	buttons->at[buttons->n++] = button;
}

void
buttons_add_link(struct buttons *buttons, const char *label, const char *link, bool is_web_app)
{
	struct button button = { .is_web_app = is_web_app };

	if (link[0] != '\0' && buttons->n < COUNT(buttons->at) &&
	    text_copy(button.label, sizeof(button.label), label) &&
	    text_copy(button.link, sizeof(button.link), link))
		buttons->at[buttons->n++] = button;
}

void
message_done(struct message *message)
{
	free(message->head);
	message->head = NULL;
}

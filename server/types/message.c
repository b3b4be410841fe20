/* message.c - frees a message.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/message.h"

#include <stdlib.h>

void
message_done(struct message *message)
{
	free(message->head);
	message->head = NULL;
}

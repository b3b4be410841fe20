/* chat_runner.h - whose runner is disconnected, by its name where it is an agent.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "types/peers.h"

/* What stands before since when it is: `begin`, which ends with "its runner", and " is disconnected
 * since ", or "acme's agent" in the place of its last two words.  Returns out. */
const char *chat_runner_gone(const char *runner, const char *begin, char out[LIMIT_LINE]);

/* Behind since when, of another server's own: what is to be done, or that work abandoned. */
void chat_runner_add_way(struct chat_text *text, const struct runner_gone *gone, int64_t work);

/* chat_runner.c - whose runner is disconnected, by its name where it is an agent.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_runner.h"

#include <stdio.h>

const char *
chat_runner_gone(const char *runner, const char *begin, char out[LIMIT_LINE])
{
	const char *agent = peer_of_host(runner);
	int before = (int)(strlen(begin) - strlen("its runner"));

	if (agent == NULL && strcmp(runner, RUNNER_LOCAL) == 0)
		(void)snprintf(out, LIMIT_LINE, "%s is disconnected since ", begin);
	else if (agent == NULL)
		(void)snprintf(out, LIMIT_LINE, "%s %s is disconnected since ", begin, runner);
	else
		(void)snprintf(
		    out, LIMIT_LINE, "%.*s%s's agent is disconnected since ", before, begin, agent);
	return out;
}

void
chat_runner_add_way(struct chat_text *text, const struct runner_gone *gone, int64_t work)
{
	if (!gone->is_servers)
		return;
	chat_text_outside(text, ": start ", gone->name);
	chat_text_add(
	    text, ", hand over to it, or " MARK_CODE "/abandon %lld" MARK_CODE, (long long)work);
}

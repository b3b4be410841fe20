/* decide_agent.h - what an agent may be ordered, and why an action cannot go to it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * CLIENT_<ID>_HOST=agent:NAME: the client's actions of executor HOST are units of root's on its
 * host, which the agent of that name starts.  It says itself which there are, with a digest of each
 * (types/peers.h), and that list is what such an action is bound to.
 */
#pragma once

#include "store/tx.h"
#include "types/action.h"
#include "types/settings.h"

struct deployment;

/* What waits for something on a host that it has is looked at before this decision ends. */
void decide_agent_look(struct tx *tx, const char *name);

/* The name of the agent that has this action of that client; NULL: none has. */
const char *decide_agent_of(const struct client_settings *client, const struct action *action);

/* Who is to have the runs of that work, as rows name them: "agent:acme", "build-1", "local". */
const char *decide_agent_runner(const struct tx *tx, const struct deployment *work);
/* Is that the remote runner of its environment, and disconnected? */
bool decide_agent_is_away(struct tx *tx, const struct deployment *work) MUST_USE;

/* If it is disconnected, who has that run, or where there is none (0) the environment's remote
 * runner; else all zero. */
struct runner_gone decide_agent_gone(struct tx *tx, const char *environment, int64_t run);

/* Why it cannot be ordered of its agent now, a sentence in out without its end; NULL: it can, or no
 * agent has it. */
const char *decide_agent_refusal(struct tx *tx, const struct client_settings *client,
    const struct action *action, char out[LIMIT_LINE]);

/* Where the output of a run of such work stands, by who has it: a sentence in out with its end;
 * NULL: it is a log, here or at its remote runner. */
const char *decide_agent_log(struct tx *tx, const struct deployment *work, int64_t run,
    char ret_runner[LIMIT_RUNNER], char out[LIMIT_LINE]);

/* The list that the agent of that name has said last; "": none, or it has no unit.  Returns ret. */
const char *decide_agent_list(struct tx *tx, const char *name, char ret[LIMIT_MANIFEST]);

/* "starts deploybot-do-restart-web.service (3f9a1b2c…)".  Returns out. */
const char *decide_agent_touches(
    struct tx *tx, const char *name, const struct action *action, char out[LIMIT_LINE]);

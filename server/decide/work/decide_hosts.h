/* decide_hosts.h - rows that follow the settings: what hosts claim, and which of them have left.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct environment_settings;

/* Which hosts those of a comma list are: a pattern (lib/host_lines.h) stands for the agents that
 * are enrolled and not revoked.  A comma between; free() it. */
char *decide_hosts_of(struct tx *tx, const char *list) MUST_USE;

/* Why nothing can be released to them, as its pattern stands for none, or for too many; NULL: it
 * can. */
const char *decide_hosts_refusal(struct tx *tx, const struct environment_settings *settings);

/* Settings were read: resources of environments whose hosts stand in a file, and since when a host
 * is none of its environment's.  What is the same is not written. */
void decide_hosts_look(struct tx *tx);

/* The same of those for which patterns stand: an agent was enrolled, or revoked. */
void decide_hosts_agents(struct tx *tx);

/* An agent of that name is on another machine from now on: what runs there is not known. */
void decide_hosts_move(struct tx *tx, const char *agent);

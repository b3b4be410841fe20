/* chat_hosts.h - hosts of an environment, a line each.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "types/host.h"

/* As everybody writes it: "h1", and its port where that is not 22.  Returns ret. */
const char *chat_host_name(const struct host *host, char ret[LIMIT_HOST]);

/* Behind `before`: its name, its state, what it runs, and why it failed. */
void chat_host(struct chat_text *text, const char *before, const struct host *host);

/* What so many hosts run, in a word: "release", whose commit it has, or else "nothing"; "touched"
 * and "unknown" have none. */
const char *chat_host_mixed(const struct host_mixed *is);

/* How many of them run that release. */
struct host_share chat_host_share(const struct host_mix *mix, const char *release);

/* "45f7076 on 112 of 1000, 17f61c5 on 888"; nothing where all run the same. */
void chat_host_mix(struct chat_text *text, const char *before, const struct host_mix *mix);

/* decide_left.h - hosts that a rollback leaves out, and what stands of them afterwards.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"

struct tx;

/* A rollback, a person's or deploybot's own, failed before it changed anything, as these did not
 * answer, and others of its environment did: a comma list, "" where it is not so.  Returns ret. */
const char *
decide_left_silent(struct tx *tx, const struct deployment *deployment, char ret[LIMIT_WITHOUT]);

/* Its script is done: who is left out is not asked whether it is healthy. */
void decide_left_urls(struct tx *tx, struct deployment *deployment);

/* It went live: whom it left out has what was live before ("": not known); all others have it. */
void decide_left_hosts(struct tx *tx, const struct deployment *deployment, const char *before);

/* Those that the settings have no more are taken out of that environment's. */
void decide_left_look(struct tx *tx, const char *environment);

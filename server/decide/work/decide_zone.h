/* decide_zone.h - what a zone under attack at Cloudflare keeps out: warned of, and asked about first.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Visitors of such a zone see a page of Cloudflare's first, and programs do not get past it: who
 * looks at a release's health, and who brings us webhooks.
 */
#pragma once

#include "store/row_deployment.h"

/* Is a health URL of that environment in a zone that we have set under attack?  ret: what is said
 * of it, else "". */
bool decide_zone_attacks(struct tx *tx, const char *environment, char ret[LIMIT_LINE]);

/* What its question warns of: of a deployment or rollback the above; of
 * cf-under-attack what lies in its zone. */
void decide_zone_warn(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

/* Is there something to warn of, and nobody was warned?  Never of a rollback: it is in a hurry. */
bool decide_zone_is_news(struct tx *tx, const struct deployment *work, char ret[LIMIT_LINE]);

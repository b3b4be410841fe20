/* delivery.h - what a forge reported, decoded.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

enum delivery_kind {
	DELIVERY_OTHER,		/* an event that we do not know: 202 */
	DELIVERY_PING,
	DELIVERY_PUSH,
};

struct delivery {
	enum delivery_kind kind;
	char hook[ENVIRONMENT_NAME_MAX]; /* the application whose webhook it came by; "": that of
					  * the main file, of all that have none of their own */
	char id[LIMIT_DELIVERY];
	uint8_t digest[32];	/* of the raw body (its MAC serves): this is signed, the id not */
	char repository[LIMIT_REF];	/* owner/name as sent; compare without case */
	char branch[LIMIT_REF];	/* without refs/heads/; "" for a tag or anything else */
	bool deleted;
	bool forced;
	char after[LIMIT_COMMIT];
	char login[LIMIT_PERSON];	/* sender.login, cleaned */
	int64_t sender;		/* sender.id */
};

/* local_user.h - as whom a user of this machine acts, and who is never let in.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"
#include "types/update.h"

/* What is known of a connection. */
struct local_peer {
	uint32_t uid;
	uint32_t server_uid; /* ours: without a runner of another user scripts run as it */
	uint32_t runner_uid; /* whom scripts run as; ours where there is no other */
	const char *as;	     /* --as ROLE; NULL: nothing was said */
	int64_t upload_at;   /* wall ms: an archive begins to come; 0: none does */
};

/* NULL: *ret is who acts, as if they had written it in a chat of their own.  Else why not, in one
 * sentence without names. */
const char *local_user_judge(
    const struct settings *settings, const struct local_peer *peer, struct update *ret);

/* perform_purge_upload.c - removes an archive that nobody needs any more.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/uploads.h"
#include "effects/perform_inside.h"
#include "lib/err.h"
#include "lib/log.h"

/* AGAIN: one that is not there is fine.  One that stays is found at the next start. */
void
perform_purge_upload(struct perform *perform, struct effect *effect)
{
	const struct effect_purge_upload *order = &effect->u.purge_upload;
	struct err err;

	if (!uploads_remove(perform->uploads, order->digest, order->at, &err))
		log_warning("an archive that nobody needs stays: %s", err.text);
	perform_report(effect);
}

/* decide_cloudflare_inside.h - what is said of a zone, for these files alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/work/decide_cloudflare.h"

/* It is as it was, or was left as somebody else has set it; where no work's message says so. */
void decide_cloudflare_tell_restored(struct tx *tx, const struct cloudflare_row *row);
void
decide_cloudflare_tell_left(struct tx *tx, const struct cloudflare_row *row, const char *level);

/* It could not be restored: the first time, and then each hour. */
void decide_cloudflare_tell_failing(struct tx *tx, struct cloudflare_row *row);

/* row_repository.h - which number at its forge a repository of some name has shown first.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* That number, from now on this one where none was known.  A name changes hands, a number does
 * not. */
int64_t row_repository_shown(struct tx *tx, const char *name, int64_t id);

/* decide_rename.h - rows of applications that were renamed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* As decide_rename(), and says which of them stay apart for good: both names have a history. */
void decide_rename_all(struct tx *tx);

/* Renames the rows of every environment whose application says RENAMED_FROM: once, when nothing of
 * the old name is active and no file has that name any more.  Looks again in a while where that is
 * not so yet. */
void decide_rename(struct tx *tx);

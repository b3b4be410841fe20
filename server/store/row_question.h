/* row_question.h - what whoever answers for some work was shown, a row for each work.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Work without a row has nothing to compare: it reads as all zero.  Where numbers of blocks alone
 * are compared, row_block.h does so inside its statements.
 */
#pragma once

#include "deployment/deployment.h"
#include "deployment/question.h"
#include "store/tx.h"

struct question *row_question_get(struct tx *tx, int64_t work, struct question *ret);

/* Writes all but compared_block. */
void row_question_set(struct tx *tx, int64_t work, const struct question *question);

/* Git was asked about that block too; 0, or an older one, changes nothing. */
void row_question_compare(struct tx *tx, int64_t work, int64_t block);

/* Is there a newer block in its environment, about which git was not asked? */
bool row_question_is_uncompared(struct tx *tx, const struct deployment *work) MUST_USE;

/* Nobody has said yes to what was shown of blocks. */
void row_question_hide_blocks(struct tx *tx, int64_t work);

/* decide_which_log.h - "log": of the last deployment, or of the application?  Both are offered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"

/* Below a question: what the request's target means, or of all where it names nothing.  Who may
 * read none is denied it. */
void decide_which_log(struct tx *tx, const struct update *update, const struct request *request);

/* decide_history.h - what became of what a deployment has released, or of what was lent.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"
#include "store/row_deployment.h"

struct chat_history decide_history(struct tx *tx, const struct deployment *work);

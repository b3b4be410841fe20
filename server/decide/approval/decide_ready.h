/* decide_ready.h - an APPROVE line that nobody has to type, made for a request.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/approve_line.h"
#include "store/row_deployment.h"

/* The line that approves this work, with the ts of now; false: none was made for it. */
bool decide_ready_line(
    struct tx *tx, const struct deployment *work, char ret[APPROVE_LINE_SIZE]) MUST_USE;

/* Draws the work's nonce, where it has none, and says the line: behind a button that copies it, one
 * that approves, and one that makes it anew.  In that chat, where an earlier line of it is closed,
 * or as an answer over /v1. */
void
decide_ready_send(struct tx *tx, const struct chat_address *address, const struct deployment *work);

/* row_audit_line.h - which entries of the audit chats were sent as a day's line.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct audit_line_row {
	int64_t seq;
	char head[LIMIT_AUDIT_HEAD];
	int64_t at; /* wall ms, of that entry */
};

/* The newest of these entries that is there: what was sent of an end that was cut off since keeps
 * no chat from its next line.  0: none was sent yet. */
int64_t row_audit_line_newest(struct tx *tx);

/* Of one that stands there already nothing is changed. */
void row_audit_line_add(struct tx *tx, const struct audit_line_row *line);

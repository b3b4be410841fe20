/* qr.h - a short text as a QR code, for a terminal or as rows: the wrapper of libqrencode.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;

#define QR_TEXT_MAX 512

/* Half blocks, two rows of the code in a line, black on white whatever the terminal's colours. */
MUST_USE bool qr_terminal(const char *text, struct buf *out, struct err *err);

/* Each row of the code alone, from above: a 1 for each black module, a 0 for each white one.
 * Nothing where there is no code of it. */
typedef void qr_row_fn(void *ctx, const char *row);
void qr_rows(const char *text, qr_row_fn *each, void *ctx);

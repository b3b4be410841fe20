/* qr.h - a short text as a QR code, for a terminal or as a picture: the wrapper of libqrencode.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;

#define QR_TEXT_MAX 512

/* Half blocks, two rows of the code in a line, black on white whatever the terminal's colours. */
MUST_USE bool qr_terminal(const char *text, struct buf *out, struct err *err);

/* A PNG, 6 pixels for each module. */
MUST_USE bool qr_png(const char *text, struct buf *out, struct err *err);

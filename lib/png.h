/* png.h - a small picture in black and white as PNG (RFC 2083), not compressed.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;

#define PNG_SIDE_MAX 700 /* pixels: all of it is one block of deflate's, 65,535 bytes at most */

/* Appends a square of that many pixels; is_black is asked for each.  False: it is too large, or
 * *out is full. */
MUST_USE bool png_square(int side, bool (*is_black)(const void *ctx, int x, int y), const void *ctx,
    struct buf *out, struct err *err);

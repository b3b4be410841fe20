/* quote_lines.h - leaves `==> quote WORD` and `==> unquote WORD` out of a log.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/step_scan.h"

#define QUOTE_LINES_HELD (sizeof("==> unquote ") + STEP_SCAN_QUOTE) /* with its CR */

/* All zero is the state at the start of the output. */
struct quote_lines {
	bool mid_line;	/* the line that we are in is none of them */
	size_t len;
	char line[QUOTE_LINES_HELD]; /* of a line that may be one */
};

typedef void quote_lines_kept(void *ctx, const char *data, size_t len);

/* Calls back with all that stays, in order and in as many pieces as it takes.  What may be the
 * beginning of such a line is held back until it is known. */
void quote_lines_feed(
    struct quote_lines *lines, const char *data, size_t len, quote_lines_kept *kept, void *ctx);

/* The output has ended: what was held back stays, unless it is such a line. */
void quote_lines_end(struct quote_lines *lines, quote_lines_kept *kept, void *ctx);

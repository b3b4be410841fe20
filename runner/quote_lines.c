/* quote_lines.c - leaves `==> quote WORD` and `==> unquote WORD` out of a log.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/quote_lines.h"

#define MARK "==> "

static void
flush(struct quote_lines *lines, quote_lines_kept *kept, void *ctx)
{
	if (lines->len > 0)
		kept(ctx, lines->line, lines->len);
	lines->len = 0;
}

/* Can these bytes begin a quote's line? */
static bool
may_be_quote(const struct quote_lines *lines)
{
	size_t size = sizeof(MARK) - 1;

	return memcmp(lines->line, MARK, lines->len < size ? lines->len : size) == 0;
}

/* One byte of a line that may be a quote's. */
static void
take(struct quote_lines *lines, char c, quote_lines_kept *kept, void *ctx)
{
	if (c == '\n' && step_scan_is_quote(lines->line, lines->len)) {
		lines->len = 0;
		return;
	}
	if (c != '\n' && lines->len < sizeof(lines->line)) {
		lines->line[lines->len++] = c;
		if (may_be_quote(lines))
			return;
		lines->mid_line = true;
		flush(lines, kept, ctx);
		return;
	}
	lines->mid_line = c != '\n';
	flush(lines, kept, ctx);
	kept(ctx, &c, 1);
}

void
quote_lines_feed(
    struct quote_lines *lines, const char *data, size_t len, quote_lines_kept *kept, void *ctx)
{
	const char *end = data + len, *stop;

	while (data < end) {
		if (lines->mid_line || (lines->len == 0 && *data != '=')) {
			stop = step_scan_skip(data, end, &lines->mid_line);
			kept(ctx, data, (size_t)(stop - data));
			data = stop;
		} else {
			take(lines, *data++, kept, ctx);
		}
	}
}

void
quote_lines_end(struct quote_lines *lines, quote_lines_kept *kept, void *ctx)
{
	if (step_scan_is_quote(lines->line, lines->len))
		lines->len = 0;
	flush(lines, kept, ctx);
	lines->mid_line = false;
}

/* shell.c - quotes, and quotes within.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/shell.h"

#include "lib/buf.h"

void
shell_add_word(struct buf *out, const char *text)
{
	buf_adds(out, "'");
	for (; *text != '\0'; text++)
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	buf_adds(out, "'");
}

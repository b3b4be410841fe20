/* render_plain.c - marked text without its marks, and what all others are made by.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "notify/render.h"

#include "lib/text.h"

#define ENTITY 24 /* bytes that a letter takes at most */
#define MARK   16 /* that close a mark, and "…" */

static void
add_letter(struct buf *out, char c)
{
	buf_addc(out, c);
}

void
render_entity(struct buf *out, char c)
{
	if (c == '&')
		buf_adds(out, "&amp;");
	else if (c == '<')
		buf_adds(out, "&lt;");
	else if (c == '>')
		buf_adds(out, "&gt;");
	else
		buf_addc(out, c);
}

static void
close_mark(const struct render_as *as, unsigned *open, struct buf *out)
{
	buf_adds(out, as->close[*open] == NULL ? "" : as->close[*open]);
	*open = 0;
}

/* Of what is no UTF-8, or steers a terminal, nothing. */
void
render_text(const char *marked, const struct render_as *as, struct buf *out)
{
	size_t size = strlen(marked), begin = out->size;
	unsigned open = 0;

	for (size_t at = 0; at < size;) {
		unsigned c = (unsigned char)marked[at];
		uint32_t code = 0;
		size_t bytes = text_decode(marked + at, size - at, &code);

		if (c < COUNT(as->open)) {
			bool is_end = c == open;

			if (open != 0)
				close_mark(as, &open, out);
			if (!is_end) {
				open = c;
				buf_adds(out, as->open[c] == NULL ? "" : as->open[c]);
			}
		} else if (bytes > 0 && (code >= 0x20 || code == '\n') && code != 0x7f) {
			if (out->size - begin + ENTITY + MARK > as->most) {
				buf_adds(out, "…");
				break;
			}
			for (size_t i = 0; i < bytes; i++)
				as->letter(out, marked[at + i]);
		}
		at += bytes > 0 ? bytes : 1;
	}
	close_mark(as, &open, out);
}

void
render_plain(const char *marked, struct buf *out)
{
	static const struct render_as as = { .letter = add_letter, .most = SIZE_MAX };

	render_text(marked, &as, out);
}

void
render_subject(const char *marked, struct buf *out)
{
	size_t before = out->size, size;

	render_plain(marked, out);
	size = strcspn(buf_text(out) + before, "\r\n");
	buf_cut(out, before + size);
}

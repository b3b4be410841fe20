/* chat_text.c - marked text over a bounded buffer.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_text.h"

#include "lib/clean.h"
#include "lib/text.h"

void
chat_text_init(struct chat_text *text)
{
	buf_init(&text->buf, LIMIT_MESSAGE);
}

void
chat_text_add(struct chat_text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(&text->buf, fmt, args);
	va_end(args);
}

void
chat_text_outside(struct chat_text *text, const char *before, const char *outside)
{
	char line[512];

	buf_adds(&text->buf, before);
	buf_adds(&text->buf, clean_line(line, sizeof(line), outside, strlen(outside)));
}

void
chat_text_commit(struct chat_text *text, const char *before, const char *commit)
{
	chat_text_add(text, "%s" MARK_CODE "%.7s" MARK_CODE, before, commit);
}

void
chat_text_image(struct chat_text *text, const char *before, const char *image)
{
	const char *digest = strchr(image, ':');

	chat_text_add(
	    text, "%simage " MARK_CODE "%.7s…" MARK_CODE, before, digest == NULL ? "" : digest + 1);
}

void
chat_text_code(struct chat_text *text, const char *before, const char *outside)
{
	buf_adds(&text->buf, before);
	chat_text_outside(text, MARK_CODE, outside);
	buf_adds(&text->buf, MARK_CODE);
}

void
chat_text_ago(struct chat_text *text, const char *before, int64_t at, int64_t now)
{
	char age[TEXT_DURATION_SIZE];

	if (now - at < 1000)
		chat_text_add(text, "%sjust now", before);
	else
		chat_text_add(text, "%s%s ago", before, text_age(age, now - at));
}

void
chat_text_duration(struct chat_text *text, const char *before, int64_t ms)
{
	char duration[TEXT_DURATION_SIZE];

	chat_text_add(text, "%s%s", before, text_duration(duration, ms));
}

char *
chat_text_take(struct chat_text *text)
{
	return buf_take(&text->buf);
}

void
chat_text_plain(const char *marked, struct buf *out)
{
	for (; *marked != '\0'; marked++)
		if (strchr(MARK_BOLD MARK_CODE MARK_PRE MARK_ITALIC, *marked) == NULL)
			buf_addc(out, *marked);
}

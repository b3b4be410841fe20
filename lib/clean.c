/* clean.c - drops what could change how the rest is read.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/clean.h"

#include "lib/text.h"

#define ELLIPSIS "\xe2\x80\xa6"

bool
clean_is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x34f ||
	    code == 0x61c || code == 0x17b4 || code == 0x17b5 || code == 0x180e ||
	    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x2069) || code == 0xfeff ||
	    (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe007f);
}

/* Shown as nothing, or as a space of some width. */
static bool
is_filler(uint32_t code)
{
	return code == 0xa0 || code == 0x115f || code == 0x1160 || code == 0x1680 ||
	    (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
	    code == 0x2800 || code == 0x3000 || code == 0x3164 || code == 0xffa0;
}

static bool
is_blank(uint32_t code, bool keep_lines)
{
	return code == ' ' || code == '\t' || code == '\r' || code == 0x2028 || code == 0x2029 ||
	    is_filler(code) || (code == '\n' && !keep_lines);
}

static const char *
clean(char *out, size_t room, const char *text, size_t size, bool keep_lines)
{
	size_t used = 0;
	size_t fits = 0; /* where an ellipsis could still be put */
	bool blank = false;

	assert(room > sizeof(ELLIPSIS));
	for (size_t at = 0, n; at < size; at += n) {
		uint32_t code;
		size_t need;

		n = text_decode(text + at, size - at, &code);
		if (n == 0) {
			n = 1;
			continue;
		}
		if (is_blank(code, keep_lines)) {
			blank = used > 0 && out[used - 1] != '\n';
			continue;
		}
		if (code == '\n')
			blank = false;
		else if (clean_is_harmful(code))
			continue;
		need = n + (blank ? 1 : 0);
		if (used + need + 1 > room) {
			memcpy(out + fits, ELLIPSIS, sizeof(ELLIPSIS));
			return out;
		}
		if (blank)
			out[used++] = ' ';
		blank = false;
		memcpy(out + used, text + at, n);
		used += n;
		if (used + sizeof(ELLIPSIS) <= room)
			fits = used;
	}
	while (used > 0 && out[used - 1] == '\n')
		used--;
	out[used] = '\0';
	return out;
}

const char *
clean_line(char *out, size_t room, const char *text, size_t size)
{
	return clean(out, room, text, size, false);
}

const char *
clean_text(char *out, size_t room, const char *text, size_t size)
{
	return clean(out, room, text, size, true);
}

bool
clean_is_utf8(const char *text, size_t size)
{
	uint32_t code;

	for (size_t n; size > 0; text += n, size -= n) {
		n = text_decode(text, size, &code);
		if (n == 0)
			return false;
	}
	return true;
}

void
clean_bytes(char *text)
{
	uint32_t code;

	for (size_t size = strlen(text), n; size > 0; text += n, size -= n) {
		n = text_decode(text, size, &code);
		if (n == 0) {
			*text = '?';
			n = 1;
		}
	}
}

size_t
clean_quote(const char *at)
{
	static const char *const quotes[] = { "\"", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
		"\xe2\x80\x9f",					/* U+201C-201F */
		"\xe2\x80\xb3", "\xe2\x80\xb6", "\xca\xba",	/* double primes */
		"\xef\xbc\x82",					/* full-width */
		"\xe2\x9d\x9d", "\xe2\x9d\x9e",			/* ornaments */
		"\xe3\x80\x9d", "\xe3\x80\x9e", "\xe3\x80\x9f", /* U+301D-301F */
		"\xc2\xab", "\xc2\xbb" };			/* guillemets */

	for (size_t i = 0; i < COUNT(quotes); i++)
		if (strncmp(at, quotes[i], strlen(quotes[i])) == 0)
			return strlen(quotes[i]);
	return 0;
}

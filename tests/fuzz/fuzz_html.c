/* fuzz_html.c - a message as Telegram's HTML: it parses, it fits, it says the text.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Input: head and live, with a byte 0x1f between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/text.h"
#include "telegram/telegram_body.h"
#include "telegram/telegram_html.h"
#include "tests/fuzz/fuzz.h"
#include "lib/clean.h"
#include "types/message.h"

#define BETWEEN 0x1f

static const char *
take_entity(const char *html, struct buf *out)
{
	static const struct {
		const char *entity;
		char shown;
	} entities[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' } };

	for (size_t i = 0; i < COUNT(entities); i++) {
		if (!text_starts(html, entities[i].entity))
			continue;
		buf_addc(out, entities[i].shown);
		return html + strlen(entities[i].entity);
	}
	abort(); /* an open '&' */
}

/* *open: the name of the tag that is open, or NULL. */
static const char *
take_tag(const char *html, const char **open)
{
	static const char *const names[] = { "b", "i", "code", "pre", "blockquote expandable" };
	char tag[32];

	for (size_t i = 0; i < COUNT(names); i++) {
		bool closes = *open != NULL;

		(void)snprintf(tag, sizeof(tag), "<%s%.*s>", closes ? "/" : "",
		    (int)(closes ? strcspn(names[i], " ") : strlen(names[i])), names[i]);
		if (!text_starts(html, tag) || (closes && strcmp(*open, names[i]) != 0))
			continue;
		*open = closes ? NULL : names[i];
		return html + strlen(tag);
	}
	abort(); /* a tag that is none, nests, or closes another */
}

/* As Telegram reads it; what is shown is written to out. */
static void
read_html(const char *html, struct buf *out)
{
	const char *open = NULL;

	while (*html != '\0') {
		if (*html == '<') {
			html = take_tag(html, &open);
		} else if (*html == '&') {
			html = take_entity(html, out);
		} else {
			assert(*html != '>' && *html != '"');
			buf_addc(out, *html++);
		}
	}
	assert(open == NULL);
}

/* The JSON that carries it says the same. */
static void
check_body(const char *html)
{
	struct message message = { .head = (char[]){ "" } };
	struct telegram_body body = { .message = &message, .text = html, .is_html = true };
	struct json *root;
	struct buf out;

	buf_init(&out, TELEGRAM_BODY_MAX);
	telegram_body_message(&body, &out);
	assert(!buf_failed(&out));
	root = json_decode(out.data, out.size, NULL);
	assert(root != NULL && json_get_str(root, "text") != NULL);
	assert(strcmp(json_get_str(root, "text"), html) == 0);
	json_free(root);
	buf_done(&out);
}

static bool
shows_something(const char *text)
{
	return text[strspn(text, " \n")] != '\0';
}

static void
check(const struct telegram_html_parts *parts, size_t units)
{
	struct buf html, plain, shown;

	buf_init(&html, TELEGRAM_BODY_MAX);
	buf_init(&plain, TELEGRAM_BODY_MAX);
	buf_init(&shown, TELEGRAM_BODY_MAX);
	telegram_html_render(parts, units, &html);
	telegram_html_plain(parts, units, &plain);
	read_html(buf_text(&html), &shown);
	fuzz_same(&shown, &plain);
	assert(clean_is_utf8(buf_text(&plain), plain.size));
	assert(text_utf16_length(buf_text(&plain), plain.size) <= units);
	assert(shows_something(buf_text(&plain)));
	check_body(buf_text(&html));
	buf_done(&html);
	buf_done(&plain);
	buf_done(&shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text[2] = { NULL };
	uint64_t seed = fuzz_seed(data, size);

	for (size_t i = 0; i < COUNT(text); i++) {
		const uint8_t *end = size == 0 ? NULL : memchr(data, BETWEEN, size);
		size_t part = end == NULL || i == 1 ? size : (size_t)(end - data);

		text[i] = fuzz_string(data, part);
		data += part < size ? part + 1 : part;
		size -= part < size ? part + 1 : part;
	}
	struct telegram_html_parts parts = { text[0], text[1] };

	check(&parts, TELEGRAM_HTML_TEXT_MAX);
	check(&parts, 1 + fuzz_draw(&seed) % 64);
	for (size_t i = 0; i < COUNT(text); i++)
		free(text[i]);
	return 0;
}

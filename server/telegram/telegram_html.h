/* telegram_html.h - a message's marked text as Telegram's HTML, within its limits.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * head and live are marked text (types/message.h), joined by a newline where neither is empty.
 * What is too long is shortened: first live (whole lines from its beginning), then the end of
 * head; "…" stands for what is missing from head.  No tag, entity or character is ever cut in
 * two, and tags always balance.
 */
#pragma once

#include "lib/base.h"

struct buf;

#define TELEGRAM_HTML_TEXT_MAX		4096	/* UTF-16 units after entities */
#define TELEGRAM_HTML_CAPTION_MAX	1024

struct telegram_html_parts {
	const char *head;	/* NULL: "" */
	const char *live;
};

/* Appends at most `units` UTF-16 units of text as HTML; "…" where there is no visible text, which
 * Telegram refuses.  Failures are out's. */
void telegram_html_render(const struct telegram_html_parts *parts, size_t units, struct buf *out);

/* The same without tags and entities: for when Telegram cannot parse what we made. */
void telegram_html_plain(const struct telegram_html_parts *parts, size_t units, struct buf *out);

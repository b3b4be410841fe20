/* telegram_body.h - the arguments of the methods that send and edit messages, as JSON.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/effect.h"

struct buf;

/* What a body may take: 4,096 characters, each escaped and in a tag of its own, and buttons. */
#define TELEGRAM_BODY_MAX	((size_t)256 * 1024)

struct telegram_body {
	const struct message *message;
	const char *text;	/* HTML, or plain text */
	bool is_html;
	bool is_silent;		/* sendMessage: without a notification */
	bool is_edit;		/* editMessageText of message->remote_id, else sendMessage */
};

/* Appends it.  Failures are out's. */
void telegram_body_message(const struct telegram_body *body, struct buf *out);
void telegram_body_toast(const struct effect_toast *toast, struct buf *out);

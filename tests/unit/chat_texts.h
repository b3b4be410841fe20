/* chat_texts.h - what a test makes a chat say is kept for reading: `make chat-texts`.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <errno.h>
#include <jansson.h>

#include "types/message.h"
#include "unit.h"

#define CHAT_TEXTS_MAX (4L << 20) /* one may say the same thousands of times */

/* Appends it to this program's file in the folder that $CHAT_TEXTS names, a line of JSON; nothing
 * where none is named. */
static inline void
chat_texts_keep(const struct message *message)
{
	const char *folder = getenv("CHAT_TEXTS");
	json_t *labels, *kept;
	char path[4096];
	FILE *file;

	if (folder == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, program_invocation_short_name);
	labels = json_array();
	for (size_t i = 0; i < message->buttons.n; i++)
		json_array_append_new(labels, json_string(message->buttons.at[i].label));
	kept = json_pack("{s:b, s:s, s:o}", "rings", !message->is_silent && message->remote_id == 0,
	    "text", message->head, "buttons", labels);
	file = fopen(path, "a");
	assert_non_null(kept);
	assert_non_null(file);
	if (ftell(file) < CHAT_TEXTS_MAX) {
		assert_int_equal(json_dumpf(kept, file, JSON_COMPACT), 0);
		(void)fputc('\n', file);
	}
	assert_int_equal(fclose(file), 0);
	json_decref(kept);
}

/* fuzz_link.c - frames and words of channel 0: what is read is in bounds, and written the same.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "link/link_frame.h"
#include "tests/fuzz/fuzz.h"

static void
check_word(const char *packet, size_t size, enum link_sender from)
{
	char written[LINK_WORD_MAX], again[LINK_WORD_MAX];
	struct link_word first, second;
	struct err err = { .text = "" };
	size_t len;

	if (!link_word_read(packet, size, from, &first, &err)) {
		assert(err.text[0] != '\0');
		return;
	}
	assert(first.bytes <= LINK_WINDOW && first.channel <= UINT32_MAX && first.channel >= 0);
	len = link_word_write(&first, written);
	assert(link_word_read(written, len, from, &second, &err));
	assert(link_word_write(&second, again) == len && memcmp(written, again, len) == 0);
}

/* Each frame of a stream is within it, and has the head that is written for it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	enum link_frame_state state = LINK_FRAME_WHOLE;
	char head[LINK_FRAME_HEAD];
	struct link_frame frame;

	check_word(at, size, LINK_OF_HOST);
	check_word(at, size, LINK_OF_SERVER);
	while ((state = link_frame_read(at, (size_t)(end - at), &frame)) == LINK_FRAME_WHOLE) {
		assert(frame.size >= 1 && frame.size <= PROTOCOL_PACKET_MAX);
		assert(frame.packet == at + LINK_FRAME_HEAD &&
		    frame.size <= (size_t)(end - frame.packet));
		link_frame_head(head, frame.channel, frame.size);
		assert(memcmp(head, at, sizeof(head)) == 0);
		check_word(frame.packet, frame.size, LINK_OF_HOST);
		at = frame.packet + frame.size;
	}
	assert(
	    state != LINK_FRAME_PART || (size_t)(end - at) < LINK_FRAME_HEAD + PROTOCOL_PACKET_MAX);
	return 0;
}

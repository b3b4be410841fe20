/* fuzz_protocol.c - the packets of server, runner and supervisors: what is read is written the same.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "runner/protocol.h"
#include "tests/fuzz/fuzz.h"

static void
encode(const struct protocol_message *message, char packet[PROTOCOL_PACKET_MAX], size_t *ret_size)
{
	struct err err = { .text = "" };

	assert(protocol_encode(message, packet, PROTOCOL_PACKET_MAX, ret_size, &err));
}

/* A record that was read has room in its file. */
static void
check_record(const struct protocol_message *message)
{
	static char room[PROTOCOL_RECORD_BYTES];
	size_t size;

	if (message->kind == PROTOCOL_EXIT)
		assert(protocol_encode(message, room, sizeof(room), &size, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct protocol_message first, second;
	static char packet[PROTOCOL_PACKET_MAX], again[PROTOCOL_PACKET_MAX];
	struct err err = { .text = "" };
	size_t packet_size, again_size;

	if (!protocol_decode((const char *)data, size, &first, &err)) {
		assert(err.text[0] != '\0');
		return 0;
	}
	encode(&first, packet, &packet_size);
	check_record(&first);
	assert(protocol_decode(packet, packet_size, &second, &err));
	assert(first.body_len == second.body_len);
	assert(first.body_len == 0 || memcmp(first.body, second.body, first.body_len) == 0);
	encode(&second, again, &again_size);
	assert(packet_size == again_size && memcmp(packet, again, packet_size) == 0);
	first.body = second.body = NULL;
	assert(memcmp(&first, &second, sizeof(first)) == 0);
	return 0;
}

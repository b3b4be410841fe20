/* protocol_work.c - what a message has that is signed, and the hosts of a run.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/protocol.h"

#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/sha256.h"
#include "lib/text.h"

static bool
is_group(const char *line)
{
	const char *release = line + strlen(PROTOCOL_GROUP);

	return strcmp(release, PROTOCOL_GROUP_NONE) == 0 || protocol_is_release(release);
}

bool
protocol_are_hosts(const char *body, size_t len)
{
	const char *at = body, *end = body + len;
	bool is_grouped = false, was_group = false;
	char line[HOST_TEXT];
	size_t count = 0;

	while (host_lines_next(&at, end, line)) {
		bool is_new = text_starts(line, PROTOCOL_GROUP);

		if (is_new ? was_group || (count > 0 && !is_grouped) || !is_group(line) :
			     !host_is_plain(line))
			return false;
		is_grouped |= is_new;
		was_group = is_new;
		count += !is_new;
	}
	return at == end && !was_group && count >= 1 && count <= HOST_LINES_MAX;
}

const char *
protocol_work(const struct protocol_message *message, char ret[PROTOCOL_WORK])
{
	CLEANUP(freep) struct protocol_message *work = mem_copy(message, sizeof(*message));
	char packet[PROTOCOL_PACKET_MAX];
	uint8_t digest[SHA256_SIZE];
	size_t size = 0;

	work->id = work->deadline_s = 1; /* these have to be there */
	work->grace_s = 0;
	work->tag[0] = work->fingerprint[0] = '\0';
	work->proof = (struct protocol_proof){ .epoch = 0 };
	ret[0] = '\0';
	if (protocol_encode(work, packet, sizeof(packet), &size, NULL)) {
		sha256(packet, size, digest);
		text_hex(ret, digest, sizeof(digest));
	}
	return ret;
}

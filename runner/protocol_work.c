/* protocol_work.c - what of a message is signed.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/protocol.h"

#include "lib/mem.h"
#include "lib/sha256.h"
#include "lib/text.h"

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

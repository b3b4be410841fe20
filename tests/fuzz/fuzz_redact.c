/* fuzz_redact.c - a secret that was registered never comes out, wherever the text was cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Input: secrets, each with a byte 0x1e behind it, and the text. */
#include <stdlib.h>
#include <string.h>

#include "lib/redact.h"
#include "tests/fuzz/fuzz.h"

#define BEHIND_SECRET 0x1e
#define SECRETS_MAX   8

static size_t
take_secrets(const uint8_t **data, size_t *size, char *secrets[SECRETS_MAX], struct redact *redact)
{
	size_t count = 0;

	while (count<SECRETS_MAX && * size> 0) {
		const uint8_t *end = memchr(*data, BEHIND_SECRET, *size);
		size_t length;

		if (end == NULL)
			break;
		length = (size_t)(end - *data);
		secrets[count] = fuzz_string(*data, length);
		if (strlen(secrets[count]) <= REDACT_VALUE_MAX)
			assert(redact_add(redact, secrets[count], NULL));
		count++;
		*data += length + 1;
		*size -= length + 1;
	}
	return count;
}

static void
redact_pieces(struct redact *redact, const uint8_t *data, size_t size, struct buf *out)
{
	struct redact_stream *stream = redact_stream_new(redact, NULL);
	uint64_t seed = fuzz_seed(data, size);

	assert(stream != NULL);
	for (size_t at = 0, n; at < size; at += n) {
		n = fuzz_piece(&seed, size - at);
		redact_stream_add(stream, (const char *)data + at, n, out);
	}
	redact_stream_end(stream, out);
	redact_stream_free(stream);
}

/* A secret with a '*' may be made of a mark and what stands beside it: nobody is told anything. */
static bool
must_be_gone(const char *secret)
{
	return strlen(secret) >= REDACT_VALUE_MIN && strlen(secret) <= REDACT_VALUE_MAX &&
	    strchr(secret, '*') == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redact *redact = redact_new(NULL);
	char *secrets[SECRETS_MAX];
	size_t count, cap = 3 * size + 16;
	struct buf whole, pieces;

	assert(redact != NULL);
	buf_init(&whole, cap);
	buf_init(&pieces, cap);
	count = take_secrets(&data, &size, secrets, redact);
	redact_text(redact, (const char *)data, size, &whole);
	redact_pieces(redact, data, size, &pieces);
	fuzz_same(&whole, &pieces);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(secrets[i]);

		assert(!must_be_gone(secrets[i]) ||
		    memmem(buf_text(&whole), whole.size, secrets[i], length) == NULL);
		free(secrets[i]);
	}
	redact_free(redact);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}

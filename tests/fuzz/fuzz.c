/* fuzz.c - what the fuzz harnesses share.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/text.h"

char *
fuzz_string(const uint8_t *data, size_t size)
{
	size_t length = size == 0 ? 0 : strnlen((const char *)data, size);
	char *text = malloc(length + 1);

	assert(text != NULL);
	if (length > 0)
		memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

bool
fuzz_is_clean(const char *text, bool has_lines)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t code;
		size_t bytes = text_decode(text, left, &code);

		if (bytes == 0 || (clean_is_harmful(code) && !(has_lines && code == '\n')))
			return false;
		text += bytes;
		left -= bytes;
	}
	return true;
}

/* FNV-1a */
uint64_t
fuzz_seed(const uint8_t *data, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint32_t
fuzz_draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

size_t
fuzz_piece(uint64_t *seed, size_t left)
{
	size_t most = fuzz_draw(seed) % 4 == 0 ? 300 : 4;
	size_t size = 1 + fuzz_draw(seed) % most;

	return size < left ? size : left;
}

void
fuzz_same(const struct buf *a, const struct buf *b)
{
	assert(!buf_failed(a) && !buf_failed(b));
	assert(a->size == b->size);
	assert(memcmp(buf_text(a), buf_text(b), a->size) == 0);
}

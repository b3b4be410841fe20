/* fuzz_seal.c - what was sealed opens in its place, unchanged, and nothing else opens.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/seal.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define SIZE 52 /* of a factor's secret */

static const struct seal_keys keys = {
	.count = 2,
	.key = { { .id = "0badcafe", .key = "the first of two keys, 32 bytes" },
	    { .id = "0ddba11e", .key = "the second one, to change it 32" } },
};

/* As those who attack the database have it: any text in any row. */
static void
open_any(const char *text)
{
	uint8_t out[SIZE], again[SIZE];
	struct err err = { 0 };

	if (!seal_open(&keys, "factor/42", text, out, SIZE, &err)) {
		assert(
		    err.code == ERR_MISSING || err.code == ERR_INVALID || err.code == ERR_DENIED);
		return;
	}
	assert(strlen(text) < SEAL_TEXT);
	assert(!seal_open(&keys, "factor/43", text, again, SIZE, NULL));
	assert(!seal_open(&keys, "pad/42", text, again, SIZE, NULL));
	assert(!seal_open(&keys, "factor/42", text, again, SIZE - 1, NULL));
	assert(seal_is_old(&keys, text) == !text_starts(text, "v1:0badcafe:"));
}

static void
seal_any(const uint8_t *data, size_t size)
{
	uint64_t seed = fuzz_seed(data, size);
	uint8_t nonce[SEAL_NONCE], out[SEAL_MAX];
	char text[SEAL_TEXT], was;
	size_t at;

	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)fuzz_draw(&seed);
	assert(seal_close(&keys, "factor/42", nonce, data, size, text, NULL));
	assert(
	    seal_open(&keys, "factor/42", text, out, size, NULL) && memcmp(out, data, size) == 0);
	at = fuzz_draw(&seed) % strlen(text);
	was = text[at];
	text[at] = (char)(1 + fuzz_draw(&seed) % 255);
	/* A digit of another case is the same digit. */
	assert(tolower((unsigned char)text[at]) == tolower((unsigned char)was) ||
	    !seal_open(&keys, "factor/42", text, out, size, NULL));
	text[at] = '\0';
	assert(!seal_open(&keys, "factor/42", text, out, size, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	open_any(text);
	if (size <= SEAL_MAX)
		seal_any(data, size);
	free(text);
	return 0;
}

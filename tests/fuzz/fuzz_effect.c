/* fuzz_effect.c - an effect's row, read as each kind and written back.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "types/effect_codec.h"

static void
check(enum effect_kind kind, const char *body)
{
	struct err err = { .text = "" };
	struct effect *effect = effect_codec_decode(kind, body, &err), *again;
	struct buf first, second;

	if (effect == NULL) {
		assert(err.text[0] != '\0');
		return;
	}
	assert(effect->kind == kind && effect->result != NULL);
	buf_init(&first, EFFECT_BODY_MAX);
	buf_init(&second, EFFECT_BODY_MAX);
	effect_codec_encode(effect, &first);
	again = effect_codec_decode(kind, buf_text(&first), &err);
	assert(again != NULL);
	effect_codec_encode(again, &second);
	fuzz_same(&first, &second);
	effect_free(effect);
	effect_free(again);
	buf_done(&first);
	buf_done(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = fuzz_string(data, size);

	for (int kind = 0; kind < EFFECT_KIND_COUNT; kind++)
		check((enum effect_kind)kind, body);
	(void)effect_codec_kind(body);
	free(body);
	return 0;
}

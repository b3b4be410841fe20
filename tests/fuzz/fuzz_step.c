/* fuzz_step.c - `==> name` lines: the same steps wherever the output was cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/text.h"
#include "runner/step_scan.h"
#include "tests/fuzz/fuzz.h"

static void
on_step(void *ctx, enum step_scan_kind kind, const char *name)
{
	size_t size = strlen(name);

	if (kind == STEP_SCAN_IMAGE) {
		assert(protocol_is_image(name));
		buf_adds(ctx, name);
		buf_addc(ctx, '!');
		return;
	}
	if (kind == STEP_SCAN_HOST) { /* its name is as it was said */
		assert(size < STEP_SCAN_HOST_TEXT && strchr(name, ' ') != NULL);
		buf_adds(ctx, name);
		buf_addc(ctx, '@');
		return;
	}
	assert(size > 0 &&
	    size <= (kind == STEP_SCAN_WARNING ? PROTOCOL_WARNING : PROTOCOL_STEP_NAME));
	assert(name[0] != ' ' && name[size - 1] != ' ');
	for (size_t i = 0; i < size; i++)
		assert((unsigned char)name[i] >= 0x20 && name[i] != 0x7f);
	buf_adds(ctx, name);
	buf_addc(ctx, kind == STEP_SCAN_WARNING ? '?' : '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step_scan whole, pieces;
	uint64_t seed = fuzz_seed(data, size);
	struct buf one, many;

	buf_init(&one, size + 1);
	buf_init(&many, size + 1);
	step_scan_init(&whole, NULL);
	step_scan_init(&pieces, NULL);
	whole.has_hosts = pieces.has_hosts = (seed & 1) != 0;
	step_scan_feed(&whole, (const char *)data, size, on_step, &one);
	for (size_t at = 0, n; at < size; at += n) {
		n = fuzz_piece(&seed, size - at);
		step_scan_feed(&pieces, (const char *)data + at, n, on_step, &many);
	}
	fuzz_same(&one, &many);
	buf_done(&one);
	buf_done(&many);
	buf_done(&whole.safe);
	buf_done(&pieces.safe);
	return 0;
}

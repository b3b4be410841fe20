/* fuzz_run_clean.c - a program's output: plain text, wherever it was cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "runs/run_clean.h"
#include "tests/fuzz/fuzz.h"

#define WRAP 16

static void
clean_whole(const void *data, size_t size, struct buf *out)
{
	struct run_clean clean;

	run_clean_init(&clean);
	run_clean_add(&clean, data, size, out);
	run_clean_end(&clean, out);
}

static void
clean_pieces(const uint8_t *data, size_t size, struct buf *out)
{
	uint64_t seed = fuzz_seed(data, size);
	struct run_clean clean;

	run_clean_init(&clean);
	for (size_t at = 0, n; at < size; at += n) {
		n = fuzz_piece(&seed, size - at);
		run_clean_add(&clean, (const char *)data + at, n, out);
	}
	run_clean_end(&clean, out);
}

/* No line is wider than asked for, but for the rest of its last character; nothing else changes. */
static void
check_wrap(const struct buf *text)
{
	struct run_wrap whole = { .max = WRAP }, pieces = { .max = WRAP };
	uint64_t seed = text->size;
	struct buf one, many;
	size_t width = 0, from = 0;

	buf_init(&one, 2 * text->size + 1);
	buf_init(&many, 2 * text->size + 1);
	run_wrap_add(&whole, buf_text(text), text->size, &one);
	for (size_t at = 0, n; at < text->size; at += n) {
		n = fuzz_piece(&seed, text->size - at);
		run_wrap_add(&pieces, text->data + at, n, &many);
	}
	fuzz_same(&one, &many);
	for (size_t i = 0; i < one.size; i++) {
		width = one.data[i] == '\n' ? 0 : width + 1;
		assert(width <= WRAP + 3);
		if (from < text->size && one.data[i] == text->data[from])
			from++;
		else
			assert(one.data[i] == '\n');
	}
	assert(from == text->size);
	buf_done(&one);
	buf_done(&many);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces, again;

	buf_init(&whole, 2 * size + 16);
	buf_init(&pieces, 2 * size + 16);
	buf_init(&again, 2 * size + 16);
	clean_whole(data, size, &whole);
	clean_pieces(data, size, &pieces);
	fuzz_same(&whole, &pieces);
	assert(strlen(buf_text(&whole)) == whole.size && fuzz_is_clean(buf_text(&whole), true));
	assert(whole.size <= size + size / RUN_CLEAN_LINE);
	clean_whole(buf_text(&whole), whole.size, &again);
	fuzz_same(&whole, &again);
	check_wrap(&whole);
	buf_done(&whole);
	buf_done(&pieces);
	buf_done(&again);
	return 0;
}

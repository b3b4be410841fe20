/* redact_aid.c - compares both ways.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/redact_aid.h"

#include "lib/buf.h"
#include "lib/redact.h"
#include "unit.h"

/* The whole at once, where AddressSanitizer lets nothing behind it be read, and byte by byte. */
void
redact_check_bytes(
    struct redact *r, const char *text, size_t size, const char *want, size_t want_size)
{
	struct redact_stream *s = redact_stream_new(r, false);
	char *bare = malloc(size + (size == 0));
	struct buf out;

	assert_non_null(bare);
	memcpy(bare, text, size);
	buf_init(&out, 65536);
	redact_text(r, bare, size, &out);
	free(bare);
	assert_int_equal(out.size, want_size);
	assert_memory_equal(buf_text(&out), want, want_size);
	buf_clear(&out);
	for (size_t i = 0; i < size; i++)
		redact_stream_add(s, text + i, 1, &out);
	redact_stream_end(s, &out);
	assert_int_equal(out.size, want_size);
	assert_memory_equal(buf_text(&out), want, want_size);
	buf_done(&out);
	redact_stream_free(s);
}

void
redact_check(struct redact *r, const char *text, const char *want)
{
	redact_check_bytes(r, text, strlen(text), want, strlen(want));
}

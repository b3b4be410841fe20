/* fuzz_cloudflare.c - an answer of Cloudflare's is believed only where it says all of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/cloudflare_answer.h"
#include "tests/fuzz/fuzz.h"

/* Three lines and the rest: the status, the level that was to be set (empty: it was asked for),
 * Retry-After, the body. */
struct input {
	char *line[3];
	const char *body;
	size_t size;
};

static int
status_of(const char *text)
{
	int status = 0;

	for (size_t i = 0; i < 3 && text[i] >= '0' && text[i] <= '9'; i++)
		status = status * 10 + (text[i] - '0');
	return status;
}

static void
check(int status, const char *wanted, const struct cloudflare_answer *answer)
{
	assert(fuzz_is_clean(answer->detail, false));
	assert((answer->verdict == CLOUDFLARE_DONE) == (answer->value[0] != '\0'));
	assert(answer->verdict == CLOUDFLARE_DONE || answer->detail[0] != '\0' || status == 0);
	if (answer->verdict == CLOUDFLARE_DONE) {
		assert(status == 200 && cloudflare_level_text(answer->value) != NULL);
		assert(wanted == NULL || strcmp(answer->value, wanted) == 0);
	}
	if (answer->verdict == CLOUDFLARE_BUSY)
		assert(answer->retry_after_s >= 1 && answer->retry_after_s <= 3600);
	/* What may have been done is never said to be refused. */
	assert(answer->verdict != CLOUDFLARE_REFUSED || (status >= 400 && status < 500) ||
	    status == 200);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { 0 };
	struct cloudflare_answer answer;
	size_t at = 0;
	int status;

	for (size_t i = 0; i < COUNT(in.line); i++) {
		const uint8_t *end = size == at ? NULL : memchr(data + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - (data + at));

		in.line[i] = fuzz_string(data + at, length);
		at += length + (end != NULL);
	}
	in.body = (const char *)data + at;
	in.size = size - at;
	status = status_of(in.line[0]);
	answer = cloudflare_judge(status, in.body, in.size,
	    in.line[2][0] != '\0' ? in.line[2] : NULL, in.line[1][0] != '\0' ? in.line[1] : NULL);
	check(status, in.line[1][0] != '\0' ? in.line[1] : NULL, &answer);
	for (size_t i = 0; i < COUNT(in.line); i++)
		free(in.line[i]);
	return 0;
}

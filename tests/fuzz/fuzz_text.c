/* fuzz_text.c - numbers, sizes, times and cuts of text from outside.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "lib/clean.h"

#define FIRST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z */
#define LAST_MS	 INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static void
check_numbers(const char *text)
{
	int64_t number, size;
	char again[24];
	bool flag;

	if (text_to_i64(text, INT64_MIN, INT64_MAX, &number, NULL)) {
		(void)snprintf(again, sizeof(again), "%" PRId64, number);
		assert(strcmp(again, text) == 0 || strcmp(text, "-0") == 0);
	}
	if (text_to_size(text, INT64_MAX, &size, NULL))
		assert(size >= 0);
	if (text_to_bool(text, &flag, NULL))
		assert(strlen(text) <= 5);
}

/* As the C library reads it. */
static void
check_time(int64_t at)
{
	char out[TEXT_TIME_SIZE];
	struct tm tm = { 0 };
	const char *rest;
	char *end;
	long ms;

	rest = strptime(text_time_ms(out, at), "%Y-%m-%dT%H:%M:%S", &tm);
	assert(rest != NULL && rest[0] == '.' && rest[1] != '-');
	ms = strtol(rest + 1, &end, 10);
	assert(end == rest + 4 && strcmp(end, "Z") == 0);
	assert((int64_t)timegm(&tm) * 1000 + ms == at);
}

/* What a cut leaves is whole, fits, and could not be longer by a character. */
static void
check_cuts(const uint8_t *data, size_t size, size_t most)
{
	const char *text = (const char *)data;
	size_t bytes = text_cut(text, size, most), units = text_utf16_cut(text, size, most);

	assert(bytes <= size && bytes <= most && units <= size);
	assert(text_utf16_length(text, units) <= most);
	if (clean_is_utf8(text, size)) {
		assert(clean_is_utf8(text, bytes) && clean_is_utf8(text, units));
		assert(bytes == size || most - bytes < 4);
		assert(units == size || most - text_utf16_length(text, units) < 2);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "staging", "production", "TELEGRAM_BOT_TOKEN" };
	uint64_t seed = fuzz_seed(data, size);
	char *text = fuzz_string(data, size);

	check_numbers(text);
	check_time(FIRST_MS + (int64_t)(fuzz_draw(&seed) % (uint64_t)(LAST_MS - FIRST_MS)));
	check_cuts(data, size, fuzz_draw(&seed) % (size + 2));
	(void)text_nearest(text, names, COUNT(names));
	assert(text_distance(text, text) == 0);
	free(text);
	return 0;
}

/* fuzz_xml.c - whatever S3 answers in XML: a version, a lock and an error are whole or are none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/s3_answer.h"
#include "clients/s3_versions.h"
#include "lib/err.h"
#include "lib/text.h"
#include "lib/xml.h"
#include "tests/fuzz/fuzz.h"
#include "lib/clean.h"

#define ENDS_ENOUGH 1000

struct seen {
	size_t starts, ends, depth;
	char path[XML_PATH_MAX + 1];
};

static size_t
parts(const char *path)
{
	size_t n = 1;

	for (; (path = strchr(path, '/')) != NULL; path++)
		n++;
	return n;
}

static bool
on_start(void *ctx, const char *path, UNUSED struct err *err)
{
	struct seen *seen = ctx;

	seen->starts++;
	seen->depth++;
	assert(seen->depth <= XML_DEPTH_MAX && parts(path) == seen->depth);
	assert(text_starts(path, seen->path));
	assert(text_copy(seen->path, sizeof(seen->path), path));
	return true;
}

/* Of the element that is open, and no longer one's child. */
static bool
on_end(void *ctx, const char *path, const char *text, struct err *err)
{
	struct seen *seen = ctx;
	char *slash = strrchr(seen->path, '/');

	assert(strcmp(path, seen->path) == 0 && strlen(text) <= XML_TEXT_MAX);
	assert(clean_is_utf8(text, strlen(text)));
	seen->ends++;
	seen->depth--;
	*(slash == NULL ? seen->path : slash) = '\0';
	return seen->ends < ENDS_ENOUGH || err_set(err, ERR_LIMIT, "enough");
}

static void
read_any(const char *xml, size_t size)
{
	static const struct xml_reader reader = { .on_start = on_start, .on_end = on_end };
	struct seen seen = { 0 };
	struct err err = { 0 };

	if (xml_read(xml, size, &reader, &seen, &err))
		assert(seen.depth == 0 && seen.starts == seen.ends && seen.starts > 0);
	else
		assert(err.code != ERR_NONE && err.text[0] != '\0');
}

static void
read_versions(const char *xml, size_t size)
{
	struct s3_versions all = { 0 };
	struct err err = { 0 };

	if (s3_versions_read(&all, xml, size, &err)) {
		assert(!all.is_truncated || all.next_key[0] != '\0');
		/* The same page again leads nowhere. */
		assert(!s3_versions_read(&all, xml, size, &err) || !all.is_truncated);
	}
	for (size_t i = 0; i < all.n; i++)
		assert(all.at[i].key != NULL && all.at[i].version != NULL && all.at[i].at != 0);
	s3_versions_sort(&all);
	for (size_t i = 1; i < all.n; i++)
		assert(strcmp(all.at[i - 1].key, all.at[i].key) <= 0);
	s3_versions_done(&all);
}

/* An answer's body proves nothing by itself, and nothing of it moves a cursor. */
static void
judge(const char *xml, size_t size)
{
	static const int statuses[] = { 200, 403, 409, 412, 500 };

	for (size_t i = 0; i < COUNT(statuses); i++) {
		const struct s3_put_answer answer = { .status = statuses[i],
			.checksum = "sum",
			.version = "1",
			.body = xml,
			.body_size = size };
		struct witness_answer judged = s3_judge_put(&answer, "sum", false);

		assert((judged.verdict == WITNESS_CONFIRMED) == (statuses[i] == 200 && size == 0));
		assert(fuzz_is_clean(judged.detail, false));
		(void)s3_refuses_credentials(&answer);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *xml = (const char *)data;
	struct s3_lock lock;
	struct err err = { 0 };
	char said[240];

	read_any(xml, size);
	read_versions(xml, size);
	if (s3_lock_read(&lock, xml, size, &err))
		assert(lock.mode[0] != '\0' && lock.until != 0);
	assert(fuzz_is_clean(s3_error_read(xml, size, said, sizeof(said)), false));
	judge(xml, size);
	return 0;
}

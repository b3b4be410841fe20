/* fuzz_judge.c - any bytes as a compose file, or what compose makes of one: a verdict, plain paths.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "judge/judge.h"
#include "lib/err.h"
#include "tests/fuzz/fuzz.h"

/* A path has neither blanks nor variables, and one of a text leads nowhere else by itself; the
 * variables of a text have plain names. */
static void
look_at(const char *line, bool is_text)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/@:+-";
	const char *path = strchr(line, '\t');
	size_t size;

	assert(path != NULL);
	if (*++path == '$') {
		size = strspn(++path, &plain[0]);
		assert(is_text && path[size] == '\n' && size > 0 && size < 64);
		return;
	}
	size = strspn(path, plain);
	assert(size > 0 && (path[size] == '\n' || strncmp(&path[size], "\tro\n", 4) == 0));
	assert(is_text ? path[0] != '/' && strncmp(path, "..", 2) != 0 : path[0] == '/');
}

static bool
judge_as(bool is_text, const char *allow, const char *text, size_t size)
{
	struct err err = { 0 };
	struct judge judge;
	bool is_taken;
	const char *line;

	judge_init(&judge, allow);
	is_taken = (is_text ? judge_text : judge_config)(&judge, text, size, &err);
	assert(is_taken == (err.code == ERR_NONE));
	assert(is_taken || err.text[0] != '\0');
	for (line = buf_text(&judge.paths); is_taken && *line != '\0';
	     line = strchr(line, '\n') + 1)
		look_at(line, is_text);
	judge_done(&judge);
	return is_taken;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = malloc(size + 1); /* a NUL stands behind it */

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)judge_as(true, "", text, size);
	/* Who allows more refuses no more. */
	if (judge_as(false, "", text, size))
		assert(judge_as(false, "privileged,devices,bind:/srv", text, size));
	return 0;
}

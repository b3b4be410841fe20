/* fuzz_aws_credentials.c - whatever answers for a role's keys: what is taken fits into a header.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/aws_credentials_answer.h"
#include "clients/s3_answer.h"
#include "lib/err.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1795341600000)
#define SUM "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* The name is the end of a path. */
static void
check_role(const char *body, size_t size)
{
	char role[AWS_ROLE_MAX];
	struct err err = { 0 };

	if (aws_read_role(body, size, role, &err))
		assert(role[0] != '\0' && text_is_plain(role) && strpbrk(role, "/?#% ") == NULL);
	else
		assert(fuzz_is_clean(err.text, false));
}

static void
check_keys(const char *body, size_t size)
{
	struct aws_keys keys;
	struct err err = { 0 };

	if (!aws_read_keys(body, size, NOW, &keys, &err)) {
		assert(fuzz_is_clean(err.text, false));
		return;
	}
	assert(keys.expires_at > NOW && keys.access_key[0] != '\0' && keys.secret_key[0] != '\0');
	assert(text_is_plain(keys.access_key) && strpbrk(keys.access_key, ", ") == NULL);
	assert(text_is_plain(keys.token) && strchr(keys.token, ' ') == NULL);
}

static int
status_of(const char *text)
{
	int status = 0;

	for (size_t i = 0; i < 3 && text[i] >= '0' && text[i] <= '9'; i++)
		status = status * 10 + (text[i] - '0');
	return status;
}

/* The status, the two headers of an answer to a PUT (empty: none), a line each, and its body. */
static void
check_put(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *line[3], *rest = text;
	struct witness_answer said;
	struct s3_put_answer answer;

	for (size_t i = 0; i < COUNT(line); i++) {
		line[i] = rest;
		rest += strcspn(rest, "\n");
		if (*rest != '\0')
			*rest++ = '\0';
	}
	answer = (struct s3_put_answer){ .status = status_of(line[0]),
		.checksum = line[1][0] == '\0' ? NULL : line[1],
		.version = line[2][0] == '\0' ? NULL : line[2],
		.body = rest,
		.body_size = strlen(rest) };
	for (int is_repeated = 0; is_repeated < 2; is_repeated++) {
		said = s3_judge_put(&answer, SUM, is_repeated != 0);
		assert(fuzz_is_clean(said.detail, false));
		assert(said.verdict != WITNESS_CONFIRMED ||
		    (answer.status == 412 && is_repeated != 0) ||
		    (answer.status == 200 && answer.checksum != NULL &&
			strcmp(answer.checksum, SUM) == 0 && answer.version != NULL));
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_role((const char *)data, size);
	check_keys((const char *)data, size);
	check_put(data, size);
	return 0;
}

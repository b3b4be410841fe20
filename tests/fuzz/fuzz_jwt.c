/* fuzz_jwt.c - whatever is sent as a token is read whole, or is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/jwt.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "types/job.h"
#include "types/workflow.h"

#define KID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=-"
#define AT	    1795700000000
#define LIFE	    4200000

static bool
is_accepted(const struct jwt *jwt, const char *issuer, const char *audience, int64_t at)
{
	return jwt_check_claims(jwt->claims, &(struct jwt_wanted){ issuer, audience, LIFE }, at,
		   NULL) == JWT_FIT;
}

/* Whatever it says, no claim of a job is read beyond its room, and none is read half. */
static void
read_job(const struct jwt *jwt, enum delivery_forge forge)
{
	struct err err = { 0 };
	char said[LIMIT_LINE];
	struct job job;

	assert(fuzz_is_clean(workflow_of(forge, jwt->claims, said), false));
	if (!job_read(forge, jwt->claims, &job, &err)) {
		assert(err.code != ERR_NONE && fuzz_is_clean(err.text, false));
		return;
	}
	assert(job_forge_of(job.repository_id) == forge);
	assert(job.run[0] > '0' && strlen(job.sha) == 40);
	assert(fuzz_is_clean(job.actor, false) && text_is_plain(job.repository));
}

static void
read_any(const char *text, size_t size)
{
	struct err err = { 0 };
	struct jwt jwt;

	if (!jwt_read(text, size, &jwt, &err)) {
		assert(err.code != ERR_NONE && fuzz_is_clean(err.text, false));
		return;
	}
	assert(size <= JWT_MAX && jwt.signed_size < size && text[jwt.signed_size] == '.');
	assert(memchr(text + jwt.signed_size + 1, '.', size - jwt.signed_size - 1) == NULL);
	assert(jwt.kid[0] != '\0' && jwt.kid[strspn(jwt.kid, KID_LETTERS)] == '\0');
	assert(json_holds_object(jwt.claims));
	if (is_accepted(&jwt, "https://i", "https://a", AT)) {
		assert(!is_accepted(&jwt, "https://j", "https://a", AT));
		assert(!is_accepted(&jwt, "https://i", "https://b", AT));
		assert(!is_accepted(&jwt, "https://i", "https://a", AT + LIFE + 2 * JWT_LEEWAY));
		assert(!is_accepted(&jwt, "https://i", "https://a", AT - LIFE - 2 * JWT_LEEWAY));
	}
	for (enum delivery_forge forge = 0; forge < JOB_FORGES; forge++)
		read_job(&jwt, forge);
	jwt_done(&jwt);
}

/* The bytes as header and claims of a token, with a NUL between them. */
static void
read_as_parts(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t first = end == NULL ? size : (size_t)(end - data);
	CLEANUP(buf_done) struct buf text = buf_make(2 * JWT_MAX);
	char part[BASE64_URL_SIZE(JWT_MAX)];

	if (size > JWT_MAX)
		return;
	buf_adds(&text, base64_url_encode(data, first, part));
	buf_addc(&text, '.');
	if (end != NULL)
		buf_adds(&text, base64_url_encode(end + 1, size - first - 1, part));
	buf_adds(&text, ".AAAA");
	read_any(buf_text(&text), text.size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_any((const char *)data, size);
	read_as_parts(data, size);
	return 0;
}

/* s3_answer.c - believes only what proves that the object is there, with our bytes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3_answer.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/sigv4.h"
#include "lib/text.h"

#define WORD_MAX 128

bool
s3_address(const struct s3_place *place, const char *key, struct s3_address *ret, struct err *err)
{
	const char *domain =
	    text_starts(place->region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
	bool is_in_path = place->endpoint != NULL || strchr(place->bucket, '.') != NULL;
	char base[LIMIT_URL];
	const char *host;
	CLEANUP(buf_done) struct buf path = buf_make(S3_PATH - 1);
	bool fits;

	if (place->endpoint != NULL)
		fits = text_copy(base, sizeof(base), place->endpoint);
	else
		fits = snprintf(base, sizeof(base), "https://%s%ss3.%s.%s",
			   is_in_path ? "" : place->bucket, is_in_path ? "" : ".", place->region,
			   domain) < (int)sizeof(base);
	host = strstr(base, "://");
	host = host == NULL ? base : host + 3;
	buf_adds(&path, host + strcspn(host, "/")); /* of an endpoint that has one */
	if (is_in_path)
		buf_addf(&path, "/%s", place->bucket);
	buf_addc(&path, '/');
	sigv4_encode(&path, key, true);
	fits = fits && !buf_failed(&path) &&
	    snprintf(ret->host, sizeof(ret->host), "%.*s", (int)strcspn(host, "/"), host) <
		(int)sizeof(ret->host) &&
	    text_copy(ret->path, sizeof(ret->path), buf_text(&path)) &&
	    snprintf(ret->url, sizeof(ret->url), "%.*s%s",
		(int)((size_t)(host - base) + strcspn(host, "/")), base,
		ret->path) < (int)sizeof(ret->url);
	return fits || err_set(err, ERR_LIMIT, "the address of the bucket is too long");
}

/* The text of <Name>…</Name>, which is looked for as S3 writes it; "": there is none. */
static void
word_in(const struct s3_put_answer *answer, const char *name, char out[WORD_MAX])
{
	char open[32], close[32];
	const char *from, *to;

	out[0] = '\0';
	text_setf(open, "<%s>", name);
	text_setf(close, "</%s>", name);
	if (answer->body_size == 0)
		return;
	from = memmem(answer->body, answer->body_size, open, strlen(open));
	if (from == NULL)
		return;
	from += strlen(open);
	to = memmem(from, (size_t)(answer->body + answer->body_size - from), close, strlen(close));
	if (to != NULL)
		(void)clean_line(out, WORD_MAX, from, (size_t)(to - from));
}

static struct witness_answer
answer_of(enum witness_verdict verdict, const char *detail)
{
	struct witness_answer ret = { .verdict = verdict };

	(void)clean_line(ret.detail, sizeof(ret.detail), detail, strlen(detail));
	return ret;
}

/* "HTTP 403 AccessDenied: Access Denied" */
static struct witness_answer
refusal_of(enum witness_verdict verdict, const struct s3_put_answer *answer)
{
	char code[WORD_MAX], message[WORD_MAX], line[2 * WORD_MAX + 32];

	word_in(answer, "Code", code);
	word_in(answer, "Message", message);
	text_setf(line, "HTTP %d%s%s%s%s", answer->status, code[0] != '\0' ? " " : "", code,
	    message[0] != '\0' ? ": " : "", message);
	return answer_of(verdict, line);
}

static struct witness_answer
judge_200(const struct s3_put_answer *answer, const char *checksum)
{
	const char *version = answer->version;

	if (answer->body_size != 0)
		return refusal_of(WITNESS_UNKNOWN, answer);
	if (answer->checksum == NULL)
		return answer_of(WITNESS_UNKNOWN, "HTTP 200 without x-amz-checksum-sha256");
	if (strcmp(answer->checksum, checksum) != 0)
		return answer_of(WITNESS_UNKNOWN, "HTTP 200 with the checksum of other bytes");
	if (version == NULL || version[0] == '\0' || strcmp(version, "null") == 0)
		return answer_of(WITNESS_UNKNOWN,
		    "HTTP 200 without x-amz-version-id: the bucket has no versions, so no Object Lock");
	return answer_of(WITNESS_CONFIRMED, "");
}

struct witness_answer
s3_judge_put(const struct s3_put_answer *answer, const char *checksum, bool is_repeated)
{
	if (answer->status == 200)
		return judge_200(answer, checksum);
	if (answer->status == 412 && is_repeated)
		return answer_of(WITNESS_CONFIRMED, "");
	if (answer->status == 412)
		return answer_of(WITNESS_TAKEN,
		    "HTTP 412: an object has that name already, which deploybot has not put there");
	/* Something between may have answered where S3 has done it; 409 says that nothing was. */
	if (answer->status >= 300 && answer->status < 500 && answer->status != 408)
		return refusal_of(WITNESS_REFUSED, answer);
	return refusal_of(WITNESS_UNKNOWN, answer);
}

bool
s3_refuses_credentials(const struct s3_put_answer *answer)
{
	static const char *const codes[] = { "ExpiredToken", "InvalidToken", "InvalidAccessKeyId",
		"TokenRefreshRequired" };
	char code[WORD_MAX];

	word_in(answer, "Code", code);
	return text_index(code, codes, COUNT(codes)) < COUNT(codes);
}

/* fuzz_redact.c - a secret that was registered never comes out, wherever the text was cut.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Input: secrets, each with a byte 0x1e behind it, and the text.  What looks like a secret is
 * looked for by regular expressions, too: a second reader. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/redact.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/redact_slow.h"

#define BEHIND_SECRET	  0x1e
#define SECRETS_MAX	  8
#define SECOND_READER_MAX 8192 /* parts of a JWT end somewhere */

static size_t
take_secrets(const uint8_t **data, size_t *size, char *secrets[SECRETS_MAX], struct redact *redact,
    struct slow_redact *slow)
{
	size_t count = 0;

	while (count<SECRETS_MAX && * size> 0) {
		const uint8_t *end = memchr(*data, BEHIND_SECRET, *size);
		size_t length;

		if (end == NULL)
			break;
		length = (size_t)(end - *data);
		secrets[count] = fuzz_string(*data, length);
		if (strlen(secrets[count]) <= REDACT_VALUE_MAX)
			assert(redact_add(redact, secrets[count], NULL) &&
			    slow_redact_add(slow, secrets[count], NULL));
		count++;
		*data += length + 1;
		*size -= length + 1;
	}
	return count;
}

static void
redact_pieces(struct redact *redact, const uint8_t *data, size_t size, struct buf *out)
{
	struct redact_stream *stream = redact_stream_new(redact, false);
	uint64_t seed = fuzz_seed(data, size);
	size_t passed;

	assert(stream != NULL);
	for (size_t at = 0, n; at < size; at += n) {
		n = fuzz_piece(&seed, size - at);
		passed = redact_stream_pass(stream, (const char *)data + at, n);
		buf_add(out, data + at, passed);
		redact_stream_add(stream, (const char *)data + at + passed, n - passed, out);
	}
	redact_stream_end(stream, out);
	redact_stream_free(stream);
}

/* A secret with a '*' may be made of a mark and what stands beside it: nobody is told anything. */
static bool
must_be_gone(const char *secret)
{
	return strlen(secret) >= REDACT_VALUE_MIN && strlen(secret) <= REDACT_VALUE_MAX &&
	    strchr(secret, '*') == NULL;
}

/* Some of each shape: of what is left none is found.  A letter before it may belong to what is
 * none, and what is too long is none. */
static bool
has_shape(const struct buf *text)
{
	static const char shapes[] =
	    "gh[pousr]_[A-Za-z0-9_-]{20}|gl(pat|dt|rtr?|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_-]{20}"
	    "|hv[sbr]\\.[A-Za-z0-9_-]{20}|whsec_[A-Za-z0-9_+/=-]{20}"
	    "|(^|[^A-Za-z0-9])s\\.[A-Za-z0-9_-]{24}"
	    "|eyJ[A-Za-z0-9_-]{5,}\\.[A-Za-z0-9_-]{3,}\\.[A-Za-z0-9_-]{4}"
	    "|/services/[A-Z0-9]{8,16}/[A-Z0-9]{8,16}/[A-Za-z0-9]{20}"
	    "|/webhooks/[0-9]{15,25}/[A-Za-z0-9_-]{50}"
	    "|/webhook(b2)?/[0-9a-f-]{36}@[0-9a-f-]{36}/[A-Za-z0-9]|[?&]sig=[A-Za-z0-9%_-]{40}"
	    "|/hooks/[13-9a-kmnopqrstuwxyz]{26}([^A-Za-z0-9_-]|$)";
	static regex_t compiled;
	static bool is_compiled;
	regmatch_t at = { .rm_so = 0, .rm_eo = (regoff_t)text->size };

	if (!is_compiled)
		assert(regcomp(&compiled, shapes, REG_EXTENDED | REG_NOSUB) == 0);
	is_compiled = true;
	return regexec(&compiled, buf_text(text), 1, &at, REG_STARTEND) == 0;
}

/* Of a token with dots that stands by itself all parts go: what is behind its first dot, where it
 * stands there once. */
static bool
has_tail(const char *data, size_t size, const struct buf *redacted)
{
	static const char token[] =
	    "(^|[ ,;\n])(gh[pousr]_|glpat-)[A-Za-z0-9_-]{20,}((\\.[A-Za-z0-9_-]+)+)";
	static regex_t compiled;
	static bool is_compiled;
	regmatch_t at[4] = { { .rm_so = 0, .rm_eo = (regoff_t)size } };
	const char *tail;
	size_t length;

	if (!is_compiled)
		assert(regcomp(&compiled, token, REG_EXTENDED) == 0);
	is_compiled = true;
	if (regexec(&compiled, data, COUNT(at), at, REG_STARTEND) != 0)
		return false;
	tail = data + at[3].rm_so;
	length = (size_t)(at[3].rm_eo - at[3].rm_so);
	return length >= 8 && memmem(data, size, tail, length) == tail &&
	    memmem(tail + 1, size - (size_t)(tail + 1 - data), tail, length) == NULL &&
	    memmem(buf_text(redacted), redacted->size, tail, length) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redact *redact = redact_new();
	struct slow_redact *slow = slow_redact_new();
	char *secrets[SECRETS_MAX], *text;
	size_t count, cap = 3 * size + 16;
	struct buf whole, pieces, each;

	assert(redact != NULL && slow != NULL);
	buf_init(&whole, cap);
	buf_init(&pieces, cap);
	buf_init(&each, cap);
	count = take_secrets(&data, &size, secrets, redact, slow);
	redact_text(redact, (const char *)data, size, &whole);
	redact_pieces(redact, data, size, &pieces);
	fuzz_same(&whole, &pieces);
	slow_redact_text(slow, (const char *)data, size, &each); /* with a look at each byte */
	fuzz_same(&whole, &each);
	text = malloc(size + 1); /* regexec() looks at the byte behind */
	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	assert(count > 0 || size > SECOND_READER_MAX ||
	    (!has_shape(&whole) && !has_tail(text, size, &whole)));
	free(text);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(secrets[i]);

		assert(!must_be_gone(secrets[i]) ||
		    memmem(buf_text(&whole), whole.size, secrets[i], length) == NULL);
		free(secrets[i]);
	}
	redact_free(redact);
	slow_redact_free(slow);
	buf_done(&whole);
	buf_done(&pieces);
	buf_done(&each);
	return 0;
}

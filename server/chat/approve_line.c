/* approve_line.c - reads the line from the left, and stops at the first byte that is wrong.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/approve_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "lib/clean.h"
#include "lib/column.h"
#include "lib/text.h"

#define START "APPROVE: "
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

struct reader {
	const char *text;
	size_t size;
	size_t at;
	struct approve_fault *fault;
};

static const char *const part_words[] = { APPROVE_PARTS(COLUMN_SECOND) };

static const struct {
	const char *what;
	const char *help;
} defects[] = {
#define DEFECT(name, what, help) { what, help },
	APPROVE_DEFECTS(DEFECT)
#undef DEFECT
};

static bool
is_among(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_dash(uint32_t code)
{
	return (code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0xfe58 ||
	    code == 0xfe63 || code == 0xff0d;
}

static bool
is_quote(uint32_t code)
{
	return code == '"' || code == '\'' || code == '`' || code == 0xab || code == 0xbb ||
	    (code >= 0x2018 && code <= 0x201f) || code == 0x2039 || code == 0x203a;
}

static bool
is_odd_space(uint32_t code)
{
	return code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
	    code == 0x202f || code == 0x205f || code == 0x3000;
}

/* What stands there, where something else had to. */
static enum approve_defect
defect_of(const struct reader *in)
{
	uint32_t code;

	if (text_decode(in->text + in->at, in->size - in->at, &code) == 0)
		return APPROVE_IS_FOREIGN;
	if (code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029)
		return APPROVE_IS_BREAK;
	if (is_dash(code))
		return APPROVE_IS_DASH;
	if (is_quote(code))
		return APPROVE_IS_QUOTE;
	if (is_odd_space(code))
		return APPROVE_IS_NO_BREAK;
	if (code == '\t')
		return APPROVE_IS_TAB;
	if (code < 0x20 || code == 0x7f)
		return APPROVE_IS_CONTROL;
	if (clean_is_harmful(code))
		return APPROVE_IS_INVISIBLE;
	if (code > 0x7f)
		return APPROVE_IS_FOREIGN;
	if (code == ' ')
		return APPROVE_IS_BLANK;
	return code >= 'A' && code <= 'Z' ? APPROVE_IS_UPPER : APPROVE_IS_WRONG;
}

static bool
fail_as(struct reader *in, enum approve_part part, enum approve_defect defect)
{
	*in->fault = (struct approve_fault){ part, defect, in->at };
	return false;
}

/* at_end: what it means that the text ends here. */
static bool
fail(struct reader *in, enum approve_part part, enum approve_defect at_end)
{
	return fail_as(in, part, in->at == in->size ? at_end : defect_of(in));
}

/* These very bytes. */
static bool
take(struct reader *in, enum approve_part part, const char *bytes)
{
	for (size_t i = 0; bytes[i] != '\0'; i++, in->at++)
		if (in->at == in->size || in->text[in->at] != bytes[i])
			return fail(in, part, APPROVE_IS_MISSING);
	return true;
}

/* From least to most bytes of that set; out has room for one more. */
static bool
take_set(struct reader *in, enum approve_part part, const char *set, size_t least, size_t most,
    char *out)
{
	size_t n = 0;

	while (in->at < in->size && is_among(in->text[in->at], set)) {
		if (n == most)
			return fail_as(in, part, APPROVE_IS_LONG);
		out[n++] = in->text[in->at++];
	}
	out[n] = '\0';
	if (n >= least)
		return true;
	if (n == 0)
		return fail(in, part, APPROVE_IS_MISSING);
	if (in->at < in->size && in->text[in->at] == ' ')
		return fail_as(in, part, APPROVE_IS_SHORT);
	return fail(in, part, APPROVE_IS_SHORT);
}

static bool
take_word(struct reader *in, enum approve_part part, char out[APPROVE_WORD_SIZE])
{
	if (in->at < in->size && in->text[in->at] == '-')
		return fail_as(in, part, APPROVE_IS_WRONG);
	return take_set(in, part, LOWER DIGIT "-", 1, APPROVE_WORD_SIZE - 1, out);
}

static bool
take_ts(struct reader *in, int64_t *ret)
{
	char digits[12];

	if (in->at < in->size && in->text[in->at] == '0')
		return fail_as(in, APPROVE_TS, APPROVE_IS_ZERO);
	if (!take_set(in, APPROVE_TS, DIGIT, 1, sizeof(digits) - 1, digits))
		return false;
	*ret = 0;
	for (const char *digit = digits; *digit != '\0'; digit++)
		*ret = *ret * 10 + (*digit - '0');
	return true;
}

/* Nothing of the line goes on here.  A switch: of `is_usual ? TRAILING : defect` gcc 14.2 of Debian
 * 13 makes another defect at -O2 (the three comparisons are joined, and the value with them). */
static bool
fail_behind(struct reader *in, enum approve_part part)
{
	enum approve_defect defect = defect_of(in);

	switch (defect) {
	case APPROVE_IS_BLANK:
	case APPROVE_IS_WRONG:
	case APPROVE_IS_UPPER:
		return fail_as(in, part, APPROVE_IS_TRAILING);
	default:
		return fail_as(in, part, defect);
	}
}

/* Is the next byte but one that? */
static bool
is_behind_blank(const struct reader *in, char c)
{
	return in->size - in->at >= 2 && in->text[in->at] == ' ' && in->text[in->at + 1] == c;
}

static bool
take_otp(struct reader *in, char out[APPROVE_OTP_SIZE])
{
	if (in->at == in->size)
		return true;
	if (is_behind_blank(in, ' '))
		return fail_as(in, APPROVE_TS, APPROVE_IS_BLANK);
	if (!is_behind_blank(in, 'o'))
		return fail_behind(in, APPROVE_TS);
	return take(in, APPROVE_OTP, " otp=") &&
	    take_set(in, APPROVE_OTP, DIGIT, APPROVE_OTP_SIZE - 1, APPROVE_OTP_SIZE - 1, out);
}

bool
approve_line_parse(
    const char *text, size_t size, struct approve_line *ret, struct approve_fault *ret_fault)
{
	struct reader in = { .text = text, .size = size, .fault = ret_fault };
	struct approve_line line = { 0 };

	if (!take(&in, APPROVE_START, START) || !take_word(&in, APPROVE_ACTION, line.action) ||
	    !take(&in, APPROVE_CLIENT, " ") || !take_word(&in, APPROVE_CLIENT, line.client) ||
	    !take(&in, APPROVE_NONCE, " nonce=") ||
	    !take_set(&in, APPROVE_NONCE, DIGIT "abcdef", APPROVE_NONCE_SIZE - 1,
		APPROVE_NONCE_SIZE - 1, line.nonce) ||
	    !take(&in, APPROVE_TS, " ts=") || !take_ts(&in, &line.ts) || !take_otp(&in, line.otp))
		return false;
	if (in.at != in.size)
		return fail_behind(&in, APPROVE_END);
	*ret = line;
	return true;
}

const char *
approve_line_print(const struct approve_line *line, char out[APPROVE_LINE_SIZE])
{
	(void)snprintf(out, APPROVE_LINE_SIZE, START "%s %s nonce=%s ts=%" PRId64 "%s%s",
	    line->action, line->client, line->nonce, line->ts, line->otp[0] != '\0' ? " otp=" : "",
	    line->otp);
	return out;
}

const char *
approve_line_why(const struct approve_fault *fault, char out[APPROVE_WHY_SIZE])
{
	(void)snprintf(out, APPROVE_WHY_SIZE, "%s %s: %s", part_words[fault->part],
	    defects[fault->defect].what, defects[fault->defect].help);
	return out;
}

/* In any case, anywhere. */
static bool
has(const char *text, size_t size, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= size; i++)
		if (strncasecmp(text + i, word, length) == 0)
			return true;
	return false;
}

bool
approve_line_is_meant(const char *text, size_t size)
{
	static const char *const colons[] = { ":", "\xef\xbc\x9a", "\xef\xb9\x95", "\xea\x9e\x89" };
	const size_t word = sizeof("approve") - 1;
	size_t at = 0;

	if (has(text, size, "nonce") && has(text, size, "ts="))
		return true;
	while (at < size && strchr(" \t\r\n\"'`", text[at]) != NULL && text[at] != '\0')
		at++;
	if (at + word > size || strncasecmp(text + at, "approve", word) != 0)
		return false;
	for (at += word; at < size && text[at] == ' ';)
		at++;
	for (size_t i = 0; i < COUNT(colons); i++)
		if (size - at >= strlen(colons[i]) &&
		    memcmp(text + at, colons[i], strlen(colons[i])) == 0)
			return true;
	return false;
}

/* github_payload.c - a JSON scanner that keeps a handful of values.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_payload.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "lib/err.h"
#include "lib/text.h"

struct scan {
	const char *start;
	const char *at;
	const char *end;
	const char *why; /* of the first failure */
	unsigned depth;
	struct github_payload *payload;
};

struct field_row {
	unsigned object;
	const char *key;
	size_t key_size;
};

static const struct field_row fields[] = {
#define FIELD(name, object, key) { GITHUB_##object, key, sizeof(key) - 1 },
	GITHUB_FIELDS(FIELD)
#undef FIELD
};

#define KEY_ROOM 16			     /* above the longest key, decoded */
#define KEY_MAX	 (sizeof("head_commit") - 1) /* the longest */

static bool read_value(struct scan *s, unsigned place, struct github_value *ret);

static bool
fail(struct scan *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* GitHub sends none: one comparison says so. */
static inline void
skip_blanks(struct scan *s)
{
	while (s->at < s->end && (unsigned char)*s->at <= ' ' && is_blank(*s->at))
		s->at++;
}

/* Takes c, with blanks around it. */
static inline bool
take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	skip_blanks(s);
	return true;
}

/* --- strings --- */

#define EACH_BYTE(b) (0x0101010101010101u * (uint64_t)(b))

/* The top bit of the first byte that is '"', '\\', a control or not ASCII, and perhaps of bytes
 * behind it; 0 when there is none (Mycroft's zero test on eight bytes at once). */
static uint64_t
special_bytes(uint64_t w)
{
	uint64_t quote = w ^ EACH_BYTE('"');
	uint64_t escape = w ^ EACH_BYTE('\\');
	uint64_t found = ((quote - EACH_BYTE(1)) & ~quote) | ((escape - EACH_BYTE(1)) & ~escape) |
	    ((w - EACH_BYTE(0x20)) & ~w) | w;

	return found & EACH_BYTE(0x80);
}

static bool
is_plain(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#ifdef __SSE2__
/* A bit for each of sixteen bytes that is not plain.  As signed numbers controls and all that is
 * not ASCII are below a blank. */
static unsigned
special_of_16(const char *at)
{
	const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(' '));
	const __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
	const __m128i escape = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(odd, _mm_or_si128(quote, escape)));
}
#endif

/* Most of a payload is plain text inside strings: this is where the time goes. */
static void
skip_plain(struct scan *s)
{
#ifdef __SSE2__
	while (s->end - s->at >= 16) {
		unsigned special = special_of_16(s->at);

		if (special != 0) {
			s->at += __builtin_ctz(special);
			return;
		}
		s->at += 16;
	}
#endif
	while (s->end - s->at >= 8) {
		uint64_t eight;

		memcpy(&eight, s->at, sizeof(eight));
		eight = special_bytes(le64toh(eight));
		if (eight != 0) {
			s->at += __builtin_ctzll(eight) / 8;
			return;
		}
		s->at += 8;
	}
	while (s->at < s->end && is_plain(*s->at))
		s->at++;
}

/* Four hex digits at `at`, or -1. */
static long
hex_unit(const char *at, const char *end)
{
	uint8_t unit[2];

	return end - at >= 4 && text_unhex(unit, 2, at, 4) ? unit[0] << 8 | unit[1] : -1;
}

/* The code point of the \u escape whose digits stand at *at, which moves behind it (two escapes
 * for a pair).  0 when it is none: NUL is refused, a surrogate stands in a pair. */
static uint32_t
take_unicode(const char **at, const char *end)
{
	long high = hex_unit(*at, end);
	long low;

	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*at += 4;
	if (high < 0xd800 || high > 0xdbff)
		return (uint32_t)high;
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	low = hex_unit(*at + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*at += 6;
	return 0x10000u + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

/* The code point of the escape whose '\\' stands at *at, which moves behind it; 0: no escape. */
static uint32_t
take_escape(const char **at, const char *end)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meaning[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	char c;

	if (end - *at < 2)
		return 0;
	c = (*at)[1];
	*at += 2;
	if (c == 'u')
		return take_unicode(at, end);
	letter = memchr(letters, c, sizeof(letters) - 1);
	return letter == NULL ? 0 : (uint32_t)meaning[letter - letters];
}

/* What is not plain: an escape or a character of more than one byte. */
static bool
skip_special(struct scan *s)
{
	uint32_t code;
	size_t size;

	if (s->at == s->end)
		return fail(s, "a string does not end");
	if (*s->at == '\\')
		return take_escape(&s->at, s->end) != 0 || fail(s, "an escape is wrong");
	if ((unsigned char)*s->at < 0x20)
		return fail(s, "a control character in a string");
	size = text_decode(s->at, (size_t)(s->end - s->at), &code);
	if (size == 0)
		return fail(s, "not UTF-8");
	s->at += size;
	return true;
}

/* From behind the opening quote. */
static bool
read_string(struct scan *s, struct github_value *ret)
{
	const char *start = s->at;

	for (;;) {
		skip_plain(s);
		if (s->at < s->end && *s->at == '"')
			break;
		if (!skip_special(s))
			return false;
	}
	*ret = (struct github_value){ GITHUB_STRING, start, (size_t)(s->at - start) };
	s->at++;
	return true;
}

bool
github_payload_text(const struct github_value *value, char *out, size_t room)
{
	const char *at = value->at;
	const char *end;
	size_t used = 0;

	out[0] = '\0';
	if (value->type != GITHUB_STRING)
		return false;
	end = at + value->size;
	while (at < end) {
		char bytes[4] = { *at };
		size_t size = 1;

		if (*at == '\\')
			size = text_encode(take_escape(&at, end), bytes);
		else
			at++;
		if (used + size >= room) {
			out[0] = '\0';
			return false;
		}
		memcpy(out + used, bytes, size);
		used += size;
	}
	out[used] = '\0';
	return true;
}

/* --- numbers --- */

static size_t
skip_digits(struct scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - start);
}

static bool
next_is(const struct scan *s, char a, char b)
{
	return s->at < s->end && (*s->at == a || *s->at == b);
}

/* Digits without a leading zero. */
static bool
read_whole_part(struct scan *s)
{
	bool leads_with_zero = next_is(s, '0', '0');
	size_t digits = skip_digits(s);

	return digits > 0 && (digits == 1 || !leads_with_zero);
}

/* .5, e-7, .5e7 or nothing; *ret_is_real says which. */
static bool
read_fraction(struct scan *s, bool *ret_is_real)
{
	*ret_is_real = next_is(s, '.', 'e') || next_is(s, 'E', 'E');
	if (next_is(s, '.', '.')) {
		s->at++;
		if (skip_digits(s) == 0)
			return false;
	}
	if (next_is(s, 'e', 'E')) {
		s->at++;
		if (next_is(s, '+', '-'))
			s->at++;
		if (skip_digits(s) == 0)
			return false;
	}
	return true;
}

/* The integer at `at`; false when it has no place in 64 bits.  Something that is no digit stands
 * behind it (a document does not end with a number). */
static bool
to_i64(const char *at, int64_t *ret)
{
	intmax_t number;

	errno = 0;
	number = strtoimax(at, NULL, 10);
	if (errno != 0)
		return false;
	*ret = number;
	return true;
}

static bool
read_number(struct scan *s, struct github_value *ret)
{
	const char *start = s->at;
	int64_t integer;
	bool is_real;

	if (*s->at == '-')
		s->at++;
	if (!read_whole_part(s) || !read_fraction(s, &is_real))
		return fail(s, "a number is wrong");
	if (s->at == s->end)
		return fail(s, "it ends too early");
	/* Up to 18 characters always fit. */
	if (!is_real && s->at - start > 18 && !to_i64(start, &integer))
		return fail(s, "an integer has no place in 64 bits");
	if (is_real && !isfinite(strtod(start, NULL)))
		return fail(s, "a number is out of range");
	*ret = (struct github_value){ GITHUB_NUMBER, start, (size_t)(s->at - start) };
	return true;
}

bool
github_payload_i64(const struct github_value *value, int64_t *ret)
{
	if (value->type != GITHUB_NUMBER)
		return false;
	for (size_t i = 0; i < value->size; i++)
		if (value->at[i] == '.' || value->at[i] == 'e' || value->at[i] == 'E')
			return false;
	return to_i64(value->at, ret);
}

/* --- values --- */

static bool
read_word(struct scan *s, const char *word, enum github_type type, struct github_value *ret)
{
	size_t size = strlen(word);

	if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0)
		return fail(s, "neither a value nor an end");
	*ret = (struct github_value){ type, s->at, size };
	s->at += size;
	return true;
}

/* Our field of that key in that place, or GITHUB_ELSEWHERE. */
static unsigned
find_field(unsigned place, const struct github_value *key)
{
	struct github_value plain = *key;
	char decoded[KEY_ROOM];

	if (place == GITHUB_ELSEWHERE)
		return GITHUB_ELSEWHERE;
	if (memchr(key->at, '\\', key->size) != NULL) {
		if (!github_payload_text(key, decoded, sizeof(decoded)))
			return GITHUB_ELSEWHERE;
		plain.at = decoded;
		plain.size = strlen(decoded);
	}
	if (plain.size > KEY_MAX) /* half of all keys */
		return GITHUB_ELSEWHERE;
	for (unsigned i = 0; i < GITHUB_FIELD_COUNT; i++)
		if (fields[i].object == place && fields[i].key_size == plain.size &&
		    memcmp(fields[i].key, plain.at, plain.size) == 0)
			return i;
	return GITHUB_ELSEWHERE;
}

/* "key": value */
static bool
read_member(struct scan *s, unsigned place)
{
	struct github_value key, value;
	unsigned field;

	if (s->at == s->end || *s->at != '"')
		return fail(s, "a key is missing");
	s->at++;
	if (!read_string(s, &key))
		return false;
	if (!take(s, ':'))
		return fail(s, "':' is missing");
	field = find_field(place, &key);
	if (!read_value(s, field, &value))
		return false;
	if (field == GITHUB_ELSEWHERE)
		return true;
	if (s->payload->field[field].type != GITHUB_ABSENT)
		return fail(s, "a key that counts is given twice");
	s->payload->field[field] = value;
	return true;
}

/* From behind '{' or '['; place: whose members these are. */
static bool
read_members(struct scan *s, char closing, unsigned place)
{
	struct github_value element;

	if (take(s, closing))
		return true;
	do {
		if (closing == '}' ? !read_member(s, place) :
				     !read_value(s, GITHUB_ELSEWHERE, &element))
			return false;
	} while (take(s, ','));
	return take(s, closing) || fail(s, "',' or a closing bracket is missing");
}

static bool
read_container(struct scan *s, unsigned place, struct github_value *ret)
{
	bool is_object = *s->at == '{';

	if (++s->depth > GITHUB_PAYLOAD_DEPTH)
		return fail(s, "nested too deep");
	s->at++;
	if (!read_members(s, is_object ? '}' : ']', is_object ? place : GITHUB_ELSEWHERE))
		return false;
	s->depth--;
	*ret = (struct github_value){ is_object ? GITHUB_OBJECT : GITHUB_ARRAY, NULL, 0 };
	return true;
}

/* place: our field whose value this is. */
static bool
read_value(struct scan *s, unsigned place, struct github_value *ret)
{
	if (s->at == s->end)
		return fail(s, "it ends too early");
	switch (*s->at) {
	case '"':
		s->at++;
		return read_string(s, ret);
	case '{':
	case '[':
		return read_container(s, place, ret);
	case 't':
		return read_word(s, "true", GITHUB_TRUE, ret);
	case 'f':
		return read_word(s, "false", GITHUB_FALSE, ret);
	case 'n':
		return read_word(s, "null", GITHUB_NULL, ret);
	default:
		return read_number(s, ret);
	}
}

bool
github_payload_read(const char *text, size_t size, struct github_payload *ret, struct err *err)
{
	struct scan s = { .start = text, .at = text, .end = text + size, .payload = ret };
	struct github_value top;

	memset(ret, 0, sizeof(*ret));
	skip_blanks(&s);
	if (s.at == s.end || *s.at != '{')
		(void)fail(&s, "not an object");
	else if (read_value(&s, GITHUB_TOP, &top) && s.at != s.end)
		(void)fail(&s, "something stands behind it");
	return s.why == NULL ||
	    err_set(err, ERR_INVALID, "not valid JSON at byte %zu: %s", (size_t)(s.at - s.start),
		s.why);
}

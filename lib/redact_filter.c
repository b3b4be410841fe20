/* redact_filter.c - bit tables over three bytes; 32 places at a time where the machine can.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_filter.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define SIX	6 /* digits of a bot's number at least: redact_shape.c */
#define GROUPS	8
#define PLACES	32				   /* that are judged at once */
#define LOOK_AT (PLACES + REDACT_FILTER_SHAPE - 1) /* bytes that these are judged by */

static unsigned
byte(char c)
{
	return (unsigned char)c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of three bytes, into as many bits. */
static unsigned
hash(const char *t, unsigned bits)
{
	uint32_t three = byte(t[0]) | byte(t[1]) << 8 | byte(t[2]) << 16;

	return (uint32_t)(three * UINT32_C(2654435761)) >> (32 - bits);
}

static bool
is_in(const uint8_t *bits, unsigned at)
{
	return (bits[at / 8] >> at % 8 & 1) != 0;
}

static void
put(uint8_t *bits, unsigned at)
{
	bits[at / 8] |= (uint8_t)(1u << at % 8);
}

#define BEGINS(t) hash(t, 16)
#define PARTS(t)  hash(t, 18)

/* --- what is known --- */

static void
put_halves(struct redact_filter *f, size_t i, unsigned c, unsigned group)
{
	f->low[i][c & 15] |= (uint8_t)(1u << group);
	f->high[i][c >> 4] |= (uint8_t)(1u << group);
}

static void
put_shape(struct redact_filter *f, const char begin[REDACT_FILTER_SHAPE], unsigned group)
{
	put(f->begins, BEGINS(begin));
	for (size_t i = 0; i < REDACT_FILTER_SHAPE; i++)
		for (unsigned c = byte(begin[i]); c < 256; c += begin[i] == '\0' ? 1 : 256)
			put_halves(f, i, c, group);
}

void
redact_filter_init(struct redact_filter *f)
{
	*f = (struct redact_filter){ .window = REDACT_FILTER_WINDOW };
	for (unsigned i = 0; i < 1000; i++) {
		const char ones = (char)('0' + i % 10);
		const char digits[REDACT_FILTER_SHAPE] = { (char)('0' + i / 100),
			(char)('0' + i / 10 % 10), ones, ones };

		put_shape(f, digits, 0);
	}
}

/* By its first byte.  Halves of bytes of one group go with each other's, which makes places that
 * are none: few of the shapes that there are share one, and "s." shares it with none. */
void
redact_filter_add_shape(struct redact_filter *f, const char *begin)
{
	put_shape(f, begin, 1 + (byte(begin[0]) * 39 >> 3) % (GROUPS - 1));
}

void
redact_filter_add_value(struct redact_filter *f, const char *bytes, size_t size)
{
	f->has_values = true;
	if (size < f->window)
		f->window = size; /* of earlier ones more stands in `parts`, which is no harm */
	put(f->begins, BEGINS(bytes));
	for (size_t i = 0; i + REDACT_FILTER_LEAST <= f->window; i++)
		put(f->parts, PARTS(bytes + i));
}

/* --- where one could begin --- */

/* Byte by byte. */
static size_t
next_begin(const struct redact_filter *f, const char *t, size_t n, size_t from)
{
	while (n - from >= REDACT_FILTER_LEAST && !is_in(f->begins, BEGINS(t + from)))
		from++;
	return from;
}

static size_t
next_value(const struct redact_filter *f, const char *t, size_t n, size_t from)
{
	size_t last = f->window - REDACT_FILTER_LEAST;

	while (f->has_values && n - from >= f->window) {
		size_t end = from + last; /* all that begin at from..end have these three bytes */

		if (is_in(f->parts, PARTS(t + end))) {
			size_t at = next_begin(f, t, end + REDACT_FILTER_LEAST, from);

			if (at <= end)
				return at;
		}
		from = end + 1;
	}
	return f->has_values ? next_begin(f, t, n, from) : n;
}

/* A number goes on, or is too short to be a bot's. */
static bool
is_number_of_none(const char *t, size_t n, size_t at)
{
	size_t end = at;

	if (!is_digit(t[at]))
		return false;
	while (end < n && end < at + SIX && is_digit(t[end]))
		end++;
	return (at > 0 && is_digit(t[at - 1])) || (end < n && end < at + SIX);
}

#ifdef __x86_64__
/* The groups of which the i-th byte from each of 32 places may be: both its halves are of them. */
__attribute__((target("avx2"))) static inline __m256i
groups_of(const struct redact_filter *f, const char *t, size_t i)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(t + i));
	__m256i low =
	    _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)f->low[i]));
	__m256i high =
	    _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)f->high[i]));

	low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half));
	high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
	return _mm256_and_si256(low, high);
}

/* Moves to the first 32 places of which one begins four bytes of a group, and says which; or to
 * where there are no 32 any more. */
__attribute__((target("avx2"))) static size_t
skip(const struct redact_filter *f, const char *t, size_t n, size_t from, uint32_t *ret_which)
{
	_Static_assert(REDACT_FILTER_SHAPE == 4, "all of them");
	for (*ret_which = 0; n - from >= LOOK_AT; from += PLACES) {
		const char *at = t + from;
		__m256i groups =
		    _mm256_and_si256(_mm256_and_si256(groups_of(f, at, 0), groups_of(f, at, 1)),
			_mm256_and_si256(groups_of(f, at, 2), groups_of(f, at, 3)));

		*ret_which = ~(uint32_t)_mm256_movemask_epi8(
		    _mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));
		if (*ret_which != 0)
			break;
	}
	return from;
}

static bool
can_skip(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}
#else
static size_t
skip(UNUSED const struct redact_filter *f, UNUSED const char *t, UNUSED size_t n, size_t from,
    UNUSED uint32_t *ret_which)
{
	return from;
}

static bool
can_skip(void)
{
	return false;
}
#endif

/* What begins with an "s" does so at a word's beginning alone: "s." stands in many a text. */
static bool
is_amid_word(const char *t, size_t at)
{
	return at > 0 && t[at] == 's' && is_alnum(t[at - 1]);
}

static bool
is_shape(const struct redact_filter *f, const char *t, size_t n, size_t at)
{
	return is_in(f->begins, BEGINS(t + at)) && !is_number_of_none(t, n, at) &&
	    !is_amid_word(t, at);
}

static size_t
next_shape(const struct redact_filter *f, const char *t, size_t n, size_t from)
{
	uint32_t which;

	while (can_skip() && n - from >= LOOK_AT) {
		from = skip(f, t, n, from, &which);
		for (; which != 0; which &= which - 1) {
			size_t at = from + (size_t)__builtin_ctz(which);

			if (is_shape(f, t, n, at))
				return at;
		}
		if (n - from >= LOOK_AT)
			from += PLACES;
	}
	while (n - from >= REDACT_FILTER_LEAST && !is_shape(f, t, n, from))
		from++;
	return from;
}

size_t
redact_filter_next(const struct redact_filter *f, struct redact_places *places, const char *t,
    size_t n, size_t from)
{
	if (places->value <= from)
		places->value = next_value(f, t, n, from) + 1;
	if (places->shape <= from)
		places->shape = next_shape(f, t, n, from) + 1;
	return (places->value < places->shape ? places->value : places->shape) - 1;
}

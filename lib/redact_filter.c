/* redact_filter.c - bit tables over three bytes; sixteen places at a time where the machine can.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_filter.h"

#ifdef __x86_64__
#include <tmmintrin.h>
#endif

#define SIX	6 /* digits of a bot's number at least: redact_shape.c */
#define GROUPS	8
#define LOOK_AT (16 + REDACT_FILTER_LEAST - 1) /* bytes that sixteen places are judged by */

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
put_shape(struct redact_filter *f, const char begin[REDACT_FILTER_LEAST], unsigned group)
{
	put(f->begins, BEGINS(begin));
	for (size_t i = 0; i < REDACT_FILTER_LEAST; i++) {
		f->low[i][byte(begin[i]) & 15] |= (uint8_t)(1u << group);
		f->high[i][byte(begin[i]) >> 4] |= (uint8_t)(1u << group);
	}
}

void
redact_filter_init(struct redact_filter *f)
{
	*f = (struct redact_filter){ .window = REDACT_FILTER_WINDOW };
	for (unsigned i = 0; i < 1000; i++) {
		const char digits[] = { (char)('0' + i / 100), (char)('0' + i / 10 % 10),
			(char)('0' + i % 10) };

		put_shape(f, digits, 0);
	}
}

void
redact_filter_add_shape(struct redact_filter *f, const char *begin)
{
	put_shape(f, begin, 1 + byte(begin[0]) % (GROUPS - 1));
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
/* Which of sixteen places begin three bytes of a group: both halves of each byte are of it. */
__attribute__((target("ssse3"))) static unsigned
judge_16(const struct redact_filter *f, const char *t)
{
	const __m128i half = _mm_set1_epi8(15);
	__m128i groups = _mm_set1_epi8(-1);

	for (int i = 0; i < REDACT_FILTER_LEAST; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(t + i));
		__m128i low = _mm_loadu_si128((const __m128i *)(const void *)f->low[i]);
		__m128i high = _mm_loadu_si128((const __m128i *)(const void *)f->high[i]);

		low = _mm_shuffle_epi8(low, _mm_and_si128(bytes, half));
		high = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
		groups = _mm_and_si128(groups, _mm_and_si128(low, high));
	}
	return ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(groups, _mm_setzero_si128())) & 0xffff;
}

static bool
can_judge_16(void)
{
	return __builtin_cpu_supports("ssse3") != 0;
}
#else
static unsigned
judge_16(UNUSED const struct redact_filter *f, UNUSED const char *t)
{
	return 0xffff;
}

static bool
can_judge_16(void)
{
	return false;
}
#endif

static size_t
next_shape(const struct redact_filter *f, const char *t, size_t n, size_t from)
{
	bool by_16 = can_judge_16();

	while (n - from >= REDACT_FILTER_LEAST) {
		unsigned found = 1, places = 1;

		if (by_16 && n - from >= LOOK_AT) {
			found = judge_16(f, t + from);
			places = 16;
		}
		for (; found != 0; found &= found - 1) {
			size_t at = from + (size_t)__builtin_ctz(found);

			if (is_in(f->begins, BEGINS(t + at)) && !is_number_of_none(t, n, at))
				return at;
		}
		from += places;
	}
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

/* text.c - UTF-8 by table of ranges, numbers by strict grammars.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/err.h"

#define REPLACEMENT 0xFFFDu
#define WORD_MAX    64

/* --- UTF-8 --- */

static bool
is_follower(char c)
{
	return ((unsigned char)c & 0xC0u) == 0x80u;
}

size_t
text_decode(const char *text, size_t size, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead;
	uint32_t code;
	size_t length;

	if (size == 0)
		return 0;
	lead = (unsigned char)text[0];
	if (lead < 0x80) {
		*ret = lead;
		return 1;
	}
	length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (lead < 0xC2 || lead > 0xF4 || length > size)
		return 0;
	code = lead & (0x7Fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (!is_follower(text[i]))
			return 0;
		code = code << 6 | ((unsigned char)text[i] & 0x3Fu);
	}
	if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret = code;
	return length;
}

size_t
text_encode(uint32_t code, char out[4])
{
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		code = REPLACEMENT;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0u | code >> 6);
		out[1] = (char)(0x80u | (code & 0x3Fu));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0u | code >> 12);
		out[1] = (char)(0x80u | (code >> 6 & 0x3Fu));
		out[2] = (char)(0x80u | (code & 0x3Fu));
		return 3;
	}
	out[0] = (char)(0xF0u | code >> 18);
	out[1] = (char)(0x80u | (code >> 12 & 0x3Fu));
	out[2] = (char)(0x80u | (code >> 6 & 0x3Fu));
	out[3] = (char)(0x80u | (code & 0x3Fu));
	return 4;
}

/* Bytes of the next character (1 for an invalid byte), its UTF-16 units in *units. */
static size_t
next_character(const char *text, size_t size, size_t *units)
{
	uint32_t code = REPLACEMENT;
	size_t used = text_decode(text, size, &code);

	*units = code > 0xFFFF ? 2 : 1;
	return used == 0 ? 1 : used;
}

size_t
text_utf16_length(const char *text, size_t size)
{
	size_t total = 0, units;

	for (size_t i = 0; i < size;) {
		i += next_character(text + i, size - i, &units);
		total += units;
	}
	return total;
}

size_t
text_utf16_cut(const char *text, size_t size, size_t units)
{
	size_t at = 0, used, width;

	while (at < size) {
		used = next_character(text + at, size - at, &width);
		if (width > units)
			break;
		units -= width;
		at += used;
	}
	return at;
}

size_t
text_cut(const char *text, size_t size, size_t max)
{
	size_t back;

	if (size <= max)
		return size;
	/* Step back over followers, three at most: more of them is no UTF-8 anyway. */
	for (back = 0; back < 3 && back < max && is_follower(text[max - back]); back++)
		continue;
	return is_follower(text[max - back]) ? max : max - back;
}

/* --- ASCII --- */

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
text_same_ci(const char *a, const char *b)
{
	for (; lower(*a) == lower(*b); a++, b++)
		if (*a == '\0')
			return true;
	return false;
}

bool
text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
text_starts_ci(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
		if (lower(*text) != lower(*prefix))
			return false;
	return true;
}

bool
text_ends(const char *text, const char *suffix)
{
	size_t size = strlen(text), tail = strlen(suffix);

	return size >= tail && strcmp(text + size - tail, suffix) == 0;
}

size_t
text_index(const char *word, const char *const words[], size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(words[i], word) != 0)
		i++;
	return i;
}

bool
text_is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

bool
text_copy(char *out, size_t room, const char *text)
{
	size_t size = strlen(text), fits;

	assert(room > 0);
	fits = text_cut(text, size, room - 1);
	memcpy(out, text, fits);
	out[fits] = '\0';
	return fits == size;
}

/* --- hex --- */

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_hex(char *out, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = data;

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[byte[i] >> 4];
		*out++ = digits[byte[i] & 15];
	}
	*out = '\0';
}

bool
text_unhex(void *out, size_t size, const char *hex, size_t digits)
{
	unsigned char *byte = out;

	if (digits != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		byte[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

bool
text_is_hex(const char *text, size_t min, size_t max)
{
	size_t size = strlen(text);

	if (size < min || size > max)
		return false;
	for (size_t i = 0; i < size; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	return true;
}

/* --- numbers --- */

/* Digits without leading zeros; false on anything else or beyond 19 digits' worth of uint64. */
static bool
parse_digits(const char *text, size_t size, uint64_t *ret)
{
	uint64_t value = 0;

	if (size == 0 || size > 19 || (text[0] == '0' && size > 1))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = value; /* 19 nines fit */
	return true;
}

bool
text_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	bool negative = text[0] == '-';
	uint64_t size;
	int64_t value;

	if (!parse_digits(text + negative, strlen(text + negative), &size) ||
	    (negative && size == 0))
		return err_set(err, ERR_INVALID, "\"%.60s\" is not a whole number", text);
	if (size > (uint64_t)INT64_MAX + negative)
		return err_set(err, ERR_INVALID, "\"%.60s\" is too large a number", text);
	value = negative ? (int64_t)(0 - size) : (int64_t)size;
	if (value < min || value > max)
		return err_set(err, ERR_INVALID,
		    "%" PRId64 " is not between %" PRId64 " and %" PRId64, value, min, max);
	*ret = value;
	return true;
}

bool
text_to_bool(const char *text, bool *ret, struct err *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (text_same_ci(text, words[i])) {
			*ret = i % 2 == 1;
			return true;
		}
	return err_set(err, ERR_INVALID, "\"%.60s\" is neither true nor false", text);
}

/* The power of 1024 that a unit stands for, or -1. */
static int
unit_shift(const char *unit)
{
	static const char *const names[] = { "", "K", "M", "G" };
	static const char *const long_names[] = { "B", "KiB", "MiB", "GiB" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (text_same_ci(unit, names[i]) || text_same_ci(unit, long_names[i]))
			return (int)i * 10;
	return -1;
}

bool
text_to_size(const char *text, int64_t max, int64_t *ret, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	int shift = unit_shift(text + digits);
	uint64_t number;

	if (!parse_digits(text, digits, &number) || shift < 0)
		return err_set(
		    err, ERR_INVALID, "\"%.60s\" is not a size such as 500M or 2G", text);
	if (number > (uint64_t)max >> shift)
		return err_set(err, ERR_INVALID, "%.60s is more than %" PRId64 " bytes", text, max);
	*ret = (int64_t)(number << shift);
	return true;
}

/* --- time --- */

#define MS_OF_YEAR_0	 (-62167219200000)
#define MS_OF_YEAR_10000 253402300800000

static void
split_time(int64_t at_ms, struct tm *tm, int *ms)
{
	time_t seconds;
	int64_t rest;

	if (at_ms < MS_OF_YEAR_0)
		at_ms = MS_OF_YEAR_0;
	if (at_ms >= MS_OF_YEAR_10000)
		at_ms = MS_OF_YEAR_10000 - 1;
	rest = at_ms % 1000;
	if (rest < 0)
		rest += 1000;
	seconds = (time_t)((at_ms - rest) / 1000);
	(void)gmtime_r(&seconds, tm); /* within four-digit years: cannot fail */
	*ms = (int)rest;
}

const char *
text_time(char out[TEXT_TIME_SIZE], int64_t at_ms)
{
	struct tm tm;
	int ms;

	split_time(at_ms, &tm, &ms);
	(void)snprintf(out, TEXT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
	    (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100);
	return out;
}

const char *
text_time_ms(char out[TEXT_TIME_SIZE], int64_t at_ms)
{
	struct tm tm;
	int ms;

	split_time(at_ms, &tm, &ms);
	(void)text_time(out, at_ms);
	(void)snprintf(out + 19, TEXT_TIME_SIZE - 19, ".%03uZ", (unsigned)ms % 1000);
	return out;
}

const char *
text_duration(char out[TEXT_DURATION_SIZE], int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *name, *next;
		int64_t next_ms;
	} units[] = {
		{ 86400000, "d", "h", 3600000 },
		{ 3600000, "h", "min", 60000 },
		{ 60000, "min", "s", 1000 },
	};

	if (ms < 0)
		ms = 0;
	for (size_t i = 0; i < COUNT(units); i++) {
		int64_t rest = ms % units[i].ms / units[i].next_ms;

		if (ms < units[i].ms)
			continue;
		(void)snprintf(out, TEXT_DURATION_SIZE,
		    /* cppcheck-suppress duplicateExpressionTernary ; it stops reading at PRId64 */
		    rest > 0 ? "%" PRId64 " %s %" PRId64 " %s" : "%" PRId64 " %s", ms / units[i].ms,
		    units[i].name, rest, units[i].next);
		return out;
	}
	if (ms >= 1000)
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 " s", ms / 1000);
	else
		(void)snprintf(out, TEXT_DURATION_SIZE, "0.%" PRId64 " s", ms / 100);
	return out;
}

const char *
text_age(char out[TEXT_DURATION_SIZE], int64_t ms)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;

	if (s < 60)
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 " s", s);
	else if (s < 3600)
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 " min", s / 60);
	else if (s < 86400)
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 " h", s / 3600);
	else
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 " d", s / 86400);
	return out;
}

const char *
text_bytes(char out[TEXT_DURATION_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t tenths = bytes / 100;
	size_t i = 0;

	if (bytes < 1000) {
		(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRIu64 " B", bytes);
		return out;
	}
	for (; tenths >= 10000 && i + 1 < COUNT(units); i++)
		tenths /= 1000;
	(void)snprintf(out, TEXT_DURATION_SIZE, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
	    tenths % 10, units[i]);
	return out;
}

/* --- did you mean --- */

static size_t
least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

size_t
text_distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1] = { { 0 } };
	size_t *before = row[0], *above = row[1], *here = row[2], *spare;
	size_t rows = strlen(a), columns = strlen(b);

	if (rows > WORD_MAX || columns > WORD_MAX)
		return text_same_ci(a, b) ? 0 : SIZE_MAX;
	for (size_t j = 0; j <= columns; j++)
		above[j] = j;
	for (size_t i = 1; i <= rows; i++) {
		here[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			size_t change = lower(a[i - 1]) != lower(b[j - 1]);

			here[j] = least_of(above[j] + 1, here[j - 1] + 1, above[j - 1] + change);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < here[j])
				here[j] = before[j - 2] + 1;
		}
		spare = before;
		before = above;
		above = here;
		here = spare;
	}
	return above[columns];
}

const char *
text_nearest(const char *word, const char *const names[], size_t count)
{
	size_t limit = strlen(word) / 3, best = SIZE_MAX;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t distance = text_distance(word, names[i]);

		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return best <= (limit > 0 ? limit : 1) ? nearest : NULL;
}

/* redact_value.c - sorted lists by the first byte, and a filter of how they begin.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_value.h"

#include "lib/array.h"
#include "lib/mem.h"
#include "lib/redact.h"

#define FORMS 9 /* of a line: itself, two URL-encoded, six in base64 */

#define REPEATS_FROM 512 /* bytes of which a value may begin with any, and cost so much each */
#define REPEATS_MOST 16	 /* times in what is longer */
#define BLOCK	     32

/* --- in order --- */

/* < 0: it stands before that text, as also where the text begins with it.  memcmp: nobody who could
 * time this learns more than the log he reads. */
static int
compare(const struct redact_needle *needle, const char *t, size_t n)
{
	int order = memcmp(needle->bytes, t, needle->size < n ? needle->size : n);

	return order != 0 ? order : (needle->size > n) - (needle->size < n);
}

/* Of the first that does not stand before that text; or the count. */
static size_t
place_of(const struct redact_bucket *bucket, const char *t, size_t n)
{
	size_t from = 0, to = bucket->count;

	while (from < to) {
		size_t at = from + (to - from) / 2;

		if (compare(bucket->list[at], t, n) < 0)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static bool
is_there(const struct redact_bucket *bucket, size_t at, const char *t, size_t n)
{
	return at < bucket->count && compare(bucket->list[at], t, n) == 0;
}

/* How many bytes they begin with alike. */
static size_t
common(const struct redact_needle *needle, const char *t, size_t n)
{
	size_t size = needle->size < n ? needle->size : n, at = 0;

	while (at + BLOCK <= size && memcmp(needle->bytes + at, t + at, BLOCK) == 0)
		at += BLOCK;
	while (at < size && needle->bytes[at] == t[at])
		at++;
	return at;
}

/* The longest of it, and of all that it begins with, which has no more than `size` bytes. */
static struct redact_needle *
at_most(struct redact_needle *needle, size_t size)
{
	while (needle != NULL && needle->size > size)
		needle = needle->parent != NULL && needle->jump->size > size ? needle->jump :
									       needle->parent;
	return needle;
}

/* What begins with another one stands behind it, and all between begin with that one, too.  Jumps
 * as in Myers, "An applicative random-access stack" (1983): from any depth a few lead to any
 * other. */
static void
join(struct redact_bucket *bucket)
{
	for (size_t i = 0; i < bucket->count; i++) {
		struct redact_needle *needle = bucket->list[i];
		struct redact_needle *before = i > 0 ? bucket->list[i - 1] : NULL, *up = NULL;

		if (before != NULL)
			up = at_most(before, common(before, needle->bytes, needle->size));
		needle->parent = up;
		needle->depth = up == NULL ? 0 : up->depth + 1;
		if (up == NULL)
			needle->jump = needle;
		else if (up->depth - up->jump->depth == up->jump->depth - up->jump->jump->depth)
			needle->jump = up->jump->jump;
		else
			needle->jump = up;
	}
}

static void
join_all(struct redact_values *v)
{
	for (size_t i = 0; i < COUNT(v->by_first); i++)
		join(&v->by_first[i]);
}

enum redact_match
redact_value_match(
    const struct redact_values *v, const char *t, size_t n, bool is_last, size_t *ret_size)
{
	const struct redact_bucket *bucket = &v->by_first[(unsigned char)t[0]];
	size_t at = place_of(bucket, t, n);
	struct redact_needle *needle;

	if (is_there(bucket, at, t, n))
		at++;
	if (!is_last && at < bucket->count && common(bucket->list[at], t, n) == n)
		return REDACT_MORE;
	if (at == 0)
		return REDACT_NO;
	needle = at_most(bucket->list[at - 1], common(bucket->list[at - 1], t, n));
	if (needle == NULL)
		return REDACT_NO;
	*ret_size = needle->size;
	return REDACT_YES;
}

/* --- what is known --- */

struct redact_needle *
redact_value_find(const struct redact_values *v, const char *value)
{
	const struct redact_bucket *bucket = &v->by_first[(unsigned char)value[0]];
	size_t size = strlen(value), at = place_of(bucket, value, size);

	return is_there(bucket, at, value, size) ? bucket->list[at] : NULL;
}

static void
drop(struct redact_needle *needle)
{
	explicit_bzero(needle->bytes, needle->size);
	free(needle);
}

void
redact_value_init(struct redact_values *v, const struct redact_filter *shapes)
{
	*v = (struct redact_values){ .filter = *shapes };
}

void
redact_value_done(struct redact_values *v)
{
	for (size_t i = 0; i < COUNT(v->by_first); i++) {
		struct redact_bucket *bucket = &v->by_first[i];

		while (bucket->count > 0)
			drop(bucket->list[--bucket->count]);
		free(bucket->list);
	}
	explicit_bzero(&v->filter, sizeof(v->filter));
}

/* join_all() is the caller's. */
static void
add_needle(struct redact_values *v, const char *bytes, size_t size, int64_t until)
{
	struct redact_bucket *bucket = &v->by_first[(unsigned char)bytes[0]];
	size_t at = place_of(bucket, bytes, size);
	struct redact_needle *needle;

	if (is_there(bucket, at, bytes, size)) {
		needle = bucket->list[at];
		needle->until = needle->until > until ? needle->until : until;
		return;
	}
	needle = mem_new(1, sizeof(*needle) + size);
	needle->until = until;
	needle->size = size;
	memcpy(needle->bytes, bytes, size);
	array_reserve(&bucket->list, bucket->count, &bucket->room, 8, sizeof(needle));
	memmove(&bucket->list[at + 1], &bucket->list[at], (bucket->count - at) * sizeof(needle));
	bucket->list[at] = needle;
	bucket->count++;
	redact_filter_add_value(&v->filter, bytes, size);
}

/* A value, or a line of one. */
struct text {
	const char *bytes;
	size_t size;
	int64_t until;
};

static void
add_url_encoded(struct redact_values *v, const struct text *of, const char *digits)
{
	CLEANUP(freep) char *text = mem_alloc(of->size * 3);
	size_t used = 0;

	for (size_t i = 0; i < of->size; i++) {
		unsigned char c = (unsigned char)of->bytes[i];

		if (redact_shape_is_token(of->bytes[i]) || c == '.' || c == '~') {
			text[used++] = of->bytes[i];
			continue;
		}
		text[used++] = '%';
		text[used++] = digits[c >> 4];
		text[used++] = digits[c & 15];
	}
	add_needle(v, text, used, of->until);
	explicit_bzero(text, of->size * 3);
}

static unsigned
byte_at(const struct text *of, size_t i)
{
	return i < of->size ? (unsigned char)of->bytes[i] : 0;
}

/* The base64 characters that `offset` bytes before the value and whatever follows cannot change. */
static void
add_base64(struct redact_values *v, const struct text *of, size_t offset, const char *alphabet)
{
	size_t first = (offset * 8 + 5) / 6, last = (offset + of->size) * 8 / 6;
	CLEANUP(freep) char *text = mem_alloc(last + 1);

	for (size_t i = first; i < last; i++) {
		size_t bit = i * 6, at = bit / 8 - offset;
		unsigned pair = byte_at(of, at) << 8 | byte_at(of, at + 1);

		text[i - first] = alphabet[pair >> (10 - bit % 8) & 63];
	}
	add_needle(v, text, last - first, of->until);
	explicit_bzero(text, last + 1);
}

static void
add_forms(struct redact_values *v, const char *value, size_t size, int64_t until)
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char base64url[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const struct text of = { .bytes = value, .size = size, .until = until };

	if (size < REDACT_VALUE_MIN)
		return;
	add_needle(v, value, size, until);
	add_url_encoded(v, &of, "0123456789ABCDEF");
	add_url_encoded(v, &of, "0123456789abcdef");
	for (size_t offset = 0; offset < 3; offset++) {
		add_base64(v, &of, offset, base64);
		add_base64(v, &of, offset, base64url);
	}
}

static void
add_lines(struct redact_values *v, const char *value, int64_t until)
{
	while (*value != '\0') {
		size_t size = strcspn(value, "\r\n");

		add_forms(v, value, size, until);
		value += size;
		value += strspn(value, "\r\n");
	}
}

void
redact_value_add(struct redact_values *v, const char *value, int64_t until)
{
	add_forms(v, value, strlen(value), until);
	add_lines(v, value, until);
	join_all(v);
}

/* By the failure function of Knuth, Morris and Pratt: so many bytes at the end of what is read are
 * those at the beginning, and what is read repeats itself each of the others. */
static bool
repeats(const char *bytes, size_t size)
{
	CLEANUP(freep) uint32_t *alike = NULL;
	size_t n = 0;

	if (size < REPEATS_FROM)
		return false;
	alike = mem_new(size + 1, sizeof(*alike));
	for (size_t end = 1; end < size; end++) {
		while (n > 0 && bytes[n] != bytes[end])
			n = alike[n];
		n += bytes[n] == bytes[end] ? 1 : 0;
		alike[end + 1] = (uint32_t)n;
		if (end + 1 >= REPEATS_FROM && (end + 1 - n) * REPEATS_MOST < end + 1)
			return true;
	}
	return false;
}

bool
redact_value_repeats(const char *value)
{
	bool is_so = repeats(value, strlen(value));

	while (*value != '\0' && !is_so) {
		size_t size = strcspn(value, "\r\n");

		is_so = repeats(value, size);
		value += size;
		value += strspn(value, "\r\n");
	}
	return is_so;
}

size_t
redact_value_needles(const char *value)
{
	size_t n = FORMS; /* of the whole */

	if (value[strcspn(value, "\r\n")] == '\0')
		return n;
	while (*value != '\0') {
		size_t size = strcspn(value, "\r\n");

		n += size < REDACT_VALUE_MIN ? 0 : FORMS;
		value += size;
		value += strspn(value, "\r\n");
	}
	return n;
}

void
redact_value_forget(struct redact_values *v, const struct redact_filter *shapes, int64_t now)
{
	v->filter = *shapes;
	for (size_t i = 0; i < COUNT(v->by_first); i++) {
		struct redact_bucket *bucket = &v->by_first[i];
		size_t kept = 0;

		for (size_t k = 0; k < bucket->count; k++) {
			struct redact_needle *needle = bucket->list[k];

			if (needle->until <= now) {
				drop(needle);
				continue;
			}
			redact_filter_add_value(&v->filter, needle->bytes, needle->size);
			bucket->list[kept++] = needle;
		}
		bucket->count = kept;
	}
	join_all(v);
}

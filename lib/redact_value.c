/* redact_value.c - lists by the first byte, the longest first, and a filter of how they begin.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/redact_value.h"

#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/redact_shape.h"

#define FORMS 9 /* of a line: itself, two URL-encoded, six in base64 */

/* memcmp: nobody who could time this learns more than the log he reads. */
static bool
is_same(const struct redact_needle *n, const char *bytes, size_t size)
{
	return n->size == size && memcmp(n->bytes, bytes, size) == 0;
}

struct redact_needle *
redact_value_find(const struct redact_values *v, const char *value)
{
	struct redact_needle *n = v->by_first[(unsigned char)value[0]];
	size_t size = strlen(value);

	while (n != NULL && !is_same(n, value, size))
		n = n->next;
	return n;
}

static void
drop(struct redact_needle **at)
{
	struct redact_needle *n = *at;

	*at = n->next;
	explicit_bzero(n->bytes, n->size);
	free(n);
}

void
redact_value_init(struct redact_values *v, const struct redact_filter *shapes)
{
	*v = (struct redact_values){ .filter = *shapes };
}

void
redact_value_done(struct redact_values *v)
{
	for (size_t i = 0; i < COUNT(v->by_first); i++)
		while (v->by_first[i] != NULL)
			drop(&v->by_first[i]);
	explicit_bzero(&v->filter, sizeof(v->filter));
}

/* Longer ones stand first, so that the whole of a value goes and not a part of it. */
static void
add_needle(struct redact_values *v, const char *bytes, size_t size, int64_t until)
{
	struct redact_needle **at, *n;

	at = &v->by_first[(unsigned char)bytes[0]];
	for (; *at != NULL && (*at)->size >= size; at = &(*at)->next)
		if (is_same(*at, bytes, size)) {
			(*at)->until = (*at)->until > until ? (*at)->until : until;
			return;
		}
	n = mem_new(1, sizeof(*n) + size);
	n->until = until;
	n->size = size;
	memcpy(n->bytes, bytes, size);
	n->next = *at;
	*at = n;
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
	for (size_t i = 0; i < COUNT(v->by_first); i++)
		for (struct redact_needle **at = &v->by_first[i]; *at != NULL;) {
			if ((*at)->until <= now) {
				drop(at);
				continue;
			}
			redact_filter_add_value(&v->filter, (*at)->bytes, (*at)->size);
			at = &(*at)->next;
		}
}

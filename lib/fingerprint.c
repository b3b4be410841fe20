/* fingerprint.c - which values a set of settings has, as a list that tells none of them.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "lib/sha256.h"
#include "lib/text.h"

#define MARK_BYTES     8
#define MORE	       ", …"
#define NAME_MAX_BYTES 80

static void
add_mark(struct buf *list, const char *name, const char *value)
{
	uint8_t digest[SHA256_SIZE];
	char mark[2 * MARK_BYTES + 1];

	sha256(value, strlen(value), digest);
	text_hex(mark, digest, MARK_BYTES);
	buf_addf(list, "%s%s=%s", list->size > 0 ? " " : "", name, mark);
}

/* NULL: it is not set. */
static const char *
text_in(const struct env_file *file, const char *name)
{
	const struct env_entry *entry = env_file_find(file, name);

	return entry == NULL || entry->value[0] == '\0' ? NULL : entry->value;
}

void
fingerprint_add(struct buf *list, const char *name, bool is_secret,
    const struct env_file *const files[], size_t count)
{
	char path_name[NAME_MAX_BYTES];
	const char *value = NULL;

	(void)snprintf(path_name, sizeof(path_name), "%s_FILE", name);
	for (size_t i = 0; i < count && value == NULL; i++) {
		value = text_in(files[i], name);
		if (is_secret)
			value = value != NULL ? "" : text_in(files[i], path_name);
	}
	if (value != NULL)
		add_mark(list, name, value);
}

const char *
fingerprint_digest(const char *list, char out[FINGERPRINT_DIGEST])
{
	uint8_t digest[SHA256_SIZE];

	sha256(list, strlen(list), digest);
	text_hex(out, digest, sizeof(digest));
	return out;
}

/* Does the list have this word, NAME=MARK, or where that ends with = one with its name? */
static bool
has(const char *list, const char *word, size_t size)
{
	for (; *list != '\0'; list += strspn(list, " ")) {
		size_t its = strcspn(list, " ");

		if (its >= size && memcmp(list, word, size) == 0 &&
		    (its == size || word[size - 1] == '='))
			return true;
		list += its;
	}
	return false;
}

static void
add_name(char *out, size_t room, const char *word)
{
	size_t used = strlen(out), size = strcspn(word, "= ");

	if (used >= strlen(MORE) && strcmp(out + used - strlen(MORE), MORE) == 0)
		return;
	if (used + strlen(", ") + size + sizeof(MORE) <= room)
		(void)snprintf(
		    out + used, room - used, "%s%.*s", used > 0 ? ", " : "", (int)size, word);
	else if (used + sizeof(MORE) <= room)
		(void)snprintf(out + used, room - used, MORE);
}

/* Those of a that are not the same in b, and not only another mark where is_new_only. */
static void
add_differing(const char *a, const char *b, bool is_new_only, char *out, size_t room)
{
	for (; *a != '\0'; a += strspn(a, " ")) {
		size_t size = strcspn(a, " "), name = strcspn(a, "=");

		if (!has(b, a, is_new_only && name < size ? name + 1 : size))
			add_name(out, room, a);
		a += size;
	}
}

const char *
fingerprint_differing(const char *a, const char *b, char *out, size_t room)
{
	out[0] = '\0';
	add_differing(a, b, false, out, room);
	add_differing(b, a, true, out, room);
	return out;
}

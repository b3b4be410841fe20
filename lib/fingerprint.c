/* fingerprint.c - which values a set of settings has, as a list that tells none of them.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/fingerprint.h"

#include <stdio.h>

#include "lib/hosts_file.h"
#include "lib/setting.h"
#include "lib/sha256.h"
#include "lib/text.h"

#define MARK_BYTES     8
#define MORE	       ", …"
#define NAME_MAX_BYTES 80

void
fingerprint_add_bytes(struct buf *list, const char *name, const void *data, size_t size)
{
	uint8_t digest[SHA256_SIZE];
	char mark[2 * MARK_BYTES + 1];

	sha256(data, size, digest);
	text_hex(mark, digest, MARK_BYTES);
	buf_addf(list, "%s%s=%s", list->size > 0 ? " " : "", name, mark);
}

/* What the list has of it: of a secret the path of its file, or nothing. */
static const char *
marked_in(const struct env_file *file, const char *name, bool is_secret)
{
	char path_name[NAME_MAX_BYTES];
	const char *value = env_file_text(file, name);

	if (!is_secret)
		return value;
	(void)snprintf(path_name, sizeof(path_name), "%s_FILE", name);
	return value != NULL ? "" : env_file_text(file, path_name);
}

/* What the first step has that says it, as it is called there; NULL: none does. */
static const char *
find(const char *name, const char *special, bool is_secret, const struct fingerprint_files *files,
    const char **ret_name)
{
	struct setting_step step;
	const char *value = NULL;

	for (size_t n = 0; value == NULL && setting_step(files->own, files->count, n, &step); n++) {
		*ret_name = step.is_environments ? special : name;
		if (*ret_name != NULL)
			value = marked_in(files->at[step.source], *ret_name, is_secret);
	}
	return value;
}

void
fingerprint_add(struct buf *list, const char *name, const char *special, bool is_secret,
    const struct fingerprint_files *files)
{
	const char *its, *value = find(name, special, is_secret, files, &its);

	if (value != NULL)
		fingerprint_add_bytes(list, its, value, strlen(value));
}

void
fingerprint_add_hosts(struct buf *list, const char *name, const struct fingerprint_files *files)
{
	const char *its, *path = find(name, NULL, false, files, &its);
	CLEANUP(freep)
	char *hosts = path != NULL ? hosts_file_read(path, files->owner, NULL) : NULL;

	if (path != NULL)
		fingerprint_add_bytes(list, name, hosts, hosts != NULL ? strlen(hosts) : 0);
}

void
fingerprint_add_registries(
    struct buf *list, const char *environment, const struct fingerprint_files *files)
{
	static const struct {
		const char *name;
		bool is_secret;
	} each[] = { { "REGISTRY_<NAME>_URL", false }, { "REGISTRY_<NAME>_USER", false },
		{ "REGISTRY_<NAME>_PASSWORD", true } };
	char name[SETTING_NAME_MAX], member[SETTING_NAME_MAX];
	const char *its, *registries;

	registries = find(
	    "REGISTRIES", setting_special("REGISTRIES", environment, name), false, files, &its);
	while (registries != NULL && setting_next(&registries, member, sizeof(member)))
		for (size_t i = 0; i < COUNT(each); i++)
			fingerprint_add(list, setting_name(each[i].name, member, name), NULL,
			    each[i].is_secret, files);
}

bool
fingerprint_add_line(char list[FINGERPRINT_LIST_MAX], const char *family, const char *name,
    const char *line, struct err *err)
{
	char member[SETTING_NAME_MAX];
	CLEANUP(buf_done) struct buf all = buf_make(FINGERPRINT_LIST_MAX - 1);

	buf_adds(&all, list);
	fingerprint_add_bytes(&all, setting_name(family, name, member), line, strlen(line));
	return buf_check(&all, err) && text_copy(list, FINGERPRINT_LIST_MAX, buf_text(&all));
}

const char *
fingerprint_digest(const char *list, char out[FINGERPRINT_DIGEST])
{
	uint8_t digest[SHA256_SIZE];

	sha256(list, strlen(list), digest);
	text_hex(out, digest, sizeof(digest));
	return out;
}

const char *
fingerprint_of_order(
    const char *list, enum commit_source source, const char *tree, char out[FINGERPRINT_DIGEST])
{
	char all[FINGERPRINT_LIST_MAX + 2 * FINGERPRINT_DIGEST];

	(void)snprintf(all, sizeof(all), "%s source/%s=%s", list, commit_source_word(source), tree);
	return fingerprint_digest(source == SOURCE_GIT ? list : all, out);
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

char *
fingerprint_drop_hosts(char *list, const char *environment)
{
	char its[SETTING_NAME_MAX], name[SETTING_NAME_MAX + sizeof("environment/")];
	char *to = list;

	(void)setting_name("<ENV>_HOSTS_FILE", environment, its);
	(void)snprintf(name, sizeof(name), "environment/%s", its);
	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t size = strcspn(at, " "), of = strcspn(at, "=");
		bool is_hosts = (of == strlen(its) && memcmp(at, its, of) == 0) ||
		    (of == strlen(name) && memcmp(at, name, of) == 0);

		if (!is_hosts) {
			if (to > list)
				*to++ = ' ';
			memmove(to, at, size);
			to += size;
		}
		at += size;
	}
	*to = '\0';
	return list;
}

char *
fingerprint_cut(char *list)
{
	char *at = list;

	while (*at != '\0' && memchr(at, '/', strcspn(at, "=")) == NULL) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	while (at > list && at[-1] == ' ')
		at--;
	*at = '\0';
	return list;
}

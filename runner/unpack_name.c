/* unpack_name.c - which names and contents in an archive are refused, and in which words.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "runner/unpack_name.h"

#include <stdio.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/column.h"
#include "lib/text.h"

#define SHOWN_MAX 120 /* bytes of an entry's name in a sentence */

const char *const unpack_why_words[] = { UNPACK_WHYS(COLUMN_SECOND) };

bool
unpack_refuse(struct unpack_refusal *ret, enum unpack_why why, const char *entry, const char *text)
{
	char shown[SHOWN_MAX];

	ret->why = why;
	if (entry == NULL)
		text_setf(ret->text, "%s", text);
	else
		text_setf(ret->text, "\"%s\" %s",
		    clean_line(shown, sizeof(shown), entry, strlen(entry)), text);
	return false;
}

/* Controls, marks of direction and what shows nothing: whoever reads the question sees every name
 * as it is. */
static bool
is_shown_as_it_is(const char *name)
{
	uint32_t code;

	for (size_t n; *name != '\0'; name += n) {
		n = text_decode(name, strlen(name), &code);
		if (n == 0 || clean_is_harmful(code))
			return false;
	}
	return true;
}

static bool
is_part(const char *part, size_t size, const char *word)
{
	char copy[UNPACK_NAME_MAX + 1];

	(void)snprintf(copy, sizeof(copy), "%.*s", (int)size, part);
	return text_same_ci(copy, word);
}

/* `.env` and `.env.production` are what an application is started with; the sample has no value. */
static bool
is_secret(const char *part, size_t size)
{
	static const char *const names[] = { ".env", ".ssh", "id_rsa", "id_dsa", "id_ecdsa",
		"id_ed25519" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (is_part(part, size, names[i]))
			return true;
	return size > 5 && is_part(part, 5, ".env.") && !is_part(part, size, ".env.example");
}

/* What stands between two slashes. */
static bool
check_part(const char *name, const char *part, size_t size, struct unpack_refusal *refusal)
{
	const char *fault = size == 0	 ? "has an empty name in its path" :
	    part[0] == '-'		 ? "has a name that begins with -" :
	    strchr(". ", part[size - 1]) ? "has a name that ends in a dot or blank" :
	    is_part(part, size, ".git")	 ? "is of a repository: leave .git out" :
					   NULL;

	if (size > UNPACK_NAME_MAX)
		return unpack_refuse(refusal, UNPACK_BOMB, name, "has a name of over 255 bytes");
	if (fault != NULL)
		return unpack_refuse(refusal, UNPACK_NAME, name, fault);
	return !is_secret(part, size) ||
	    unpack_refuse(refusal, UNPACK_SECRET, name,
		"is where secrets are kept: leave it out of the archive");
}

static bool
check_text(const char *name, struct unpack_refusal *refusal)
{
	if (!is_shown_as_it_is(name))
		return unpack_refuse(refusal, UNPACK_NAME, name,
		    "has a name that is no UTF-8, or has characters that cannot be shown");
	if (strpbrk(name, "\\;") != NULL || strstr(name, "&&") != NULL ||
	    strstr(name, "$(") != NULL)
		return unpack_refuse(
		    refusal, UNPACK_NAME, name, "has a backslash, ;, && or $( in its name");
	return strlen(name) <= UNPACK_PATH_MAX ||
	    unpack_refuse(refusal, UNPACK_BOMB, name, "has a path of over 1,024 bytes");
}

static bool
leads_out(const char *name)
{
	if (name[0] == '/')
		return true;
	for (size_t size; *name != '\0'; name += size + (name[size] == '/')) {
		size = strcspn(name, "/");
		if (size == 2 && name[0] == '.' && name[1] == '.')
			return true;
	}
	return false;
}

bool
unpack_name_check(const char *name, char ret[UNPACK_PATH_MAX + 1], struct unpack_refusal *refusal)
{
	const char *part = name;
	size_t used = 0;
	unsigned depth = 0;

	ret[0] = '\0';
	if (name == NULL)
		return unpack_refuse(refusal, UNPACK_NAME, name, "a name in it is no UTF-8");
	if (leads_out(name))
		return unpack_refuse(refusal, UNPACK_TRAVERSAL, name, "leads out of its folder");
	if (!check_text(name, refusal))
		return false;
	for (size_t size; *part != '\0'; part += size + (part[size] == '/')) {
		size = strcspn(part, "/");
		if (size == 1 && part[0] == '.')
			continue;
		if (!check_part(name, part, size, refusal))
			return false;
		if (++depth > UNPACK_DEPTH_MAX)
			return unpack_refuse(
			    refusal, UNPACK_BOMB, name, "lies more than 32 folders deep");
		used += (size_t)snprintf(ret + used, UNPACK_PATH_MAX + 1 - used, "%s%.*s",
		    used > 0 ? "/" : "", (int)size, part);
	}
	return true;
}

bool
unpack_name_check_content(
    const char *path, const char *head, size_t size, struct unpack_refusal *refusal)
{
	static const struct {
		const char *end; /* of the path */
		const char *has;
	} rules[] = { { ".pem", "PRIVATE KEY" }, { ".key", "PRIVATE KEY" }, { ".npmrc", "_auth" },
		{ ".npmrc", "_password" }, { ".netrc", "password" }, { ".dockercfg", "auth" } };

	for (size_t i = 0; i < COUNT(rules); i++) {
		size_t end = strlen(rules[i].end), length = strlen(path);

		if (length >= end && text_same_ci(path + length - end, rules[i].end) &&
		    memmem(head, size, rules[i].has, strlen(rules[i].has)) != NULL)
			return unpack_refuse(refusal, UNPACK_SECRET, path,
			    "has a private key or a login in it: leave it out of the archive");
	}
	return true;
}

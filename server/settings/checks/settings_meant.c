/* settings_meant.c - what somebody most likely meant by a value that is wrong.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define GROUP_DIGITS 13 /* a supergroup's id is -100 and ten digits more; a person's is shorter */
#define HEADS	     "refs/heads/"
#define TAGS	     "refs/tags/"

/* --- values --- */

/* Each writes what may have been meant; whether that is a value is asked then. */
typedef void rewrite_fn(const char *text, char *out, size_t room);

/* "https://github.com/o/r.git", "git@github.com:o/r": "o/r". */
static void
cut_place(const char *text, char *out, size_t room)
{
	const char *scheme = strstr(text, "://");
	const char *rest = scheme != NULL ? strchr(scheme + 3, '/') : strchr(text, ':');
	size_t size;

	if (rest == NULL)
		return;
	rest += strspn(rest, ":/");
	size = strcspn(rest, "?#");
	while (size > 0 && rest[size - 1] == '/')
		size--;
	if (size > 4 && strncmp(rest + size - 4, ".git", 4) == 0)
		size -= 4;
	(void)snprintf(out, room, "%.*s", (int)size, rest);
}

/* "example.org/health": "https://example.org/health". */
static void
add_https(const char *text, char *out, size_t room)
{
	if (strstr(text, "://") == NULL && strchr(text, '.') != NULL)
		(void)snprintf(out, room, "https://%s", text);
}

/* "registry.example.org/": without it. */
static void
cut_slash(const char *text, char *out, size_t room)
{
	size_t size = strlen(text);

	while (size > 0 && text[size - 1] == '/')
		size--;
	(void)snprintf(out, room, "%.*s", (int)size, text);
}

/* "staging, Production" and "staging production": "staging,production". */
static void
to_list(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (; *text != '\0' && n + 2 < room; text++) {
		if (*text != ' ' && *text != ',') {
			out[n++] = (char)tolower((unsigned char)*text);
			continue;
		}
		while (text[1] == ' ' || text[1] == ',')
			text++;
		if (n > 0 && text[1] != '\0')
			out[n++] = ',';
	}
	out[n] = '\0';
}

/* "10m": "600"; "5s": "5". */
static void
to_seconds(const char *text, char *out, size_t room)
{
	char *unit;
	long n = strtol(text, &unit, 10);
	long each = strcmp(unit, "s") == 0 ? 1 :
	    strcmp(unit, "m") == 0	   ? 60 :
	    strcmp(unit, "h") == 0	   ? 3600 :
					     0;

	if (n > 0 && n <= 86400 && each > 0)
		(void)snprintf(out, room, "%ld", n * each);
}

static void
to_loopback(const char *text, char *out, size_t room)
{
	if (strcmp(text, "localhost") == 0)
		(void)snprintf(out, room, "127.0.0.1");
	else if (strcmp(text, "*") == 0)
		(void)snprintf(out, room, "0.0.0.0");
}

/* "ssh://root@a:22": "a:22". */
static void
cut_user(const char *text, char *out, size_t room)
{
	const char *at = strrchr(text, '@'), *scheme = strstr(text, "://");

	cut_slash(at != NULL ? at + 1 : scheme != NULL ? scheme + 3 : text, out, room);
}

/* "a b": "a,b". */
static void
to_hosts(const char *text, char *out, size_t room)
{
	if (strpbrk(text, "@/") != NULL)
		cut_user(text, out, room);
	else
		to_list(text, out, room);
}

/* "github 4 .github/workflows/a.yml@main env=b": "github 4 a.yml@refs/heads/main environment=b". */
static void
to_workflow(const char *text, char *out, size_t room)
{
	static const char folder[] = ".github/workflows/", option[] = "env=";
	size_t used = 0;

	for (const char *word = text; *word != '\0' && used < room; word += strspn(word, " ")) {
		size_t size = strcspn(word, " ");
		bool is_option = strncmp(word, option, strlen(option)) == 0;
		char one[160], *file = one, *ref;

		text_setf(one, "%.*s", (int)size, word);
		word += size;
		ref = is_option ? NULL : strchr(one, '@');
		if (ref != NULL && strstr(one, folder) != NULL && strstr(one, folder) < ref)
			file = strstr(one, folder) + strlen(folder);
		used += (size_t)snprintf(out + used, room - used, "%s%s%.*s%s%s%s",
		    used > 0 ? " " : "", is_option ? "environment=" : "",
		    ref != NULL ? (int)(ref - file) : (int)sizeof(one),
		    is_option ? one + strlen(option) : file, ref != NULL ? "@" : "",
		    ref != NULL && !text_starts(ref + 1, "refs/") ? HEADS : "",
		    ref != NULL ? ref + 1 : "");
	}
}

/* "Berlin": "Europe/Berlin". */
static void
find_zone(const char *text, char *out, size_t room)
{
	static const char *const parts[] = { "Europe", "America", "Asia", "Africa", "Australia",
		"Pacific", "Atlantic", "Indian" };

	for (size_t i = 0; i < COUNT(parts) && strchr(text, '/') == NULL; i++) {
		(void)snprintf(out, room, "%s/%s", parts[i], text);
		if (setting_check(SETTING_TYPE_ZONE, out, false, NULL))
			return;
	}
}

/* "gate:a/b, secret.DB_MIGRATE:a/b": "secret.db-migrate:a/b", as SECRET_DB_MIGRATE is called. */
static void
to_grant(const char *text, char *out, size_t room)
{
	static const char head[] = "secret.";

	for (const char *at = text; (at = strstr(at, head)) != NULL; at += strlen(head)) {
		size_t size = strcspn(at, ", "), name = strcspn(at, ":, ");

		(void)snprintf(out, room, "%.*s", (int)size, at);
		for (size_t i = 0; i < name && out[i] != '\0'; i++)
			out[i] = (char)(out[i] == '_' ? '-' : tolower((unsigned char)out[i]));
		if (strncmp(out, at, size) != 0)
			return;
	}
	out[0] = '\0';
}

static const struct row {
	enum setting_type type;
	rewrite_fn *rewrite; /* NULL: none */
	const char *hint;    /* said besides; NULL: nothing */
} rows[] = {
	{ SETTING_TYPE_REPOSITORY, cut_place, NULL },
	{ SETTING_TYPE_REPOSITORY_PATH, cut_place, NULL },
	{ SETTING_TYPE_URL, add_https, NULL },
	{ SETTING_TYPE_URLS, add_https, NULL },
	{ SETTING_TYPE_REGISTRY, cut_slash, NULL },
	{ SETTING_TYPE_NAMES, to_list, NULL },
	{ SETTING_TYPE_SECONDS, to_seconds, NULL },
	{ SETTING_TYPE_SECONDS_OR_0, to_seconds, NULL },
	{ SETTING_TYPE_ADDRESS, to_loopback, NULL },
	{ SETTING_TYPE_HOSTS, to_hosts, NULL },
	{ SETTING_TYPE_HOSTS_OR_PATTERN, to_hosts, NULL },
	{ SETTING_TYPE_ZONE, find_zone, NULL },
	{ SETTING_TYPE_GRANTS, to_grant, NULL },
	{ SETTING_TYPE_WORKFLOW_IS, to_workflow,
	    "NUMBER: its id (gh api repos/OWNER/NAME --jq .id); REF: one, without *" },
	{ SETTING_TYPE_ID, NULL, "/whoami in the group shows its id" },
};

void
settings_meant(const struct settings_spec *spec, const char *text, char *out, size_t room)
{
	const struct row *row = NULL;
	char meant[160] = "";

	out[0] = '\0';
	if (spec->type == SETTING_TYPE_REMOTE &&
	    setting_check(SETTING_TYPE_REPOSITORY, text, false, NULL))
		(void)snprintf(out, room, "; owner/name stands in GITHUB_REPOSITORY");
	for (size_t i = 0; i < COUNT(rows) && row == NULL; i++)
		if (rows[i].type == spec->type)
			row = &rows[i];
	if (row == NULL || spec->is_secret || setting_rows[spec->type].is_hidden)
		return;
	if (row->rewrite != NULL && strlen(text) < sizeof(meant) - 16)
		row->rewrite(text, meant, sizeof(meant));
	if (strcmp(meant, text) == 0 || meant[0] == '\0' ||
	    !setting_check(spec->type, meant, false, NULL))
		meant[0] = '\0';
	if (meant[0] != '\0')
		(void)snprintf(out, room, "; did you mean %s?", meant);
	else if (row->hint != NULL)
		(void)snprintf(out, room, "; %s", row->hint);
	if (row->rewrite == to_hosts && strchr(text, '@') != NULL)
		(void)snprintf(out + strlen(out), room - strlen(out),
		    "%s the user stands in DEPLOY_USER", out[0] == '\0' ? ";" : "");
}

/* --- names --- */

static size_t
count_words(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n += *name == '_';
	return n;
}

static bool
has_word(const char *name, const char *word, size_t size)
{
	for (const char *at = name; at != NULL; at = strchr(at, '_')) {
		at += *at == '_';
		if (strcspn(at, "_") == size && strncmp(at, word, size) == 0)
			return true;
	}
	return false;
}

static bool
has_all_words(const char *name, const char *of)
{
	for (const char *at = of; at != NULL; at = strchr(at, '_')) {
		at += *at == '_';
		if (!has_word(name, at, strcspn(at, "_")))
			return false;
	}
	return true;
}

/* The only one that has these words and `more`; NULL: none, or several. */
static const char *
find_with(const char *name, size_t more, const char *const names[], size_t count)
{
	const char *found = NULL;
	size_t words = count_words(name) + more;

	for (size_t i = 0; i < count; i++) {
		if (count_words(names[i]) != words || !has_all_words(names[i], name) ||
		    text_ends(names[i], "_FILE"))
			continue;
		if (found != NULL)
			return NULL;
		found = names[i];
	}
	return found;
}

/* TELEGRAM_API_URL is not TELEGRAM_API_ID: a word that begins with another letter has to be near by
 * itself. */
static bool
is_typo(const char *name, const char *nearest)
{
	if (count_words(name) != count_words(nearest))
		return true;
	while (*name != '\0' && *nearest != '\0') {
		size_t n = strcspn(name, "_"), m = strcspn(nearest, "_");
		char word[SETTING_NAME_MAX + 8], other[SETTING_NAME_MAX + 8];
		const char *const others[] = { other };

		text_setf(word, "%.*s", (int)n, name);
		text_setf(other, "%.*s", (int)m, nearest);
		if (toupper((unsigned char)word[0]) != other[0] &&
		    text_nearest(word, others, 1) == NULL)
			return false;
		name += n + (name[n] == '_');
		nearest += m + (nearest[m] == '_');
	}
	return true;
}

const char *
settings_meant_name(const char *name, const char *const names[], size_t count)
{
	const char *found = text_nearest(name, names, count);

	if (found != NULL && is_typo(name, found))
		return found;
	found = NULL;
	if (count_words(name) > 1)
		found = find_with(name, 0, names, count);
	if (found == NULL && count_words(name) > 1)
		found = find_with(name, 1, names, count);
	return found;
}

/* What stands between the two: the name of an environment, as it is in ENVIRONMENTS. */
static bool
take_environment(
    const char *name, const char *before, size_t n, const char *after, char out[SETTING_NAME_MAX])
{
	size_t size = strlen(name), behind = strlen(after), middle = size - n - behind;

	if (size <= n + behind || middle >= SETTING_NAME_MAX || strncmp(name, before, n) != 0 ||
	    strcmp(name + size - behind, after) != 0)
		return false;
	for (size_t i = 0; i < middle; i++)
		out[i] = (char)(name[n + i] == '_' ? '-' : tolower((unsigned char)name[n + i]));
	out[middle] = '\0';
	return setting_check(SETTING_TYPE_NAMES, out, false, NULL);
}

/* QA_ROLLBACK_APPROVALS is qa's: the shortest name is that of the longest setting. */
static void
keep_shorter(const char *found, char out[SETTING_NAME_MAX])
{
	if (out[0] == '\0' || strlen(found) < strlen(out))
		(void)text_copy(out, SETTING_NAME_MAX, found);
}

bool
settings_meant_environment(const char *name, char out[SETTING_NAME_MAX])
{
	char found[SETTING_NAME_MAX], after[SETTING_NAME_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < FAMILY_SETTING_COUNT; i++) {
		const char *pattern = settings_table_families[i].name;

		if (settings_table_families[i].family == FAMILY_ENVIRONMENT &&
		    take_environment(
			name, pattern, strcspn(pattern, "<"), strchr(pattern, '>') + 1, found))
			keep_shorter(found, out);
	}
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		text_setf(after, "_%s", settings_table[i].name);
		if (settings_table[i].is_shipping && take_environment(name, "", 0, after, found))
			keep_shorter(found, out);
	}
	return out[0] != '\0';
}

/* --- what is a value, and still not what was meant --- */

static void
check_branch(
    struct settings_loader *l, const char *name, struct settings_found found, const char *text)
{
	if (text_starts(text, HEADS))
		settings_say_found(l, SETTINGS_FLAW, name, found,
		    "\"%.80s\" is a full ref, and no push is for it: did you mean %.80s?", text,
		    text + strlen(HEADS));
	else if (text_starts(text, TAGS))
		settings_say_found(l, SETTINGS_FLAW, name, found,
		    "\"%.100s\" is a tag, and a push to a branch is what deploys: name a branch",
		    text);
}

/* A list of chats has the rest behind it. */
static void
check_chats(
    struct settings_loader *l, const char *name, struct settings_found found, const char *text)
{
	char part[SETTING_PART_MAX + 1];

	while (setting_next(&text, part, sizeof(part))) {
		if (strspn(part, "0123456789") != GROUP_DIGITS || !text_starts(part, "100"))
			continue;
		settings_say_found(l, SETTINGS_FLAW, name, found,
		    "%.20s is a group's id without its minus: did you mean -%.20s?", part, part);
	}
}

void
settings_check_meant(struct settings_loader *l, const struct settings_spec *spec, const char *name,
    struct settings_found found)
{
	if (spec->type == SETTING_TYPE_BRANCH)
		check_branch(l, name, found, found.text);
	else if (spec->type == SETTING_TYPE_ID || spec->type == SETTING_TYPE_CHATS)
		check_chats(l, name, found, found.text);
}

/* settings_adopt.c - moves lines from one text into another, as they stand.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_adopt.h"

#include <string.h>

#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/list.h"
#include "lib/text.h"
#include "settings/settings_table.h"
#include "types/roles.h"

struct adopter {
	struct settings_adopted *ret;
	const char *application;
	const char *text;
	char *const *environ_list;
	struct env_file file;
};

/* The n-th line, counted from 1, and those behind it. */
static const char *
line_at(const char *text, unsigned n)
{
	while (n > 1 && text != NULL && (text = strchr(text, '\n')) != NULL) {
		text++;
		n--;
	}
	return text == NULL ? "" : text;
}

/* As it stands in the file, comment and all. */
static void
add_lines(struct adopter *a, const struct env_entry *entry)
{
	const char *begin = line_at(a->text, entry->line), *end = line_at(a->text, entry->last + 1);

	if (*end == '\0') {
		buf_adds(&a->ret->application, begin);
		if (a->ret->application.size > 0 &&
		    buf_text(&a->ret->application)[a->ret->application.size - 1] != '\n')
			buf_addc(&a->ret->application, '\n');
	} else {
		buf_add(&a->ret->application, begin, (size_t)(end - begin));
	}
}

/* Does any environment switch between two ports?  Else the default of these is nobody's. */
static bool
is_bluegreen(const struct adopter *a)
{
	const char *suffix = settings_table[SETTING_DEPLOY_STRATEGY].name;

	for (size_t i = 0; i < a->file.count; i++)
		if (text_ends(a->file.entries[i].name, suffix) &&
		    text_same_ci(a->file.entries[i].value, "bluegreen"))
			return true;
	for (char *const *e = a->environ_list; e != NULL && *e != NULL; e++) {
		const char *found = strstr(*e, suffix);

		if (found != NULL && text_same_ci(found + strlen(suffix), "=bluegreen"))
			return true;
	}
	return false;
}

/* The name that it had is the new file's to say. */
static bool
is_renamed_from(const char *name)
{
	return strcmp(name, settings_table[SETTING_RENAMED_FROM].name) == 0;
}

/* One own setting: from where it is in force, or its default where a name would make it another. */
static void
move(void *ctx, const char *name, const char *pattern, const char *fallback)
{
	struct adopter *a = ctx;
	const struct env_entry *entry = env_file_find(&a->file, name);
	const char *given = settings_environ_text(a->environ_list, name), *its;
	char out[SETTING_NAME_MAX];

	if (is_renamed_from(name))
		return;
	its = setting_fallback(pattern, fallback, a->application, out);
	a->ret->moved += given != NULL || entry != NULL;
	if (given != NULL) {
		buf_addf(&a->ret->elsewhere, "%s%s", a->ret->elsewhere.size > 0 ? ", " : "", name);
		env_file_add(&a->ret->application, name, given);
	} else if (entry != NULL && entry->value[0] != '\0') {
		add_lines(a, entry);
	} else if (fallback != NULL && (its == NULL || strcmp(its, fallback) != 0) &&
	    (strcmp(pattern, settings_table[SETTING_APP_PORTS].name) != 0 || is_bluegreen(a))) {
		buf_addf(&a->ret->application, "%s=%s\n", name, fallback);
	}
}

static const char *
environments_of(const struct adopter *a)
{
	const char *name = settings_table[SETTING_ENVIRONMENTS].name;
	const char *given = settings_environ_text(a->environ_list, name);

	if (given == NULL)
		given = env_file_text(&a->file, name);
	return given != NULL ? given : settings_table[SETTING_ENVIRONMENTS].fallback;
}

/* Marks the entry as one that leaves the main file: it has no name any more. */
static void
mark(void *ctx, const char *name, UNUSED const char *pattern, UNUSED const char *fallback)
{
	struct adopter *a = ctx;

	for (size_t i = 0; i < a->file.count; i++)
		if (!is_renamed_from(name) && strcmp(a->file.entries[i].name, name) == 0)
			a->file.entries[i].name[0] = '\0';
}

/* "deploy:staging" is "deploy:shop/staging" from now on: who may do what, and what asks for a code,
 * stays what it is. */
static bool
names_targets(const struct adopter *a, const struct env_entry *entry, struct buf *ret)
{
	const char *list = entry->value;
	char grant[GRANT_TEXT];
	bool is_new = false;

	if (strcmp(entry->name, settings_table[SETTING_REQUIRE_OTP].name) != 0 &&
	    (strncmp(entry->name, "ROLE_", 5) != 0 || !text_ends(entry->name, "_MAY")))
		return false;
	while (setting_next(&list, grant, sizeof(grant))) {
		const char *colon = strchr(grant, ':');
		const char *target = colon != NULL ? colon + 1 : grant + strlen(grant);

		if (ret->size > 0)
			buf_adds(ret, ", ");
		buf_add(ret, grant, (size_t)(target - grant));
		if (list_has(environments_of(a), target)) {
			is_new = true;
			buf_addf(ret, "%s/", a->application);
		}
		buf_adds(ret, target);
	}
	return is_new;
}

/* The lines of all entries but those that are marked. */
static void
keep_rest(struct adopter *a)
{
	const char *at = a->text;

	for (size_t i = 0; i < a->file.count; i++) {
		CLEANUP(buf_done) struct buf targets = { 0 };
		const struct env_entry *entry = &a->file.entries[i];
		const char *begin = line_at(a->text, entry->line);
		bool is_new;

		buf_init(&targets, ENV_FILE_MAX);
		is_new = names_targets(a, entry, &targets);
		if (entry->name[0] != '\0' && !is_new)
			continue;
		buf_add(&a->ret->main, at, (size_t)(begin - at));
		at = line_at(a->text, entry->last + 1);
		if (is_new) {
			env_file_add(&a->ret->main, entry->name, buf_text(&targets));
			buf_addf(&a->ret->renamed, "%s%s", a->ret->renamed.size > 0 ? ", " : "",
			    entry->name);
		}
	}
	buf_adds(&a->ret->main, at);
}

bool
settings_adopt(struct settings_adopted *ret, const char *application, const char *text,
    char *const environ_list[], struct err *err)
{
	struct adopter a = { ret, application, text, environ_list, { 0 } };
	bool good;

	*ret = (struct settings_adopted){ .moved = 0 };
	buf_init(&ret->main, ENV_FILE_MAX);
	buf_init(&ret->application, ENV_FILE_MAX);
	buf_init(&ret->elsewhere, ENV_FILE_MAX);
	buf_init(&ret->renamed, ENV_FILE_MAX);
	if (!env_file_parse(&a.file, text, strlen(text), err))
		return false;
	buf_addf(&ret->application,
	    "# Settings of the application %s.  What it does not say stands in the settings file.\n"
	    "# Its history and what is live come from the application without a name:\n"
	    "RENAMED_FROM=.\n\n",
	    application);
	settings_for_own_names(environments_of(&a), move, &a);
	settings_for_own_names(environments_of(&a), mark, &a);
	keep_rest(&a);
	env_file_done(&a.file);
	good = buf_check(&ret->main, err) && buf_check(&ret->application, err) &&
	    buf_check(&ret->elsewhere, err) && buf_check(&ret->renamed, err);
	if (good && ret->moved == 0)
		good = err_set(err, ERR_MISSING,
		    "nothing to adopt: no setting of one application stands in the settings file; a new application is a new file beside the others");
	return good;
}

void
settings_adopted_done(struct settings_adopted *adopted)
{
	buf_wipe(&adopted->main);
	buf_wipe(&adopted->application);
	buf_done(&adopted->elsewhere);
	buf_done(&adopted->renamed);
}

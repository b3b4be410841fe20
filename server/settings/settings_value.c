/* settings_value.c - one setting: where it is found, whether it is right, what is kept of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/hosts_file.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "lib/window.h"
#include "lib/zone.h"
#include "types/secret.h"

#define SECRET_FILE_CAP 16384
#define TOO_SHORT_TO_REDACT \
	"a secret shorter than 6 characters is not kept out of logs and messages"
static_assert(REDACT_VALUE_MIN == 6, "what is said of one that is shorter");

/* One setting, as it is looked for. */
struct wanted {
	const struct settings_spec *spec;
	const char *name;
	const char *fallback;
	size_t sources; /* in so many of them, from the first */
};

/* --- finding a text --- */

/* In the first source that sets it; NAME= is as good as not there. */
static struct settings_found
look_up(const struct settings_loader *l, const char *name, size_t sources)
{
	struct settings_found found = { .text = NULL };

	for (size_t i = 0; i < sources && found.text == NULL; i++) {
		const struct env_entry *entry = env_file_find(&l->files[i], name);

		if (l->sources[i].file == NULL)
			found.text = settings_environ_text(l->sources[i].environ_list, name);
		else if (entry != NULL && entry->value[0] != '\0')
			found = (struct settings_found){ entry->value, l->sources[i].file,
				entry->line };
	}
	return found;
}

const char *
settings_find(const struct settings_loader *l, const char *name)
{
	return look_up(l, name, l->count).text;
}

struct settings_found
settings_find_own(const struct settings_loader *l, const char *name)
{
	return look_up(l, name, l->own);
}

bool
settings_in_production(const struct settings_loader *l)
{
	return l->main != NULL ?
	    l->main->is_production :
	    settings_says_production(
		look_up(l, settings_table[SETTING_ENVIRONMENT].name, l->count).text);
}

/* Is the runner a service of its own, with a user of its own? */
static bool
has_runner_service(const struct settings_loader *l)
{
	if (l->main != NULL)
		return settings_is_given(l->main, SETTING_RUNNER_SOCKET);
	return look_up(l, settings_table[SETTING_RUNNER_SOCKET].name, l->count).text != NULL;
}

/* Then what is the runner's alone is not for us to read: its file.  NULL: it is. */
static const char *
out_of_sight(const struct settings_loader *l, const struct wanted *w)
{
	char file_setting[SETTING_NAME_MAX + 8];

	if (!w->spec->is_secret || w->spec->whose != WHOSE_RUNNER || !has_runner_service(l) ||
	    look_up(l, w->name, w->sources).text != NULL)
		return NULL;
	text_setf(file_setting, "%s_FILE", w->name);
	return look_up(l, file_setting, w->sources).text;
}

/* All of the file that NAME_FILE names, without the newlines at its end; NULL when there is no
 * NAME_FILE, or after an error.  *ret_named: there is a NAME_FILE. */
static char *
read_secret_file(struct settings_loader *l, const struct wanted *w, struct settings_found *found,
    const char **ret_path, bool *ret_named)
{
	char file_setting[SETTING_NAME_MAX + 8], why[SETTINGS_UNREAD];
	struct settings_found path;
	struct err err;
	size_t size;
	char *text;

	text_setf(file_setting, "%s_FILE", w->name);
	path = look_up(l, file_setting, w->sources);
	*ret_named = path.text != NULL;
	if (path.text == NULL)
		return NULL;
	if (found->text != NULL) {
		settings_say_found(
		    l, SETTINGS_ERROR, file_setting, path, "set together with the secret itself");
		return NULL;
	}
	text = file_read(path.text, SECRET_FILE_CAP, &size, &err);
	if (text == NULL) {
		settings_say_found(l, SETTINGS_ERROR, file_setting, path, "%s",
		    settings_unread(path.text, true, &err, why));
		return NULL;
	}
	if (strlen(text) != size) {
		settings_say_found(
		    l, SETTINGS_ERROR, file_setting, path, "the file has a NUL byte");
		explicit_bzero(text, size);
		text[0] = '\0';
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		text[--size] = '\0';
	if (size == 0) {
		settings_say_found(l, SETTINGS_ERROR, file_setting, path,
		    "%s is empty: write the secret into it", path.text);
		free(text);
		return NULL;
	}
	*found = (struct settings_found){ text, path.file, path.line };
	*ret_path = path.text;
	return text;
}

/* A file that the runner's user reads too is no place for a secret; one of the main file is as old
 * as the service, and doctor says so. */
static bool
is_misplaced(const struct settings_loader *l, const struct wanted *w,
    const struct settings_found *found, const char *file)
{
	return l->main != NULL && w->spec->is_secret && file == NULL && found->file != NULL &&
	    found->file == l->sources[0].file && has_runner_service(l);
}

/* Dates that are over freeze nothing: who wrote them meant another year, or can take them out. */
static void
warn_of_past(struct settings_loader *l, const struct wanted *w, struct settings_found found)
{
	const char *name = settings_find(l, settings_table[SETTING_TIMEZONE].name);
	char part[SETTING_PART_MAX + 1];
	struct zone *zone = zone_new(name != NULL ? name : "UTC", NULL);
	struct windows *windows = windows_parse(found.text, NULL);
	const char *rest = found.text;

	for (size_t i = 0;
	     windows != NULL && zone != NULL && setting_next(&rest, part, sizeof(part)); i++) {
		if (!windows_is_past(windows, i, zone, clock_wall_ms()))
			continue;
		settings_say_found(l, SETTINGS_WARNING, w->name, found,
		    "\"%.60s\" is past and freezes nothing: take it out, or give it another year",
		    part);
	}
	windows_free(windows);
	zone_free(zone);
}

/* What is to say of a text that is right. */
static void
warn_of(struct settings_loader *l, const struct wanted *w, struct settings_found found)
{
	const char *unfit = settings_in_production(l) ? settings_unfit(w->spec, found.text) : NULL;

	const char *doubt = settings_in_production(l) ? settings_doubt(w->spec, found.text) : NULL;

	if (unfit != NULL || doubt != NULL)
		settings_say_found(l, unfit != NULL ? SETTINGS_ERROR : SETTINGS_WARNING, w->name,
		    found, "%s", unfit != NULL ? unfit : doubt);
	else if (strlen(found.text) < SETTING_SECRET_OK &&
	    (w->spec->type == SETTING_TYPE_TOKEN || w->spec->type == SETTING_TYPE_WEBHOOK_SECRET))
		settings_say_found(l, SETTINGS_WARNING, w->name, found,
		    "a secret shorter than 32 bytes; make one with: openssl rand -hex 32");
	if (w->spec->type == SETTING_TYPE_WINDOWS)
		warn_of_past(l, w, found);
	if (w->spec->is_secret && strlen(found.text) < REDACT_VALUE_MIN)
		settings_say_found(l, SETTINGS_WARNING, w->name, found, TOO_SHORT_TO_REDACT);
	settings_check_meant(l, w->spec, w->name, found);
}

static bool
is_ssh_key(const struct settings_spec *spec)
{
	return spec == &settings_table[SETTING_SSH_KEY_PATH] ||
	    spec == &settings_table[SETTING_REPOSITORY_KEY_PATH];
}

/* The file of a secret, or of a key that text names: kubectl's has one in it. */
static void
check_files(struct settings_loader *l, const struct wanted *w, const char *file, const char *text)
{
	if (!settings_in_production(l))
		return;
	if (file != NULL)
		settings_check_private(l, w->name, file, false);
	else if (is_ssh_key(w->spec) || w->spec->type == SETTING_TYPE_FILE)
		settings_check_private(l, w->name, text, is_ssh_key(w->spec));
}

uid_t
settings_owner(const struct settings_loader *l)
{
	struct stat status;

	for (size_t i = l->count; i > 0; i--)
		if (l->sources[i - 1].file != NULL && stat(l->sources[i - 1].file, &status) == 0)
			return status.st_uid;
	return geteuid();
}

/* Its value are the hosts, and its file is watched as a secret's. */
static void
take_hosts(struct settings_loader *l, const struct wanted *w, struct settings_found found,
    struct settings_value *value)
{
	struct err err;

	value->file = mem_text(found.text);
	value->text = hosts_file_read(found.text, settings_owner(l), &err);
	if (value->text == NULL)
		settings_say_found(l, SETTINGS_ERROR, w->name, found, "%s", err.text);
}

/* What stands there, found and read. */
static void
take_found(struct settings_loader *l, const struct wanted *w, struct settings_value *value)
{
	struct settings_found found = look_up(l, w->name, w->sources);
	const struct settings_spec *spec = w->spec;
	const char *file = NULL;
	bool is_named = false;
	CLEANUP(settings_wipe_text)
	char *secret = spec->is_secret ? read_secret_file(l, w, &found, &file, &is_named) : NULL;
	char meant[LIMIT_LINE];
	struct err err;

	(void)secret;					  /* only owns what found.text points at */
	value->is_given = found.text != NULL || is_named; /* what is wrong with that was said */
	if (found.text == NULL) {
		if (w->fallback != NULL)
			value->text = mem_text(w->fallback);
		return;
	}
	if (!setting_check(spec->type, found.text, spec->is_secret, &err)) {
		settings_meant(spec, found.text, meant, sizeof(meant));
		settings_say_found(l, SETTINGS_ERROR, w->name, found, "%s%s", err.text, meant);
		if (l->main != NULL && w->fallback != NULL && spec->type != SETTING_TYPE_NAMES)
			value->text = mem_text(w->fallback); /* it gets no work, and is watched */
		return;
	}
	if (is_misplaced(l, w, &found, file))
		settings_say_found(l, SETTINGS_ERROR, w->name, found,
		    "a secret in a file that the runner reads too: put it into a file of its own and name that in NAME_FILE");
	if (spec->type == SETTING_TYPE_HOSTS_FILE) {
		take_hosts(l, w, found, value);
		return;
	}
	warn_of(l, w, found);
	check_files(l, w, file, found.text);
	value->file = mem_text(file);
	*(spec->is_secret && spec->whose == WHOSE_RUNNER ? &value->runners : &value->text) =
	    mem_text(found.text);
}

/* As the main file has it. */
static void
inherit(const struct settings_value *mains, struct settings_value *value)
{
	value->is_given = mains->is_given;
	value->is_inherited = true;
	value->text = mem_text(mains->text);
}

bool
settings_is_in(const struct settings_loader *l, const struct settings_spec *spec, const char *name,
    size_t sources)
{
	char file_setting[SETTING_NAME_MAX + 8];

	text_setf(file_setting, "%s_FILE", name);
	return look_up(l, name, sources).text != NULL ||
	    (spec->is_secret && look_up(l, file_setting, sources).text != NULL);
}

/* What a secret of its own was before is not what the main file's was. */
static bool
is_previous_of_own(const struct settings_loader *l, const struct settings_spec *spec)
{
	enum setting now;

	return secret_is_previous((enum setting)(spec - settings_table), &now) &&
	    settings_is_in(l, &settings_table[now], settings_table[now].name, l->own);
}

/* Of an application: is it the main file's, because of its scope or because nothing is said? */
static bool
is_mains(struct settings_loader *l, const struct settings_spec *spec)
{
	char file_setting[SETTING_NAME_MAX + 8];
	struct settings_found found = look_up(l, spec->name, l->own);

	text_setf(file_setting, "%s_FILE", spec->name);
	if (found.text == NULL && spec->is_secret)
		found = look_up(l, file_setting, l->own);
	if (found.text != NULL && spec->scope == SCOPE_SERVER)
		settings_say_found(l, SETTINGS_ERROR, spec->name, found,
		    "is one of the whole server: it stands in the settings file");
	return spec->scope == SCOPE_SERVER || (found.text == NULL && !is_previous_of_own(l, spec));
}

void
settings_take_value(struct settings_loader *l, const struct settings_spec *spec, const char *name,
    const char *fallback, struct settings_value *value)
{
	bool is_shared = spec->scope == SCOPE_SHARED || spec->scope == SCOPE_SERVER;
	bool is_members = spec->family != FAMILY_COUNT;
	char its[SETTING_NAME_MAX];
	const struct wanted wanted = { spec, name,
		setting_fallback(spec->name, fallback, l->s->inside->application, its),
		is_shared && is_members ? l->count : l->own };
	const char *unseen = out_of_sight(l, &wanted);

	if (l->main != NULL && is_shared && !is_members && is_mains(l, spec))
		inherit(&l->main->inside->values[spec - settings_table], value);
	else if (unseen == NULL)
		take_found(l, &wanted, value);
	else if (settings_in_production(l))
		settings_check_private(l, name, unseen, false);
	value->is_given |= unseen != NULL;
	value->is_own_file = is_members && l->main != NULL && look_up(l, name, l->own).text != NULL;
}

void
settings_take_special(struct settings_loader *l, const struct settings_spec *spec, const char *name,
    size_t sources, struct settings_value *value)
{
	const struct wanted wanted = { spec, name, NULL, sources };
	const char *unseen = out_of_sight(l, &wanted);

	if (unseen == NULL)
		take_found(l, &wanted, value);
	else if (settings_in_production(l))
		settings_check_private(l, name, unseen, false);
	value->is_given |= unseen != NULL;
}

bool
settings_truth(const char *text)
{
	bool value = false;

	return text != NULL && text_to_bool(text, &value, NULL) && value;
}

/* runner_settings.c - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/runner_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/hosts_file.h"
#include "lib/owner.h"
#include "lib/text.h"

enum scope { SERVER, SHARED, OWN, EACH };

struct row {
	const char *name;   /* of a family's: with its place in it, <ENV>_HOST */
	const char *id;	    /* of a family's: HOST */
	const char *family; /* "": none */
	enum setting_type type;
	const char *fallback;
	bool is_secret;
	enum scope scope;
	bool is_shipping;
};

#define OPEN   false
#define SECRET true
static const struct row rows[] = {
#define SETTING(name, type, fallback, secrecy, whose, scope, help) \
	{ #name, #name, "", SETTING_TYPE_##type, fallback, secrecy, scope, false },
#define SHIPPING(name, type, fallback, secrecy, whose, scope, help) \
	{ #name, #name, "", SETTING_TYPE_##type, fallback, secrecy, scope, true },
#define FAMILY_SETTING(family, id, name, type, fallback, secrecy, whose, scope, help) \
	{ name, #id, #family, SETTING_TYPE_##type, fallback, secrecy, scope, false },
#include "runner/settings.def"
};
#define ENVIRONMENT "ENVIRONMENT"

/* The setting that lists a family's members. */
static const struct {
	const char *family, *members;
} listed[] = { { ENVIRONMENT, "ENVIRONMENTS" }, { "CLIENT", "CLIENTS" },
	{ "REGISTRY", "REGISTRIES" } };

static bool
is_of(const struct row *row, const char *family)
{
	return strcmp(row->family, family) == 0;
}

/* member "": of no family. */
static struct runner_setting
setting_of_row(const struct row *row, const char *member)
{
	struct runner_setting setting = { .row = row,
		.is_secret = row->is_secret,
		.is_hosts_file = row->type == SETTING_TYPE_HOSTS_FILE };

	if (row->family[0] == '\0')
		(void)text_copy(setting.name, sizeof(setting.name), row->name);
	else
		(void)setting_name(row->name, member, setting.name);
	return setting;
}

struct runner_setting
runner_setting_of(const char *family, const char *id, const char *member)
{
	size_t i = 0;

	while (i < COUNT(rows) && !(strcmp(rows[i].id, id) == 0 && is_of(&rows[i], family)))
		i++;
	assert(i < COUNT(rows));
	return setting_of_row(&rows[i], member);
}

struct runner_setting
runner_setting(const char *name)
{
	return runner_setting_of("", name, "");
}

/* Of the file that was looked at: it may be another one by its name a moment later. */
static bool
read_own(struct env_file *ret, const char *path, uid_t owner, struct err *err)
{
	CLEANUP(file_closep)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char opened[32];
	struct stat status;
	size_t size;
	CLEANUP(freep) char *text = NULL;
	bool good;

	/* Whoever asked is told so in the chat: no path. */
	if (fd == -1 && errno == ENOENT)
		return err_set(err, ERR_CONFIG, "%s is not there: was the application removed?",
		    strrchr(path, '/') + 1);
	if (fd == -1 || fstat(fd, &status) == -1)
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	if (!owner_alone_writes(&status, owner, path, err))
		return false;
	(void)snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	text = file_read(opened, ENV_FILE_MAX, &size, err);
	if (text == NULL)
		return err_wrap(err, "%s", path);
	good = env_file_parse(ret, text, size, err) || err_wrap(err, "%s", path);
	explicit_bzero(text, size);
	return good;
}

static bool
read_application(struct runner_settings *settings, const char *path, struct err *err)
{
	char folder[SETTING_PART_MAX + 1], file[SETTING_APPS_FILE_MAX];
	struct stat status;

	if (!runner_settings_folder(settings, path, folder))
		return err_set(err, ERR_CONFIG, "no folder of applications: set APPS_DIRECTORY");
	if (stat(folder, &status) == -1)
		return err_errno(err, ERR_CONFIG, errno, "%s", folder);
	return owner_alone_writes(&status, settings->owner, folder, err) &&
	    read_own(&settings->own, setting_apps_file(folder, settings->application, file),
		settings->owner, err);
}

bool
runner_settings_read(
    struct runner_settings *ret, const char *path, const char *application, struct err *err)
{
	struct stat status;

	memset(ret, 0, sizeof(*ret));
	ret->owner = path != NULL && stat(path, &status) == 0 ? status.st_uid : geteuid();
	if (path != NULL && !env_file_read(&ret->main, path, err))
		return false;
	if (application[0] == '\0')
		return true;
	if (!environment_name_is_valid(application))
		return err_set(err, ERR_INVALID, "no name of an application");
	(void)text_copy(ret->application, sizeof(ret->application), application);
	return read_application(ret, path, err);
}

void
runner_settings_done(struct runner_settings *settings)
{
	env_file_done(&settings->main);
	env_file_done(&settings->own);
	explicit_bzero(settings->secret, sizeof(settings->secret));
}

void
runner_settings_for(struct runner_settings *settings, const char *environment)
{
	(void)text_copy(settings->environment, sizeof(settings->environment), environment);
}

static const char *
environment_text(const char *name)
{
	const char *text = getenv(name);

	return text == NULL || text[0] == '\0' ? NULL : text;
}

/* --- where one is found --- */

enum source { APPLICATION_FILE, OUR_ENVIRON, MAIN_FILE, SOURCES };

static const char *
source_text(const struct runner_settings *settings, enum source source, const char *name)
{
	if (source == OUR_ENVIRON)
		return environment_text(name);
	return env_file_text(source == MAIN_FILE ? &settings->main : &settings->own, name);
}

struct found {
	const char *value; /* NULL: not set, or in the file at path */
	const char *path;  /* of a secret */
	enum source source;
	char name[SETTING_NAME_MAX]; /* as it is called there */
};

static bool
is_in(const struct runner_settings *settings, const struct row *row, enum source source,
    const char *name, struct found *found)
{
	char file_name[SETTING_NAME_MAX + 8];

	found->value = source_text(settings, source, name);
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	if (row->is_secret && found->value == NULL)
		found->path = source_text(settings, source, file_name);
	found->source = source;
	(void)text_copy(found->name, sizeof(found->name), name);
	return found->value != NULL || found->path != NULL;
}

/* In the first of the steps that says it, or names its file. */
static struct found
look_up(const struct runner_settings *settings, const struct runner_setting *setting)
{
	const struct row *row = setting->row;
	const bool is_special = row->is_shipping && settings->environment[0] != '\0';
	size_t count = SOURCES, own = settings->application[0] != '\0' ? 1 : SOURCES;
	char special[SETTING_NAME_MAX];
	struct setting_step step;
	struct found found = { 0 };

	if (row->scope == OWN || row->scope == EACH)
		count = own;
	if (is_special)
		(void)setting_special(setting->name, settings->environment, special);
	for (size_t n = 0; setting_step(own, count, n, &step); n++) {
		if ((step.is_environments && !is_special) ||
		    (step.source == APPLICATION_FILE && row->scope == SERVER))
			continue;
		if (is_in(settings, row, (enum source)step.source,
			step.is_environments ? special : setting->name, &found))
			break;
	}
	return found;
}

bool
runner_settings_folder(
    struct runner_settings *settings, const char *path, char ret[SETTING_PART_MAX + 1])
{
	const char *given;

	return runner_settings_text(settings, "APPS_DIRECTORY", &given, NULL) &&
	    setting_apps_directory(path, given, ret);
}

/* The first line of a secret's file. */
static const char *
secret_read(struct runner_settings *settings, const char *name, const char *path, struct err *err)
{
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return ERR_NULL(err_errno(err, ERR_CONFIG, errno, "%s_FILE: %s", name, path));
	n = read(fd, settings->secret, RUNNER_SETTING_MAX);
	if (n <= 0)
		return ERR_NULL(
		    err_set(err, ERR_CONFIG, "%s_FILE: %s is empty or cannot be read", name, path));
	settings->secret[n] = '\0';
	settings->secret[strcspn(settings->secret, "\r\n")] = '\0';
	return settings->secret;
}

/* May it be handed to programs?  Scripts compare with true and false; a BOOL may be other words. */
static bool
check(const struct row *row, const char *name, const char **value, struct err *err)
{
	bool truth;

	if (!setting_check(row->type, *value, row->is_secret, err)) {
		if (err != NULL)
			err->code = ERR_CONFIG;
		return err_wrap(err, "%s", name);
	}
	if (row->type == SETTING_TYPE_BOOL && text_to_bool(*value, &truth, NULL))
		*value = truth ? "true" : "false";
	return true;
}

const char *
runner_settings_source(const struct runner_settings *settings, const struct runner_setting *setting)
{
	const struct found found = look_up(settings, setting);

	if (found.value != NULL)
		return found.source == APPLICATION_FILE ? settings->application : "";
	return found.path != NULL ? found.path : "";
}

bool
runner_settings_is_said(const struct runner_settings *settings, const char *name)
{
	const struct runner_setting setting = runner_setting(name);
	const struct found found = look_up(settings, &setting);

	return found.value != NULL || found.path != NULL;
}

bool
runner_settings_is_of_application(const struct runner_settings *settings, const char *name)
{
	const struct runner_setting setting = runner_setting(name);
	const struct found found = look_up(settings, &setting);

	return (found.value != NULL || found.path != NULL) && found.source == APPLICATION_FILE;
}

bool
runner_settings_get(struct runner_settings *settings, const struct runner_setting *setting,
    const char **ret_value, struct err *err)
{
	const struct row *row = setting->row;
	const struct found found = look_up(settings, setting);
	const char *value = found.value;

	if (value == NULL && found.path != NULL) {
		value = secret_read(settings, found.name, found.path, err);
		if (value == NULL)
			return false;
	}
	if (value != NULL && !check(row, found.name, &value, err))
		return false;
	*ret_value = value != NULL ?
	    value :
	    setting_fallback(row->name, row->fallback, settings->application, settings->fallback);
	return true;
}

bool
runner_settings_text(
    struct runner_settings *settings, const char *name, const char **ret_value, struct err *err)
{
	const struct runner_setting setting = runner_setting(name);

	return runner_settings_get(settings, &setting, ret_value, err);
}

/* The n-th member of a family, of those that a setting lists; false: there are not so many. */
static bool
member_at(
    struct runner_settings *settings, size_t n, const char **ret_family, char ret[SETTING_NAME_MAX])
{
	const char *list;

	for (size_t i = 0; i < COUNT(listed); i++) {
		*ret_family = listed[i].family;
		if (!runner_settings_text(settings, listed[i].members, &list, NULL))
			list = NULL;
		while (list != NULL && setting_next(&list, ret, SETTING_NAME_MAX)) {
			if (n-- == 0)
				return true;
		}
	}
	return false;
}

static bool
is_wrong(
    struct runner_settings *settings, const struct row *row, const char *member, struct err *err)
{
	const struct runner_setting setting = setting_of_row(row, member);
	const char *value;

	return !runner_settings_get(settings, &setting, &value, err);
}

/* Is what is said for that environment alone wrong?  What is said for all was looked at. */
static bool
is_special_fault(struct runner_settings *settings, const struct row *row, const char *environment,
    struct err *err)
{
	const struct runner_setting setting = setting_of_row(row, "");
	bool is_fault;

	if (!row->is_shipping)
		return false;
	runner_settings_for(settings, environment);
	is_fault = strcmp(look_up(settings, &setting).name, row->name) != 0 &&
	    is_wrong(settings, row, "", err);
	runner_settings_for(settings, "");
	return is_fault;
}

bool
runner_settings_next_fault(struct runner_settings *settings, size_t *from, struct err *err)
{
	char member[SETTING_NAME_MAX];
	const char *family;

	while (*from < COUNT(rows)) {
		const struct row *row = &rows[(*from)++];

		if (is_of(row, "") && is_wrong(settings, row, "", err))
			return true;
	}
	while (member_at(settings, *from / COUNT(rows) - 1, &family, member)) {
		const struct row *row = &rows[(*from)++ % COUNT(rows)];

		if (is_of(row, "") ? strcmp(family, ENVIRONMENT) == 0 &&
			    is_special_fault(settings, row, member, err) :
				     is_of(row, family) && is_wrong(settings, row, member, err))
			return true;
	}
	return false;
}

/* Its second name where it is a secret. */
static void
call_where_set(const char *name, bool is_secret, void (*call)(const char *name))
{
	char file_name[SETTING_NAME_MAX + 8];

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	if (environment_text(name) != NULL)
		call(name);
	if (is_secret && environment_text(file_name) != NULL)
		call(file_name);
}

void
runner_settings_special(struct runner_settings *settings, void (*call)(const char *name))
{
	char member[SETTING_NAME_MAX], name[SETTING_NAME_MAX];
	const char *list;

	if (!runner_settings_text(settings, "ENVIRONMENTS", &list, NULL))
		return;
	while (setting_next(&list, member, sizeof(member))) {
		for (size_t i = 0; i < COUNT(rows); i++)
			if (rows[i].is_shipping)
				call_where_set(setting_special(rows[i].name, member, name),
				    rows[i].is_secret, call);
	}
}

static struct fingerprint_files
files_of(const struct runner_settings *settings, enum scope scope)
{
	if (settings->application[0] == '\0')
		return (struct fingerprint_files){ { &settings->main }, 1, 1, settings->owner };
	return (struct fingerprint_files){ { &settings->own, &settings->main }, 1,
		scope == SHARED ? 2 : 1, settings->owner };
}

const char *
runner_settings_fingerprint(
    const struct runner_settings *settings, const char *environment, char out[FINGERPRINT_LIST_MAX])
{
	struct fingerprint_files shared;
	char name[SETTING_NAME_MAX];
	CLEANUP(buf_done) struct buf list = buf_make(FINGERPRINT_LIST_MAX);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fingerprint_files files = files_of(settings, rows[i].scope);

		if (rows[i].scope != SERVER && is_of(&rows[i], ""))
			fingerprint_add(&list, rows[i].name,
			    rows[i].is_shipping ? setting_special(rows[i].name, environment, name) :
						  NULL,
			    rows[i].is_secret, &files);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fingerprint_files files = files_of(settings, rows[i].scope);

		if (!is_of(&rows[i], ENVIRONMENT))
			continue;
		(void)setting_name(rows[i].name, environment, name);
		if (rows[i].type == SETTING_TYPE_HOSTS_FILE)
			fingerprint_add_hosts(&list, name, &files);
		else
			fingerprint_add(&list, name, NULL, rows[i].is_secret, &files);
	}
	shared = files_of(settings, SHARED);
	fingerprint_add_registries(&list, environment, &shared);
	(void)text_copy(out, FINGERPRINT_LIST_MAX, buf_text(&list));
	return out;
}

const char *
runner_settings_fingerprint_client(
    const struct runner_settings *settings, const char *client, char out[FINGERPRINT_LIST_MAX])
{
	const struct fingerprint_files main_file = { { &settings->main }, 1, 1, settings->owner };
	char name[SETTING_NAME_MAX];
	CLEANUP(buf_done) struct buf list = buf_make(FINGERPRINT_LIST_MAX);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_of(&rows[i], "CLIENT"))
			fingerprint_add(&list, setting_name(rows[i].name, client, name), NULL,
			    rows[i].is_secret, &main_file);
	(void)text_copy(out, FINGERPRINT_LIST_MAX, buf_text(&list));
	return out;
}

/* Those of a member of that family. */
static void
add_started_with(const struct runner_settings *settings, const char *family, const char *member,
    struct buf *list)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char word[SETTING_NAME_MAX + 16];
		CLEANUP(freep) char *hosts = NULL;
		struct runner_setting setting;
		struct found found;
		const char *value;

		if (!is_of(&rows[i], family) || rows[i].scope == SERVER)
			continue;
		setting = setting_of_row(&rows[i], member);
		found = look_up(settings, &setting);
		value = found.path != NULL		     ? found.path :
		    setting.is_secret && found.value != NULL ? "" :
							       found.value;
		if (setting.is_hosts_file && value != NULL && found.source == OUR_ENVIRON) {
			hosts = hosts_file_read(value, settings->owner, NULL);
			value = hosts != NULL ? hosts : "";
		}
		(void)snprintf(word, sizeof(word), "environment/%s", found.name);
		if (found.source == OUR_ENVIRON && value != NULL)
			fingerprint_add_bytes(list, word, value, strlen(value));
	}
}

void
runner_settings_add_environ(
    const struct runner_settings *settings, const char *environment, struct buf *list)
{
	const struct runner_setting all = runner_setting("REGISTRIES");
	const char *registries = look_up(settings, &all).value;
	char member[SETTING_NAME_MAX];

	add_started_with(settings, "", "", list);
	while (registries != NULL && setting_next(&registries, member, sizeof(member)))
		add_started_with(settings, "REGISTRY", member, list);
	add_started_with(settings, ENVIRONMENT, environment, list);
}

/* program_login.c - is what git logs in with an application's alone?  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/program_inside.h"

#include "lib/folder.h"
#include "lib/text.h"

#define FILE_END ".env"

/* By which of them git shows who it is: an ssh URL's key, an https URL's token.  NULL: a path asks
 * for nothing, and is read by all. */
static const char *
login_of(struct runner_settings *settings)
{
	const char *url;

	if (!runner_settings_text(settings, "REPOSITORY_URL", &url, NULL))
		return NULL;
	if (url == NULL || text_starts(url, "https://"))
		return "REPOSITORY_TOKEN";
	return url[0] == '/' ? NULL : "REPOSITORY_KEY_PATH";
}

/* Does that application log in with the same?  One whose file cannot be read ships nothing. */
static bool
has_same(const char *env_file, const char *application, const char *login, const char *value)
{
	CLEANUP(runner_settings_done) struct runner_settings other;
	const char *its;

	return runner_settings_read(&other, env_file, application, NULL) &&
	    runner_settings_text(&other, login, &its, NULL) && its != NULL &&
	    strcmp(its, value) == 0;
}

/* Is there another application that logs in with it?  Who has no name shares with every one. */
static bool
is_shared(
    struct runner_settings *settings, const char *env_file, const char *login, const char *value)
{
	char path[SETTING_PART_MAX + 1], name[ENVIRONMENT_NAME_MAX];
	CLEANUP(folder_closep) DIR *folder = NULL;
	struct dirent *entry;
	size_t size;

	if (runner_settings_folder(settings, env_file, path))
		folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		size = strlen(entry->d_name);
		if (!text_ends(entry->d_name, FILE_END) || size - strlen(FILE_END) >= sizeof(name))
			continue;
		memcpy(name, entry->d_name, size - strlen(FILE_END));
		name[size - strlen(FILE_END)] = '\0';
		if (environment_name_is_valid(name) && strcmp(name, settings->application) != 0 &&
		    (settings->application[0] == '\0' || has_same(env_file, name, login, value)))
			return true;
	}
	return false;
}

const char *
program_login(struct runner_settings *settings, const char *env_file)
{
	char value[RUNNER_SETTING_MAX + 1] = "";
	const char *login = login_of(settings), *found = NULL;
	bool is_own;

	if (!runner_settings_text(settings, "REPOSITORY_SUBMODULES", &found, NULL) ||
	    strcmp(found, "fetch") != 0)
		return NULL;
	is_own = login != NULL &&
	    (settings->application[0] == '\0' ||
		runner_settings_is_of_application(settings, login)) &&
	    runner_settings_text(settings, login, &found, NULL) && found != NULL &&
	    text_copy(value, sizeof(value), found) && !is_shared(settings, env_file, login, value);
	explicit_bzero(value, sizeof(value));
	return is_own ? "own" : "shared";
}

/* repository.c - whose repository is it: deliveries and polls find their applications.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/repository.h"

#include "lib/text.h"
#include "types/settings.h"

/* The last two parts of "https://host/owner/name.git", "git@host:owner/name", "/srv/owner/name.git",
 * without what stands behind them. */
static const char *
parts_of(const char *url, size_t *ret_size)
{
	size_t size = strlen(url), at, slashes = 0;

	while (size > 0 && url[size - 1] == '/')
		size--;
	if (size > 4 && memcmp(url + size - 4, ".git", 4) == 0)
		size -= 4;
	for (at = size; at > 0 && slashes < 2; at--)
		slashes += url[at - 1] == '/' || url[at - 1] == ':';
	at += slashes == 2;
	*ret_size = size - at;
	return url + at;
}

/* All of the path: "group/sub/name" of "https://user@host/group/sub/name.git/"; of an absolute path
 * the last two parts. */
static const char *
path_of(const char *url, size_t *ret_size)
{
	const char *parts = parts_of(url, ret_size), *scheme = strstr(url, "://");
	const char *path = url + strcspn(url, ":/");

	if (scheme != NULL)
		path = scheme + 3 + strcspn(scheme + 3, "/");
	else if (*path != ':')
		return parts;
	path += strspn(path, ":/");
	if (path > parts)
		return parts;
	*ret_size += (size_t)(parts - path);
	return path;
}

bool
repository_is_called(
    const struct settings *application, enum delivery_forge forge, const char *repository)
{
	bool at_github = forge == DELIVERY_GITHUB;
	const char *given =
	    at_github ? application->github_repository : application->repository_path;
	const char *url = application->repository_url, *part;
	size_t size = strlen(repository), part_size;

	if (given != NULL)
		return text_same_ci(given, repository);
	if (url == NULL || application->github_repository != NULL)
		return false;
	part = at_github ? parts_of(url, &part_size) : path_of(url, &part_size);
	return size == part_size && strncasecmp(part, repository, size) == 0;
}

static const char *
secret_of(const struct settings *application, enum delivery_forge forge)
{
	return forge == DELIVERY_GITHUB ? application->github_webhook_secret :
					  application->forge_webhook_secret;
}

/* Has it a secret that no other application's deliveries are signed with? */
static bool
is_alone(const struct settings *main_settings, const struct settings *application,
    enum delivery_forge forge)
{
	return application->application[0] != '\0' ? secret_of(application, forge) != NULL :
						     main_settings->application_count == 0;
}

const char *
repository_hook(const struct settings *application, enum delivery_forge forge)
{
	return secret_of(application, forge) != NULL ? application->application : "";
}

bool
repository_is_announced(const struct settings *main_settings, const struct settings *application,
    enum delivery_forge forge, const char *hook, const char *repository)
{
	bool is_github = forge == DELIVERY_GITHUB;
	bool is_named = application->github_repository != NULL ||
	    (!is_github && application->repository_path != NULL);

	if (strcmp(repository_hook(application, forge), hook) != 0)
		return false;
	return repository_is_called(application, forge, repository) ||
	    (!is_named && is_alone(main_settings, application, forge));
}

bool
repository_is_apps(const struct settings *application, const char *repository, bool is_push)
{
	bool is_apart =
	    application->application[0] != '\0' && application->github_webhook_secret != NULL;

	return application->github.app_webhook_secret != NULL &&
	    repository_is_called(application, DELIVERY_GITHUB, repository) &&
	    (!is_push || !is_apart || application->github.app_pushes);
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The server need not know a secret of the runner's: then the file's name stands for it. */
static bool
has_same(const struct settings *a, const struct settings *b, enum setting setting)
{
	const struct settings_value *one = &a->inside->values[setting];
	const struct settings_value *other = &b->inside->values[setting];

	return is_same(one->text, other->text) && is_same(one->runners, other->runners) &&
	    is_same(one->file, other->file);
}

bool
repository_is_shared(const struct settings *a, const struct settings *b)
{
	return a == b ||
	    (a->repository_url != NULL && is_same(a->repository_url, b->repository_url) &&
		has_same(a, b, SETTING_REPOSITORY_KEY_PATH) &&
		has_same(a, b, SETTING_REPOSITORY_KNOWN_HOSTS) &&
		has_same(a, b, SETTING_REPOSITORY_TOKEN));
}

int
repository_poll_of(const struct settings *application)
{
	return application->repository_url == NULL ? 0 : application->poll_repository_seconds;
}

int
repository_poll_seconds(const struct settings *main_settings)
{
	int least = repository_poll_of(main_settings);

	for (size_t i = 0; i < main_settings->application_count; i++) {
		int seconds = repository_poll_of(main_settings->applications[i]);

		if (seconds > 0 && (least == 0 || seconds < least))
			least = seconds;
	}
	return least;
}

bool
repository_is_polled(const struct environment_settings *environment, int64_t unknown_since)
{
	return environment != NULL && environment->push_branch != NULL && unknown_since == 0 &&
	    repository_poll_of(environment->of) > 0;
}

/* A push names the repository of a forge: no path is one. */
static bool
is_path(const struct settings *application)
{
	return application->repository_url == NULL || application->repository_url[0] == '/';
}

bool
repository_is_unreached(const struct settings *main_settings, const struct settings *application)
{
	return main_settings->github_webhook_secret != NULL &&
	    application->github_repository == NULL && application->repository_path == NULL &&
	    is_path(application) && !is_alone(main_settings, application, DELIVERY_GITHUB);
}

/* Of one that has no GITHUB_REPOSITORY, by its URL. */
static bool
are_the_same(const struct settings *a, const struct settings *b)
{
	char name[LIMIT_REF];
	const char *parts;
	size_t size;

	if (a->github_repository != NULL)
		return repository_is_called(b, DELIVERY_GITHUB, a->github_repository);
	if (is_path(a) || (b->github_repository == NULL && is_path(b)))
		return false;
	parts = parts_of(a->repository_url, &size);
	if (size >= sizeof(name))
		return false;
	memcpy(name, parts, size);
	name[size] = '\0';
	return repository_is_called(b, DELIVERY_GITHUB, name);
}

const struct settings *
repository_other_hook(const struct settings *main_settings, const struct settings *application)
{
	for (size_t i = 0; i <= main_settings->application_count; i++) {
		const struct settings *other =
		    i == 0 ? main_settings : main_settings->applications[i - 1];

		if (other != application &&
		    strcmp(repository_hook(other, DELIVERY_GITHUB),
			repository_hook(application, DELIVERY_GITHUB)) != 0 &&
		    are_the_same(application, other))
			return other;
	}
	return NULL;
}

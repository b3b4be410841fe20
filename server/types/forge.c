/* forge.c - where a repository's host shows a commit, or what lies between two.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/forge.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "lib/text.h"

#define DIGITS	  12 /* of a commit: the line is read on a phone */
#define HOST_SIZE 254
#define PATH_SIZE 400

static const struct {
	const char *domain;
	const char *label; /* that a host of one's own begins with */
	const char *compare;
	const char *commit;
} forges[] = {
	{ "github.com", "github.", "compare", "commit" },
	{ "gitlab.com", "gitlab.", "-/compare", "-/commit" },
	{ "gitea.com", "gitea.", "compare", "commit" },
	{ "codeberg.org", "forgejo.", "compare", "commit" },
	{ "bitbucket.org", "bitbucket.org", NULL, "commits" }, /* compares by names of branches */
};

/* Cuts "user:password@" off. */
static const char *
behind_user(const char *at, size_t size)
{
	const char *last = memrchr(at, '@', size);

	return last != NULL ? last + 1 : at;
}

/* "https://user:password@host:8443/path", "ssh://git@host:22/path", "git@host:path"; *ret_path
 * begins behind what divides it from the host. */
static bool
split(const char *url, char host[HOST_SIZE], const char **ret_path)
{
	bool is_https = text_starts(url, "https://"), is_ssh = text_starts(url, "ssh://");
	const char *end, *at;
	size_t size;

	if (is_https || is_ssh) {
		url += is_https ? strlen("https://") : strlen("ssh://");
		end = url + strcspn(url, "/?#");
	} else {
		end = url + strcspn(url, ":/");
		if (*end != ':' || end[1] == '/') /* a path, or another protocol */
			return false;
	}
	at = behind_user(url, (size_t)(end - url));
	size = (size_t)(end - at);
	if (is_ssh) /* its port is ssh's */
		size = strcspn(at, ":/?#");
	if (*end == '\0' || size == 0 || size >= HOST_SIZE)
		return false;
	for (size_t i = 0; i < size; i++)
		host[i] = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] - 'A' + 'a' : at[i]);
	host[size] = '\0';
	*ret_path = end + 1 + strspn(end + 1, "/");
	return strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") == size;
}

/* Without what stands behind the repository's name. */
static size_t
size_of(const char *path)
{
	size_t size = strlen(path);

	while (size > 0 && path[size - 1] == '/')
		size--;
	return size - (size > 4 && memcmp(path + size - 4, ".git", 4) == 0 ? 4 : 0);
}

/* What no address may have is written as %XX; "." and ".." would lead elsewhere. */
static bool
escape(const char *path, char out[PATH_SIZE])
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/%";
	size_t size = size_of(path), used = 0;

	if (memchr(path, '/', size) == NULL || strstr(path, "/.") != NULL || path[0] == '.')
		return false;
	for (size_t i = 0; i < size; i++) {
		if (used + 4 > PATH_SIZE)
			return false;
		if (strchr(plain, path[i]) != NULL)
			out[used++] = path[i];
		else
			used += (size_t)snprintf(
			    out + used, PATH_SIZE - used, "%%%02X", (unsigned char)path[i]);
	}
	out[used] = '\0';
	return used > 0;
}

bool
forge_link(const char *repository_url, const char *base, const char *commit, char ret[LIMIT_URL])
{
	char host[HOST_SIZE], escaped[PATH_SIZE];
	const char *path;

	ret[0] = '\0';
	if (repository_url == NULL || commit[0] == '\0' || !split(repository_url, host, &path) ||
	    !escape(path, escaped))
		return false;
	for (size_t i = 0; i < COUNT(forges); i++) {
		if (strcmp(host, forges[i].domain) != 0 && !text_starts(host, forges[i].label))
			continue;
		if (base[0] != '\0' && forges[i].compare != NULL)
			(void)snprintf(ret, LIMIT_URL, "https://%s/%s/%s/%.*s...%.*s", host,
			    escaped, forges[i].compare, DIGITS, base, DIGITS, commit);
		else
			(void)snprintf(ret, LIMIT_URL, "https://%s/%s/%s/%.*s", host, escaped,
			    forges[i].commit, DIGITS, commit);
		return true;
	}
	return false;
}

static bool
is_host_of(const char *host, const char *base)
{
	const char *its = strstr(base, "://");
	size_t size = strcspn(host, ":"), its_size;

	its = its == NULL ? base : its + 3;
	its_size = strcspn(its, ":/");
	return size >= its_size && strncasecmp(host + size - its_size, its, its_size) == 0 &&
	    (size == its_size || host[size - its_size - 1] == '.');
}

bool
forge_path(const char *base, const char *given, const char *repository_url, char ret[LIMIT_REF])
{
	char host[HOST_SIZE];
	const char *path = NULL;
	bool has_host = repository_url != NULL && split(repository_url, host, &path);

	ret[0] = '\0';
	if (given != NULL)
		path = given;
	if (path == NULL || (has_host && !is_host_of(host, base)))
		return false;
	if ((size_t)snprintf(ret, LIMIT_REF, "%.*s", (int)size_of(path), path) >= LIMIT_REF)
		ret[0] = '\0'; /* what is cut is another's */
	return ret[0] != '\0';
}

bool
forge_time_read(const char *text, int64_t *ret)
{
	struct tm tm = { 0 }, zone = { 0 };
	const char *end = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end == NULL)
		return false;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (*end != 'Z' && *end != '+' && *end != '-')
		return false;
	end = strptime(end, "%z", &zone);
	if (end == NULL || *end != '\0')
		return false;
	if (timegm(&tm) <= 0)
		return false;
	*ret = ((int64_t)timegm(&tm) - zone.tm_gmtoff) * 1000;
	return true;
}

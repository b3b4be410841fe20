/* settings_production.c - what ENVIRONMENT=production refuses of a value and of a file.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * What must be there, whatever its value, is a row of settings_rules.def.  There is one list:
 * `check-config --production` and `doctor --production` load the settings with that value.
 */
#include "settings/checks/settings_production.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/err.h"
#include "lib/path.h"
#include "lib/text.h"
#include "settings/settings_inside.h"

#define OTHERS 037 /* whoever is neither the owner nor a reader in the group */

bool
settings_says_production(const char *text)
{
	return text != NULL && text_same_ci(text, "production");
}

/* --- a value --- */

/* Tokens and passwords are as long as those who give them out make them; Telegram's hash opens
 * nothing here. */
static bool
is_short(const struct settings_spec *spec, const char *text)
{
	return spec->is_secret && spec != &settings_table[SETTING_TELEGRAM_API_HASH] &&
	    spec->type != SETTING_TYPE_FORGE_TOKEN && spec->type != SETTING_TYPE_PASSWORD &&
	    spec->type != SETTING_TYPE_VAULT_TOKEN && strlen(text) < SETTING_SECRET_OK;
}

static bool
is_unfilled(const struct settings_spec *spec, const char *text)
{
	return spec->is_secret && setting_is_placeholder(text);
}

/* As tests/demo has them: everybody may read them there. */
static bool
is_of_the_demo(const struct settings_spec *spec, const char *text)
{
	static const char *const parts[] = { "-demo_token_of_the_stand-in_",
		"telegram-webhook-secret_0123456789", "github-webhook-secret-0123456789" };

	for (size_t i = 0; spec->is_secret && i < COUNT(parts); i++)
		if (strstr(text, parts[i]) != NULL)
			return true;
	return false;
}

/* "http://HOST…": where HOST is, as it is written; a name may be anywhere. */
static enum address_class
class_of(const char *url)
{
	const char *host = url + sizeof("http://") - 1;
	bool is_ipv6 = host[0] == '[';
	size_t size = strcspn(host + is_ipv6, is_ipv6 ? "]" : ":/?#");
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	char text[INET6_ADDRSTRLEN];

	if (size == 9 && strncasecmp(host, "localhost", size) == 0)
		return ADDRESS_LOOPBACK;
	if (size >= sizeof(text))
		return ADDRESS_PUBLIC;
	text_setf(text, "%.*s", (int)size, host + is_ipv6);
	if (is_ipv6 && inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1)
		return address_class((struct sockaddr *)&ipv6);
	if (!is_ipv6 && inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return address_class((struct sockaddr *)&ipv4);
	return ADDRESS_PUBLIC;
}

bool
settings_leaves_machine(const char *url)
{
	return text_starts_ci(url, "http://") && class_of(url) != ADDRESS_LOOPBACK;
}

bool
settings_is_on_link(const char *url)
{
	return class_of(text_starts_ci(url, "https") ? url + 1 : url) == ADDRESS_LINK_LOCAL;
}

/* Of a list, any of that kind.  A proxy of http:// carries TLS, and SMOKE_URL is asked on the host
 * itself. */
static bool
is_in_the_clear(const struct settings_spec *spec, const char *text, bool is_private)
{
	char url[SETTING_PART_MAX + 1];

	if (spec->type != SETTING_TYPE_URL && spec->type != SETTING_TYPE_URLS &&
	    spec->type != SETTING_TYPE_REGISTRY)
		return false;
	while (setting_next(&text, url, sizeof(url))) {
		enum address_class class =
		    text_starts_ci(url, "http://") ? class_of(url) : ADDRESS_LOOPBACK;

		if (class != ADDRESS_LOOPBACK && (class == ADDRESS_PRIVATE) == is_private)
			return true;
	}
	return false;
}

/* Hosts of a private network have no certificate, and a team would leave this mode off as a whole;
 * an API's address carries a token. */
static bool
is_for_all_to_read(const struct settings_spec *spec, const char *text)
{
	return is_in_the_clear(spec, text, false) ||
	    (spec->type == SETTING_TYPE_URL && is_in_the_clear(spec, text, true));
}

const char *
settings_doubt(const struct settings_spec *spec, const char *text)
{
	return is_in_the_clear(spec, text, true) ?
	    "http:// goes over this private network in the clear: use https where others are in it" :
	    NULL;
}

const char *
settings_unfit(const struct settings_spec *spec, const char *text)
{
	static const struct {
		bool (*is_so)(const struct settings_spec *spec, const char *text);
		const char *sentence;
	} refused[] = {
		{ is_short, "a secret shorter than 32 bytes; make one with: openssl rand -hex 32" },
		{ is_unfilled, "a placeholder: put the secret itself there" },
		{ is_of_the_demo, "the demo's, which everybody knows: make one of your own" },
		{ is_for_all_to_read,
		    "http:// goes over the network in the clear: use https (http:// only to this machine itself, of health URLs and registries also to a private address)" },
	};

	for (size_t i = 0; i < COUNT(refused); i++)
		if (refused[i].is_so(spec, text))
			return refused[i].sentence;
	return NULL;
}

/* --- a file --- */

bool
settings_is_container(void)
{
	return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
	    getenv("container") != NULL;
}

/* Do we know that others than root, its owner and its group may read this file, or replace it?
 * Then why, in a text without what the file holds.  One that is not there, or that another user
 * keeps to himself, is not open. */
static bool
is_open(const char *path, char *why, size_t room)
{
	char full[PATH_MAX];
	struct stat st;
	struct err err;

	why[0] = '\0';
	if (realpath(path, full) == NULL || stat(full, &st) != 0)
		return false;
	/* What another user's mode lets nobody but him read is private; path_is_private() would
	 * call it unsafe, for it belongs to neither root nor us.  Typed by root: whoever it belongs
	 * to is the server or the runner, and no stranger. */
	if (st.st_uid != geteuid() && access(full, R_OK) != 0)
		return false;
	if (geteuid() != 0 || st.st_uid == 0) {
		if (!path_is_private(full, true, &err))
			(void)text_copy(why, room, err.text); /* cut is fine */
	} else if ((st.st_mode & OTHERS) != 0) {
		(void)snprintf(why, room, "%.120s may be read by others (mode %04o)", full,
		    (unsigned)(st.st_mode & 07777));
	}
	return why[0] != '\0';
}

void
settings_check_private(
    struct settings_loader *l, const char *name, const char *path, bool is_ssh_key)
{
	char why[200];

	if ((is_ssh_key || !settings_is_container()) && is_open(path, why, sizeof(why)))
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: %s: chmod 600 it, and give it to the user who reads it", name, why);
}

/* settings_claims.c - what work on an environment will touch, as names of resources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_claims.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "settings/settings_inside.h"

#define HOST_ROOM 262 /* 253 characters, a port, what stands between */

static void add(struct settings_claims *claims, const char *fmt, ...) PRINTF(2, 3);

/* Each once; what the checks of the settings let pass has room. */
static void
add(struct settings_claims *claims, const char *fmt, ...)
{
	char *resource = claims->at[claims->n];
	va_list args;

	assert(claims->n < COUNT(claims->at));
	va_start(args, fmt);
	(void)vsnprintf(resource, SETTINGS_CLAIM, fmt, args);
	va_end(args);
	claims->n += settings_claims_has(claims, resource) ? 0 : 1;
}

/* --- one spelling of each --- */

/* "//srv/./app/" is "/srv/app".  No check lets ".." pass. */
static const char *
plain_path(const char *path, char out[SETTING_PART_MAX + 1])
{
	size_t used = 0;

	out[0] = '\0';
	while (*path != '\0') {
		size_t size;

		path += strspn(path, "/");
		size = strcspn(path, "/");
		if (size > 0 && !(size == 1 && *path == '.') &&
		    used + 1 + size <= SETTING_PART_MAX) {
			out[used++] = '/';
			memcpy(out + used, path, size);
			used += size;
			out[used] = '\0';
		}
		path += size;
	}
	return out;
}

/* HOST[:PORT]: capitals mean nothing, port 22 is what ssh takes, an IPv6 address has its shortest
 * form. */
static const char *
plain_host(const char *host, char out[HOST_ROOM])
{
	size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port = host[size] == ':' ? host + size : ":22";
	char name[HOST_ROOM], shortest[INET6_ADDRSTRLEN];
	struct in6_addr address;

	(void)snprintf(name, sizeof(name), "%.*s", (int)size, host);
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (host[0] == '[' && size > 2) {
		name[size - 1] = '\0';
		if (inet_pton(AF_INET6, name + 1, &address) == 1 &&
		    inet_ntop(AF_INET6, &address, shortest, sizeof(shortest)) != NULL)
			(void)snprintf(name, sizeof(name), "[%s]", shortest);
	}
	(void)snprintf(out, HOST_ROOM, "%.254s%.6s", name, port);
	return out;
}

/* --- what each transport touches --- */

struct member_of {
	const struct settings *s;
	const struct settings_member *member;
};

static const char *
own_or_all(const struct member_of *of, enum family_setting setting, enum setting all)
{
	const char *text = of->member->values[setting].text;

	return text != NULL ? text : settings_text(of->s, all);
}

bool
settings_is_bluegreen(const struct settings *s)
{
	const char *strategy = settings_text(s, SETTING_DEPLOY_STRATEGY);

	return strategy != NULL && text_same_ci(strategy, "bluegreen");
}

static void
add_ssh(struct settings_claims *claims, const struct member_of *of)
{
	const char *list = of->member->values[ENVIRONMENT_SETTING_HOST].text;
	const char *folder = of->member->values[ENVIRONMENT_SETTING_COMPOSE_DIR].text;
	const char *proxy =
	    settings_is_bluegreen(of->s) ? settings_text(of->s, SETTING_NGINX_UPSTREAM_FILE) : NULL;
	char part[SETTING_PART_MAX + 1], host[HOST_ROOM], path[SETTING_PART_MAX + 1];

	while (list != NULL && setting_next(&list, part, sizeof(part))) {
		(void)plain_host(part, host);
		if (folder != NULL)
			add(claims, "host:%s%s", host, plain_path(folder, path));
		if (proxy != NULL)
			add(claims, "host:%s%s", host, plain_path(proxy, path));
	}
}

static void
add_local(struct settings_claims *claims, const struct member_of *of)
{
	const char *port = of->member->values[ENVIRONMENT_SETTING_PORT].text;

	if (port != NULL)
		add(claims, "port:%.5s", port);
}

static void
add_kubernetes(struct settings_claims *claims, const struct member_of *of)
{
	const char *config = own_or_all(of, ENVIRONMENT_SETTING_KUBECONFIG, SETTING_KUBECONFIG);
	const char *space =
	    own_or_all(of, ENVIRONMENT_SETTING_KUBE_NAMESPACE, SETTING_KUBE_NAMESPACE);
	const char *name = settings_text(of->s, SETTING_KUBE_DEPLOYMENT);
	char path[SETTING_PART_MAX + 1];

	if (config != NULL && name != NULL)
		add(claims, "kube:%s/%.63s/%.200s", plain_path(config, path),
		    space != NULL ? space : "default", name);
}

static const struct {
	const char *transport;
	void (*add)(struct settings_claims *claims, const struct member_of *of);
} transports[] = {
	{ "ssh", add_ssh },
	{ "local", add_local },
	{ "kubernetes", add_kubernetes },
};

/* --- all of it --- */

const char *
settings_transport(const struct settings *s)
{
	const char *name = settings_text(s, SETTING_DEPLOY_TRANSPORT);

	if (settings_truth(settings_text(s, SETTING_USE_KUBERNETES)))
		return "kubernetes";
	return name == NULL ? "ssh" : name;
}

static const struct settings_member *
find_member(const struct settings *s, const char *environment)
{
	for (size_t i = 0; i < s->inside->member_count; i++)
		if (s->inside->members[i]->family == FAMILY_ENVIRONMENT &&
		    strcmp(s->inside->members[i]->id, environment) == 0)
			return s->inside->members[i];
	return NULL;
}

struct settings_claims *
settings_claims(const struct settings *s, const char *environment)
{
	struct settings_claims *ret = calloc(1, sizeof(*ret));
	struct member_of of = { .s = settings_of(s, environment) };

	if (ret == NULL)
		return NULL;
	add(ret, "env:%.*s", LIMIT_ENVIRONMENT, environment);
	of.member = find_member(of.s, environment);
	/* What scripts of theirs touch only they know. */
	if (of.member == NULL || settings_is_given(of.s, SETTING_DEPLOY_SCRIPT))
		return ret;
	for (size_t i = 0; i < COUNT(transports); i++)
		if (strcmp(transports[i].transport, settings_transport(of.s)) == 0)
			transports[i].add(ret, &of);
	return ret;
}

bool
settings_claims_has(const struct settings_claims *claims, const char *resource)
{
	for (size_t i = 0; i < claims->n; i++)
		if (strcmp(claims->at[i], resource) == 0)
			return true;
	return false;
}

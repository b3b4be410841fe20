/* settings_targets.c - what our scripts release to: what is missing, and what two environments share.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/address.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/url.h"
#include "settings/checks/settings_claims.h"
#include "settings/settings_items.h"

/* --- what is missing --- */

static void
say_missing(struct settings_loader *l, const struct settings_member *member,
    enum family_setting setting, const char *where)
{
	settings_say_of(l, SETTINGS_FLAW, member, setting,
	    "is not set, and %s: no release can reach %s (or take it out of ENVIRONMENTS)", where,
	    member->name);
}

/* A wrong one has no text; that was said, and is no missing one. */
static bool
lacks(const struct settings_member *member, enum family_setting setting)
{
	return !settings_own(member, setting)->is_given;
}

static void
check_missing(
    struct settings_loader *l, const struct settings_member *member, const char *transport)
{
	bool has_none = lacks(member, ENVIRONMENT_SETTING_HOST) &&
	    lacks(member, ENVIRONMENT_SETTING_HOSTS_FILE);

	if (strcmp(transport, "ssh") == 0 && has_none)
		say_missing(l, member, ENVIRONMENT_SETTING_HOST, "DEPLOY_TRANSPORT is ssh");
	if (strcmp(transport, "agent") == 0 && has_none)
		say_missing(l, member, ENVIRONMENT_SETTING_HOST, "DEPLOY_TRANSPORT is agent");
	if (strcmp(transport, "systemd") == 0 && has_none)
		say_missing(l, member, ENVIRONMENT_SETTING_HOST, "DEPLOY_TRANSPORT is systemd");
	if (strcmp(transport, "local") == 0 && lacks(member, ENVIRONMENT_SETTING_PORT))
		say_missing(l, member, ENVIRONMENT_SETTING_PORT, "DEPLOY_TRANSPORT is local");
}

static void
say_no_build(struct settings_loader *l, const char *setting, const char *registry,
    const struct settings_member *member)
{
	char name[SETTING_NAME_MAX];

	settings_say(l->report, SETTINGS_FLAW,
	    "%s: is not set, and REGISTRIES names %s: no image can be built for %s",
	    setting_name(setting, registry, name), registry, member->name);
}

/* Of "https://HOST/PATH", which may begin at HOST.  Returns its length; it is at *url then. */
static size_t
find_registry_host(const char **url)
{
	const char *scheme = strstr(*url, "://");

	if (scheme != NULL)
		*url = scheme + strlen("://");
	return strcspn(*url, "/");
}

static bool
are_at_one_host(const char *one, const char *other)
{
	size_t n = find_registry_host(&one);

	return find_registry_host(&other) == n && strncmp(one, other, n) == 0;
}

/* docker keeps one login for each host: REGISTRY_URL's is the first. */
static void
check_one_login(struct settings_loader *l, const struct settings_member *member,
    const char *registry, const char *url)
{
	const char *list = settings_value_of(l->s, member, SETTING_REGISTRIES)->text;
	const char *first = settings_value_of(l->s, member, SETTING_REGISTRY_URL)->text;
	char other[SETTINGS_MEMBER_NAME] = "", name[SETTING_NAME_MAX], of_url[SETTING_NAME_MAX],
	     of_user[SETTING_NAME_MAX];
	size_t length;

	while (first == NULL || !are_at_one_host(first, url)) {
		if (!setting_next(&list, other, sizeof(other)) || strcmp(other, registry) == 0)
			return; /* what is behind it is looked at in its turn */
		first = settings_find(l, setting_name("REGISTRY_<NAME>_URL", other, name));
	}
	length = find_registry_host(&url);
	settings_say(l->report, SETTINGS_FLAW,
	    "%s: is at %.*s, as %s is, and docker keeps one login for each host: take %s out of REGISTRIES, and let %s read its images too; no image can be built for %s",
	    setting_name("REGISTRY_<NAME>_URL", registry, name), (int)length, url,
	    other[0] == '\0' ? "REGISTRY_URL" : setting_name("REGISTRY_<NAME>_URL", other, of_url),
	    registry,
	    other[0] == '\0' ? "REGISTRY_USER" :
			       setting_name("REGISTRY_<NAME>_USER", other, of_user),
	    member->name);
}

/* As deploy/build.sh has it; what a transport of one's own needs is not known here. */
static bool
builds_nothing(const struct settings_loader *l, const struct settings_member *member)
{
	const char *source = settings_value_of(l->s, member, SETTING_IMAGE_SOURCE)->text;
	const char *transport = settings_transport(l->s, member);

	return settings_value_of(l->s, member, SETTING_DEPLOY_SCRIPT)->is_given ||
	    (source != NULL && strcmp(source, "registry") == 0) ||
	    strcmp(transport, "local") == 0 || strcmp(transport, "systemd") == 0;
}

/* What a build logs in at; AWS makes its own passwords. */
static void
check_registries(struct settings_loader *l, const struct settings_member *member)
{
	const char *list = settings_value_of(l->s, member, SETTING_REGISTRIES)->text, *user, *url;
	char registry[SETTINGS_MEMBER_NAME], name[SETTING_NAME_MAX];

	while (list != NULL && setting_next(&list, registry, sizeof(registry))) {
		user = settings_find(l, setting_name("REGISTRY_<NAME>_USER", registry, name));
		url = settings_find(l, setting_name("REGISTRY_<NAME>_URL", registry, name));
		if (url == NULL)
			say_no_build(l, "REGISTRY_<NAME>_URL", registry, member);
		else if (user != NULL && strcmp(user, "AWS") != 0 &&
		    settings_find(l, setting_name("REGISTRY_<NAME>_PASSWORD", registry, name)) ==
			NULL &&
		    settings_find(
			l, setting_name("REGISTRY_<NAME>_PASSWORD_FILE", registry, name)) == NULL)
			say_no_build(l, "REGISTRY_<NAME>_PASSWORD", registry, member);
		if (url != NULL)
			check_one_login(l, member, registry, url);
	}
}

/* --- what the way to the hosts does not carry --- */

#define SUBNET 24 /* bits: the least that clouds and offices make of a private network */

static bool
is_private(const char *host, struct sockaddr_in *ret)
{
	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1 &&
	    address_class((const struct sockaddr *)ret) == ADDRESS_PRIVATE;
}

/* Is it one of these hosts, or by its address beside one of them? */
static bool
is_beside(const char *asked, const char *hosts)
{
	char entry[SETTING_PART_MAX + 1];
	struct sockaddr_in one, other;

	while (setting_next(&hosts, entry, sizeof(entry))) {
		if (entry[0] != '[') /* of IPv6, which url_host() has none of */
			entry[strcspn(entry, ":")] = '\0';
		if (text_same_ci(asked, entry))
			return true;
		if (is_private(asked, &one) && is_private(entry, &other) &&
		    ntohl(one.sin_addr.s_addr) >> (32 - SUBNET) ==
			ntohl(other.sin_addr.s_addr) >> (32 - SUBNET))
			return true;
	}
	return false;
}

/* The health check is the server's, which goes no way that ssh is told. */
static void
check_health_way(
    struct settings_loader *l, const struct settings_member *member, const char *transport)
{
	static const enum setting ways[] = { SETTING_SSH_JUMP, SETTING_SSH_PROXY_COMMAND };
	const char *urls = settings_own(member, ENVIRONMENT_SETTING_HEALTH_URL)->text;
	const char *hosts = settings_hosts(member);
	const char *way = NULL;
	char url[SETTING_PART_MAX + 1], host[URL_HOST], smoke[SETTING_NAME_MAX];

	for (size_t i = 0; way == NULL && i < COUNT(ways); i++)
		if (settings_value_of(l->s, member, ways[i])->is_given)
			way = settings_table[ways[i]].name;
	if (strcmp(transport, "ssh") != 0 && strcmp(transport, "systemd") != 0)
		return;
	if (way != NULL && hosts != NULL && urls == NULL)
		settings_say_of(l, SETTINGS_WARNING, member, ENVIRONMENT_SETTING_HEALTH_URL,
		    "is not set, and the hosts are behind %s: between deployments nobody looks at the application, and no alert says that it is down; name a load balancer that this machine reaches, or watch it from elsewhere",
		    way);
	while (
	    way != NULL && hosts != NULL && urls != NULL && setting_next(&urls, url, sizeof(url))) {
		if (url_host(url, host)[0] == '\0' || !is_beside(host, hosts))
			continue;
		settings_say_of(l, SETTINGS_WARNING, member, ENVIRONMENT_SETTING_HEALTH_URL,
		    "%s is behind %s, and deploybot's server asks it directly: name a load balancer, or take it out and set %s=http://127.0.0.1:%s/PATH, which is asked on each host",
		    host, way, setting_name("<ENV>_SMOKE_URL", member->name, smoke),
		    settings_is_bluegreen(l->s, member) ? "{port}" : "PORT");
		return;
	}
}

/* A check that deploybot answers itself passes whatever is released. */
static void
check_health_is_not_ours(struct settings_loader *l, const struct settings_member *member)
{
	const char *urls = settings_own(member, ENVIRONMENT_SETTING_HEALTH_URL)->text;
	const char *port = l->s->inside->values[SETTING_API_SERVER_PORT].text;
	char url[SETTING_PART_MAX + 1], place[URL_PLACE], *colon;

	while (urls != NULL && port != NULL && setting_next(&urls, url, sizeof(url))) {
		(void)url_place(url, place);
		colon = strrchr(place, ':');
		if (colon == NULL || strcmp(colon + 1, port) != 0)
			continue;
		*colon = '\0';
		if (strncmp(place, "127.", 4) != 0 && !text_same_ci(place, "localhost") &&
		    strcmp(place, "[::1]") != 0)
			continue;
		settings_say_of(l, SETTINGS_FLAW, member, ENVIRONMENT_SETTING_HEALTH_URL,
		    "%s is where deploybot itself serves (API_SERVER_PORT=%s), and answers for any release: name the port of the application",
		    url, port);
		return;
	}
}

/* --- what two share --- */

static const char *
name_shared(const struct settings *s, const struct settings_member *member)
{
	const char *transport = settings_transport(s, member);

	if (strcmp(transport, "systemd") == 0)
		return "a host, and its folder (<ENV>_SYSTEMD_DIR)";
	if (strcmp(transport, "local") == 0)
		return "a port of this machine (<ENV>_PORT)";
	if (strcmp(transport, "kubernetes") == 0)
		return "a Deployment (<ENV>_KUBE_NAMESPACE, <ENV>_KUBECONFIG)";
	if (!settings_is_bluegreen(s, member))
		return "a host, and its folder (<ENV>_COMPOSE_DIR)";
	return "a host, and its folder, ports or nginx's file there (<ENV>_COMPOSE_DIR, <ENV>_APP_PORTS, <ENV>_NGINX_UPSTREAM_FILE)";
}

/* Of the members of one file. */
struct shared {
	struct settings_items items;
	size_t at; /* whose they are now */
};

static void
on_resource(void *ctx, const char *resource)
{
	struct shared *shared = ctx;

	settings_items_add(&shared->items, resource, shared->at);
}

static struct settings_member *
member_at(const struct settings *s, size_t nth)
{
	struct settings_member *member = NULL;

	for (size_t i = 0, n = 0;
	     n <= nth && (member = settings_next_member(s, FAMILY_ENVIRONMENT, &i)) != NULL; n++)
		;
	return member;
}

/* The one that is named later gives way: the first one ships as it did. */
static void
refuse_shared(
    struct settings_loader *l, const struct settings_member *one, struct settings_member *other)
{
	text_setf(other->refusal,
	    "%s shares %s with %s: a release to one would replace the other's", other->name,
	    name_shared(l->s, other), one->name);
	if (other->shared == NULL)
		other->shared = mem_new(1, sizeof(*other->shared));
	text_setf(other->shared->brief,
	    "%s shares %s with another environment: a release to one would replace the other's",
	    other->name, name_shared(l->s, other));
	text_set(other->shared->with, one->id);
	settings_say(l->report, SETTINGS_FLAW,
	    "ENVIRONMENTS: %s; %s is not deployed until it has its own", other->refusal,
	    other->name);
}

/* with: of each the first one that it shares something with, or itself. */
static void
on_overlap(void *with, const struct settings_item *first, const struct settings_item *later)
{
	size_t *of = (size_t *)with + later->of;

	if (first->of < *of)
		*of = first->of;
}

/* By order, not by pairs: a thousand hosts of each would be a million comparisons. */
static void
check_shared(struct settings_loader *l)
{
	struct shared shared = { .at = 0 };
	size_t with[SETTING_NAMES_MAX], first = 0;
	struct settings_member *member;

	for (size_t i = 0; (member = settings_next_member(l->s, FAMILY_ENVIRONMENT, &i)) != NULL;
	     shared.at++) {
		assert(shared.at < SETTING_NAMES_MAX);
		with[shared.at] = shared.at;
		settings_claims_each(l->s, member->id, on_resource, &shared);
	}
	settings_items_sort(&shared.items);
	for (size_t i = 1; i < shared.items.count; i++) {
		const struct settings_item *item = &shared.items.at[i];

		if (strcmp(item->text, shared.items.at[first].text) != 0)
			first = i;
		else if (shared.items.at[first].of < with[item->of])
			with[item->of] = shared.items.at[first].of;
	}
	settings_items_overlaps(&shared.items, on_overlap, with);
	settings_items_done(&shared.items);
	for (size_t i = 0; i < shared.at; i++)
		if (with[i] != i)
			refuse_shared(l, member_at(l->s, with[i]), member_at(l->s, i));
}

void
settings_check_targets(struct settings_loader *l)
{
	struct settings_member *member;

	for (size_t i = 0; (member = settings_next_member(l->s, FAMILY_ENVIRONMENT, &i)) != NULL;) {
		if (!settings_value_of(l->s, member, SETTING_DEPLOY_SCRIPT)->is_given) {
			check_missing(l, member, settings_transport(l->s, member));
			check_health_way(l, member, settings_transport(l->s, member));
		}
		check_health_is_not_ours(l, member);
		if (!builds_nothing(l, member))
			check_registries(l, member);
	}
	check_shared(l);
}

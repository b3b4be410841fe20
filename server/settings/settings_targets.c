/* settings_targets.c - what our scripts release to: what is missing, and what two environments share.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

/* DEPLOY_TRANSPORT, as deploy/act.sh reads it. */
static const char *
transport_of(const struct settings *s)
{
	const char *name = settings_text(s, SETTING_DEPLOY_TRANSPORT);

	if (settings_truth(settings_text(s, SETTING_USE_KUBERNETES)))
		return "kubernetes";
	return name == NULL ? "ssh" : name;
}

static bool
is_bluegreen(const struct settings *s)
{
	const char *strategy = settings_text(s, SETTING_DEPLOY_STRATEGY);

	return strategy != NULL && text_same_ci(strategy, "bluegreen");
}

static const char *
own(const struct settings_member *member, enum family_setting setting)
{
	return member->values[setting].text;
}

/* --- what is missing --- */

static void
say_missing(struct settings_loader *l, const struct settings_member *member,
    enum family_setting setting, const char *where)
{
	char name[SETTING_NAME_MAX];

	settings_say(l->report, SETTINGS_FLAW,
	    "%s: is not set, and %s: no release can reach %s (or take it out of ENVIRONMENTS)",
	    setting_name(settings_table_families[setting].name, member->name, name), where,
	    member->name);
}

/* A wrong one has no text; that was said, and is no missing one. */
static bool
lacks(const struct settings_member *member, enum family_setting setting)
{
	return !member->values[setting].is_given;
}

static void
check_missing(
    struct settings_loader *l, const struct settings_member *member, const char *transport)
{
	if (strcmp(transport, "ssh") == 0 && lacks(member, ENVIRONMENT_SETTING_HOST))
		say_missing(l, member, ENVIRONMENT_SETTING_HOST, "DEPLOY_TRANSPORT is ssh");
	if (strcmp(transport, "local") == 0 && lacks(member, ENVIRONMENT_SETTING_PORT))
		say_missing(l, member, ENVIRONMENT_SETTING_PORT, "DEPLOY_TRANSPORT is local");
	if (strcmp(transport, "kubernetes") == 0 && lacks(member, ENVIRONMENT_SETTING_KUBECONFIG) &&
	    !settings_is_given(l->s, SETTING_KUBECONFIG))
		say_missing(l, member, ENVIRONMENT_SETTING_KUBECONFIG,
		    "neither is KUBECONFIG, and DEPLOY_TRANSPORT is kubernetes");
}

/* --- what two share --- */

/* Of HOST[:PORT]: port 22 is what ssh takes where none is named. */
static size_t
without_port_22(const char *host, size_t len)
{
	return len > 3 && memcmp(host + len - 3, ":22", 3) == 0 ? len - 3 : len;
}

/* Do two lists of HOST[:PORT],… have one in common? */
static bool
share_a_host(const char *one, const char *other)
{
	for (const char *host = one; *host != '\0';) {
		size_t len = strcspn(host, ","), plain = without_port_22(host, len);

		for (const char *at = other; *at != '\0';) {
			size_t n = strcspn(at, ",");

			if (without_port_22(at, n) == plain && strncasecmp(host, at, plain) == 0)
				return true;
			at += n + (at[n] == ',');
		}
		host += len + (host[len] == ',');
	}
	return false;
}

static bool
are_one_folder(const char *one, const char *other)
{
	size_t n = strlen(one), m = strlen(other);

	n -= n > 1 && one[n - 1] == '/';
	m -= m > 1 && other[m - 1] == '/';
	return n == m && memcmp(one, other, n) == 0;
}

/* Text of an environment's own setting, or of the one for all. */
static const char *
own_or_all(const struct settings *s, const struct settings_member *member,
    enum family_setting setting, enum setting all)
{
	const char *text = own(member, setting);

	return text != NULL ? text : settings_text(s, all);
}

static bool
are_one_text(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static bool
share_a_deployment(const struct settings *s, const struct settings_member *one,
    const struct settings_member *other)
{
	enum family_setting config = ENVIRONMENT_SETTING_KUBECONFIG;
	enum family_setting namespace = ENVIRONMENT_SETTING_KUBE_NAMESPACE;

	return are_one_text(own_or_all(s, one, config, SETTING_KUBECONFIG),
		   own_or_all(s, other, config, SETTING_KUBECONFIG)) &&
	    are_one_text(own_or_all(s, one, namespace, SETTING_KUBE_NAMESPACE),
		own_or_all(s, other, namespace, SETTING_KUBE_NAMESPACE));
}

static bool
share_a_host_of(const struct settings_member *one, const struct settings_member *other)
{
	const char *hosts = own(one, ENVIRONMENT_SETTING_HOST);
	const char *others = own(other, ENVIRONMENT_SETTING_HOST);

	return hosts != NULL && others != NULL && share_a_host(hosts, others);
}

static bool
share_a_folder(const struct settings_member *one, const struct settings_member *other)
{
	const char *folder = own(one, ENVIRONMENT_SETTING_COMPOSE_DIR);
	const char *its = own(other, ENVIRONMENT_SETTING_COMPOSE_DIR);

	return folder != NULL && its != NULL && are_one_folder(folder, its);
}

/* Why a release to one would replace the other; NULL: it would not. */
static const char *
what_they_share(const struct settings *s, const char *transport, const struct settings_member *one,
    const struct settings_member *other)
{
	bool ssh = strcmp(transport, "ssh") == 0 && share_a_host_of(one, other);

	if (ssh && is_bluegreen(s))
		return "a host, where bluegreen has one NGINX_UPSTREAM_FILE";
	if (ssh && share_a_folder(one, other))
		return "a host, and its folder (<ENV>_COMPOSE_DIR)";
	if (strcmp(transport, "local") == 0 &&
	    are_one_text(own(one, ENVIRONMENT_SETTING_PORT), own(other, ENVIRONMENT_SETTING_PORT)))
		return "a port of this machine (<ENV>_PORT)";
	if (strcmp(transport, "kubernetes") == 0 && share_a_deployment(s, one, other))
		return "a Deployment (<ENV>_KUBE_NAMESPACE, <ENV>_KUBECONFIG)";
	return NULL;
}

/* The one that is named later gives way: the first one ships as it did. */
static void
check_shared(struct settings_loader *l, const struct settings_member *one,
    struct settings_member *other, const char *transport)
{
	const char *shared = what_they_share(l->s, transport, one, other);

	if (shared == NULL || other->refusal[0] != '\0')
		return;
	(void)snprintf(other->refusal, sizeof(other->refusal),
	    "%s shares %s with %s: a release to one would replace the other's", other->name, shared,
	    one->name);
	settings_say(l->report, SETTINGS_FLAW,
	    "ENVIRONMENTS: %s; %s is not deployed until it has its own", other->refusal,
	    other->name);
}

void
settings_check_targets(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;
	const char *transport = transport_of(l->s);
	bool needs_image = strcmp(transport, "ssh") == 0 || strcmp(transport, "kubernetes") == 0;

	if (needs_image && !settings_is_given(l->s, SETTING_REGISTRY_URL))
		settings_say(l->report, SETTINGS_FLAW,
		    "REGISTRY_URL: is not set, and DEPLOY_TRANSPORT is %s: there is no registry that images go to, and no release",
		    transport);
	for (size_t i = 0; i < in->member_count; i++) {
		if (in->members[i]->family != FAMILY_ENVIRONMENT)
			continue;
		check_missing(l, in->members[i], transport);
		for (size_t j = 0; j < i; j++)
			if (in->members[j]->family == FAMILY_ENVIRONMENT)
				check_shared(l, in->members[j], in->members[i], transport);
	}
}

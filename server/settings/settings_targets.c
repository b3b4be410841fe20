/* settings_targets.c - what our scripts release to: what is missing, and what two environments share.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "settings/settings_claims.h"

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

/* Why a release to one would replace the other; NULL: it would not. */
static const char *
what_they_share(struct settings_loader *l, const char *transport, const struct settings_member *one,
    const struct settings_member *other)
{
	struct settings_claims *ours = settings_claims(l->s, one->id);
	struct settings_claims *theirs = settings_claims(l->s, other->id);
	bool is_shared = false;

	for (size_t i = 0; ours != NULL && theirs != NULL && i < ours->n; i++)
		is_shared = is_shared || settings_claims_has(theirs, ours->at[i]);
	if (ours == NULL || theirs == NULL)
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
	free(ours);
	free(theirs);
	if (!is_shared)
		return NULL;
	if (strcmp(transport, "local") == 0)
		return "a port of this machine (<ENV>_PORT)";
	if (strcmp(transport, "kubernetes") == 0)
		return "a Deployment (<ENV>_KUBE_NAMESPACE, <ENV>_KUBECONFIG)";
	return settings_is_bluegreen(l->s) ? "a host, where bluegreen has one NGINX_UPSTREAM_FILE" :
					     "a host, and its folder (<ENV>_COMPOSE_DIR)";
}

/* The one that is named later gives way: the first one ships as it did. */
static void
check_shared(struct settings_loader *l, const struct settings_member *one,
    struct settings_member *other, const char *transport)
{
	const char *shared = what_they_share(l, transport, one, other);

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
	const char *transport = settings_transport(l->s);
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

/* settings_claims.c - what work on an environment will touch, as names of resources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/checks/settings_claims.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/settings_inside.h"
#include "types/peers.h"

#define ON_A_HOST 4 /* a folder, a proxy's file and two ports; no other list is as long */
#define ROOM	  (1 + ON_A_HOST * SETTING_HOSTS_MAX + 2 + 1) /* a client's two, add()'s next */

/* Where they go: to a list, or one by one to whoever asks. */
struct sink {
	struct settings_claims *claims;
	settings_claims_call *call;
	void *ctx;
};

static void add(const struct sink *sink, const char *fmt, ...) PRINTF(2, 3);

static bool
has(const struct settings_claims *claims, const char *resource)
{
	for (size_t i = 0; i < claims->n; i++)
		if (strcmp(claims->at[i], resource) == 0)
			return true;
	return false;
}

/* In a list each once; what the checks of the settings let pass has room. */
static void
add(const struct sink *sink, const char *fmt, ...)
{
	struct settings_claims *claims = sink->claims;
	char resource[SETTINGS_CLAIM];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(resource, sizeof(resource), fmt, args);
	va_end(args);
	if (claims == NULL) {
		sink->call(sink->ctx, resource);
		return;
	}
	assert(claims->n < claims->room);
	if (!has(claims, resource))
		text_set(claims->at[claims->n++], resource); /* of the same size */
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

/* --- what each transport touches --- */

struct member_of {
	const struct settings *s;
	const struct settings_member *member;
};

static const char *
text_of(const struct member_of *of, enum setting setting)
{
	return settings_value_of(of->s, of->member, setting)->text;
}

bool
settings_is_bluegreen(const struct settings *s, const struct settings_member *member)
{
	const char *strategy = settings_value_of(s, member, SETTING_DEPLOY_STRATEGY)->text;

	return strategy != NULL && text_same_ci(strategy, "bluegreen");
}

static void
add_ssh(const struct sink *sink, const struct member_of *of)
{
	const char *list = settings_hosts(of->member);
	const char *folder = settings_own(of->member, ENVIRONMENT_SETTING_COMPOSE_DIR)->text;
	const char *ports =
	    settings_is_bluegreen(of->s, of->member) ? text_of(of, SETTING_APP_PORTS) : NULL;
	const char *proxy = settings_is_bluegreen(of->s, of->member) ?
	    text_of(of, SETTING_NGINX_UPSTREAM_FILE) :
	    NULL;
	char part[SETTING_PART_MAX + 1], host[HOST_TEXT], path[SETTING_PART_MAX + 1];

	while (list != NULL && setting_next(&list, part, sizeof(part))) {
		(void)host_plain(part, host);
		if (folder != NULL)
			add(sink, "host:%s%s", host, plain_path(folder, path));
		if (proxy != NULL)
			add(sink, "host:%s%s", host, plain_path(proxy, path));
		for (const char *rest = ports; rest != NULL && setting_next(&rest, path, 6);)
			add(sink, "host:%s/:%.5s", host, path);
	}
}

/* What is in the folder, and the link that the units run. */
static void
add_systemd(const struct sink *sink, const struct member_of *of)
{
	const char *list = settings_hosts(of->member);
	const char *folder = text_of(of, SETTING_SYSTEMD_DIR);
	char part[SETTING_PART_MAX + 1], host[HOST_TEXT], path[SETTING_PART_MAX + 1];

	while (list != NULL && folder != NULL && setting_next(&list, part, sizeof(part))) {
		(void)host_plain(part, host);
		add(sink, "host:%s%s", host, plain_path(folder, path));
	}
}

static void
add_local(const struct sink *sink, const struct member_of *of)
{
	const char *port = settings_own(of->member, ENVIRONMENT_SETTING_PORT)->text;

	if (port != NULL)
		add(sink, "port:%.5s", port);
}

static void
add_kubernetes(const struct sink *sink, const struct member_of *of)
{
	const char *config = text_of(of, SETTING_KUBECONFIG);
	const char *space = text_of(of, SETTING_KUBE_NAMESPACE);
	const char *name = text_of(of, SETTING_KUBE_DEPLOYMENT);
	const char *list = text_of(of, SETTING_KUBE_WORKLOADS);
	char path[SETTING_PART_MAX + 1], part[SETTING_PART_MAX + 1];

	if (config == NULL)
		return;
	if (space == NULL)
		space = "default";
	if (name != NULL && list == NULL)
		add(sink, "kube:%s/%.63s/%.200s", plain_path(config, path), space, name);
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		add(sink, "kube:%s/%.63s/%.212s", plain_path(config, path), space,
		    text_starts(part, "deployment/") ? part + sizeof("deployment/") - 1 : part);
}

static const struct {
	const char *transport;
	void (*add)(const struct sink *sink, const struct member_of *of);
} transports[] = {
	{ "ssh", add_ssh },
	{ "agent", add_ssh },
	{ "systemd", add_systemd },
	{ "local", add_local },
	{ "kubernetes", add_kubernetes },
};

/* --- all of it --- */

const char *
settings_hosts(const struct settings_member *member)
{
	const char *list = settings_own(member, ENVIRONMENT_SETTING_HOST)->text;

	return list != NULL ? list : settings_own(member, ENVIRONMENT_SETTING_HOSTS_FILE)->text;
}

const char *
settings_transport(const struct settings *s, const struct settings_member *member)
{
	const char *name = settings_value_of(s, member, SETTING_DEPLOY_TRANSPORT)->text;

	if (settings_truth(settings_value_of(s, member, SETTING_USE_KUBERNETES)->text))
		return "kubernetes";
	return name == NULL ? "ssh" : name;
}

const char *
settings_transport_of(const struct environment_settings *environment)
{
	return settings_transport(environment->of, environment->member);
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

const char *
settings_host_list(const struct settings *s, const char *environment)
{
	const struct settings_member *member =
	    find_member(settings_of(s, environment), environment);

	return member != NULL ? settings_hosts(member) : NULL;
}

#define MORE_S 600 /* runner/program.c: what hosts are given beside a migration */

/* 0: it is wrong, and was said to be. */
static int64_t
seconds_of(const char *text)
{
	int64_t seconds = 0;

	return text != NULL && text_to_i64(text, 0, INT32_MAX, &seconds, NULL) ? seconds : 0;
}

const char *
settings_release_agents(const struct settings *s, const char *environment, int64_t *ret_more_s)
{
	const struct environment_settings *e = settings_environment(s, environment);
	const struct settings *of = settings_of(s, environment);
	const struct settings_member *member = find_member(of, environment);

	if (e == NULL || e->agents == NULL)
		return NULL;
	*ret_more_s = MORE_S +
	    seconds_of(settings_value_of(of, member, SETTING_FETCH_TIMEOUT_SECONDS)->text) +
	    2 * seconds_of(settings_value_of(of, member, SETTING_MIGRATE_TIMEOUT_SECONDS)->text);
	return e->agents;
}

bool
settings_migration_place(
    const struct settings *s, const char *environment, char out[SETTINGS_MIGRATION])
{
	const struct settings *of = settings_of(s, environment);
	const struct settings_member *member = find_member(of, environment);
	const char *hosts = settings_host_list(s, environment), *transport, *folder;
	bool is_folder;
	char host[SETTING_PART_MAX + 1], name[LIMIT_ENVIRONMENT];

	out[0] = '\0';
	text_set(name, environment);
	for (char *c = name; *c != '\0'; c++)
		*c = (char)(*c == '/' ? '-' : *c);
	if (member == NULL || settings_value_of(of, member, SETTING_DEPLOY_SCRIPT)->is_given)
		return true;
	transport = settings_transport(of, member);
	if (strcmp(transport, "local") == 0)
		return false;
	folder = settings_value_of(of, member, SETTING_SYSTEMD_DIR)->text;
	is_folder = strcmp(transport, "systemd") == 0 && folder != NULL;
	if (strcmp(transport, "kubernetes") == 0)
		(void)snprintf(out, SETTINGS_MIGRATION, "the Job deploybot-migrate-%s", name);
	else if ((is_folder || strcmp(transport, "ssh") == 0 || strcmp(transport, "agent") == 0) &&
	    hosts != NULL && setting_next(&hosts, host, sizeof(host)))
		(void)snprintf(out, SETTINGS_MIGRATION, "%s%.120s on %.253s",
		    is_folder ? "" : "deploybot-migrate-", is_folder ? folder : name, host);
	return true;
}

/* What scripts of theirs touch only they know: nothing. */
static void
add_targets(const struct sink *sink, const struct settings *s, const char *environment)
{
	struct member_of of = { .s = settings_of(s, environment) };

	of.member = find_member(of.s, environment);
	if (of.member == NULL ||
	    settings_value_of(of.s, of.member, SETTING_DEPLOY_SCRIPT)->is_given)
		return;
	for (size_t i = 0; i < COUNT(transports); i++)
		if (strcmp(transports[i].transport, settings_transport(of.s, of.member)) == 0)
			transports[i].add(sink, &of);
}

void
settings_claims_each(
    const struct settings *s, const char *environment, settings_claims_call *call, void *ctx)
{
	add_targets(&(struct sink){ .call = call, .ctx = ctx }, s, environment);
}

bool
settings_claims_are_rows(const struct settings *s, const char *environment)
{
	const struct settings_member *member =
	    find_member(settings_of(s, environment), environment);
	const char *list = member != NULL ? settings_hosts(member) : NULL;

	return list != NULL &&
	    (settings_own(member, ENVIRONMENT_SETTING_HOSTS_FILE)->text != NULL ||
		host_is_pattern(list));
}

struct settings_claims *
settings_claims(const struct settings *s, const char *environment)
{
	size_t room = ROOM + s->client_count;
	struct settings_claims *ret = mem_new(1, sizeof(*ret) + room * sizeof(ret->at[0]));
	const struct sink sink = { .claims = ret };

	ret->room = room;
	add(&sink, "env:%.*s", LIMIT_ENVIRONMENT, environment);
	for (size_t i = 0; i < s->client_count; i++)
		if (strcmp(s->clients[i].target, environment) == 0)
			add(&sink, "client:%.31s", s->clients[i].id);
	if (!settings_claims_are_rows(s, environment))
		add_targets(&sink, s, environment);
	return ret;
}

const char *
settings_claims_host(const char *host, char out[SETTINGS_CLAIM_HOST])
{
	const char *at = strchr(host, '@');

	if (strcmp(host, "local") == 0) {
		(void)text_copy(out, SETTINGS_CLAIM_HOST, host); /* fits */
		return out;
	}
	if (peer_of_host(host) != NULL)
		return host_plain(peer_of_host(host), out);
	return host_plain(at == NULL ? host : at + 1, out);
}

bool
settings_claims_is_on(const char *resource, const char *host)
{
	size_t size = strlen(host);

	if (strcmp(host, "local") == 0)
		return text_starts(resource, "port:");
	return text_starts(resource, "host:") && strncmp(resource + 5, host, size) == 0 &&
	    resource[5 + size] == '/';
}

struct settings_claims *
settings_claims_client(const struct settings *s, const struct client_settings *client)
{
	struct settings_claims *ret = settings_claims(s, client->target);
	const struct sink sink = { .claims = ret };
	char host[HOST_TEXT];

	if (client->cloudflare_zone != NULL)
		add(&sink, "zone:%s", client->cloudflare_zone);
	/* An agent has one run at a time, of whatever environment. */
	if (client->host != NULL &&
	    (client->target == client->as.name || peer_of_host(client->host) != NULL))
		add(&sink, "host:%s", settings_claims_host(client->host, host));
	return ret;
}

struct settings_claims *
settings_claims_pipeline(const char *environment, const char *pipeline)
{
	struct settings_claims *ret = mem_new(1, sizeof(*ret) + 2 * sizeof(ret->at[0]));

	ret->room = 2; /* add()'s next */
	add(&(struct sink){ .claims = ret }, "pipeline:%s:%.*s", pipeline, LIMIT_ENVIRONMENT,
	    environment);
	return ret;
}

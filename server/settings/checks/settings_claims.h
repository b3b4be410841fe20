/* settings_claims.h - what work on an environment will touch, as names of resources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct settings;

#define SETTINGS_CLAIM LIMIT_RESOURCE

struct settings_claims {
	size_t n, room;
	char at[][SETTINGS_CLAIM];
};

/*
 * The environment itself, and with our own scripts each target of it, so written that two
 * spellings of one are one text:
 *	env:shop/staging
 *	host:HOST:PORT/folder		ssh; blue-green: the proxy's file there, too,
 *	host:HOST:PORT/:8001		and the two ports that containers take
 *	kube:KUBECONFIG/NAMESPACE/DEPLOYMENT
 *	port:8080			of this machine
 *	client:acme			each client that is this environment: an action that began
 *					before it was holds no other name of it
 * environment: as people name it, also one that has left the settings: it claims itself alone.
 * free() it.
 */
struct settings_claims *settings_claims(const struct settings *s, const char *environment) MUST_USE;

/* Do its hosts stand in a file, or for agents that match?  Then that has none of its targets: they
 * are rows (store/row_resource.h). */
bool settings_claims_are_rows(const struct settings *s, const char *environment);

/* Calls with each of its targets, some of them more than once, wherever its hosts stand; of a
 * pattern "host:web-*:22/srv/app". */
typedef void settings_claims_call(void *ctx, const char *resource);
void settings_claims_each(
    const struct settings *s, const char *environment, settings_claims_call *call, void *ctx);

/*
 * What an action on a client touches: client:acme, and what its environment's work touches, or
 * env:client/acme and host:HOST:PORT; that of an agent's host always.  free() it.
 */
struct client_settings;
struct settings_claims *
settings_claims_client(const struct settings *s, const struct client_settings *client) MUST_USE;

/* What a run of a pipeline of that environment touches, of which there is one at a time:
 * pipeline:release:shop/production, and never the environment, whose gate it may ask for.  free()
 * it. */
struct settings_claims *settings_claims_pipeline(
    const char *environment, const char *pipeline) MUST_USE;

/* The hosts of <ENV>_HOST, or in <ENV>_HOSTS_FILE, a comma between; NULL: neither is set. */
struct settings_member;
const char *settings_hosts(const struct settings_member *environment);

const char *settings_host_list(const struct settings *s, const char *environment);

/* The same where releases go through these agents, and how many seconds a fetch and a migration put
 * the deadline of a run off, at most; NULL: they do not. */
const char *settings_release_agents(
    const struct settings *s, const char *environment, int64_t *ret_more_s);

struct environment_settings;

/* By which transport releases come there, as deploy/act.sh reads the settings: "ssh" where none
 * says another.  Borrowed from them. */
const char *settings_transport_of(const struct environment_settings *environment);

/* Where our scripts run a migration of it, for people: "deploybot-migrate-shop-staging on HOST",
 * "/srv/app on HOST"; "": a script or a transport of theirs does.  False: it ends with its run,
 * wherever that ends. */
#define SETTINGS_MIGRATION 384
bool settings_migration_place(
    const struct settings *s, const char *environment, char out[SETTINGS_MIGRATION]);

/* [user@]HOST[:PORT] as it stands in a claim, an agent's name as such a HOST, "local" as it is;
 * returns out.  And is that resource
 * something on this host? */
#define SETTINGS_CLAIM_HOST LIMIT_HOST
const char *settings_claims_host(const char *host, char out[SETTINGS_CLAIM_HOST]);
bool settings_claims_is_on(const char *resource, const char *host);

/* settings_claims.h - what work on an environment will touch, as names of resources.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct settings;

#define SETTINGS_CLAIM	    LIMIT_RESOURCE
#define SETTINGS_CLAIMS_MAX 33	 /* the environment, and two on each of 16 hosts */

struct settings_claims {
	size_t n;
	char at[SETTINGS_CLAIMS_MAX][SETTINGS_CLAIM];
};

/*
 * The environment itself, and with our own scripts each target of it, so written that two
 * spellings of one are one text:
 *	env:shop/staging
 *	host:HOST:PORT/folder		ssh; blue-green: the proxy's file there, too
 *	kube:KUBECONFIG/NAMESPACE/DEPLOYMENT
 *	port:8080			of this machine
 * environment: as people name it, also one that has left the settings: it claims itself alone.
 * free() it; NULL only when memory is short.
 */
struct settings_claims *settings_claims(const struct settings *s,
    const char *environment) MUST_USE;

/* Has that list this resource? */
bool settings_claims_has(const struct settings_claims *claims, const char *resource);

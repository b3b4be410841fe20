/* vault_policy.h - what Vault says of a policy, of a mount, and of what our own token may.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * By these the doctor finds that what is lent could read nothing, before a job does; the secret
 * itself is not read.
 */
#pragma once

#include "lib/base.h"

#define VAULT_ENGINE 32

struct json;

enum vault_policy_says {
	VAULT_POLICY_NONE,	/* the answer has no policy */
	VAULT_POLICY_SILENT,	/* no rule of it is of that path */
	VAULT_POLICY_DENIES,	/* the rule that counts does not let it be read */
	VAULT_POLICY_READS,	/* the rule that counts lets it be read */
};

/* `data` of sys/policies/acl/NAME: is that path ("secret/data/django/database") read by it?  Of HCL
 * and of JSON: a rule is a quoted path before braces.  The path that fits best counts, as of
 * https://developer.hashicorp.com/vault/docs/concepts/policies#priority-matching. */
enum vault_policy_says vault_policy_of(const struct json *body, const char *path);

/* `data` of sys/mounts/MOUNT: "kv2", "kv1", or what else the engine is called.  False: it is none,
 * or a name without end. */
bool vault_read_engine(const struct json *body, char ret[VAULT_ENGINE]) MUST_USE;

/* `data` of sys/capabilities-self: may that path be read by whom asked? */
bool vault_read_capability(const struct json *body, const char *path) MUST_USE;

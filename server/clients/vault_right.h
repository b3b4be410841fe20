/* vault_right.h - what Vault says of a mount, and of what a token may.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * By these the doctor finds that what is lent could read nothing, before a job does; the secret
 * itself is not read.
 */
#pragma once

#include "lib/base.h"

#define VAULT_ENGINE 32

struct json;

/* `data` of sys/mounts/MOUNT: "kv2", "kv1", or what else the engine is called.  False: it is none,
 * or a name without end. */
bool vault_read_engine(const struct json *body, char ret[VAULT_ENGINE]) MUST_USE;

/* `data` of sys/capabilities-accessor: may that path be read by the token that was asked about?  A
 * path that no policy of it names is "deny", and so are all where its policy is not there:
 * https://developer.hashicorp.com/vault/api-docs/system/capabilities-accessor. */
bool vault_read_capability(const struct json *body, const char *path) MUST_USE;

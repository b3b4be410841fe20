/* loan.h - SECRET_<NAME>_PATH and _FOR: what of Vault may be lent, and to whom it is.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A loan is of a secret that the settings name.  What people and jobs type is compared with names
 * and with paths of the settings, and never reaches Vault.  Grants have the bare name,
 * secret.db-migrate:shop/production.
 */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct buf;
struct settings;

/* K(NAME, its word in a path that is set, what Vault's API has between mount and path; how Vault's
 * own command reads it: before the mount, before the path).  What has no row is not lent.  The type
 * VAULT_SECRET of lib/setting.def has the same words. */
#define LOAN_KINDS(K) \
	K(NONE,  "",      "",       "",               "") \
	K(KV1,   "kv1",   "",       "kv get -mount=", " ") \
	K(KV2,   "kv2",   "data/",  "kv get -mount=", " ") \
	K(CREDS, "creds", "creds/", "read ",          "/creds/") /* made for each who reads it */

enum loan_kind {
#define K(name, ...) LOAN_##name,
	LOAN_KINDS(K)
#undef K
	LOAN_KIND_COUNT
};

/* The words of a path that is set. */
struct loan_place {
	enum loan_kind kind;
	char mount[LIMIT_LOAN_PATH];
	char path[LIMIT_LOAN_PATH];
	char field[LIMIT_LOAN_PATH]; /* "": all of them */
};

struct loan {
	const char *id;	  /* "db-migrate"; of an application's file "shop/db-migrate" */
	const char *name; /* without its application */
	const char *path; /* "kv2 secret django/database", as it is set */
	struct loan_place at;
	bool is_value; /* a job is given the value itself: the server reads it */
	char target[LIMIT_ENVIRONMENT]; /* whose grants, chat and approvers it has */
	int approvals;
	int64_t ttl_ms;		 /* how long what is lent lives */
	const char *application; /* in whose file it stands; "": the main one */
};

/* Seconds that Vault keeps what it wraps for us (X-Vault-Wrap-TTL), and that the loop keeps it. */
#define LOAN_WRAPPED_S 120
_Static_assert(LOAN_WRAPPED_S == 2 * 60, "people read that they have two minutes");
/* It is asked for the last time whether it was used; nobody is given it behind that. */
#define LOAN_LOOK_LAST_S (LOAN_WRAPPED_S - 5)
/* What Vault knows no more was used, and has not expired: a call takes 10 s at most. */
#define LOAN_LOOK_SURE_S (LOAN_WRAPPED_S - 10)

#define LOAN_SHELL_MAX 8192 /* bytes of a line: URL, namespace, token and path at their longest */

struct loan_shell {
	const char *address, *name_space; /* of Vault; "" and NULL: no namespace */
	const char *token;		  /* that wraps it */
	const char *command;		  /* of loan_command(): words that need no quotes */
};

/* Those that are lent, by their bare names one on each target: of the main file, then of
 * applications, from *at = 0 on.  An application's file lends what is for its own environments
 * alone, and nothing that the main file lends there.  Texts live as long as s does. */
bool loan_next(const struct settings *s, size_t *at, struct loan *ret);

/* Those of applications that are not lent, for the main file has one of that name there. */
bool loan_next_shadowed(const struct settings *s, size_t *at, struct loan *ret);

/* That of a bare name on a target; false: the settings lend none. */
bool loan_of(const struct settings *s, const char *name, const char *target, struct loan *ret);

/* set: as settings were read. */
struct loan_place loan_place(const char *set);

/* "kv2": as a path that is set says it. */
const char *loan_kind_word(enum loan_kind kind);

/* Where it is read at Vault: "secret/data/django/database". */
void loan_place_url(const struct loan_place *place, char *ret, size_t room);

/* May the server give a job the value itself?  Over TLS alone. */
bool loan_may_be_value(const struct settings *s);

/* How Vault's own command reads it: "kv get -mount=secret django/database". */
#define LOAN_COMMAND (2 * LIMIT_LOAN_PATH + 16) /* none is cut */
void loan_command(const struct loan *loan, char ret[LOAN_COMMAND]);

/* Appends a line for a shell that reads it, once, by what a wrapping token stands for. */
void loan_shell(struct buf *out, const struct loan_shell *of);

/* Is there one of that bare name on that target?  Both may be "*": on any, of any name. */
bool loan_is_there(const struct settings *s, const char *name, const char *target);

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

/* The words of a path that is set. */
struct loan_place {
	char kind[LIMIT_LOAN_PATH]; /* "kv1", "kv2" or "creds" */
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

#define LOAN_SHELL_MAX 8192 /* bytes of a line: URL, namespace, token and path at their longest */

struct loan_shell {
	const char *address, *name_space; /* of Vault; "" and NULL: no namespace */
	const char *token;		  /* that wraps it */
	const char *command;		  /* of loan_command(): words that need no quotes */
};

/* Those that have both lines: of the main file, then of applications, from *at = 0 on.  Texts live
 * as long as s does. */
bool loan_next(const struct settings *s, size_t *at, struct loan *ret);

/* That of a bare name on a target; false: the settings lend none, or two, of which nobody can say
 * which one a grant or a yes means. */
bool loan_of(const struct settings *s, const char *name, const char *target, struct loan *ret);

/* set: as settings were read. */
struct loan_place loan_place(const char *set);

/* Where it is read at Vault: "secret/data/django/database". */
void loan_place_url(const struct loan_place *place, char *ret, size_t room);

/* May the server give a job the value itself?  Over TLS alone. */
bool loan_may_be_value(const struct settings *s);

/* How Vault's own command reads it: "kv get -mount=secret django/database". */
void loan_command(const struct loan *loan, char *ret, size_t room);

/* Appends a line for a shell that reads it, once, by what a wrapping token stands for. */
void loan_shell(struct buf *out, const struct loan_shell *of);

/* Is there one of that bare name on that target?  Both may be "*": on any, of any name. */
bool loan_is_there(const struct settings *s, const char *name, const char *target);

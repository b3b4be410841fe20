/* row_audit.h - the audit chain: written in the transaction of what it records.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/audit_code.h"
#include "types/principal.h"

struct audit_entry {
	enum audit_code code;
	const char *user;	      /* "telegram:111", "github:login(7)", "system" */
	const char *environment;      /* "" or NULL: none */
	const char *application; /* NULL: that of the environment, if any */
	enum commit_source source;    /* of commit; of an upload it stands in the metadata */
	const char *commit;	      /* "" or NULL: none */
	const char *outcome;	      /* a word such as "allowed", "denied", "ok", "failed" */
	enum audit_severity at_least; /* when that is more than the code's own */
	int64_t deployment;	      /* 0: none */
	const char *principal;	      /* by which way it came; NULL: as this event did */
};

/*
 * Adds an entry, and where its code is a security event a line to the log.  meta: pairs of name
 * ([a-z0-9_]+), value, NULL behind the last; one of a core field is put under "meta_<name>" and
 * never overrides it.
 *
 * While the audit's witness is late (row_witness.h), "without_witness" says for how long.
 *
 * People's names do not get into the chain: "name" is that of who acted and is kept apart
 * (row_person_name), a login goes from github:login(7), of any forge, and where another value has
 * the name of who sent the update or request, their id stands in its place.
 */
void row_audit_add(struct tx *tx, const struct audit_entry *entry, const char *const *meta);

/* By which way what is decided on came, as entries about that user have it. */
void row_audit_principal(const struct tx *tx, const char *user, char out[PRINCIPAL_TEXT]);

/* The numbers of the first entries about that work, rising; returns how many. */
size_t row_audit_list(struct tx *tx, int64_t deployment, int64_t *ret, size_t max);

/* An entry as the chat shows it. */
struct audit_shown {
	int64_t seq;
	int64_t at;
	char code[40]; /* of the first version: its action */
	char user[PRINCIPAL_TEXT];
	char name[LIMIT_PERSON]; /* of the user; "": not known */
	char environment[LIMIT_ENVIRONMENT]; /* "": of none */
	char outcome[32];
};

/* The newest before that entry (0: of all), the newest first: of an environment, or with "" of all
 * and of none; returns how many. */
size_t row_audit_list_newest(struct tx *tx, const char *environment, int64_t before,
    struct audit_shown ret[], size_t max);

/* Those behind that entry, of all and of none, rising; returns how many. */
size_t row_audit_list_after(
    struct tx *tx, int64_t after, struct audit_shown ret[], size_t max);

/* Has this tx written an entry, or what came before it without a handler, as a quarantine does? */
bool row_audit_is_written(const struct tx *tx);

/* The newest entry, this tx's included, and its 16 digits (NULL: not wanted). */
int64_t row_audit_newest(const struct tx *tx, char ret_head[LIMIT_AUDIT_HEAD]);

/* Did that person give a code of their second factor for something of that work? */
bool row_audit_has_code(struct tx *tx, int64_t work, int64_t person);

/* Up to which one the lines from that entry on take at most size_max bytes, at least one, and its
 * 16 digits; 0: there is none. */
int64_t row_audit_range(
    struct tx *tx, int64_t from, size_t size_max, char ret_head[LIMIT_AUDIT_HEAD]);

/* When that entry was written, wall ms; 0: there is none. */
int64_t row_audit_at(struct tx *tx, int64_t seq);

/* The 16 digits of that entry. */
void row_audit_head_of(struct tx *tx, int64_t seq, char ret_head[LIMIT_AUDIT_HEAD]);

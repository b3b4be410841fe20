/* audit_verify.h - the audit log's file and rows against their chain and each other.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "store/audit_heads.h"
#include "store/audit_read.h"
#include "types/limits.h"

struct audit_verified {
	int64_t entries;	/* in the database */
	int64_t first;		/* the file's first entry; above 1: what stood before it is gone */
	int64_t outside;	/* up to this entry a witness outside has confirmed; 0: none */
	char before[LIMIT_AUDIT_HEAD]; /* first > 1: of the entry before it, which `first` states */
	int64_t behind;		/* newest entries that do not stand in the file */
	int64_t other_leads;	/* 1: the file is of a server that writes it when it leads again */
	char head[LIMIT_AUDIT_HEAD]; /* of the newest entry, as people are shown it */
	/* The newest entry that chats were sent as a day's line, by the database; 0: none was. */
	int64_t line, line_at;
	char line_head[LIMIT_AUDIT_HEAD];
	int64_t restored; /* the newest start with --restored, as an entry; 0: there is none */
	struct audit_heads_found heads; /* that other rows name */
};

/* A head that somebody kept: is it an entry's hash? */
struct audit_witness {
	const char *digits;	/* its first 8 hex digits (0.1.0 showed so many) to 64 */
	int64_t seq;		/* the entry; 0: none has it */
};

bool audit_witness_is_one(const char *digits);

/*
 * Reads both, changes neither; a server may be running.  file NULL: the rows alone are looked at.
 * False: *err names the first line or entry that is wrong, and what is wrong with it.  A file that
 * ends before the database does may have been cut, or the server writes it in this moment: look
 * again before you say so.  Of the chain alone: what ret->heads misses was cut off behind its end.
 */
bool audit_verify(const char *database, const char *file, struct audit_verified *ret,
    struct err *err) MUST_USE;

/* The rows' chain by an open connection, in its transaction too.  *ret_head: its newest entry. */
struct audit_chain;
bool audit_verify_rows(struct db *db, struct audit_chain *ret_head, struct err *err) MUST_USE;

/* The same of a source with a database (its log: the file), and n witnesses are looked for in the
 * chain. */
bool audit_verify_witnesses(const struct audit_source *source, struct audit_witness *witnesses,
    size_t n, struct audit_verified *ret, struct err *err) MUST_USE;

/* row_audit.h - the audit chain: written in the transaction of what it records.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

struct audit_entry {
	const char *action;	/* one of the list: "deploy_requested", … */
	const char *user;	/* "telegram:111", "github:login(7)", "system" */
	const char *environment;	/* "" or NULL: none */
	const char *commit;	/* "" or NULL: none */
	const char *outcome;	/* "allowed", "denied", "ok", "failed", … */
	const char *severity;	/* "info", "warning", "alert" */
	int64_t deployment;	/* 0: none */
};

/* Adds an entry.  meta: pairs of name, value, NULL behind the last; a name that is a core
 * field's is put under "meta_<name>" and never overrides it. */
void row_audit_add(struct tx *tx, const struct audit_entry *entry, const char *const *meta);

/* First 16 hex digits of the chain's head, this tx's entries included. */
void row_audit_head(struct tx *tx, char ret_short[LIMIT_AUDIT_HEAD]);

/* row_principal.h - root's roles, hooks and workflows as rows, whose numbers stand where people stand.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What a number stands for is read from its row, (application, name), and nothing else: no two of
 * them share one, whatever they are called.  A row stays when what it stands for goes.
 */
#pragma once

#include "store/tx.h"
#include "types/principal.h"

/* The number of root as that role (USER), or of that HOOK or WORKFLOW; makes its row where there is
 * none yet. */
int64_t row_principal_of(
    struct tx *tx, enum principal_kind kind, const char *application, const char *name);

/* The same by "build-done", "shop/build-done". */
int64_t row_principal_of_id(struct tx *tx, enum principal_kind kind, const char *id);

/* What the number stands for; false: it stands for none. */
bool row_principal_get(struct tx *tx, int64_t person, struct role_id *ret) MUST_USE;

/* The application has another name from now on.  What has the new name already keeps it. */
void row_principal_rename(struct tx *tx, const char *from, const char *to);

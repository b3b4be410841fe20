/* decide_previous.h - which release a deployment replaces, and whether a rollback goes forward.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* Sets deployment->previous to the release that it would be rolled back to; "": there is none. */
void decide_set_previous(struct tx *tx, struct deployment *deployment);

/* Sets deployment->is_forward: what runs may have changed since it was asked for. */
void decide_set_direction(struct tx *tx, struct deployment *deployment);

/* settings_member.h - the members of a family of settings: of the main file, then of applications.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

/* The next one, *at = 0 at first; *ret_of: in whose file it stands.  Both live as long as s does.
 * NULL: there is no more. */
const struct settings_member *settings_member_next(
    const struct settings *s, enum family family, size_t *at, const struct settings **ret_of);

/* What one of its family's settings is for that member; nothing where it is another family's. */
const struct settings_value *settings_own(
    const struct settings_member *member, enum family_setting setting);

/* policy_report.h - who has which access, until when, and what of it nobody uses.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "types/grant_use.h"

struct buf;

/* Appends three lines for each person with a role in force: the roles, what they may, and when they
 * last did what a grant is needed for.  What they have not used for 90 days is named once uses were
 * counted for so long.  Text of ours alone. */
void policy_report(const struct settings *settings, const struct grant_use uses[], size_t count,
    int64_t at, struct buf *out);

/* Appends what an admin may have to do about it: a line for each who has used none of it for 90
 * days, not all of a role of the settings' own, or whose access has ended, `lines` of them at most,
 * and how many more there are; then how many people have which role.  Admins are not among them.
 * Returns of how many there is something to do. */
size_t policy_report_brief(const struct settings *settings, const struct grant_use uses[],
    size_t count, int64_t at, size_t lines, struct buf *out);

/* What a role grants, as it stands in the settings: "deploy:shop/staging, status:shop/staging". */
void policy_report_grants(const struct roles *roles, const struct role *role, struct buf *out);

/* The same for who reads it half asleep, by where: "deploy, cancel in staging; status
 * everywhere". */
void policy_report_words(const struct roles *roles, const struct role *role, struct buf *out);

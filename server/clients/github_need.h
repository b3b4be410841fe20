/* github_need.h - which permissions at GitHub are in use, and what for.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct json;
struct settings;

#define GITHUB_NEEDS	   12
#define GITHUB_NEEDS_HOOKS 4 /* the row of redelivery */
#define GITHUB_NEEDS_RULES 5 /* the row that lists environments */

/* A point that asks more of GitHub is one more row: tokens are narrowed to the rows whose settings
 * are there, and doctor tries each of them.  Of one permission the higher level stands last. */
struct github_need {
	const char *permission, *level; /* as the API has them: "actions", "read" */
	const char *shown;		/* as GitHub's page has them: "Actions: read" */
	const char *point;		/* what lacks something without it */
	const char *tried; /* what is read, below a repository, to see whether it is given */
	bool is_extra;	   /* without it less is said or stopped, and all else is done */
	bool is_persons;   /* the token's owner asks, also where there is an App */
	bool (*is_wanted)(const struct settings *application);
};

extern const struct github_need github_needs[GITHUB_NEEDS];

/* A bit for each row that these settings ask for; of an installation's "permissions" for each that
 * they grant. */
uint32_t github_needs_of(const struct settings *application);
uint32_t github_needs_granted(const struct json *permissions);

/* The level that these bits ask of that row's permission, said in their last row of it; NULL: it is
 * not asked for, or not in this row. */
const char *github_needs_level(uint32_t needs, size_t row);

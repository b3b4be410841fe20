/* people_oracle.h - who is who, and who has approved what, without the product's word for it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Reads raw rows and nothing else of the product.  By which token each press was made it is told
 * with the press, and remembers; then it says what may begin, and fails the test where other than
 * that has.
 */
#pragma once

#include "people_aid.h"

#define PEOPLE_ADMINS 4
#define PEOPLE_LEAD   66 /* may approve, and nothing else */
#define PEOPLE_MARKS  512
#define PEOPLE_WORKS  128

extern const int64_t people_admins[PEOPLE_ADMINS]; /* of whom so many of rules.n_admins are */

struct people_rules {
	int production, staging, rollback; /* approvals */
	bool is_strict;			   /* about who is unknown */
	size_t n_admins;
	bool is_asked_about;
};

enum people_act { PEOPLE_ASKED, PEOPLE_CONFIRMED, PEOPLE_APPROVED };

/* By which token somebody asked for some work, confirmed or approved it; 0: by none. */
struct people_mark {
	enum people_act act;
	int64_t work, person, token;
};

/* What was reached: what nothing reached was not tested. */
struct people_reached {
	uint64_t began, began_by_token, began_by_two, reviewed, joined;
};

struct people_oracle {
	struct world *w;
	uint64_t seed; /* said where it fails */
	struct people_rules rules;
	struct people_reached *reached;
	size_t n_works;
	int64_t last_approval;
	int64_t confirmed_by[PEOPLE_WORKS];
	bool has_begun[PEOPLE_WORKS], is_reviewed[PEOPLE_WORKS];
	size_t n_marks;
	struct people_mark marks[PEOPLE_MARKS];
};

struct people {
	size_t n;
	int64_t who[PEOPLE_MARKS];
};

bool people_are(const struct people *people, int64_t person);

/* The number that this says of two others. */
int64_t people_number(struct people_oracle *o, const char *sql, int64_t a, int64_t b);

/* The token that they act by now; 0: none. */
int64_t people_token_of(struct people_oracle *o, int64_t person);

/* Who asked for it or confirmed it, in all their shapes. */
struct people people_requesters(struct people_oracle *o, int64_t work);

/* What `who` did just now, by that token; 0: it was nobody. */
void people_note(struct people_oracle *o, int64_t who, int64_t token);

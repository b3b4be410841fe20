/* policy_aid.h - policies that are drawn, and a second reading of what they grant.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "settings_aid.h"

#define NOW INT64_C(1801000000000) /* 2027-01-26 21:06:40 UTC */

#define OWN(app) \
	"GITHUB_REPOSITORY=acme/" app "\nSTAGING_HOST=" app "-s\nPRODUCTION_HOST=" app "-p\n"

#define POLICY_AID_PEOPLE 8   /* 101 to 108 */
#define POLICY_AID_FIRST  101
#define POLICY_AID_ROLES  4
#define POLICY_AID_GRANTS 3
#define POLICY_AID_LINES  (3 * POLICY_AID_ROLES)
#define POLICY_AID_PLACES 5
#define POLICY_AID_ENDED  "2020-01-01" /* the last day of a role that has ended */

/* Words of grants, "*" the last: it grants more than the others together. */
enum { POLICY_AID_STATUS, POLICY_AID_HISTORY, POLICY_AID_LOG, POLICY_AID_DEPLOY,
	POLICY_AID_ROLLBACK, POLICY_AID_CANCEL, POLICY_AID_CONFIRM, POLICY_AID_STAR,
	POLICY_AID_WORDS };
extern const char *const policy_aid_words[POLICY_AID_WORDS];

/* shop and blog have staging and production, infra has production alone. */
extern const char *const policy_aid_places[POLICY_AID_PLACES];

struct policy_aid {
	uint64_t seed;
	char folder[64]; /* with apps/NAME.env in it */
	char lines[POLICY_AID_LINES][256]; /* "ROLE_R0_IDS=101,102"; "": none */
	struct {
		bool has[POLICY_AID_PEOPLE];
		bool has_ended;
		unsigned word[POLICY_AID_GRANTS];
		unsigned target[POLICY_AID_GRANTS];
	} roles[POLICY_AID_ROLES];
};

/* Makes the folder with the applications' files; removes it. */
void policy_aid_begin(struct policy_aid *aid, uint64_t seed);
void policy_aid_end(struct policy_aid *aid);

void policy_aid_write(const struct policy_aid *aid, const char *name, const char *text);

unsigned policy_aid_number(struct policy_aid *aid, unsigned below);

void policy_aid_draw(struct policy_aid *aid);

/* By its roles as they were drawn: may that person (by their Telegram id) do it there? */
bool policy_aid_grants(const struct policy_aid *aid, int64_t person, unsigned word,
    const char *place);
bool policy_aid_sees(const struct policy_aid *aid, int64_t person, const char *place);

/* Of the test that runs, as begun here. */
extern struct policy_aid policy_aid;
void policy_aid_open(void);
void policy_aid_close(struct settings *s); /* NULL: none are left */

/* The settings of that folder with this main file; what is said of them is in settings_said.  NULL:
 * refused, which a good one is not. */
struct settings *policy_aid_load(const char *main_file);
struct settings *policy_aid_good(const char *main_file);

bool policy_aid_may(const struct settings *s, int64_t person, enum policy_action action,
    const char *where);

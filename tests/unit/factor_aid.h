/* factor_aid.h - people with a second factor, and how they type codes, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "lib/totp.h"

#define FACTOR_KEY	 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define FACTOR_OTHER_KEY "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define MINUTE_MS	 (60 * INT64_C(1000))

struct person {
	int64_t id;
	uint8_t secret[TOTP_SECRET];
};

extern struct person ada, bob;	    /* both admins */
extern char factor_key_setting[96]; /* of the file that was written last */

void factor_write_key(const char *text);

/* With that REQUIRE_OTP, where ada and bob have one; the key's file goes with it. */
void factor_open(struct world *w, const char *required);
void factor_close(struct world *w);

/* A test with such a world of its own, `w`; _BARE: whose body opens it. */
#define FACTOR_TEST(name, required) \
	static int name##_opens(void **state) \
	{ \
		return factor_set_up(state, required); \
	} \
	WORLD_TEST_BETWEEN(name, name##_opens, factor_tear_down)
#define FACTOR_TEST_BARE(name) WORLD_TEST_BETWEEN(name, world_set_up_none, factor_tear_down)
int factor_set_up(void **state, const char *required);
int factor_tear_down(void **state);

/* For world_act(): a struct person has one from now on, and has pressed Start; has a recovery code
 * too. */
void factor_enrol(struct tx *tx, void *arg);
void factor_add_recovery(struct tx *tx, void *arg);
#define FACTOR_RECOVERY "GAYT-EMZU-GU3D-OOBZ"

/* What `deploybot 2fa WORD PERSON` asks for, by who sits at the machine, with the first code or a
 * recovery code of that person.  Returns the status, 428 where one's own is needed first;
 * factor_said is the answer. */
int factor_ask(struct tx *tx, int64_t who, const char *word, int64_t person, const char *code);
extern char factor_said[512];

/* Their code of so many steps from now; one that is none of theirs.  Valid until the next call. */
const char *factor_code(struct world *w, const struct person *person, int later);
const char *factor_wrong(struct world *w, const struct person *person);

/* Their pad, which must be there; somebody presses a key of it; all of a code is typed. */
struct world_message *factor_pad(struct world *w, const struct person *person);
void factor_press(struct world *w, int64_t who, const struct world_message *pad, const char *key);
void factor_type(struct world *w, const struct person *person, const char *code);

/* How many deployments have begun, by what git was asked; how many wrong codes count of ada's. */
size_t factor_begun(struct world *w);
int64_t factor_failures(struct world *w);

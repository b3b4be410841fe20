/* deliver_aid.h - deliveries whose handlers do what they say, in a store.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "tests/unit/store_aid.h"
#include "unit.h"

/* What the handlers met since the test began. */
extern struct deliver_aid {
	int delivered, ended, faulted;
	bool may_crash;	 /* else "crash" and "starve" are deliveries like others */
	bool may_starve; /* each finds no memory */
	struct fault last_fault;
	struct event_context last_context; /* of a delivery or a fault; settings may be gone */
	char requested_by[LIMIT_PERSON];
} deliver_aid;

/* Before each test; store_aid_teardown() ends it. */
int deliver_aid_setup(void **state);
#define DELIVER_TEST(name) \
	TEST_OF(name, struct store_aid *aid, deliver_aid_setup, store_aid_teardown)

/* A delivery: its login says what happens. */
struct event *deliver_aid_event(struct store_aid *aid, const char *id, const char *login);

/* "a,b,c": a delivery of each id; "!" in front: unreadable; login is what follows "/". */
struct event *deliver_aid_raw(struct store_aid *aid, const char *text);

/* A real failure: the file may not grow.  (RLIMIT_FSIZE gives EFBIG, which is no passing failure of
 * the store's but of its disk.) */
bool deliver_aid_commits(struct store_aid *aid, struct event *event);

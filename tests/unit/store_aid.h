/* store_aid.h - a store in a folder of its own, fed without thread, clock or chance.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 *	struct store_aid aid;
 *	store_aid_open(&aid, handlers, decoders, "STAGING_HEALTH_URL=http://127.0.0.1:1/", NULL);
 *	event = store_aid_event(&aid, EVENT_UPDATE);	// fill event->u
 *	answer = store_aid_decide(&aid, event);
 *	effect = store_aid_take(&aid, EFFECT_SEND_MESSAGE);	// NULL: none was handed out
 *	store_aid_report(&aid, effect);		// its result, filled in effect->result->u
 *	store_aid_close(&aid);
 *
 * Everything that fails here fails the test.
 */
#pragma once

#include "store/store.h"
#include "tests/unit/database_aid.h"

#define STORE_AID_AT	INT64_C(1767225600000)	/* 2026-01-01T00:00:00Z */

struct store_aid {
	char folder[64];
	char path[DATABASE_AID_PATH];
	char audit_path[96];
	char environments_path[96];
	char poison_path[96];
	store_handler *handlers[EVENT_KIND_COUNT];
	struct store_config config;	/* change it before store_aid_reopen() */
	struct settings *settings;
	struct store *store;
	struct agents_seen *seen;	/* that each event carries; one reference */
	struct queue_list outcomes;	/* not taken yet */
	int64_t at;			/* of the next event */
	const char *main_app;		/* in the context of each event; NULL: none */
	uint32_t n_events;		/* makes the random bytes */
	char said[8192];		/* the last answer that had a text, cut */
	char said_last[64];		/* how it ended */
	char asked[1024];		/* whose health it asks: "\nURL COMMIT" of each; cut */
	bool failed;			/* of the last store_aid_try(): its tx failed */
	bool is_measured;		/* statements are counted: none is ours */
	int64_t trips[EVENT_KIND_COUNT]; /* the most of one decision, to the database's server */
	struct err err;
};

/* handlers and decoders may be NULL: none.  Then settings as "NAME=value", NULL behind the last;
 * a bot token, admins 11 and 22, a repository and this folder as STATE_DIRECTORY are there. */
void store_aid_open(struct store_aid *aid, store_handler *const *handlers,
    store_decode *const *decoders, ...);

/* Closes the store, opens it again and recovers: open effects are among the outcomes again. */
void store_aid_reopen(struct store_aid *aid);

/* Closes all and removes the folder. */
void store_aid_close(struct store_aid *aid);

/* Both for cmocka: a store without handlers as a test's state. */
int store_aid_setup(void **state);
int store_aid_teardown(void **state);
#define STORE_TEST(name) \
	TEST_OF(name, struct store_aid *aid, store_aid_setup, store_aid_teardown)

/* An event of the moment aid->at, with settings and random bytes that no other one has. */
struct event *store_aid_event(struct store_aid *aid, enum event_kind kind);

/* Decides one event; what it handed out is among aid->outcomes. */
struct answer store_aid_decide(struct store_aid *aid, struct event *event);

/* Runs act() as the only decision of a batch; it must not fail. */
void store_aid_act(struct store_aid *aid, void (*act)(struct tx *tx, void *arg), void *arg);

/* Such an act: a message to a chat. */
void store_aid_act_send(struct tx *tx, void *arg);

/* The same, but it may fail: then false, and *aid->err says why. */
bool store_aid_try(struct store_aid *aid, void (*act)(struct tx *tx, void *arg), void *arg);

/* Raw SQL has inserted rows: their counters say so too; of a tx, also what it gives next. */
void store_aid_count_rows(struct db *db);
void store_aid_count_rows_of(struct tx *tx);

/* Takes the oldest effect of that kind out of the outcomes; NULL: there is none. */
struct effect *store_aid_take(struct store_aid *aid, enum effect_kind kind);

/* Effects of that kind among the outcomes. */
size_t store_aid_count(const struct store_aid *aid, enum effect_kind kind);
size_t store_aid_count_outcomes(const struct store_aid *aid, enum outcome_kind kind);

/* The outcome itself, oldest first; NULL: none.  The caller frees it. */
struct outcome *store_aid_take_outcome(struct store_aid *aid, enum outcome_kind kind);

/* Hands effect->result to the store, stamped with aid->at, and frees the effect. */
struct answer store_aid_report(struct store_aid *aid, struct effect *effect);

/* Forgets what was handed out, as a crash would. */
void store_aid_forget(struct store_aid *aid);

/* Gives the database, and what stands beside it, to that user. */
void store_aid_give(const struct store_aid *aid, unsigned user);

/* A whole file, of the audit log all of its files; owned by the caller, "" when it is not there. */
char *store_aid_read(const char *path);

/* decide_where.h - which environment somebody means, of those that they see; asks where it is not one.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * An environment's own text is always that environment.  Else it is meant by a name that only one
 * has: its own, or that of its application.  What somebody may not see is not there.
 */
#pragma once

#include "chat/chat_command.h"
#include "decide/who/decide_sees.h"
#include "deployment/deployment.h"
#include "policy/policy.h"
#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* Reads what a command names first, "shop/staging" or "shop staging", in lower case.  What begins
 * one name alone of those that they see, at least 3 letters of it, is that name.  Returns how many
 * of its words that is. */
size_t decide_read_target(struct tx *tx, const struct update *update,
    const struct chat_command *typed, struct request *ret);

/*
 * The environment in which the sender wants that and may it; NULL: they were sent the reason, or,
 * where several are meant, a button for each, which stands for this request with that one.  So are
 * all in which they may it where nothing was named, and the one that begins as what was typed where
 * no question follows.  A name that is none is a typo, not a missing right; to a stranger each is
 * the same.
 */
const struct environment_settings *decide_where(struct tx *tx, const struct update *update,
    enum policy_action action, const struct request *request);

/*
 * The same for what is in progress; ret: the environment that its rows name.  That is one which
 * left the settings while something of it is open, or the former name of one that was renamed,
 * until the rows follow.  False: they were sent the reason, or the buttons.
 */
bool decide_where_open(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, char ret[LIMIT_ENVIRONMENT]);

/* The work that a request is about: a button's, or by the number that was typed ("12", "#12"), with
 * what stands behind it in rest.  id 0: there is none for them; nothing was said.  Gives what was
 * typed; 0: no number. */
int64_t decide_work(struct tx *tx, const struct update *update, const struct request *request,
    char rest[LIMIT_REF], struct deployment *ret);

/* What /status, /queue and /history are about: those environments that the target means and the
 * person may do that in, in the order of the settings; then clients at which something is open, and
 * what is left, as above.  A client that is an environment is that one, for who may do it there. */
struct decide_scope {
	size_t n;
	const struct environment_settings **at; /* owned */
	struct environment_settings *left;	/* owned: what the settings do not have */
	int64_t person;				/* who looks */
	bool is_wide;				/* of several applications */
};

/* False: there is none and the sender was told, or the tx has failed. */
bool decide_scope(struct tx *tx, const struct update *update, enum policy_action action,
    const struct request *request, struct decide_scope *ret);

/* What /queue and /pending are about: all that they see.  Where nothing was named it may be
 * nothing: who sees clients alone has no environment. */
bool decide_scope_seen(struct tx *tx, const struct update *update, const struct request *request,
    struct decide_scope *ret);

/* The same without words. */
bool decide_scope_of(struct tx *tx, int64_t person, enum policy_action action, const char *target,
    struct decide_scope *ret);
void decide_scope_done(struct decide_scope *scope); /* for CLEANUP */

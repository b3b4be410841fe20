/* decide_where.h - which environment somebody means, of those that they see; asks where it is not one.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * An environment's own text is always that environment.  Else it is meant by a name that only one
 * has: its own, or that of its application.  What somebody may not see is not there.
 */
#pragma once

#include "chat/chat_command.h"
#include "policy/policy.h"
#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* Is it there for them?  Under a former name as under the new one. */
bool decide_sees(const struct tx *tx, int64_t person, const char *environment);

/* Reads what a command names first, "shop/staging" or "shop staging", in lower case.  Returns how
 * many of its words that is. */
size_t decide_read_target(struct tx *tx, const struct update *update,
    const struct chat_command *typed, char ret[REQUEST_TARGET]);

/*
 * The environment in which the sender wants that and may it; NULL: they were sent the reason, or,
 * where several are meant, a button for each, which stands for this request with that one.  A name
 * that is none is a typo, not a missing right; to a stranger each is the same.
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

/* What /status, /queue and /history are about: those environments that the target means and the
 * person may do that in, in the order of the settings; then what is left, as above. */
struct decide_scope {
	size_t n;
	const struct environment_settings **at; /* owned */
	struct environment_settings *left;	/* owned: what the settings do not have */
	bool is_wide;				/* of several applications */
};

/* False: there is none and the sender was told, or the tx has failed. */
bool decide_scope(struct tx *tx, const struct update *update, enum policy_action action,
    const char *target, struct decide_scope *ret);

/* The same without words. */
bool decide_scope_of(struct tx *tx, int64_t person, enum policy_action action, const char *target,
    struct decide_scope *ret);
void decide_scope_done(struct decide_scope *scope); /* for CLEANUP */

/* Which of n things that are shown `each` at a time the request's page begins with: *ret_page is
 * from 1 to *ret_pages. */
size_t decide_page(
    const struct request *request, size_t n, size_t each, int64_t *ret_page, int64_t *ret_pages);

/* Adds the buttons that lead to the pages beside this one; only who asked may press them, for what
 * they show is what that person may see. */
void decide_page_buttons(struct tx *tx, const struct update *update, const struct request *request,
    int64_t page, int64_t pages, struct buttons *keyboard);

/* The keyboard of a request that several are meant by, and of pages: sent, or put in the place of
 * the one that was pressed, with a toast.  Returns the message's row. */
int64_t decide_send_keyboard(struct tx *tx, const struct update *update,
    const struct request *request, struct message *message);

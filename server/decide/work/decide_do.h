/* decide_do.h - somebody wants an action done: to a client, or to an environment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/action.h"
#include "types/update.h"

enum decide_do_how {
	DO_ASKS,	 /* as the action says */
	DO_IS_CONFIRMED, /* the sender has said yes already */
	/* The sender has said yes; somebody else has to approve it, whatever the action says. */
	DO_IS_REQUESTED,
};

/*
 * Makes the work, where the settings have the action there and the sender may it; it is asked about
 * as the action says, takes its place, and starts.  target: a client's id, or "shop/production", as
 * the action has it; argument "": none.  Returns its number; 0: why not was said.
 */
int64_t decide_do(struct tx *tx, const struct update *update, const struct action *action,
    const char *target, const char *argument, enum decide_do_how how);

/* The failed jobs of that pipeline's run once more, as work of its own. */
void decide_do_rerun(struct tx *tx, const struct update *update, int64_t work);

/* A button that stands for "/do words", for the sender alone; nothing where there are ten. */
void decide_do_choice(struct tx *tx, const struct update *update, const char *words,
    const char *label, struct message *message);

/* A client's id where "acme" or "client/acme" was typed. */
const char *decide_do_id(const char *typed);

/* Do both the settings and a grant of theirs say yes to it? */
bool decide_do_allows(struct tx *tx, int64_t person, const struct action *action,
    const struct client_settings *client);

/* The same of one that is done to an environment. */
bool decide_do_allows_there(
    struct tx *tx, int64_t person, const struct action *action, const char *environment);

/* Is any action set up of those that begin so, and may they do it somewhere? */
bool decide_do_is_there(struct tx *tx, int64_t person, const char *begin);

/* Adds that nobody has set up any action, and to an admin where that is done.  False: there are
 * some, and nothing was added. */
struct chat_text;
bool decide_do_none(struct tx *tx, int64_t person, struct chat_text *text);

/* Adds "You may: restart-web …", those that they may do to some client or environment, or to that
 * client (NULL: any); of_request: which /request takes.  Before it, where there is no
 * action of that name ("": nothing is said of it), that and which of theirs is near. */
void decide_do_list(struct tx *tx, int64_t person, const char *name,
    const struct client_settings *client, bool of_request, struct chat_text *text);

/* Adds that there is no such client for them, and which is near. */
void
decide_do_no_client(struct tx *tx, int64_t person, const char *id, struct chat_text *text);

/* Is the client there for the sender, who has some grant on it? */
const struct client_settings *decide_do_client(struct tx *tx, int64_t person, const char *id);

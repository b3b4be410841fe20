/* decide_action.h - what an action is bound to: settings that have it, what it touches, a release.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "deployment/question.h"
#include "settings/checks/settings_claims.h"
#include "store/row_action.h"

/* Do the settings of now have that action there, on what it was asked for?  True of no action. */
bool decide_action_exists(struct tx *tx, const struct deployment *work);

/* Why it can be done to no such client; NULL: it can. */
const char *decide_action_refusal(
    const struct tx *tx, const struct client_settings *client, const struct action *action);

/* What it is bound to, as a row that is there: all that is set for its client; a job's words and
 * its environment's settings.  begun: executor and is_requested of one that has just come; NULL:
 * those that it has. */
void
decide_action_bind(struct tx *tx, struct deployment *work, const struct action_row *begun);

/* Is that not as it was shown?  By name, where these stand in a file. */
bool decide_action_differs(struct tx *tx, const struct deployment *work,
    const struct action_row *action, const struct question *shown, char ret_names[LIMIT_LINE / 2]);

/* Who carries out what is done on its host: "local", "agent" or "ssh". */
const char *decide_action_host_executor(const struct client_settings *client);

#define DECIDE_TOUCHES 1024

/* A line for people: what the settings of now have it touch, "Acme Ltd: restart nginx.service on
 * web@acme.example"; "" of no action, and of one that they do not have.  Returns out. */
const char *
decide_action_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES]);

/* A job runs in what is live now; false: nothing is. */
bool decide_bind_job(struct tx *tx, struct deployment *job);

/* What the work will touch; free() it. */
struct settings_claims *decide_claims(struct tx *tx, const struct deployment *work) MUST_USE;

/* The environment whose rows it touches besides (store/row_resource.h); NULL: none's. */
const char *decide_claims_rows(struct tx *tx, const struct deployment *work);

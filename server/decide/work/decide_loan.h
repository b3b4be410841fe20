/* decide_loan.h - a secret of Vault's that was asked for is given once, and revoked.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A loan is work of the action lend-secret, whose argument is the secret's name: approvals, code,
 * reminders, cancelling and audit are those of any action.  RUNNING waits for Vault's token and for
 * the job that fetches it; DONE has given it.  What is known of the token itself, until it is
 * revoked or over, stands in a row of its own (row_loan.h).
 */
#pragma once

#include "store/tx.h"
#include "types/api.h"
#include "types/event.h"
#include "types/update.h"

struct deployment;
struct json_out;

/* GET /v1/loan: how it stands.  True: it is given, this once, and the loop adds the token; a person
 * reads in json how Vault's own command reads the secret with it. */
bool decide_loan_look(struct tx *tx, const struct api_request *api, struct json_out *json);

/* POST /v1/loan-end: the job needs it no longer. */
void decide_loan_end(struct tx *tx, const struct api_request *api);

/* POST /v1/loan-failed: the job was given it, and Vault has let it have nothing.  Admins are sent
 * that, once. */
void decide_loan_failed(struct tx *tx, const struct api_request *api);

/* Whoever sent the update, who may, has what that work has lent revoked, or ends it.  Answers. */
void decide_loan_revoke(struct tx *tx, const struct update *update, struct deployment *work);

/* The VAULT_LEND, VAULT_REVOKE, VAULT_LOOK or LEND_MESSAGE of tx->effect has come to that. */
void decide_loan_said(struct tx *tx, const struct vault_said *said);

/* TIMER_LOAN of that work has fired: Vault, which could not make it, is asked again; nobody has
 * fetched it; or its time is over, and Vault is to say so. */
void decide_loan_due(struct tx *tx, int64_t work);

/* The program has started: what it kept for a job is gone. */
void decide_loans_lost(struct tx *tx);

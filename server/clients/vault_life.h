/* vault_life.h - what is asked about our own token next, and when.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A login is looked at once, at once.  At two thirds of its life a token is renewed, or a login
 * takes its place; in between a look each minute says whether it counts.
 */
#pragma once

#include "clients/vault_answer.h"

#define VAULT_LIFE_LOOK_MS 60000

enum vault_step { VAULT_LOG_IN, VAULT_LOOK_UP, VAULT_RENEW };

/* "auth/token/lookup-self" */
const char *vault_step_path(enum vault_step step);

/* Moments are monotonic ms. */
struct vault_life {
	bool is_by_role; /* a login gives another one */
	bool has_token;
	bool is_confirmed; /* a look or a renewal has taken it */
	bool is_renewable;
	bool is_spent; /* Vault gives it no longer life any more */
	int64_t ends_at, renew_at; /* 0: never, or not known yet */
	int64_t longest_ms; /* that it was said to have */
	int64_t pause_s; /* behind a failure; 0: the last step went well */
};

/* That token is none any more. */
void vault_life_forget(struct vault_life *life);

enum vault_step vault_life_next(const struct vault_life *life, int64_t now);

/* That step was answered with what `token` says. */
void vault_life_take(struct vault_life *life, enum vault_step step, const struct vault_token *token,
    int64_t now);

/* It was refused.  True: *ret_next is to be done at once; false: it has failed. */
bool vault_life_refuse(
    struct vault_life *life, enum vault_step step, enum vault_step *ret_next) MUST_USE;

/* It has failed: the pause until the next one is longer than that before.  retry_after_s: that
 * Vault asks for, or 0. */
void vault_life_fail(struct vault_life *life, int64_t retry_after_s);

/* Until the next step. */
int64_t vault_life_wait_ms(const struct vault_life *life, int64_t now);

/* It ends, and neither a renewal nor a login will take its place. */
bool vault_life_is_ending(const struct vault_life *life);

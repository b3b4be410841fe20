/* doctor_vault_inside.h - for doctor_vault*.c: what Vault says of each secret that may be lent.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct doctor;
struct doctor_vault_secrets;
struct vault;

#define DOCTOR_VAULT_GOOD 96

/* good: "; 2 secrets: policies and mounts are right"; "": they are not, or that is not known. */
typedef void doctor_vault_secrets_fn(void *ctx, const char good[DOCTOR_VAULT_GOOD]);

/* Asks Vault, one question behind the other, for each secret of the settings: may a token of its
 * policy read it, and is its mount what the path says?  No secret is read.  That token is made as
 * what is lent is made, wrapped, and revoked at once, it and what it is wrapped in; lends: there is
 * a role that makes such ones.  Says what is wrong, and what could not be asked.  on_done comes
 * once, from the loop or in here, unless it is freed before.
 * https://developer.hashicorp.com/vault/api-docs/auth/token#create-token,
 * https://developer.hashicorp.com/vault/api-docs/system/capabilities-accessor: Vault itself says
 * what a token may, and its policy `default` lets nobody ask that of another's token. */
struct doctor_vault_secrets *doctor_vault_secrets_start(struct doctor *doctor, struct vault *vault,
    bool lends, doctor_vault_secrets_fn *on_done, void *ctx) MUST_USE;
void doctor_vault_secrets_free(struct doctor_vault_secrets *secrets); /* takes NULL */

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

/* Asks Vault, one question behind the other, for the policy and the mount of each secret of the
 * settings, and of one that delivers its value whether our own token may read it; no secret is
 * read.  Says what is wrong, and what could not be asked.  on_done comes once, from the loop or in
 * here, unless it is freed before. */
struct doctor_vault_secrets *doctor_vault_secrets_start(struct doctor *doctor, struct vault *vault,
    doctor_vault_secrets_fn *on_done, void *ctx) MUST_USE;
void doctor_vault_secrets_free(struct doctor_vault_secrets *secrets); /* takes NULL */

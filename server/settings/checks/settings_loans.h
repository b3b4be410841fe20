/* settings_loans.h - SECRET_<NAME>_…: what is wrong with each, and two that a grant would mean both.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct settings_loader;

/* Names in the report what is wrong with the secrets of one file, when its environments are
 * known. */
void settings_check_loans(struct settings_loader *l);

/* And of all of them: what Vault or a job could not do by these settings, and two of one name for
 * one environment. */
void settings_say_loans(const struct settings_loader *l);

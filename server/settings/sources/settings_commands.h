/* settings_commands.h - NAME_COMMAND: which secrets commands print, and where that is kept.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Nothing here runs one: `deploybot secrets fetch` does, as root, apart from server and runner,
 * which read what it printed from the file that NAME_FILE names; a private key (SSH_KEY_COMMAND)
 * from the one that SSH_KEY_PATH names.
 */
#pragma once

#include "settings/settings_table.h"

#define SETTINGS_FETCHED       "/run/deploybot/secrets"
#define SETTINGS_COMMAND_WORDS 16

/* Is it NAME_COMMAND of a secret?  ret_name: NAME; *ret_spec: what it may be. */
bool settings_command_of(
    const char *name, char ret_name[SETTING_NAME_MAX], const struct settings_spec **ret_spec);

/* Is that NAME a private key's, of more than one line? */
bool settings_command_is_key(const struct settings_spec *spec);

/* "server" or "runner": who reads it. */
const char *settings_command_side(const struct settings_spec *spec);

/* The words of such a command, in a copy that is changed, NULL behind the last: the absolute path
 * of a program and what it is started with, blanks between.  No shell makes anything of it. */
MUST_USE bool settings_command_words(
    char *text, char *ret[SETTINGS_COMMAND_WORDS + 1], struct err *err);

/* settings_users.h - LOCAL_<USER>_IS: users of the machine's own file, and of elsewhere.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A directory elsewhere (LDAP) may answer after a minute.  It is asked when the settings are read
 * first, also for whom the file has: who is meant there beside them makes two, and neither is let
 * in.  A reload takes what was found then, or what it is given with the folder.
 */
#pragma once

#include "types/settings.h"

/* Whom user->name means in the machine's own file, which answers at once. */
void settings_user_find_listed(struct settings_user *user);

/* Whom to ask for, their names alone; the caller frees it.  NULL: nobody. */
struct settings_user *settings_users_elsewhere(const struct settings *s, size_t *ret_n) MUST_USE;

/* Adds what was said before: of a directory, or by what ran.  Of whom the file had then and has no
 * more nothing stays. */
void settings_user_join(struct settings_user *user, const struct settings_user *said);

/* Asks for user->name in each of its spellings, 27 at most, and waits: for any thread. */
void settings_user_ask(struct settings_user *user);

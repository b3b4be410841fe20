/* telegram_menu.h - the list of commands that Telegram offers, for each chat what its people may do.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/policy_action.h"

struct loop;
struct settings;
struct telegram_api;
struct telegram_menu;

/* One command; borrowed for the program's life. */
struct telegram_menu_command {
	const char *word;	   /* "deploy", without the slash */
	const char *description;   /* 1 to 256 characters */
	enum policy_action action; /* who may it is offered it */
	/* Do the settings have what it is of? */
	bool (*is_there)(const struct settings *settings, const char *word,
	    enum policy_action action);
};

struct telegram_menu *telegram_menu_new(struct loop *loop, struct telegram_api *api,
    const struct telegram_menu_command *commands, size_t count) MUST_USE;
void telegram_menu_free(struct telegram_menu *menu);

/* Sets the menus anew, one after the other: all private chats (what anyone may), each group that
 * settings name (all of it), each person with a role (what they may somewhere); whoever had one
 * from here and is none of these has it deleted.  With CONSOLE each of those people has its page
 * behind the button of the menu.  A menu is decoration: a chat that does not exist
 * yet is passed over, anything else is tried again. */
void telegram_menu_set(struct telegram_menu *menu, struct settings *settings);

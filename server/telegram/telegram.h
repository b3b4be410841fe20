/* telegram.h - our bot: who it is, how it receives, how it sends.  Joins the parts of this room.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "telegram/telegram_config.h"
#include "telegram/telegram_menu.h"
#include "telegram/telegram_send.h"
#include "types/event.h"

struct http_route;
struct telegram;
struct telegram_api;

/* Everything in it is borrowed for telegram's life; settings is referenced. */
struct telegram *telegram_new(const struct telegram_config *config, struct err *err) MUST_USE;

/* Begins: getMe, then polling or registering the webhook, menus.  Waits for nothing. */
void telegram_start(struct telegram *telegram);

/* Receives no more: polling ends, the webhook's requests are answered 503. */
void telegram_quiesce(struct telegram *telegram);

/* Ends everything; what was still to be sent is called back so (telegram_send.h).  NULL is fine. */
void telegram_free(struct telegram *telegram);

/* Other settings hold from now on: roles in menus, the webhook's secret.  Token, URL and
 * mode need a restart: settings has them as they were (see settings_reload). */
void telegram_change_settings(struct telegram *telegram, struct settings *settings);

/* The route of the webhook for http_server_config; in polling mode false: there is none. */
bool telegram_route(struct telegram *telegram, struct http_route *ret);

/* The name whose t.me/NAME?startapp= opens our main app; "": it has none, or getMe has not answered
 * yet. */
const char *telegram_main_app(const struct telegram *telegram);

/* telegram_api_clock() */
bool telegram_clock(const struct telegram *telegram, int64_t *ret_ahead_s);

/* A run goes on that was in progress when the program started: its message lives again. */
void telegram_live_resume(struct telegram *telegram, const struct message *message);

/* For perform_fetch_file.c alone. */
struct telegram_api *telegram_api_of(struct telegram *telegram);

/* Speaks: see telegram_send.h. */
struct telegram_send *telegram_sender(struct telegram *telegram);

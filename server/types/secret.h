/* secret.h - a secret that others prove themselves with: its two values, and notes of their use.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * While a secret is rotated both of its values are valid: NAME and NAME_PREVIOUS.  SECRETS_ROTATED
 * is the table of them; each has two rows in settings.def.  A hook's is HOOK_<NAME>_SECRET
 * (types/hook.h).
 */
#pragma once

#include "types/settings.h"

struct event;

#define SECRETS_ROTATED(ROW) \
	ROW(TELEGRAM_WEBHOOK_SECRET) \
	ROW(AUTH_TOKEN_SECRET) \
	ROW(GITHUB_WEBHOOK_SECRET) \
	ROW(GITHUB_APP_WEBHOOK_SECRET) \
	ROW(FORGE_WEBHOOK_SECRET) \
	ROW(WEBHOOK_API_SECRET)

#define SECRET_VALUES 2 /* the one that holds, and the one before it */
#define SECRET_PREVIOUS "_PREVIOUS"

/* Borrows from its snapshot. */
struct secret {
	const char *values[SECRET_VALUES]; /* [0] NULL: not set, nobody is let in; [1]: none */
	const char *application;	   /* in whose file it stands; "": the main one */
	char name[SETTING_NAME_MAX];
};

/* Of one of SECRETS_ROTATED. */
struct secret secret_get(const struct settings *s, enum setting setting);

/* Which of its values that text is: 0 or 1; -1: none, also where it is NULL.  Both are always
 * compared, each in a time that says nothing of it. */
int secret_find(const struct secret *secret, const char *given);

/* Is the row NAME_PREVIOUS of one of SECRETS_ROTATED?  ret: NAME. */
bool secret_is_previous(enum setting setting, enum setting *ret);

/* Somebody has proven themselves with what it was before: submits EVENT_SECRET_USED.  One that is
 * not taken is not counted. */
typedef bool secret_submit(void *ctx, struct event *event);
void secret_note_used(const struct secret *secret, secret_submit *submit, void *ctx);

struct secret_used {
	char application[ENVIRONMENT_NAME_MAX];
	char name[SETTING_NAME_MAX]; /* without _PREVIOUS */
};

/* A value that is in force.  mark: hex of HMAC-SHA256 of where it stands and what it is, under a
 * key that is in no row. */
#define SECRET_MARK 65
struct secret_seen {
	char application[ENVIRONMENT_NAME_MAX];
	char name[SETTING_NAME_MAX];
	char mark[SECRET_MARK];
};

/* All of them; key says which key the marks are made with. */
struct secrets_seen {
	size_t count;
	struct secret_seen *list; /* owned by its event */
	char key[SECRET_MARK];
};

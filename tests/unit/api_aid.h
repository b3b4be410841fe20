/* api_aid.h - users of the machine who ask over /v1, and what they are answered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "routes/local_user.h"
#include "types/api.h"

/* Users that each Debian has; the first is @ada herself. */
#define ADA_IS	    "LOCAL_DAEMON_IS=11"
#define STAGING_IS  "LOCAL_GAMES_IS=role staging"
#define ADMIN_IS    "LOCAL_WWW_DATA_IS=role admin"
#define STRANGER_IS "LOCAL_MAN_IS=99"
#define TEAM	    "TELEGRAM_CHAT_ID=-1001"
#define ADA	    1
#define STAGING	    5
#define ADMIN	    33
#define STRANGER    6
#define ROOT	    0

#define DEPLOY	      API_COMMAND, "/v1/command/deploy"
#define OF_STAGING    "{\"arguments\": [\"staging\"]}"
#define OF_PRODUCTION "{\"arguments\": [\"production\"]}"

/* The archive that each upload brings. */
#define UPLOADED "1111111111111111111111111111111111111111111111111111111111111111"

/* A world with those four and the team's chat. */
void api_aid_open(struct world *w);

/* as: the role that root says, or NULL. */
struct local_peer api_aid_peer(uint32_t uid, const char *as);

/* What they are answered; what was said with it stands in w->aid.said. */
struct answer api_aid_answer(struct world *w, struct local_peer peer, enum api_operation operation,
    const char *path, const char *body);

/* The status of that; root says that they are an admin. */
int api_aid_ask(struct world *w, uint32_t uid, enum api_operation operation, const char *path,
    const char *body);

bool api_aid_said(struct world *w, const char *part);

#define SAID(w, part) \
	do { \
		if (!api_aid_said(w, part)) \
			fail_msg("not said: %s, but %s", part, (w)->aid.said); \
	} while (0)

/* The number of the work that was begun by what was asked last. */
int64_t api_aid_work(struct world *w);

/* action.h - what may be done to a target beside a deployment: the compiled table.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/policy_action.h"

enum action_what {
#define ACTION(name, what, ...) ACTION_##what,
#include "types/action.def"
	ACTION_COUNT
};

enum action_executor {
	ACTION_BY_HOST,
	ACTION_BY_RELEASE,
	ACTION_BY_ANSIBLE,
	ACTION_BY_CLOUDFLARE,
	ACTION_BY_FORGE,
	ACTION_BY_PIPELINE,
	ACTION_BY_VAULT,
	ACTION_EXECUTORS
};
enum action_target { ACTION_ON_CLIENT, ACTION_ON_ENVIRONMENT };
enum action_argument {
	ACTION_TAKES_NONE,
	ACTION_TAKES_WORD,
	ACTION_TAKES_PLAYBOOK,
	ACTION_TAKES_PIPELINE,
	ACTION_TAKES_SECRET,
	ACTION_TAKES_MINUTES, /* this and the next have a default */
	ACTION_TAKES_LEVEL
};
enum action_risk { ACTION_RISK_READ, ACTION_RISK_LOW, ACTION_RISK_HIGH };
enum action_asks { ACTION_ASKS_NEVER, ACTION_ASKS_BUSY, ACTION_ASKS_ALWAYS };
enum action_stop { ACTION_ENDS, ACTION_STAYS };

struct action {
	const char *name;
	enum policy_action grant; /* what somebody must have there to ask for it */
	enum action_executor executor;
	enum action_target target;
	enum action_argument argument;
	enum action_risk risk;
	enum action_asks asks;
	int approvals;
	int deadline_s;
	enum action_stop stop;
	const char *help;
};

#define ACTION_NAME	     24 /* bytes with the NUL */
#define ACTION_WORD	     32 /* of an argument */
#define ACTION_MINUTES_LEAST 5
#define ACTION_MINUTES_MOST  1440
#define ACTION_BIT(what)     (UINT32_C(1) << (unsigned)(what))
_Static_assert(ACTION_COUNT <= 32, "a set of actions is 32 bits");

extern const struct action action_table[ACTION_COUNT];

/* One that people ask for by its name; NULL: there is none. */
const struct action *action_find(const char *name);

/* Of work that is there: whichever has that name; NULL: none has. */
const struct action *action_row_of(const char *name);

/* Its bit in a set; the set of a comma list, what is no action left out. */
uint32_t action_bit(const struct action *action);
uint32_t action_set(const char *list);

/* Those that it carries out. */
uint32_t action_set_by(enum action_executor executor);

/* Does it only undo what another one did?  NULL: no. */
bool action_restores(const struct action *action);

/* Can an APPROVE line say it?  It names a client, and of an argument the default. */
bool action_fits_line(const struct action *action);

/* The name that is nearest; NULL: none is near. */
const char *action_nearest(const char *name);

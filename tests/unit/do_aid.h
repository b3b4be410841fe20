/* do_aid.h - two clients whose actions are done, and a contractor of one of them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

#define CONTRACTOR 44

#define CLIENTS \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=web@acme.example:2222", \
	    "CLIENT_ACME_NAME=Acme Ltd", \
	    "CLIENT_ACME_ACTIONS=restart-web,service-status,reload-nginx", \
	    "CLIENT_ACME_WEB_UNIT=web.service", "CLIENT_BETA_HOST=local", \
	    "CLIENT_BETA_ACTIONS=disk-free,clear-cache,restart-web", \
	    "CLIENT_BETA_WEB_UNIT=web.service", "CLIENT_BETA_CACHE_COMMAND=bin/clear all", \
	    "ROLE_CONTRACTOR_IDS=44", "ROLE_CONTRACTOR_MAY=do.restart-web:client/acme"

void do_aid_open(struct world *w);

/* The oldest open run, which must be there. */
const struct effect_run *do_aid_run(struct world *w);

/* The newest work of acme. */
struct deployment do_aid_newest(struct world *w);

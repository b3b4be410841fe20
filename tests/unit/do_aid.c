/* do_aid.c - two clients whose actions are done, and a contractor of one of them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "do_aid.h"

void
do_aid_open(struct world *w)
{
	world_open(w, CLIENTS, NULL);
}

const struct effect_run *
do_aid_run(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_RUN);

	assert_non_null(effect);
	return &effect->u.run;
}

struct deployment
do_aid_newest(struct world *w)
{
	return world_newest(w, "client/acme");
}

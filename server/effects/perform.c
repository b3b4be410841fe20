/* perform.c - hands each effect to its performer, and its result to the store.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include "effects/perform_inside.h"
#include "lib/crash_point.h"

static performer *const first[] = {
#define EFFECT(upper, lower, ...) perform_##lower,
#include "types/effect.def"
#undef EFFECT
};

static performer *const recover[] = {
#define EFFECT(upper, lower, ...) recover_##lower,
#include "types/effect.def"
#undef EFFECT
};

void
perform_effect(struct perform *perform, struct effect *effect)
{
	assert((size_t)effect->kind < COUNT(first));
	if (effect->is_recovered)
		recover[effect->kind](perform, effect);
	else
		first[effect->kind](perform, effect);
}

void
perform_report(struct perform *perform, struct effect *effect)
{
	struct event *result = TAKE(effect->result);

	assert(result != NULL);
	result->effect = effect->id;
	effect_free(effect);
	CRASH_POINT(result_due);
	perform->submit(perform->submit_ctx, result);
}

void
perform_withdraw(struct perform *perform, int64_t id)
{
	if (!perform_timer_withdraw(perform, id) && !perform_probe_withdraw(perform, id))
		(void)perform_git_query_withdraw(perform, id); /* its result is under way */
}

/* What runs/ and telegram/ hold for their performers is freed with them. */
void
perform_done(struct perform *perform)
{
	perform_run_done(perform);
	perform_purge_run_done(perform);
	perform_send_message_done(perform);
	perform_timer_done(perform);
	perform_probe_done(perform);
	perform_git_query_done(perform);
}

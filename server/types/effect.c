/* effect.c - allocates, frees and names effects.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/effect.h"

#include <stdlib.h>

#include "types/settings.h"

struct effect *
effect_new(enum effect_kind kind)
{
	static const enum event_kind result_of[] = {
#define EFFECT(name, performer, word, result) EVENT_##result,
#include "types/effect.def"
#undef EFFECT
	};
	struct effect *effect = calloc(1, sizeof(*effect));

	assert((size_t)kind < COUNT(result_of));
	if (effect == NULL)
		return NULL;
	effect->kind = kind;
	effect->result = event_new(result_of[kind]);
	if (effect->result == NULL) {
		free(effect);
		return NULL;
	}
	return effect;
}

void
effect_free(struct effect *effect)
{
	if (effect == NULL)
		return;
	event_free(effect->result);
	if (effect->kind == EFFECT_RUN)
		message_done(&effect->u.run.message);
	else if (effect->kind == EFFECT_SEND_MESSAGE)
		message_done(&effect->u.send_message.message);
	else if (effect->kind == EFFECT_PROBE)
		free(effect->u.probe.targets);
	settings_unref(effect->settings);
	free(effect);
}

const char *
effect_name(enum effect_kind kind)
{
	static const char *const name[] = {
#define EFFECT(upper, lower, word, result) word,
#include "types/effect.def"
#undef EFFECT
	};

	assert((size_t)kind < COUNT(name));
	return name[kind];
}

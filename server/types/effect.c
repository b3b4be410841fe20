/* effect.c - allocates, frees and names effects.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/effect.h"

#include "lib/mem.h"
#include "types/settings.h"

/* clang-format off */
#define LANE_NONE	     .lane = EFFECT_LANE_NONE
#define LANE_OF(of, at)	     .lane = EFFECT_LANE_##of, .lane_at = offsetof(struct effect, u.at)
#define LANE_CHAT(at)	     LANE_OF(CHAT, at)
#define LANE_CALLBACK(at)    LANE_OF(CALLBACK, at)
#define LANE_ENVIRONMENT(at) LANE_OF(ENVIRONMENT, at)
#define LANE_EACH(at)	     LANE_OF(EACH, at)
#define ROW_NO		     .message_at = 0
#define ROW_MESSAGE(at)	     .message_at = offsetof(struct effect, u.at)

const struct effect_columns effect_columns[EFFECT_KIND_COUNT] = {
#define EFFECT(name, performer, word_, result_, lane_, outbox, withdrawable, needs_row, drop, ...) \
	[EFFECT_##name] = { .word = word_, .result = EVENT_##result_, LANE_##lane_, \
		.is_outbox = outbox, ROW_##needs_row, \
		.drop_after_s = drop },
#include "types/effect.def"
};

/* Who waits in a lane is looked at when its turn comes, nobody else; and what is withdrawn is not
 * taken off the count of the outbox. */
#define IN_NONE		     0
#define IN_CHAT(at)	     1
#define IN_CALLBACK(at)	     1
#define IN_ENVIRONMENT(at)   1
#define IN_EACH(at)	     1
#define READS_NO	     0
#define READS_MESSAGE(at)    1
#define EFFECT(name, performer, word, result, lane, outbox, withdrawable, row, drop, again) \
	_Static_assert(((drop) == 0 && !READS_##row) || IN_##lane, #name " needs a lane"); \
	_Static_assert(!(outbox) || !(withdrawable), #name " is a message: it cannot be withdrawn");
#include "types/effect.def"
/* clang-format on */

size_t
effect_size(enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_TIMER:
		return offsetof(struct effect, u) + sizeof(struct effect_timer);
	case EFFECT_VAULT_LEND:
	case EFFECT_VAULT_REVOKE:
	case EFFECT_VAULT_LOOK:
	case EFFECT_LEND_MESSAGE:
		return offsetof(struct effect, u) + sizeof(struct effect_vault);
	default:
		return sizeof(struct effect);
	}
}

struct effect *
effect_new(enum effect_kind kind)
{
	struct effect *effect = mem_new(1, effect_size(kind));

	assert((size_t)kind < COUNT(effect_columns));
	effect->kind = kind;
	effect->result = event_new(effect_columns[kind].result);
	return effect;
}

void
effect_free(struct effect *effect)
{
	if (effect == NULL)
		return;
	event_free(effect->result);
	if (effect->kind == EFFECT_RUN) {
		message_done(&effect->u.run.message);
		free(effect->u.run.hosts);
	} else if (effect->kind == EFFECT_SEND_MESSAGE)
		message_done(&effect->u.send_message.message);
	else if (effect->kind == EFFECT_PROBE) {
		free(effect->u.probe.targets);
		free(effect->u.probe.hosts);
	} else if (effect->kind == EFFECT_PROM_QUERY)
		free(effect->u.prom_query.hosts);
	else if (effect->kind == EFFECT_WITNESS)
		free(effect->u.witness.lines);
	settings_unref(effect->settings);
	free(effect);
}

const char *
effect_name(enum effect_kind kind)
{
	assert((size_t)kind < COUNT(effect_columns));
	return effect_columns[kind].word;
}

bool
effect_asks_branch(const struct effect_git_query *query, const char *branch)
{
	for (size_t i = 0; i < query->n_branches; i++)
		if (strcmp(query->branches[i], branch) == 0)
			return true;
	return false;
}

bool
effect_is_outbox(enum effect_kind kind)
{
	return (size_t)kind < COUNT(effect_columns) && effect_columns[kind].is_outbox;
}

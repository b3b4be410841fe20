/* standing.c - what can be said of what runs in an environment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/standing.h"

enum standing
standing_of(const struct environment *environment, const struct deployment *active,
    enum standing_health health)
{
	if (environment->is_down)
		return health == STANDING_UNHEALTHY ? STANDING_DOWN : STANDING_MAY_BE_DOWN;
	if (environment->unknown_since != 0)
		return STANDING_UNKNOWN;
	if (active != NULL && active->id != 0 && deployment_is_changing(active))
		return STANDING_REPLACED;
	if (environment->current.id == 0)
		return STANDING_EMPTY;
	switch (health) {
	case STANDING_UNHEALTHY:
		return STANDING_OUT;
	case STANDING_ANOTHER:
		return STANDING_OTHER;
	case STANDING_ASKED:
		return STANDING_NOT_ASKED;
	case STANDING_UNCHECKED:
		return STANDING_NOT_CHECKED;
	case STANDING_HEALTHY:
		break;
	}
	return STANDING_RUNS;
}

bool
standing_is_trouble(enum standing standing)
{
	return standing == STANDING_DOWN || standing == STANDING_MAY_BE_DOWN ||
	    standing == STANDING_UNKNOWN || standing == STANDING_OUT || standing == STANDING_OTHER;
}

const char *
standing_word(enum standing standing, const struct environment *environment)
{
	static const char *const words[][2] = {
#define S(name, live, none) [STANDING_##name] = { none, live },
		STANDINGS(S)
#undef S
	};

	return words[standing][environment->current.id != 0];
}

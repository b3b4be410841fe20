/* row_runner_name.c - what rows call runners, where several servers share them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_runner_name.h"

#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/store_inside.h"
#include "types/peers.h"

bool
row_runner_name_next(struct tx *tx, char name[LIMIT_RUNNER])
{
	char before[LIMIT_RUNNER];

	do {
		memcpy(before, name, sizeof(before));
		(void)tx_first_text(tx, name, LIMIT_RUNNER,
		    "SELECT MIN(runner) FROM run WHERE is_purged = 0 AND runner > $1",
		    DB_TEXT(before));
	} while (name[0] != '\0' &&
	    (strcmp(settings_runner_row(tx->settings, RUNNER_LOCAL), name) == 0 ||
		!settings_is_servers_runner(tx->settings, name)));
	return name[0] != '\0';
}

/* Where an effect says who has a run; NULL: nowhere. */
static char *
runner_in(struct effect *effect)
{
	return effect->kind == EFFECT_DOCUMENT ? effect->u.document.runner :
	    effect->kind == EFFECT_PURGE_RUN   ? effect->u.purge_run.runner :
						 NULL;
}

void
row_runner_name_write(const struct settings *s, struct effect *effect)
{
	char *runner = runner_in(effect);

	if (runner != NULL)
		(void)text_copy(runner, LIMIT_RUNNER, settings_runner_row(s, runner)); /* fits */
}

void
row_runner_name_read(const struct settings *s, struct effect *effect)
{
	if (runner_in(effect) != NULL)
		settings_runner_read(s, runner_in(effect));
}

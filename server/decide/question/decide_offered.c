/* decide_offered.c - which environments are offered where none was named, and in which order.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_offered.h"

#include <stdlib.h>

#include "decide/queue/decide_previous.h"
#include "lib/mem.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define LAST_FIRST 3

struct released {
	const struct environment_settings *settings;
	int64_t at; /* of its newest release */
};

static int
compare_newest(const void *a, const void *b)
{
	const struct released *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? 1 : -1;
	return strcmp(x->settings->name, y->settings->name);
}

static void
leave_released(struct tx *tx, struct decide_scope *scope)
{
	CLEANUP(freep) struct released *released = mem_new(scope->n + 1, sizeof(*released));
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++) {
		struct environment environment;
		struct release earlier;

		row_environment_get(tx, scope->at[i]->name, &environment);
		if (environment.current.id != 0 &&
		    decide_list_earlier(tx, &environment, &earlier, 1) > 0)
			released[n++] = (struct released){ scope->at[i], environment.current.at };
	}
	qsort(released, n, sizeof(*released), compare_newest);
	for (size_t i = 0; i < n; i++)
		scope->at[i] = released[i].settings;
	scope->n = n;
}

void
decide_put_first(struct decide_scope *scope, const char *name, size_t *front)
{
	for (size_t i = *front; i < scope->n; i++) {
		const struct environment_settings *found = scope->at[i];

		if (strcmp(found->name, name) != 0)
			continue;
		memmove(&scope->at[*front + 1], &scope->at[*front],
		    (i - *front) * sizeof(scope->at[0]));
		scope->at[(*front)++] = found;
		return;
	}
}

void
decide_offered(struct tx *tx, enum policy_action action, struct decide_scope *scope)
{
	char last[LAST_FIRST][LIMIT_ENVIRONMENT];
	size_t n = 0, front = 0;

	if (action == POLICY_ROLLBACK)
		leave_released(tx, scope);
	if (action == POLICY_DEPLOY)
		n = row_deployment_list_last(tx, scope->person, last, LAST_FIRST);
	for (size_t i = 0; i < n; i++)
		decide_put_first(scope, last[i], &front);
}

/* decide_previous.c - which release a deployment replaces, and whether a rollback goes forward.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_previous.h"

#include "lib/text.h"
#include "store/row_environment.h"

#define EARLIER_LOOKED_AT 8

void
decide_set_previous(struct tx *tx, struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);
	const struct release *back = &environment.current;

	if (strcmp(back->commit, deployment->commit) == 0)
		back = &environment.previous; /* the same once more: what was live before it */
	(void)text_copy(deployment->previous, sizeof(deployment->previous), back->commit);
	(void)text_copy(
	    deployment->previous_image, sizeof(deployment->previous_image), back->image);
}

size_t
decide_list_earlier(
    struct tx *tx, const struct environment *environment, struct release *ret, size_t max)
{
	return row_release_list_earlier(tx, environment->name,
	    environment_is_in_doubt(environment) ? "" : environment->current.commit, ret, max);
}

struct release
decide_choose_earlier(struct tx *tx, const struct environment *environment)
{
	struct release found[EARLIER_LOOKED_AT] = { environment->current };
	size_t n = 0;

	/* It may be blocked, as it is where what was deployed and failed was the same commit. */
	if (environment_is_in_doubt(environment) && environment->current.id != 0)
		n = 1;
	n += decide_list_earlier(tx, environment, found + n, COUNT(found) - n);
	for (size_t i = 0; i < n; i++)
		if (row_deployment_failed_since(tx, &found[i]) == 0)
			return found[i];
	return n > 0 ? found[0] : (struct release){ 0 };
}

struct release
decide_advise_earlier(struct tx *tx, const struct environment *environment)
{
	struct release to = decide_choose_earlier(tx, environment);

	return row_deployment_failed_since(tx, &to) == 0 ? to : (struct release){ 0 };
}

void
decide_set_direction(struct tx *tx, struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	deployment->is_forward =
	    row_release_get(tx, deployment->to_release).origin > environment.current.origin;
}

/* decide_ran.c - how deployments of the same files ended in the stages before this one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_ran.h"

#include "lib/text.h"
#include "settings/checks/settings_stages.h"
#include "store/row_environment.h"

_Static_assert(LIMIT_COMMITS <= 32, "a bit for each");
_Static_assert(SETTINGS_STAGES == RAN_SHOWN, "each is shown");

/* Whoever may push to the registry can put another behind the same commit's name.  Of the same
 * files under another commit nobody expects the same image. */
static bool
is_another_image(
    const struct deployment *work, const char *shown_image, const struct deployment *tried)
{
	return git_image_is_digest(shown_image) && git_image_is_digest(tried->image) &&
	    strcmp(work->commit, tried->commit) == 0 && strcmp(shown_image, tried->image) != 0;
}

static struct ran
ran_of(struct tx *tx, const struct environment *environment, const struct deployment *tried,
    const struct deployment *work, const struct question *shown)
{
	struct ran ran = { .at = tried->ended_at };
	int64_t until;

	text_set(ran.environment, environment->name);
	if (tried->id == 0)
		return ran;
	ran.is_failed = tried->state != DEPLOY_LIVE;
	text_set(ran.detail, tried->detail);
	if (ran.is_failed)
		return ran;
	if (is_another_image(work, shown->shown_image, tried))
		text_set(ran.image, tried->image);
	until = row_release_until(tx, tried);
	ran.is_down = until == 0 && environment->is_down;
	ran.is_unknown = until == 0 && environment->unknown_since != 0;
	ran.ms = (until != 0 ? until : tx->at) - tried->ended_at;
	ran.is_probed = tried->urls[0] != '\0';
	ran.is_left = row_release_is_left(tx, tried);
	return ran;
}

size_t
decide_ran(struct tx *tx, const struct deployment *work, const struct question *shown,
    struct ran ret[RAN_SHOWN])
{
	const char *before[RAN_SHOWN];
	size_t all = settings_stages(tx->settings, work->environment, before), n = 0;

	for (size_t i = 0; i < all; i++) {
		struct deployment tried;
		struct environment there;

		row_deployment_tried(tx, before[i], work->commit, work->tree, &tried);
		row_environment_get(tx, before[i], &there);
		/* Of a commit whose files are not known another may have had the same. */
		if (tried.id != 0 || work->tree[0] != '\0' || there.current.id == 0)
			ret[n++] = ran_of(tx, &there, &tried, work, shown);
	}
	return n;
}

static bool
has_failed(struct tx *tx, const char *environment, const char *commit)
{
	struct deployment tried;

	row_deployment_tried(tx, environment, commit, "", &tried);
	return tried.id != 0 && tried.state != DEPLOY_LIVE;
}

unsigned
decide_ran_failed(struct tx *tx, const char *environment, const struct git_answer *answer)
{
	const char *before[RAN_SHOWN];
	size_t all = settings_stages(tx->settings, environment, before);
	unsigned failed = 0;

	for (size_t i = 0; i < answer->n_changes; i++) {
		bool is_failed = has_failed(tx, environment, answer->change[i].commit);

		for (size_t j = 0; j < all && !is_failed; j++)
			is_failed = has_failed(tx, before[j], answer->change[i].commit);
		failed |= (unsigned)is_failed << i;
	}
	return failed;
}

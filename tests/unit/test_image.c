/* Goal: the image that went live is the one that comes back, whatever happens between.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define IMAGE_A "sha256:aaaa111111111111111111111111111111111111111111111111111111111111"
#define IMAGE_B "sha256:bbbb222222222222222222222222222222222222222222222222222222222222"
#define IMAGE_C "sha256:cccc444444444444444444444444444444444444444444444444444444444444"
#define IMAGE_X "sha256:eeee333333333333333333333333333333333333333333333333333333333333"

static void
goes_live(struct world *w, const char *commit, const char *image)
{
	world_deploy_starts(w, commit);
	world_run_ships(w, 0, "release", image);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
	assert_string_equal(world_environment(w, "staging").current.image, image);
}

/* B is being deployed over A. */
static void
b_over_a(struct world *w)
{
	world_open(w, STAGING_URL, NULL);
	goes_live(w, COMMIT_A, IMAGE_A);
	world_deploy_starts(w, COMMIT_B);
}

#define ORDERED(w, commit_, image_, previous_, previous_image_) \
	do { \
		const struct effect *run_ = world_peek(w, EFFECT_RUN); \
		assert_non_null(run_); \
		assert_string_equal(run_->u.run.commit, commit_); \
		assert_string_equal(run_->u.run.image, image_); \
		assert_string_equal(run_->u.run.previous, previous_); \
		assert_string_equal(run_->u.run.previous_image, previous_image_); \
	} while (0)

WORLD_TEST_BARE(a_release_has_the_image_that_its_step_told)
{
	b_over_a(w);
	ORDERED(w, COMMIT_B, "", COMMIT_A, IMAGE_A);
	world_answers(w, WORLD_ADMIN, "/status staging", ", image aaaa111…");
}

/* No step was heard: the server was away until its end. */
WORLD_TEST_BARE(a_release_has_the_image_that_its_record_told)
{
	struct run_ended ended = GOOD;

	b_over_a(w);
	(void)text_copy(ended.image, sizeof(ended.image), IMAGE_B);
	world_run_ends(w, ended);
	world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE_B);
	assert_string_equal(world_environment(w, "staging").previous.image, IMAGE_A);
}

WORLD_TEST_BARE(what_is_rolled_back_rolls_back_to_the_image_that_ran)
{
	b_over_a(w);
	world_run_ships(w, 0, "build", "");
	world_run_ships(w, 1, "release", IMAGE_B);
	world_run_ends(w, TOUCHED);
	ORDERED(w, COMMIT_A, IMAGE_A, COMMIT_B, IMAGE_B);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "release", IMAGE_X); /* of the rollback: it is not B's */
	assert_string_equal(world_newest(w, "staging").image, IMAGE_B);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE_A);
}

/* Its record tells nothing; what was heard of it stands in its row. */
WORLD_TEST_BARE(a_lost_run_is_rolled_back_to_the_image_that_ran)
{
	b_over_a(w);
	world_run_ships(w, 0, "release", IMAGE_B);
	world_run_lost(w);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .lost = true });
	ORDERED(w, COMMIT_A, IMAGE_A, COMMIT_B, IMAGE_B);
}

WORLD_TEST_BARE(a_rollback_that_was_lost_is_ordered_again_with_its_image)
{
	b_over_a(w);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .lost = true });
	ORDERED(w, COMMIT_A, IMAGE_A, COMMIT_B, "");
}

/* Rollback of production by a person, as the button's row says it. */
static void
press_rollback(struct world *w, const char *git_query_part)
{
	struct world_message *button;

	button = world_rollback_asks(w, "/rollback staging");
	assert_non_null(strstr(world_plain(button), git_query_part));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button->buttons.at[0].id);
}

WORLD_TEST_OF(a_persons_rollback_shows_and_orders_the_image, STAGING_URL)
{
	goes_live(w, COMMIT_C, IMAGE_C);
	goes_live(w, COMMIT_A, IMAGE_A);
	goes_live(w, COMMIT_B, IMAGE_B);
	press_rollback(w, "\nimage aaaa111…");
	ORDERED(w, COMMIT_A, IMAGE_A, COMMIT_B, IMAGE_B);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "release", IMAGE_X); /* it was told which one */
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE_A);
	/* what it left is not gone back to */
	assert_string_equal(world_environment(w, "staging").previous.commit, COMMIT_C);
	assert_string_equal(world_environment(w, "staging").previous.image, IMAGE_C);
}

/* Of a time when it was shipped without: rollback.sh asks the registry. */
WORLD_TEST_OF(a_rollback_without_an_image_takes_the_one_it_is_told, STAGING_URL)
{
	goes_live(w, COMMIT_A, "");
	goes_live(w, COMMIT_B, IMAGE_B);
	press_rollback(w, "bbbbbbb → aaaaaaa");
	ORDERED(w, COMMIT_A, "", COMMIT_B, IMAGE_B);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ships(w, 0, "release", IMAGE_A);
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE_A);
}

/* The same commit once more, with another image: what was live before it comes back whole. */
WORLD_TEST_OF(the_same_commit_again_rolls_back_to_the_release_before_it, STAGING_URL)
{
	goes_live(w, COMMIT_A, IMAGE_A);
	goes_live(w, COMMIT_B, IMAGE_B);
	world_deploy_starts(w, COMMIT_B);
	world_run_ships(w, 0, "release", IMAGE_X);
	world_run_ends(w, TOUCHED);
	ORDERED(w, COMMIT_A, IMAGE_A, COMMIT_B, IMAGE_X);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE_A);
}

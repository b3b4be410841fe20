/* Goal: what a person may ask for in a day is bounded, and who is refused knows the hour of room.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_limit.h"

#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_cost.h"
#include "store/row_token.h"
#include "types/principal.h"

#define HOUR_MS	  (3600 * INT64_C(1000))
#define MINUTE_MS (60 * INT64_C(1000))

static void
act_day(struct tx *tx, void *arg)
{
	int64_t *person_and_sum = arg;

	person_and_sum[1] = row_cost_day(tx, person_and_sum[0]);
}

static int64_t
spent(struct world *w, int64_t person)
{
	int64_t person_and_sum[2] = { person, -1 };

	world_act(w, act_day, person_and_sum);
	return person_and_sum[1];
}

static void
deploy(struct world *w, int64_t person, int minutes)
{
	world_asks(w, person, "/deploy staging", COMMIT_A);
	world_run_starts(w);
	w->aid.at += minutes * MINUTE_MS;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
}

WORLD_TEST_OF(the_last_may_pass_it_and_then_the_hour_of_room_is_said, "COST_LIMIT_PER_USER=2")
{
	char room[32];
	int64_t began;

	w->aid.at = w->aid.at / HOUR_MS * HOUR_MS + MINUTE_MS; /* of an hour H */
	began = w->aid.at;
	deploy(w, WORLD_ADMIN, 7);
	assert_in_range(spent(w, WORLD_ADMIN), 17, 18); /* 1 and 0.1 for each minute begun */
	deploy(w, WORLD_ADMIN, 0);			/* passes it */
	assert_in_range(spent(w, WORLD_ADMIN), 28, 29);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_non_null(world_says(w, "⛔ Limit used up: deploy: you may start 2 in 24 hours"));
	(void)snprintf(
	    room, sizeof(room), "room again at %02d:00 UTC.", (int)((began / HOUR_MS + 25) % 24));
	assert_non_null(world_says(w, room));
	assert_int_equal(world_audited(w, "COST_LIMIT_PER_USER", NULL), 1);
	world_settings(w, "COST_LIMIT_PER_USER=2", "TIMEZONE=Asia/Kolkata", NULL);
	world_answers(w, WORLD_ADMIN, "/deploy staging", ":30 Asia/Kolkata.");
	world_settings(w, "COST_LIMIT_PER_USER=2", NULL);
	/* Each for themselves; and what costs nothing goes on. */
	deploy(w, WORLD_OTHER_ADMIN, 0);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_int_equal(world_audited(w, "COST_LIMIT_PER_USER", NULL), 1);
	/* Room again 24 hours behind the end of that hour, and not before. */
	w->aid.at = began / HOUR_MS * HOUR_MS + 25 * HOUR_MS - 1000;
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	w->aid.at = began / HOUR_MS * HOUR_MS + 25 * HOUR_MS;
	deploy(w, WORLD_ADMIN, 0);
	assert_in_range(spent(w, WORLD_ADMIN), 10, 11);
}

/* Denied by a freeze, and asked for again with a reason. */
WORLD_TEST_OF(what_is_denied_costs_nothing, "COST_LIMIT_PER_USER=9",
    "STAGING_FREEZE=2026-01-01..2026-01-02", "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=status:staging")
{
	const struct world_message *denial;
	struct event *event;

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	denial = world_says(w, "Not deployed: staging: frozen by the calendar");
	assert_int_equal(spent(w, WORLD_ADMIN), 0);
	event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, denial->chat);
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "the fix");
	event->u.update->reply_to = w->screen_remote[denial->row];
	(void)world_decide(w, event);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(spent(w, WORLD_ADMIN), 10);
	world_run_starts(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	for (size_t i = 0; i < w->n_screen; i++)
		if (world_button(&w->screen[i], "Log")[0] != '\0')
			(void)world_press(
			    w, 44, w->screen[i].chat, world_button(&w->screen[i], "Log"));
	assert_true(world_audited(w, "\"denied\"", "\"log\"") > 0);
	assert_int_equal(spent(w, 44), 0);
}

/* "Which one?", its pages, and the answer are one request. */
WORLD_TEST(what_asks_which_costs_nothing)
{
	char apps[160];

	for (const char *const *name = (const char *const[]){ "api", "shop", NULL }; *name != NULL;
	     name++)
		world_application(w, *name, "STAGING_CONFIRM=false");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", "COST_LIMIT_PER_USER=1", NULL);
	world_answers(w, WORLD_ADMIN, "/deploy staging", "of which application?");
	assert_int_equal(spent(w, WORLD_ADMIN), 0);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "shop"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_int_equal(spent(w, WORLD_ADMIN), 10);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging"); /* there is no room to choose in */
	assert_non_null(world_says(w, "Limit used up: "));
}

static void
act_room(struct tx *tx, UNUSED void *arg)
{
	row_cost_add(tx, 7, 15);
	tx->at += 3 * HOUR_MS;
	row_cost_add(tx, 7, 10);
	/* The first hour alone is enough for below 2, both for below 1. */
	assert_int_equal(row_cost_below_at(tx, 7, 20), (tx->at / HOUR_MS - 3 + 25) * HOUR_MS);
	assert_int_equal(row_cost_below_at(tx, 7, 10), (tx->at / HOUR_MS + 25) * HOUR_MS);
	/* What a clock has noted that was ahead does not count. */
	tx->at -= 100 * HOUR_MS;
	assert_int_equal(row_cost_day(tx, 7), 0);
	tx->at += 100 * HOUR_MS;
	assert_int_equal(row_cost_day(tx, 7), 25);
	/* Nor does one that is ahead for an hour make them forget it. */
	tx->at += 48 * HOUR_MS;
	row_cost_add(tx, 7, 1);
	tx->at -= 48 * HOUR_MS;
	assert_int_equal(row_cost_day(tx, 7), 25);
}

WORLD_TEST(room_is_where_the_hours_before_it_have_gone)
{
	world_act(w, act_room, NULL);
}

WORLD_TEST_BARE(pushes_others_and_no_limit_cost_nothing)
{
	world_open(w, NULL); /* 0: none */
	deploy(w, WORLD_ADMIN, 3);
	assert_int_equal(spent(w, WORLD_ADMIN), 0);
	world_settings(w, "COST_LIMIT_PER_USER=9", NULL);
	world_push_is_at(w, COMMIT_B);
	world_run_starts(w);
	w->aid.at += 5 * MINUTE_MS;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(spent(w, 0), 0);
	/* Who asked pays, not who confirmed. */
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)world_press(
	    w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
	world_git_same(w);
	world_run_starts(w);
	w->aid.at += 2 * MINUTE_MS;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_in_range(spent(w, WORLD_ADMIN), 12, 13);
	assert_int_equal(spent(w, WORLD_OTHER_ADMIN), 0);
	for (size_t i = 0; i < w->n_screen; i++)
		if (world_button(&w->screen[i], "Log")[0] != '\0')
			(void)world_press(w, WORLD_STRANGER, w->screen[i].chat,
			    world_button(&w->screen[i], "Log"));
	assert_true(world_audited(w, "\"denied\"", NULL) > 0);
	assert_int_equal(spent(w, WORLD_STRANGER), 0);
}

/* --- tokens --- */

#define TOKENS \
	"ENABLE_TOKEN_AUTH=true", "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef01234567", \
	    "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=*:staging", "LOCAL_GAMES_IS=role dev"
#define MAKER 44
#define GAMES 5 /* a user of each Debian */

struct made {
	struct token token;
	int64_t person; /* as whom it acts */
};

static void
act_make(struct tx *tx, void *arg)
{
	struct made *made = arg;
	char text[TOKEN_TEXT];

	(void)snprintf(
	    text, sizeof(text), TOKEN_PREFIX "%0*d%c", 2 * TOKEN_BYTES - 1, 0, made->token.name[0]);
	(void)text_copy(made->token.role, sizeof(made->token.role), "dev");
	made->token.expires_at = tx->at + 24 * HOUR_MS;
	made->token.id = row_token_add(tx, &made->token, text);
	made->person = principal_of_token(made->token.id);
}

/* The first letter of its name makes its text. */
static struct made
make(struct world *w, const char *name, int64_t made_by)
{
	struct made made = { .token = { .made_by = made_by } };

	(void)text_copy(made.token.name, sizeof(made.token.name), name);
	world_act(w, act_make, &made);
	assert_true(made.token.id != 0);
	return made;
}

static void
act_save(struct tx *tx, void *arg)
{
	row_token_save(tx, arg);
}

WORLD_TEST_OF(who_makes_tokens_has_one_amount_in_a_day, TOKENS, "COST_LIMIT_PER_USER=1")
{
	struct made first, second, of_root, of_user;

	first = make(w, "a", MAKER);
	second = make(w, "b", MAKER);
	of_root = make(w, "c", world_root(w, "dev"));
	of_user = make(w, "d", principal_of_user(GAMES));
	deploy(w, first.person, 5);
	assert_int_equal(spent(w, first.person), 0);
	assert_in_range(spent(w, MAKER), 15, 16);
	(void)world_text(w, second.person, "/deploy staging");
	(void)world_text(w, MAKER, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_audited(w, "COST_LIMIT_PER_USER", NULL), 2);
	assert_non_null(world_says(w, "room again at "));
	deploy(w, of_root.person, 0);
	assert_true(spent(w, of_root.person) > 0);
	deploy(w, of_user.person, 0);
	assert_true(spent(w, principal_of_user(GAMES)) > 0);
	/* Whoever has logged in with one is who asks by it, not who gave it to them. */
	second.token.person = WORLD_OTHER_ADMIN;
	world_act(w, act_save, &second.token);
	deploy(w, second.person, 0);
	assert_true(spent(w, WORLD_OTHER_ADMIN) > 0);
}

WORLD_TEST_OF(who_makes_tokens_has_one_limit, TOKENS, "ROLE_RATE_LIMIT=1")
{
	struct made made[4], of_root;

	for (size_t i = 0; i < COUNT(made); i++)
		made[i] = make(w, (const char *const[]){ "a", "b", "c", "d" }[i], MAKER);
	of_root = make(w, "e", world_root(w, "dev"));
	for (int i = 0; i < 20; i++)
		(void)world_text(w, made[i % 4].person, "/history staging");
	assert_null(world_says(w, "Too many commands"));
	(void)world_text(w, of_root.person, "/history staging");
	assert_null(world_says(w, "Too many commands"));
	(void)world_text(w, made[3].person, "/history staging");
	assert_non_null(world_says(w, "Too many commands: again in 60 s."));
}

struct rings {
	int64_t by[3];
	int of_questions, of_emergencies;
};

static void
act_ring(struct tx *tx, void *arg)
{
	struct rings *rings = arg;

	for (int i = 0; i < 30; i++) {
		struct deployment work = { .id = 100 + i,
			.state = DEPLOY_AWAITING_CONFIRMATION,
			.requested_by = rings->by[i % 3] };

		rings->of_questions += decide_may_ring_question(tx, &work);
		rings->of_emergencies += decide_may_ring_emergency(tx, work.requested_by);
	}
}

WORLD_TEST_OF(who_makes_tokens_rings_as_often_as_who_makes_none, TOKENS)
{
	struct rings rings = { .by = { MAKER, make(w, "a", MAKER).person,
				   make(w, "b", MAKER).person } };

	world_act(w, act_ring, &rings);
	assert_int_equal(rings.of_questions, 4);
	assert_int_equal(rings.of_emergencies, 4);
}

/* story_aid.c - what people, git, runs and probes do in each story, as tables.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "story_aid.h"

#include "lib/text.h"

enum act {
	TEXT,	   /* person, text, in the group */
	MOVED,	   /* the group has a new id */
	FORWARDED, /* a command that somebody else wrote */
	PRESS,	   /* person, label of a button; the message that has it comes last */
	REPLY,	   /* person, text: to the message that came last */
	STALE,	   /* a press on a button that nobody knows */
	PUSH,	   /* branch */
	REJECTED,  /* webhooks with a wrong signature */
	SETTINGS,  /* reloaded */
	GIT,	   /* commit */
	GIT_AWAY,  /* git does not answer */
	GIT_NO,	   /* no such ref */
	HEADS,	   /* commit of develop, and of main */
	STARTS,	   /* the run's gate */
	SAYS,	   /* a step of the run */
	ENDS,	   /* the run, well */
	FAILS,	   /* the run, having touched the target */
	STOPPED,   /* the run, since it was asked to */
	SHUT,	   /* the run's gate never opened */
	LOST,	   /* the run's supervisor: what it started is being ended */
	GONE,	   /* ... and has ended */
	VANISHED,  /* the run's folder */
	RESTORED,  /* a start of a copy */
	WELL,	   /* the probe */
	UNHEALTHY, /* the probe, text says why */
	DUE,	   /* a deadline: person is its enum timer_kind */
	NO_RIGHT,  /* the pin is refused, with text */
	CLOSES,	   /* an effect with no more to it than its end: person is its enum effect_kind */
};

struct play {
	enum act step;
	int64_t person;
	const char *text;
	const char *more;
};

#define ADA WORLD_ADMIN
#define BOB WORLD_OTHER_ADMIN
#define CY  WORLD_STAGING_USER
#define EVE WORLD_STRANGER

#define DEPLOYS(commit) \
	{ TEXT, CY, "/deploy staging", NULL }, { GIT, 0, commit, NULL }, \
	    { STARTS, 0, NULL, NULL }, { SAYS, 0, "release", NULL }, \
	{ \
		ENDS, 0, NULL, NULL \
	}

static const struct play staging[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	DEPLOYS(COMMIT_B),
	{ UNHEALTHY, 0, "status 500", NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ DUE, TIMER_NAG, NULL, NULL },
	{ PRESS, BOB, "Seen", NULL },
};

static const struct play production[] = {
	{ TEXT, ADA, "/deploy production", NULL },
	{ GIT, 0, COMMIT_A, NULL },
	{ TEXT, CY, "/deploy production", NULL },
	{ PRESS, CY, "Deploy to", NULL }, /* who may not */
	{ PRESS, ADA, "Deploy to", NULL },
	{ GIT, 0, COMMIT_A, NULL }, /* nothing has changed since */
	{ SHUT, 0, NULL, NULL },
	{ STARTS, 0, NULL, NULL },
	{ PRESS, ADA, "Log", NULL },
	{ CLOSES, EFFECT_DOCUMENT, NULL, NULL },
	{ TEXT, BOB, "/deploy production", NULL }, /* behind it */
	{ GIT, 0, COMMIT_C, NULL },
	{ PRESS, BOB, "Deploy to", NULL },
	{ GIT, 0, COMMIT_C, NULL },
	{ FAILS, 0, NULL, NULL },
	{ TEXT, BOB, "/cancel production", NULL },
	{ CLOSES, EFFECT_STOP_RUN, NULL, NULL },
	{ STOPPED, 0, NULL, NULL },
	{ TEXT, ADA, "/deploy production v1", NULL },
	{ GIT_NO, 0, "no such ref", NULL },
	{ TEXT, ADA, "/deploy production", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ DUE, TIMER_QUESTION, NULL, NULL },
	{ STALE, ADA, NULL, NULL },
	{ TEXT, ADA, "/deploy production", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ PRESS, ADA, "Not now", NULL },
	{ TEXT, ADA, "/rollback production", NULL },
};

static const struct play cancelled[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ TEXT, CY, "/deploy staging", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ STARTS, 0, NULL, NULL },
	{ SAYS, 0, "release", NULL },
	{ TEXT, CY, "/cancel staging", NULL },
	{ CLOSES, EFFECT_STOP_RUN, NULL, NULL },
	{ STOPPED, 0, NULL, NULL },
	{ STARTS, 0, NULL, NULL },
	{ LOST, 0, NULL, NULL },
	{ GONE, 0, NULL, NULL },
	{ STARTS, 0, NULL, NULL },
	{ FAILS, 0, NULL, NULL },
};

static const struct play rollback[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	DEPLOYS(COMMIT_B),
	{ WELL, 0, NULL, NULL },
	{ TEXT, ADA, "/rollback staging", NULL },
	{ PRESS, ADA, "Roll back", NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ TEXT, ADA, "/rollback staging", NULL },
	{ TEXT, ADA, "/status", NULL },
	{ WELL, 0, NULL, NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ TEXT, ADA, "/rollback staging 2", NULL },
	{ PRESS, ADA, "Roll forward", NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
};

static const struct play pushes[] = {
	{ PUSH, 0, "develop", NULL },
	{ GIT_AWAY, 0, NULL, NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_A, NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_C, NULL },
	{ PUSH, 0, "main", NULL },
	{ GIT, 0, COMMIT_A, NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ GIT, 0, COMMIT_C, NULL }, /* newer than what is live by now */
	{ STARTS, 0, NULL, NULL },
	{ LOST, 0, NULL, NULL },
	{ GONE, 0, NULL, NULL },
	{ DUE, TIMER_POLL, NULL, NULL },
	{ HEADS, 0, COMMIT_D, COMMIT_B },
};

static const struct play copy[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ TEXT, CY, "/deploy staging", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ STARTS, 0, NULL, NULL },
	{ VANISHED, 0, NULL, NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_C, NULL },
	{ TEXT, ADA, "/deploy staging", NULL },
	{ GIT, 0, COMMIT_D, NULL },
	{ TEXT, ADA, "/status staging", NULL },
	{ WELL, 0, NULL, NULL },
	{ PRESS, CY, "Resume queue", NULL },
	{ PRESS, ADA, "Resume queue", NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ RESTORED, 0, NULL, NULL },
};

static const struct play held[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ TEXT, ADA, "/lock staging 2h incident", NULL },
	{ PUSH, 0, "develop", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ TEXT, CY, "/deploy staging", NULL },
	{ PRESS, CY, "Ask @ada", NULL },
	{ PRESS, ADA, "Keep", NULL },
	{ TEXT, BOB, "/unlock staging", NULL },
	{ GIT, 0, COMMIT_B, NULL },
	{ TEXT, CY, "/deploy staging", NULL }, /* behind it */
	{ GIT, 0, COMMIT_C, NULL },
	{ TEXT, ADA, "/freeze all until 2026-01-01 sale", NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ TEXT, ADA, "/deploy staging", NULL },
	{ REPLY, ADA, "the fix", NULL },
	{ GIT, 0, COMMIT_D, NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ DUE, TIMER_HOLDS, NULL, NULL },
	{ TEXT, ADA, "/unfreeze all", NULL },
};

static const struct play emergency[] = {
	{ TEXT, ADA, "/deploy staging emergency it is down", NULL },
	{ GIT, 0, COMMIT_E, NULL },
	{ STARTS, 0, NULL, NULL },
	{ ENDS, 0, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ DUE, TIMER_REVIEW, NULL, NULL },
	{ PRESS, BOB, "Review done", NULL },
};

static const struct play pinned[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ DUE, TIMER_PIN, NULL, NULL },
	{ WELL, 0, NULL, NULL }, /* asked of the summary */
	{ CLOSES, EFFECT_PIN_MESSAGE, NULL, NULL },
	{ TEXT, ADA, "/lock staging 2h incident", NULL },
	{ DUE, TIMER_PIN, NULL, NULL },
	{ UNHEALTHY, 0, "status 500", NULL },
	{ SETTINGS, 0, NULL, NULL },
	{ MOVED, ADA, NULL, NULL },
};

static const struct play unpinned[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ DUE, TIMER_PIN, NULL, NULL },
	{ WELL, 0, NULL, NULL },
	{ NO_RIGHT, 0, "not enough rights", NULL },
};

static const struct play talk[] = {
	DEPLOYS(COMMIT_A),
	{ WELL, 0, NULL, NULL },
	{ TEXT, EVE, "/deploy staging", NULL },
	{ TEXT, ADA, "/deploy nowhere", NULL },
	{ TEXT, ADA, "/help", NULL },
	{ TEXT, ADA, "/whoami", NULL },
	{ TEXT, ADA, "/history staging", NULL },
	{ TEXT, ADA, "/status", NULL },
	{ WELL, 0, NULL, NULL },
	{ FORWARDED, ADA, "/deploy staging", NULL },
	{ REJECTED, 0, NULL, NULL },
	{ SETTINGS, 0, NULL, NULL },
	{ MOVED, ADA, NULL, NULL },
	{ DUE, TIMER_DAILY, NULL, NULL },
};

static void
press(struct world *w, int64_t person, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;) {
		const char *button = world_button(&w->screen[i], label);

		if (button[0] == '\0')
			continue;
		(void)world_press(w, person, w->screen[i].chat, button);
		return;
	}
	fail_msg("nothing has the button %s", label);
}

static void
reply(struct world *w, int64_t person, const char *text)
{
	const struct world_message *last = world_last(w);
	struct event *event = world_update(w, UPDATE_TEXT, person, last->chat);

	event->u.update->reply_to = w->screen_remote[last->row];
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	(void)world_decide(w, event);
}

static void
forwarded(struct world *w, int64_t person, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, WORLD_GROUP);

	event->u.update->refusal = UPDATE_REFUSED_FORWARDED;
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	(void)world_decide(w, event);
}

static void
moved(struct world *w)
{
	struct event *event = world_update(w, UPDATE_MIGRATED, WORLD_ADMIN, WORLD_GROUP);

	event->u.update->new_chat = WORLD_GROUP - 7;
	(void)world_decide(w, event);
}

static void
told(struct world *w, enum event_kind kind)
{
	struct event *event = store_aid_event(&w->aid, kind);

	if (kind == EVENT_REJECTED)
		event->u.rejected =
		    (struct rejected){ "github", "signature", "shop", "203.0.113.9", 3 };
	else if (kind == EVENT_STARTED)
		event->u.started.is_restored = true;
	else
		event->u.settings_read =
		    (struct settings_read){ .accepted = true, .changed = "RUN_LOGS_KEEP" };
	(void)world_decide(w, event);
}

static void
closes(struct world *w, enum effect_kind kind, const char *failure)
{
	struct effect *effect = world_take(w, kind);

	if (effect == NULL)
		fail_msg("no effect %s is open", effect_name(kind));
	if (failure != NULL)
		(void)text_copy(effect->result->u.message_sent.failure, LIMIT_LINE, failure);
	(void)store_aid_report(&w->aid, effect);
}

static void
play_step(struct world *w, const struct play *play)
{
	switch (play->step) {
	case TEXT:
		(void)world_text(w, play->person, play->text);
		break;
	case FORWARDED:
		forwarded(w, play->person, play->text);
		break;
	case MOVED:
		moved(w);
		break;
	case PRESS:
		press(w, play->person, play->text);
		break;
	case REPLY:
		reply(w, play->person, play->text);
		break;
	case STALE:
		(void)world_press(w, play->person, WORLD_GROUP, "0123456789abcdef");
		break;
	case PUSH:
		(void)world_decide(w, world_push(w, play->text));
		break;
	case REJECTED:
		told(w, EVENT_REJECTED);
		break;
	case SETTINGS:
		told(w, EVENT_SETTINGS);
		break;
	case GIT:
		world_git(w, (struct world_git){ .commit = play->text, .count = 2 });
		break;
	case GIT_AWAY:
		world_git(w, (struct world_git){ .is_unreachable = true });
		break;
	case GIT_NO:
		world_git(w, (struct world_git){ .error = play->text });
		break;
	case HEADS:
		world_git_heads(w, play->text, play->more);
		break;
	case STARTS:
		(void)world_run_starts(w);
		break;
	case SAYS:
		world_run_step(w, 0, play->text);
		break;
	case ENDS:
		world_run_ends(w, (struct run_ended){ .gate_opened = true, .released = true });
		break;
	case FAILS:
		world_run_ends(w,
		    (struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 });
		break;
	case STOPPED:
		world_run_ends(w,
		    (struct run_ended){ .gate_opened = true,
			.released = true,
			.ended_on_request = true,
			.exit_status = -1,
			.signal_number = 15 });
		break;
	case SHUT:
		world_run_ends(w, (struct run_ended){ 0 });
		break;
	case GONE:
		world_run_ends(w, (struct run_ended){ .gate_opened = true, .lost = true });
		break;
	case VANISHED:
		world_run_ends(w, FOLDER_GONE);
		break;
	case RESTORED:
		told(w, EVENT_STARTED);
		break;
	case LOST:
		world_run_lost(w);
		break;
	case WELL:
	case UNHEALTHY:
		world_probed(w, play->text);
		break;
	case DUE:
		world_due(w, (enum timer_kind)play->person);
		break;
	case NO_RIGHT:
		closes(w, EFFECT_PIN_MESSAGE, play->text);
		break;
	case CLOSES:
		closes(w, (enum effect_kind)play->person, NULL);
		break;
	}
}

/* --- all of them --- */

static const struct {
	const char *name;
	const struct play *plays;
	size_t size;
} stories[] = {
#define S(id, name) [STORY_##id] = { #name, name, COUNT(name) },
	STORIES(S)
#undef S
};

const char *
story_name(enum story story)
{
	return stories[story].name;
}

size_t
story_size(enum story story)
{
	return stories[story].size;
}

const char *
story_setting(enum story story)
{
	return story == STORY_PINNED || story == STORY_UNPINNED ? "PIN_STATUS=true" : NULL;
}

void
story_play(struct world *w, enum story story, size_t step)
{
	assert_true(step < stories[story].size);
	play_step(w, &stories[story].plays[step]);
}

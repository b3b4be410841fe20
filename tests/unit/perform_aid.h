/* perform_aid.h - effects that Telegram carries out, and what is reported of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "effects/perform.h"
#include "lib/loop.h"
#include "telegram/telegram.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

struct perform_scene {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *bot;
	struct telegram *telegram;
	struct perform perform;
	enum event_kind kind;	  /* of the last report */
	int64_t reported;	  /* its effect */
	struct message_sent said; /* ... and what it says, where it is of one */
	bool is_done;
};

/* Fixtures: *state is a scene. */
int perform_aid_begin(void **state);
int perform_aid_finish(void **state);

/* Takes the effect, with that id; until_reported: waits for its report. */
void perform_aid_do(struct perform_scene *scene, struct effect *effect, int64_t id);
void perform_aid_until_reported(struct perform_scene *scene);

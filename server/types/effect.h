/* effect.h - something still to be done outside: a row before it is an act.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef EFFECT_H
#define EFFECT_H

#include "types/event.h"

enum effect_kind {
#define EFFECT(name, performer, word, result) EFFECT_##name,
#include "types/effect.def"
#undef EFFECT
	EFFECT_KIND_COUNT
};

enum program {
	PROGRAM_DEPLOY,
	PROGRAM_ROLLBACK,
};

struct effect_run {
	int64_t run;		/* its number is its folder's name */
	enum program program;
	int64_t deployment;
	char environment[LIMIT_ENVIRONMENT];
	char commit[LIMIT_COMMIT];	/* to bring up */
	char image[LIMIT_IMAGE];	/* of it, to go back to; "": none, or yet to be made */
	char previous[LIMIT_COMMIT];	/* that was live; "": none */
	char previous_image[LIMIT_IMAGE];
	char ref[LIMIT_REF];
	int deadline_s;
	int64_t started_at;	/* wall ms, 0: not yet.  This and message are not in the row of the effect, */
	struct message message;	/* which shows its output: filled when it is handed out */
};

struct effect_end {
	int64_t run;
};

enum question_kind {
	ASK_COMMITS,		/* the newest commit of a ref, and what lies between it and base */
	ASK_HEADS,		/* heads of branches */
};

struct effect_ask {
	enum question_kind kind;
	char environment[LIMIT_ENVIRONMENT];	/* ASK_COMMITS */
	char ref[LIMIT_REF];	/* ASK_COMMITS: a branch, tag or commit */
	char base[LIMIT_COMMIT];	/* ASK_COMMITS: the live release's commit; "": none */
	char branch[LIMIT_REF];	/* ASK_COMMITS: the environment's own branch; "": none */
	size_t n_branches;	/* ASK_HEADS */
	char branches[LIMIT_ENVIRONMENTS][LIMIT_REF];
	bool is_patient;	/* asks again, 1 s to 5 min apart, until git answers; else once */
	char asked_by[LIMIT_PERSON]; /* who is told or blamed: "github:login(7)"; for the handler */
};

struct effect_probe {
	struct probe_plan plan;
	int64_t message;	/* row of the message that shows the findings: /status; 0: none */
	char asked[LIMIT_ENVIRONMENT];	/* /status of one environment; "": of all */
	size_t n;
	struct probe_target *targets;	/* owned */
};

struct effect_say {
	struct message message;	/* read from its row when handed out */
};

struct effect_toast {
	char callback[LIMIT_CALLBACK];
	char text[LIMIT_TOAST * 4];
	bool is_alert;		/* a dialog instead of a toast */
};

struct effect_document {
	struct place place;
	int64_t run;
	char file_name[64];
	char caption[LIMIT_LINE];
};

struct effect_forget {
	int64_t run;
};

enum wait_kind {
	WAIT_QUESTION,		/* a confirmation runs out */
	WAIT_POLL,		/* ask git for the heads */
	WAIT_DAILY,		/* retention */
	WAIT_SAY,		/* a message is said again; the subject is its row */
};

struct effect_wait {
	enum wait_kind kind;
	char name[LIMIT_QUESTION];	/* WAIT_QUESTION: the question */
};

struct effect {
	int64_t id;
	enum effect_kind kind;
	int64_t subject;	/* the deployment it serves; a SAY's message; 0: none */
	int64_t due;		/* wall ms; EFFECT_WAIT */
	struct effect *next;	/* its performer's, while that puts it off */
	bool is_again;		/* it was open when the program started: again(), not perform() */
	struct settings *settings; /* one reference, owned: the decision's; at start today's */
	struct event *result;	/* allocated with it, so that a result is never refused; owned until
				 * it is submitted (take it: effect->result = NULL) */
	union {
		struct effect_run run;
		struct effect_end end;
		struct effect_ask ask;
		struct effect_probe probe;
		struct effect_say say;
		struct effect_toast toast;
		struct effect_document document;
		struct effect_forget forget;
		struct effect_wait wait;
	} u;
};

/* The effect with its result, kind and effect id set.  NULL only when memory is short. */
struct effect *effect_new(enum effect_kind kind) MUST_USE;

/* Accepts NULL. */
void effect_free(struct effect *effect);

const char *effect_name(enum effect_kind kind);

#endif

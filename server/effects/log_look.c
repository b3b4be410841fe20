/* log_look.c - asks a target once what its application logged last.  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/log_look.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/run_tail.h"
#include "runs/runs.h"

#define MAGIC  0x6c6f6f6bu
#define SCRIPT "target.sh: "

struct log_look {
	unsigned magic;
	struct log_look_config config;
	struct runs_git_query *sent; /* NULL: it is answered */
	struct loop_timer timer;
};

void
log_look_cancel(struct log_look *look)
{
	if (look == NULL)
		return;
	OBJ_CHECK(look, MAGIC);
	loop_timer_stop(&look->timer);
	if (look->sent != NULL)
		runs_git_query_cancel(look->config.runs, look->sent);
	look->magic = 0;
	free(look);
}

static void
end(struct log_look *look, bool is_read, const char *text)
{
	log_look_fn *on_done = look->config.on_done;
	void *ctx = look->config.ctx;

	log_look_cancel(look);
	on_done(ctx, is_read, text);
}

static void
on_late(UNUSED struct loop_timer *timer, void *ctx)
{
	end(ctx, false, "the target does not answer in time");
}

/* The last line that the script said is why. */
static void
say_why(struct log_look *look, const struct run_tail_bytes *said)
{
	const struct run_tail_shape shape = { 1, LIMIT_LINE, true, false };
	char why[LIMIT_LINE];
	CLEANUP(buf_done) struct buf line = buf_make(LIMIT_LINE);

	run_tail_of(said, runs_redact(look->config.runs), &shape, &line);
	(void)clean_line(why, sizeof(why), buf_text(&line), line.size);
	end(look, false,
	    why[0] == '\0'		 ? "the target does not say why" :
		text_starts(why, SCRIPT) ? why + strlen(SCRIPT) :
					   why);
}

static void
on_answer(void *ctx, const struct runs_answer *answer)
{
	struct log_look *look = OBJ_OF(struct log_look, ctx, MAGIC);
	const struct run_tail_bytes said = { .data = answer->text, .size = answer->size };
	const struct run_tail_shape shape = { (unsigned)look->config.lines, LIMIT_LOG_ANSWER - 1,
		false, false };
	CLEANUP(buf_done) struct buf lines = buf_make(LIMIT_LOG_ANSWER);

	look->sent = NULL;
	if (answer->exit_status != 0 || answer->unreachable) {
		say_why(look, &said);
		return;
	}
	run_tail_application_of(&said, runs_redact(look->config.runs), &shape, &lines);
	if (buf_failed(&lines))
		end(look, false, "its lines are too long");
	else if (lines.size == 0)
		end(look, false, "the application has logged nothing");
	else
		end(look, true, buf_text(&lines));
}

struct log_look *
log_look_start(const struct log_look_config *config, struct err *err)
{
	struct log_look *look = mem_new(1, sizeof(*look));
	struct effect_git_query query = { .kind = GIT_QUERY_LOGS };

	*look = (struct log_look){ .magic = MAGIC, .config = *config };
	loop_timer_init(&look->timer, on_late, look);
	text_set(query.environment, config->environment);
	text_setf(query.ref, "%d", config->lines);
	look->sent = runs_git_query_start(config->runs,
	    &(struct runs_git_query_config){ .order = &query, .on_answer = on_answer, .ctx = look },
	    err);
	if (look->sent == NULL) {
		log_look_cancel(look);
		return NULL;
	}
	loop_timer_start(config->loop, &look->timer, config->patience_ms, 0);
	return look;
}

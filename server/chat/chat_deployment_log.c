/* chat_deployment_log.c - what stands before the log of a run: what, who, when, how it ended.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "lib/buf.h"
#include "lib/text.h"

static void
add_times(struct chat_text *text, const struct chat_log *log)
{
	char at[TEXT_TIME_SIZE];

	if (log->times.started_at == 0) {
		chat_text_add(text, "\nit was not started");
		return;
	}
	chat_text_add(text, "\nstarted %s", text_time(at, log->times.started_at));
	if (log->times.ended_at == 0) {
		chat_text_add(text, ", still running");
		return;
	}
	chat_text_duration(text, ", took ", log->times.ended_at - log->times.started_at);
	if (log->times.signal_number != 0)
		chat_text_add(text, ", killed by signal %d", log->times.signal_number);
	else
		chat_text_add(text, ", exit %d", log->times.exit_status);
}

bool
chat_log_head(const struct chat_log *log, char *ret, size_t room)
{
	char at[TEXT_TIME_SIZE];
	struct chat_text text = CHAT_TEXT_EMPTY;
	CLEANUP(buf_done) struct buf plain = buf_make(LIMIT_MESSAGE);
	CLEANUP(freep) char *marked = NULL;

	chat_text_add(
	    &text, "%s #%lld ", deployment_target_here(log->work), (long long)log->work->id);
	chat_deployment_commit(&text, log->is_back ? "rolled back from " : "", log->work);
	chat_text_add(&text, ", run %lld", (long long)log->run);
	chat_deployment_requester(&text, log->work);
	add_times(&text, log);
	if (log->health != NULL && log->health[0] != '\0')
		chat_text_lines(&text, log->health);
	for (size_t i = 0; i < log->n_steps; i++) {
		if (deployment_is_note(log->steps[i].name))
			continue;
		chat_text_add(&text, "\n%s ", text_time(at, log->steps[i].at));
		chat_text_outside(&text, "", log->steps[i].name);
	}
	marked = chat_text_take(&text);
	if (marked != NULL)
		chat_text_plain(marked, &plain);
	(void)text_copy(ret, room, buf_text(&plain));
	return marked != NULL && !buf_failed(&plain);
}

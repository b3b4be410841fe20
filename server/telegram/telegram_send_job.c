/* telegram_send_job.c - the list of jobs: put in at its end, taken out when they ended.  Side: loop. */
/* SPDX-License-Identifier: ISC */

#include "lib/clock.h"
#include "lib/mem.h"
#include "telegram/telegram_send_inside.h"

struct telegram_job *
telegram_send_job_add(struct telegram_send *send, enum telegram_job_kind kind,
    const struct chat_address *address, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job = mem_new(1, sizeof(*job));

	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	job->send = send;
	job->kind = kind;
	job->on_ended = on_ended;
	job->ctx = ctx;
	job->since = clock_wall_ms();
	job->added_at = loop_now_ms();
	if (address != NULL) {
		job->chat = address->chat;
		job->thread = address->thread;
	}
	TAILQ_INSERT_TAIL(&send->jobs, job, of_send);
	loop_defer(send->loop, &send->pump);
	return job;
}

void
telegram_send_job_drop(struct telegram_job *job)
{
	TAILQ_REMOVE(&job->send->jobs, job, of_send);
	free(job);
}

void
telegram_send_job_sent(struct telegram_job *job, const struct message_sent *said)
{
	struct telegram_send *send = job->send;

	TAILQ_REMOVE(&job->send->jobs, job, of_send);
	if (said != NULL && !job->is_covered && send->hooks.on_said != NULL)
		send->hooks.on_said(send->hooks.ctx, job->message, said);
	job->on_said(job->ctx, said);
	free(job);
}

void
telegram_send_job_ended(struct telegram_job *job, const char *failure)
{
	TAILQ_REMOVE(&job->send->jobs, job, of_send);
	job->on_ended(job->ctx, failure);
	buf_done(&job->body);
	free(job);
}

void
telegram_send_job_live(struct telegram_job *job, bool is_gone)
{
	TAILQ_REMOVE(&job->send->jobs, job, of_send);
	job->on_live(job->ctx, job->live_message, is_gone);
	free(job);
}

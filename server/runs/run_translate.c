/* run_translate.c - a run in the protocol's words and in ours: order, step, record.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_translate.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"

#define UNKNOWN "unknown: " /* how the reason of a host begins that may be changed or not */

/* COMMIT, or COMMIT@IMAGE where there is one; "" where there is no commit. */
static void
say_release(char ret[], size_t room, const char *commit, const char *image)
{
	(void)snprintf(ret, room, "%s%s%s", commit, image[0] == '\0' ? "" : "@", image);
}

void
run_translate_order(const struct effect_run *order, unsigned grace_s, struct protocol_message *ret)
{
	static const enum protocol_program programs[PROGRAM_OF_RUNS] = {
		[PROGRAM_DEPLOY] = PROTOCOL_PROGRAM_DEPLOY,
		[PROGRAM_ROLLBACK] = PROTOCOL_PROGRAM_ROLLBACK,
		[PROGRAM_ACTION] = PROTOCOL_PROGRAM_ACTION,
		[PROGRAM_DRAIN] = PROTOCOL_PROGRAM_DRAIN,
	};
	struct environment_id id;

	*ret = (struct protocol_message){
		.kind = PROTOCOL_RUN,
		.id = (uint64_t)order->run,
		.program = programs[order->program],
		.deadline_s = (unsigned)order->deadline_s,
		.grace_s = grace_s,
		.deployment = (uint64_t)order->deployment,
	};
	static_assert(sizeof(ret->previous) >= LIMIT_COMMIT + LIMIT_IMAGE, "a release fits");
	static_assert(sizeof(ret->argument) >= LIMIT_COMMIT + LIMIT_IMAGE, "a release fits");
	static_assert(sizeof(ret->ref) >= sizeof(order->ref), "a ref fits");
	static_assert(PROTOCOL_DEADLINE_MAX_S >= LIMIT_DRAIN_S, "a drain fits");
	if (order->program == PROGRAM_ACTION)
		(void)text_copy(ret->argument, sizeof(ret->argument), order->action); /* fits */
	else
		say_release(ret->argument, sizeof(ret->argument), order->commit, order->image);
	say_release(ret->previous, sizeof(ret->previous), order->previous, order->previous_image);
	/* What is no such name is refused by the runner. */
	if (environment_id_parse(order->environment, &id)) {
		static_assert(sizeof(ret->environment) == sizeof(id.name), "a name fits");
		memcpy(ret->application, id.application, sizeof(ret->application));
		memcpy(ret->environment, id.name, sizeof(ret->environment));
	}
	static_assert(sizeof(ret->client) == sizeof(order->client), "a client fits");
	memcpy(ret->client, order->client, sizeof(order->client));
	(void)text_copy(ret->ref, sizeof(ret->ref),
	    order->program == PROGRAM_ACTION ? order->argument : order->ref); /* fits */
	ret->source = order->source;
	static_assert(sizeof(ret->tree) == sizeof(order->tree), "a digest fits");
	memcpy(ret->tree, order->tree, sizeof(ret->tree));
	ret->is_promoted = order->is_promoted;
	static_assert(sizeof(ret->without) == sizeof(order->without), "hosts fit");
	memcpy(ret->without, order->without, sizeof(ret->without));
	static_assert(sizeof(ret->wave) == sizeof(order->wave), "a wave fits");
	memcpy(ret->wave, order->wave, sizeof(ret->wave));
	ret->failures_max = (unsigned)order->failures_max;
	static_assert(PROTOCOL_HOSTS_MAX >= LIMIT_RUN_HOSTS, "hosts fit");
	ret->body = order->hosts;
	ret->body_len = order->hosts == NULL ? 0 : strlen(order->hosts);
	static_assert(sizeof(ret->fingerprint) == sizeof(order->binding), "a digest fits");
	memcpy(ret->fingerprint, order->binding, sizeof(ret->fingerprint));
}

bool
run_translate_knows(unsigned version, char why[LIMIT_LINE])
{
	(void)snprintf(why, LIMIT_LINE, "it speaks version %u, this program versions %d to %d",
	    version, PROTOCOL_SUPERVISOR_SINCE, PROTOCOL_VERSION);
	return version >= PROTOCOL_SUPERVISOR_SINCE && version <= PROTOCOL_VERSION;
}

/* A script may print a secret here too; of what was cut (at max bytes) the last word is left out,
 * which may be half of one.  Never empty. */
static void
make_safe(const char *said, size_t max, struct redact *redact, char *ret, size_t room)
{
	const struct run_tail_shape shape = { .max_lines = 1, .max_bytes = room - 1 };
	const size_t all = strlen(said);
	const char *word = all + 4 > max ? strrchr(said, ' ') : NULL;
	const struct run_tail_bytes bytes = { .data = said,
		.size = word != NULL ? (size_t)(word - said) :
		    all + 4 > max    ? 0 :
				       all };
	CLEANUP(buf_done) struct buf safe = buf_make(room);

	run_tail_of(&bytes, redact, &shape, &safe);
	(void)clean_line(ret, room, buf_text(&safe), safe.size);
	if (ret[0] == '\0')
		(void)text_copy(ret, room, REDACT_MARK);
}

void
run_translate_step(const char *said, struct redact *redact, char ret[LIMIT_STEP])
{
	static_assert(LIMIT_STEP > PROTOCOL_STEP_NAME, "a step's name fits");
	make_safe(said, PROTOCOL_STEP_NAME, redact, ret, LIMIT_STEP);
}

bool
run_translate_host(const char *line, size_t len, struct redact *redact, struct host_result *ret)
{
	static const char *const words[] = {
		[HOST_BEGAN] = "began", [HOST_OK] = "ok", [HOST_FAILED] = "failed"
	};
	char text[LIMIT_HOST + LIMIT_LINE], *word, *why = NULL;
	size_t index;

	if (len >= sizeof(text))
		return false;
	memcpy(text, line, len);
	text[len] = '\0';
	word = strchr(text, ' ');
	if (word != NULL)
		why = strchr(++word, ' ');
	if (why != NULL)
		*why++ = '\0';
	index = word == NULL ? COUNT(words) : text_index(word, words, COUNT(words));
	if (index == COUNT(words))
		return false;
	word[-1] = '\0';
	*ret = (struct host_result){ .word = (enum host_word)index };
	if (why != NULL)
		make_safe(why, PROTOCOL_WARNING, redact, ret->why, sizeof(ret->why));
	if (ret->word == HOST_FAILED && text_starts(ret->why, UNKNOWN)) {
		ret->word = HOST_UNKNOWN;
		memmove(
		    ret->why, ret->why + strlen(UNKNOWN), strlen(ret->why + strlen(UNKNOWN)) + 1);
	}
	return host_is_plain(text) && text_copy(ret->host, sizeof(ret->host), text);
}

/* Between characters: up to three bytes below the limit. */
static bool
is_cut(const char *warning)
{
	return strlen(warning) + 4 > PROTOCOL_WARNING;
}

static void
take_warnings(const struct protocol_record *record, struct redact *redact, struct run_warnings *ret)
{
	char line[LIMIT_LINE - sizeof("…")];
	size_t used = 0;

	static_assert(PROTOCOL_WARNINGS * (LIMIT_LINE + 1) <= LIMIT_WARNINGS, "all of them fit");
	ret->said = record->warning_count;
	for (size_t i = 0; i < PROTOCOL_WARNINGS && record->warnings[i][0] != '\0'; i++) {
		make_safe(record->warnings[i], PROTOCOL_WARNING, redact, line, sizeof(line));
		used += (size_t)snprintf(ret->lines + used, sizeof(ret->lines) - used, "%s%s%s",
		    i > 0 ? "\n" : "", line, is_cut(record->warnings[i]) ? "…" : "");
	}
}

void
run_translate_stuck(const struct protocol_message *stuck, char ret[LIMIT_LINE])
{
	char text[LIMIT_LINE + 64];
	const char *colon = stuck->text[0] == '\0' ? "" : ": ";

	if (stuck->pid != 0)
		(void)snprintf(text, sizeof(text), "process %d of it would not end%s%s",
		    (int)stuck->pid, colon, stuck->text);
	else
		(void)snprintf(
		    text, sizeof(text), "its end could not be reconciled%s%s", colon, stuck->text);
	(void)clean_line(ret, LIMIT_LINE, text, strlen(text));
}

static int64_t
duration_of(const struct run_context *context, const struct protocol_record *record)
{
	int64_t began = context->went_at, now = clock_wall_ms();

	if (!record->gate || record->ended_at == 0)
		return 0;
	if (context->log.said != NULL && (record->ended_at < began || record->ended_at > now))
		return began == 0 ? 0 : now - began; /* its host's clock is wrong */
	if (began == 0)
		began = run_files_started_at(context->log.state_directory, context->log.run);
	return began == 0 || record->ended_at < began ? 0 : record->ended_at - began;
}

/* Whoever sends it says before it what could not be done. */
static void
detail_of(const struct run_context *context, const struct protocol_record *record,
    char detail[LIMIT_LINE])
{
	char why[96];

	if (record->exec_errno != 0)
		(void)text_copy(
		    detail, LIMIT_LINE, strerror_r(record->exec_errno, why, sizeof(why)));
	else if (record->gate)
		run_tail_last(&context->log, detail, LIMIT_LINE);
}

struct run_ended *
run_translate_record(
    const struct run_context *context, const struct protocol_record *record, struct run_ended *ret)
{
	*ret = (struct run_ended){
		.run = context->log.run,
		.gate_opened = record->gate,
		/* Lost after `go`: nobody knows what it was doing, but in a migration. */
		.released =
		    record->released || (record->lost && record->gate && !record->migration),
		.no_rollback = record->no_rollback,
		.migration = record->migration,
		.drains = record->drains,
		.undone = record->undone,
		.lost = record->lost,
		.unswept = record->lost && record->unswept,
		.timed_out = record->timed_out,
		.ended_on_request = record->ended,
		.exec_errno = record->exec_errno,
		.exit_status = record->signal != 0 ? -1 : record->status,
		.signal_number = record->signal,
		.duration_ms = duration_of(context, record),
		.log_size = run_files_log_size(context->log.state_directory, context->log.run),
	};

	static_assert(sizeof(ret->image) == sizeof(record->image), "an image fits");
	memcpy(ret->image, record->image, sizeof(ret->image));
	take_warnings(record, context->log.redact, &ret->warnings);
	detail_of(context, record, ret->detail);
	if (record->gate && record->exec_errno == 0)
		run_tail_end(&context->log, ret->exit_status != 0, ret->tail, sizeof(ret->tail));
	if (record->gate && !context->is_agents)
		run_tail_application(&context->log, record->migration && !record->released,
		    ret->application_log, sizeof(ret->application_log));
	return ret;
}

void
run_translate_agent(struct protocol_message *message)
{
	struct protocol_record *record = &message->record;

	message->step_count = 0;
	record->released = record->no_rollback = record->migration = false;
	record->drains = record->undone = record->unswept = false;
	record->image[0] = '\0';
	record->warning_count = 0;
	record->warnings[0][0] = '\0';
}

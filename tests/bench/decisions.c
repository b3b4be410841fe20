/* decisions.c - how long handlers take with one application and with many, without the commit.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 *   decisions FOLDER APPLICATIONS COUNT
 *
 * A database in FOLDER (a tmpfs), APPLICATIONS applications of ten environments each, of which one
 * after the other gets a push, git's answer and a run that ends well: COUNT decisions.  Then an
 * admin asks, a few times each, what concerns all of them.  Prints one line of JSON: microseconds
 * of handlers' processor time, and how large the answers are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/text.h"
#include "routes/metric_set.h"
#include "settings/sources/settings_load.h"
#include "store/store.h"
#include "types/crossing.h"

#define ENVIRONMENTS 10
#define AT	     INT64_C(1767225600000)

struct bench {
	const char *folder;
	int applications;
	struct settings *settings;
	struct store *store;
	struct queue_list outcomes;
	struct metric_set *metrics;
	double *us; /* of each decision */
	size_t n, room;
	int64_t at;
	uint64_t drawn;
	size_t messages, bytes; /* that were sent */
};

static struct bench bench;

_Noreturn static void
die(const char *what)
{
	(void)fprintf(stderr, "decisions: %s\n", what);
	exit(1);
}

static double
processor_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
timed(struct tx *tx, const struct event *event)
{
	double began = processor_us();

	handlers[event->kind](tx, event);
	if (event->kind != EVENT_STARTED && bench.n < bench.room)
		bench.us[bench.n++] = processor_us() - began;
}

/* --- settings --- */

static void
write_application(int number)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/apps/app-%03d.env", bench.folder, number);
	file = fopen(path, "we");
	if (file == NULL)
		die(path);
	(void)fprintf(file,
	    "GITHUB_REPOSITORY=acme/app-%03d\nPOLL_REPOSITORY_SECONDS=0\n"
	    "ENVIRONMENTS=e0,e1,e2,e3,e4,e5,e6,e7,e8,e9\n",
	    number);
	for (int i = 0; i < ENVIRONMENTS; i++)
		(void)fprintf(file, "GITHUB_BRANCH_E%d=b%d\nE%d_CONFIRM=false\nE%d_HOST=h%d-%d\n",
		    i, i, i, i, number, i);
	if (fclose(file) != 0)
		die(path);
}

static void
load(void)
{
	static struct settings_report report;
	char apps[256], state[256];
	char *list[] = { (char[]){
			     "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789" },
		(char[]){ "ADMIN_TELEGRAM_IDS=11" }, (char[]){ "REGISTRY_URL=r.example.org" },
		(char[]){ "TELEGRAM_MODE=polling" }, apps, state, NULL };

	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", bench.folder);
	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", bench.folder);
	(void)mkdir(apps + strlen("APPS_DIRECTORY="), 0700);
	for (int i = 0; i < bench.applications; i++)
		write_application(i);
	if (!settings_load(NULL, list, &bench.settings, &report))
		die(report.lines[0].text);
	if (bench.settings->application_count != (size_t)bench.applications)
		die("not all applications were read");
}

/* --- deciding --- */

static void
on_answer(void *ctx, const struct answer *answer)
{
	*(int *)ctx = answer->status;
}

static void
decide(struct event *event)
{
	struct queue_list events = { 0 };
	struct err err;
	int status = 0;

	event->context.at = bench.at += 10;
	event->context.settings = settings_ref(bench.settings);
	memcpy(event->context.random, &bench.drawn, sizeof(bench.drawn));
	bench.drawn++;
	event->done = on_answer;
	event->done_ctx = &status;
	queue_list_add(&events, &event->link);
	if (!store_batch(bench.store, &events, &bench.outcomes, &err))
		die(err.text);
}

static void
report(struct effect *effect)
{
	struct event *result = TAKE(effect->result);

	effect_free(effect);
	decide(result);
}

static void
say(struct effect *effect)
{
	const struct message *message = &effect->u.send_message.message;
	struct message_sent *sent = &effect->result->u.message_sent;

	bench.messages++;
	bench.bytes += strlen(message->head);
	sent->message = message->id;
	sent->chat = message->address.chat;
	sent->remote_id = message->remote_id != 0 ? message->remote_id : message->id;
	report(effect);
}

/* The effect of one of two kinds that came of it; messages are sent, all else forgotten.  NULL:
 * none. */
static struct effect *
take_either(enum effect_kind kind, enum effect_kind other)
{
	struct effect *found = NULL;
	struct queue_link *link;

	while ((link = queue_list_take(&bench.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);
		struct effect *effect = TAKE(outcome->effect);

		if (outcome->kind == OUTCOME_ANSWER)
			outcome->done(outcome->done_ctx, &outcome->answer);
		if (outcome->kind == OUTCOME_METRIC)
			metric_set_count(bench.metrics, &outcome->increment);
		if (outcome->kind == OUTCOME_GAUGES)
			metric_set_gauges(bench.metrics, outcome->gauges, bench.settings);
		outcome_free(outcome);
		if (effect == NULL)
			continue;
		if (effect->kind == EFFECT_SEND_MESSAGE)
			say(effect);
		else if ((effect->kind == kind || effect->kind == other) && found == NULL)
			found = effect;
		else
			effect_free(effect);
	}
	return found;
}

static struct effect *
take(enum effect_kind kind)
{
	return take_either(kind, kind);
}

static void
push(int application, int environment, const char *commit)
{
	struct event *event = event_new(EVENT_DELIVERY);
	struct delivery *delivery = &event->u.delivery;

	delivery->kind = DELIVERY_PUSH;
	(void)snprintf(
	    delivery->id, sizeof(delivery->id), "d-%llu", (unsigned long long)bench.drawn);
	memcpy(delivery->digest, &bench.drawn, sizeof(bench.drawn));
	(void)snprintf(
	    delivery->repository, sizeof(delivery->repository), "acme/app-%03d", application);
	(void)snprintf(delivery->branch, sizeof(delivery->branch), "b%d", environment);
	(void)text_copy(delivery->login, sizeof(delivery->login), "octo");
	(void)text_copy(delivery->after, sizeof(delivery->after), commit);
	decide(event);
}

/* Decisions: a push, what git says, again at its turn beside what is live, the gate, the end. */
static void
deploy(int application, int environment)
{
	struct effect *query, *run;
	char commit[LIMIT_COMMIT], text[1024];
	struct event *started;

	(void)snprintf(commit, sizeof(commit), "%040llx", (unsigned long long)bench.drawn + 1);
	push(application, environment, commit);
	query = take(EFFECT_GIT_QUERY);
	if (query == NULL)
		die("git is not asked");
	(void)snprintf(text, sizeof(text),
	    "ref b%d\nkind branch\ncommit %s\nauthor Ann\nat 1767225600\nsubject Next\n"
	    "branch b%d\nbranch_commit %s\nin_branch 1\nlacks_after 0\nforced 0\ncount 0\nend\n",
	    environment, commit, environment, commit);
	while (query->kind == EFFECT_GIT_QUERY) {
		query->result->u.git_answered.answer = strdup(text);
		report(query);
		query = take_either(EFFECT_GIT_QUERY, EFFECT_RUN);
		if (query == NULL)
			die("nothing runs");
	}
	run = query;
	started = event_new(EVENT_RUN_STARTED);
	started->u.run_started = (struct run_started){
		.run = run->u.run.run, .pid = 4711, .start_time = 1, .boot = "boot"
	};
	decide(started);
	effect_free(take(EFFECT_RUN));
	run->result->u.run_ended =
	    (struct run_ended){ .run = run->u.run.run, .gate_opened = true, .released = true };
	report(run);
	effect_free(take(EFFECT_RUN));
}

static int
compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* --- asking --- */

#define ASKED 20

/* In microseconds, the median of several; what comes of the answers is decided on too, untimed. */
static void
ask(const char *command)
{
	double us[ASKED];

	bench.room = bench.n + ASKED;
	bench.us = reallocarray(bench.us, bench.room, sizeof(*bench.us));
	for (int i = 0; i < ASKED; i++) {
		struct event *event = event_new(EVENT_UPDATE);
		struct update *update = event->u.update = calloc(1, sizeof(*update));
		size_t before = bench.n;

		update->kind = UPDATE_TEXT;
		update->id = (int64_t)++bench.drawn;
		update->person = 11;
		update->address.chat = 11;
		update->is_private = true;
		(void)text_copy(update->name, sizeof(update->name), "@ada");
		(void)text_copy(update->text, sizeof(update->text), command);
		bench.at += 3600 * INT64_C(1000); /* no command too many */
		bench.messages = bench.bytes = 0;
		decide(event);
		us[i] = bench.us[before];
		bench.n = before;
		effect_free(take(EFFECT_PROBE));
		bench.n = before;
	}
	qsort(us, ASKED, sizeof(us[0]), compare);
	(void)printf(", \"%s\": {\"us\": %.0f, \"messages\": %zu, \"bytes\": %zu}", command,
	    us[ASKED / 2], bench.messages, bench.bytes);
}

/* The page with the series of all environments. */
static void
scrape(void)
{
	double us[ASKED], began;
	size_t bytes = 0;
	struct buf page;

	for (int i = 0; i < ASKED; i++) {
		buf_init(&page, 64 << 20);
		began = processor_us();
		metric_set_write(bench.metrics, &page);
		us[i] = processor_us() - began;
		bytes = page.size;
		buf_done(&page);
	}
	qsort(us, ASKED, sizeof(us[0]), compare);
	(void)printf(", \"/metrics\": {\"us\": %.0f, \"messages\": 0, \"bytes\": %zu}",
	    us[ASKED / 2], bytes);
}

int
main(int argc, char *argv[])
{
	static const char *const asked[] = { "/help", "/whoami", "/status", "/queue", "/history" };
	static store_handler *wrapped[EVENT_KIND_COUNT];
	struct store_config config = { .handlers = wrapped };
	char path[256], audit[256];
	struct err err;

	if (argc != 4)
		die("FOLDER APPLICATIONS COUNT");
	bench.folder = argv[1];
	bench.applications = (int)strtol(argv[2], NULL, 10);
	bench.room = (size_t)strtol(argv[3], NULL, 10);
	bench.us = calloc(bench.room, sizeof(*bench.us));
	bench.at = AT;
	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < EVENT_KIND_COUNT; i++)
		wrapped[i] = timed;
	(void)snprintf(path, sizeof(path), "%s/db", bench.folder);
	(void)snprintf(audit, sizeof(audit), "%s/audit.log", bench.folder);
	config.path = path;
	config.audit_path = audit;
	load();
	bench.metrics = metric_set_new();
	metric_set_settings(bench.metrics, bench.settings);
	bench.store = store_open(&config, &err);
	if (bench.store == NULL ||
	    !store_recover(bench.store, bench.settings, bench.at, &bench.outcomes, &err))
		die(err.text);
	decide(event_new(EVENT_STARTED));
	effect_free(take(EFFECT_RUN));
	for (int i = 0; bench.n < bench.room; i++)
		deploy(i % bench.applications, i / bench.applications % ENVIRONMENTS);
	qsort(bench.us, bench.n, sizeof(*bench.us), compare);
	(void)printf("{\"p50\": %.1f, \"p99\": %.1f, \"worst\": %.1f", bench.us[bench.n / 2],
	    bench.us[bench.n * 99 / 100], bench.us[bench.n - 1]);
	for (size_t i = 0; i < COUNT(asked); i++)
		ask(asked[i]);
	scrape();
	(void)printf("}\n");
	store_close(bench.store);
	metric_set_free(bench.metrics);
	settings_unref(bench.settings);
	free(bench.us);
	return 0;
}

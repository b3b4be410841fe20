/* Goal: a log that somebody asked for comes as a clean document, or its failure is reported, once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "runs/run_files.h"
#include "runs/run_source.h"
#include "runs/runs.h"
#include "settings/sources/settings_load.h"
#include "telegram/telegram.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

#define PATIENCE 300000 /* a guard against hanging; on a loaded machine it packs for long */
#define SECRET	 "hunter2-hunter2-hunter2"
#define CHAT	 INT64_C(-1002)

struct scene {
	char folder[64];
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *settings;
	struct settings *bot;
	struct redact *redact;
	struct telegram *telegram;
	struct runs *runs;
	struct run_source *source;
	struct perform perform;
	struct event *result;
	bool is_done;
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_null(scene->result);
	scene->result = event;
	scene->is_done = true;
}

static bool
take_update(UNUSED void *ctx, UNUSED struct event *event)
{
	return false;
}

static void
path_of(const struct scene *scene, char path[128], const char *name)
{
	(void)snprintf(path, 128, "%s/%s", scene->folder, name);
}

/* A runner that does nothing: no run is begun here. */
static bool
start_runs(struct scene *scene)
{
	char path[128], state[128];
	char *environment[] = { "TELEGRAM_BOT_TOKEN=1234567:abcdefghijklmnopqrstuvwxyz0123456789",
		"ADMIN_TELEGRAM_IDS=7", "GITHUB_REPOSITORY=a/b", state, NULL };
	struct settings_report report = { 0 };
	struct err err;

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s", scene->folder);
	if (!settings_load(NULL, environment, &scene->settings, &report))
		return false;
	path_of(scene, path, "runner");
	if (!file_write(path, "#!/bin/sh\nexec cat <&3 >/dev/null\n", 34, 0755, &err))
		return false;
	scene->runs = runs_start(scene->loop,
	    &(struct runs_config){
		.runner = path, .settings = scene->settings, .redact = scene->redact },
	    &err);
	return scene->runs != NULL;
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char path[128];
	struct err err;

	assert_non_null(scene);
	*state = scene;
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/test_perform_document-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	path_of(scene, path, "runs");
	assert_int_equal(mkdir(path, 0700), 0);
	scene->loop = loop_new(NULL);
	scene->redact = redact_new();
	assert_true(redact_add(scene->redact, SECRET, NULL));
	scene->fake = fake_telegram_new(scene->loop);
	scene->bot = fake_telegram_settings(scene->fake, NULL);
	scene->telegram = telegram_new(
	    &(struct telegram_config){
		.loop = scene->loop, .settings = scene->bot, .submit = take_update, .ctx = scene },
	    &err);
	assert_non_null(scene->telegram);
	assert_true(start_runs(scene));
	scene->source = run_source_new(scene->loop, NULL, scene->folder, scene->redact);
	scene->perform = (struct perform){ .loop = scene->loop,
		.source = scene->source,
		.runs = scene->runs,
		.telegram = scene->telegram,
		.submit = take,
		.submit_ctx = scene };
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;
	char path[128];

	perform_done(&scene->perform);
	run_source_free(scene->source);
	telegram_free(scene->telegram);
	runs_free(scene->runs);
	event_free(scene->result);
	settings_unref(scene->settings);
	settings_unref(scene->bot);
	fake_telegram_free(scene->fake);
	redact_free(scene->redact);
	loop_free(scene->loop);
	path_of(scene, path, "runs/7/log");
	(void)unlink(path);
	path_of(scene, path, "runs/7");
	(void)rmdir(path);
	path_of(scene, path, "runs");
	(void)rmdir(path);
	path_of(scene, path, "runner");
	(void)unlink(path);
	assert_int_equal(rmdir(scene->folder), 0); /* no temporary file stays */
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
write_log(const struct scene *scene, const char *text, size_t times)
{
	char path[128];
	FILE *log;

	path_of(scene, path, "runs/7");
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(scene, path, "runs/7/log");
	log = fopen(path, "we");
	assert_non_null(log);
	for (size_t i = 0; i < times; i++)
		assert_true(fputs(text, log) >= 0);
	assert_int_equal(fclose(log), 0);
}

static void
ask(struct scene *scene, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_DOCUMENT);

	assert_non_null(effect);
	effect->id = 9;
	effect->is_recovered = is_recovered;
	effect->u.document.run = 7;
	effect->u.document.address = (struct chat_address){ .chat = CHAT };
	(void)text_copy(effect->u.document.file_name, sizeof(effect->u.document.file_name),
	    "staging-1a2b3c4-7.log");
	(void)text_copy(effect->u.document.caption, sizeof(effect->u.document.caption),
	    "Log of staging 1a2b3c4");
	perform_effect(&scene->perform, effect);
}

/* What the Bot API got as sendDocument; NULL: nothing. */
static const struct fake_heard *
reported(struct scene *scene, const char *failure)
{
	if (!scene->is_done)
		(void)fake_run_until(scene->loop, &scene->is_done, PATIENCE);
	assert_non_null(scene->result);
	assert_int_equal(scene->result->kind, EVENT_DOCUMENTED);
	assert_int_equal(scene->result->effect, 9);
	if (failure[0] == '\0')
		assert_string_equal(scene->result->u.message_sent.failure, "");
	else
		assert_non_null(strstr(scene->result->u.message_sent.failure, failure));
	return fake_telegram_heard(scene->fake, "sendDocument", 0);
}

static bool
has(const struct fake_heard *heard, const char *part)
{
	return memmem(heard->body, heard->size, part, strlen(part)) != NULL;
}

SCENE_TEST(a_log_comes_as_a_document_without_its_secrets)
{
	const struct fake_heard *heard;

	write_log(scene, "the key is " SECRET "\nred \033[31mcolour\n", 1);
	ask(scene, false);
	assert_null(scene->result); /* not inside the call */
	heard = reported(scene, "");
	assert_non_null(heard);
	assert_true(has(heard, "filename=\"staging-1a2b3c4-7.log\""));
	assert_true(has(heard, "Log of staging 1a2b3c4"));
	assert_true(has(heard, "-1002"));
	assert_true(has(heard, "the key is "));
	assert_true(has(heard, "red colour"));
	assert_false(has(heard, SECRET));
	assert_int_equal(fake_telegram_count(scene->fake, "sendDocument"), 1);
}

SCENE_TEST(a_large_log_is_packed)
{
	const struct fake_heard *heard;

	write_log(scene, "one more line of a log that is long\n", 100000);
	ask(scene, true); /* after a restart it is the same */
	heard = reported(scene, "");
	assert_non_null(heard);
	assert_true(has(heard, "filename=\"staging-1a2b3c4-7.log.gz\""));
	assert_true(has(heard, "\x1f\x8b"));
	assert_true(heard->size < 1 << 20);
}

SCENE_TEST(a_log_that_is_gone_is_reported)
{
	ask(scene, false);
	assert_null(reported(scene, "run 7: its folder: No such file"));
}

SCENE_TEST(an_empty_log_is_reported)
{
	write_log(scene, "", 1);
	ask(scene, false);
	assert_null(reported(scene, "the log is empty"));
}

SCENE_TEST(telegrams_final_no_is_reported)
{
	fake_telegram_script(scene->fake, "sendDocument", 403,
	    "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was kicked\"}");
	write_log(scene, "x\n", 1);
	ask(scene, false);
	assert_non_null(reported(scene, "bot was kicked"));
}

/* Under the sanitizers: job, descriptor and effect are freed, and nothing is reported. */
SCENE_TEST(the_program_may_end_while_it_is_sent)
{
	fake_telegram_script(scene->fake, "sendDocument", 0, "");
	write_log(scene, "x\n", 1);
	ask(scene, false);
	assert_true(fake_run_until_heard(scene->loop, scene->fake, "sendDocument", 1, PATIENCE));
	assert_null(scene->result);
}

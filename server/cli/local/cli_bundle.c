/* cli_bundle.c - `settings bundle`: what a remote runner needs of the settings, as a tar.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "settings/sources/settings_bundle.h"
#include "settings/sources/settings_folder.h"

#define BLOCK	 512
#define MEMBER	 (ENV_FILE_MAX + 2 * BLOCK)
#define APP_NAME 64

/* POSIX ustar: numbers are octal. */
struct tar_header {
	char name[100], mode[8], user_id[8], group_id[8], size[12], time[12], sum[8], type[1];
	char link[100], magic[8], user[32], group[32], rest[183];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "one block");

/* As the runner's package has its settings file: root's, and its group's to read; also under a
 * umask that lets nobody in.  A name with a slash behind it: a folder. */
static void
add_header(struct buf *tar, const char *name, size_t size, const struct stat *of)
{
	struct tar_header header = { .user_id = "0000000",
		.group_id = "0000000",
		.sum = "       ",
		.magic = "ustar\00000",
		.user = "root",
		.group = "deploybot" };
	bool is_folder = text_ends(name, "/");
	unsigned sum = ' ';

	header.type[0] = is_folder ? '5' : '0';
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", is_folder ? 0750U : 0640U);
	(void)snprintf(header.name, sizeof(header.name), "%s", name);
	(void)snprintf(header.size, sizeof(header.size), "%011zo", size);
	(void)snprintf(
	    header.time, sizeof(header.time), "%011llo", (unsigned long long)of->st_mtim.tv_sec);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += ((const unsigned char *)&header)[i];
	(void)snprintf(header.sum, sizeof(header.sum), "%06o", sum);
	header.sum[7] = ' ';
	buf_add(tar, &header, sizeof(header));
}

static bool
add_member(struct buf *tar, const struct settings *s, const char *runner, const char *path,
    struct err *err)
{
	static const char zeros[BLOCK];
	char name[APP_NAME] = "deploybot.conf";
	CLEANUP(buf_done) struct buf text = buf_make(ENV_FILE_MAX);
	struct stat status;

	if (s->application[0] != '\0')
		(void)snprintf(name, sizeof(name), "apps/%s.env", s->application);
	if (!settings_bundle(s, runner, path, &text, err))
		return false;
	if (stat(path, &status) != 0)
		return err_errno(err, ERR_IO, errno, "%s", path);
	if (s->application_count > 0)
		add_header(tar, "apps/", 0, &status);
	add_header(tar, name, text.size, &status);
	buf_add(tar, buf_text(&text), text.size);
	buf_add(tar, zeros, (BLOCK - text.size % BLOCK) % BLOCK);
	return true;
}

static bool
add_applications(struct buf *tar, const struct settings *s, const char *runner,
    const char *env_file, struct err *err)
{
	char path[SETTING_APPS_FILE_MAX];

	for (size_t i = 0; i < s->application_count; i++)
		if (settings_is_runner_of(s->applications[i], runner) &&
		    (!cli_application_file(env_file, s, s->applications[i]->application, path) ||
			!add_member(tar, s->applications[i], runner, path, err)))
			return false;
	return true;
}

static void
warn(const struct settings *s, const char *runner)
{
	if (!settings_is_runner_of(s, runner))
		(void)fprintf(
		    stderr, "warning  no <ENV>_RUNNER is %s: it has no environment\n", runner);
	for (size_t i = 0; i < s->refused_count; i++)
		(void)fprintf(stderr, "warning  left out: %s: %s\n", s->refused[i].file,
		    s->refused[i].reason);
}

int
cli_settings_bundle(const struct cli *cli)
{
	static const char end[2 * BLOCK];
	const char *runner = cli->argv[0];
	CLEANUP(buf_done)
	struct buf tar = buf_make((size_t)(SETTINGS_APPLICATIONS_MAX + 1) * MEMBER);
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	if (!settings_has_runner(s, runner)) {
		(void)fprintf(stderr, "error: \"%.64s\" is none of RUNNERS (%s)\n", runner,
		    s->link.runners != NULL ? s->link.runners : "there are none");
		return EX_NOINPUT;
	}
	if (cli->env_file == NULL || isatty(STDOUT_FILENO)) {
		(void)fprintf(stderr, "error: %s\n",
		    cli->env_file == NULL ?
			"there is no settings file: --env-file FILE names one" :
			"it is a tar, not for a terminal: add >FILE, or | tar -xO to read it");
		return EX_USAGE;
	}
	warn(s, runner);
	if (!add_member(&tar, s, runner, cli->env_file, &err) ||
	    !add_applications(&tar, s, runner, cli->env_file, &err))
		return cli_fail(&err);
	buf_add(&tar, end, sizeof(end));
	if (!buf_check(&tar, &err))
		return cli_fail(&err);
	return fwrite(buf_text(&tar), tar.size, 1, stdout) == 1 && fflush(stdout) == 0 ? EX_OK :
											 EX_IOERR;
}

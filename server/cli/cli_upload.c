/* cli_upload.c - sends an archive to the running server, and follows its deployment.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_code.h"
#include "cli/cli_server.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/limits.h"

#define NEEDS_CODE 428
#define MB	   (1024.0 * 1024)

/* What it is inside, the runner sees. */
static bool
open_file(const char *path, struct cli_file *ret, struct err *err)
{
	struct stat st;

	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ret->fd < 0 || fstat(ret->fd, &st) != 0)
		return err_errno(err, ERR_MISSING, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID,
		    "%.120s is no file: make one of a folder with tar -czf site.tar.gz -C FOLDER .",
		    path);
	ret->size = st.st_size;
	return (ret->size > 0 && ret->size <= LIMIT_UPLOAD) ||
	    err_set(err, ERR_LIMIT,
		"%.80s has %.1f MB: expected 1 byte to %d MB; leave out what can be built or fetched",
		ret->name, (double)ret->size / MB, LIMIT_UPLOAD >> 20);
}

static void
show_progress(const struct cli_file *file, int64_t sent)
{
	(void)fprintf(stderr, "\rsending %s: %.1f of %.1f MB%s", file->name, (double)sent / MB,
	    (double)file->size / MB, sent == file->size ? "\n" : "");
}

/* Once more with a code, where that is what is missing and somebody can type it. */
static bool
send_it(const struct cli_server *local, const char *target, struct cli_file *file,
    struct cli_answer *ret, struct err *err)
{
	char code[CLI_CODE], shown[64] = "";
	const char *question;
	bool ok;

	if (!cli_api_send(&local->api, target, file, ret, err))
		return false;
	if (ret->status != NEEDS_CODE || isatty(STDIN_FILENO) != 1)
		return true;
	question = json_get_str(ret->json, "question");
	if (question != NULL)
		(void)fprintf(stderr, "%s\n", question);
	(void)text_copy(shown, sizeof(shown), json_text(ret->json, "shown"));
	if (!cli_code_read("Code of your second factor: ", code))
		return err_set(err, ERR_INVALID, "no code was given: expected six digits");
	file->code = code;
	file->shown = shown[0] != '\0' ? shown : NULL;
	cli_answer_done(ret);
	ok = cli_api_send(&local->api, target, file, ret, err);
	file->code = file->shown = NULL;
	crypto_wipe(code, sizeof(code));
	return ok;
}

int
cli_upload(struct cli_server *local)
{
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	char path[4096], name[LIMIT_FILE_NAME], target[128];
	struct cli_file file = { .fd = -1, .name = name };
	struct err err;
	bool ok;

	if (!text_copy(path, sizeof(path), local->argv[1]))
		return cli_server_fail(local, EX_USAGE, "that path is too long");
	(void)clean_line(name, sizeof(name), basename(path), strlen(basename(path)));
	text_setf(target, "/v1/upload/%.80s", local->argv[0]);
	if (!cli_is_path(local->argv[0]) || strlen(local->argv[0]) > 80)
		return cli_server_fail(local, EX_USAGE, "expected an environment, as shop/staging");
	if (isatty(STDERR_FILENO) == 1 && !local->is_json)
		file.progress = show_progress;
	ok = open_file(local->argv[1], &file, &err) && send_it(local, target, &file, &answer, &err);
	file_closep(&file.fd);
	if (!ok)
		return cli_server_fail(local, err_exit_status(err.code), err.text);
	return cli_server_go_on(local, &answer);
}

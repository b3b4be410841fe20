/* cli_secrets_fetch.c - `deploybot secrets fetch`: deploy/secrets.sh, and what that asks of us.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The script runs each NAME_COMMAND and keeps what it prints.  No shell reads the settings, or
 * looks at a value: for that it calls `secrets commands` and `secrets take`, which nobody types.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "lib/crypto.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/path.h"
#include "lib/text.h"
#include "settings/sources/settings_commands.h"

#define SCRIPT	   "secrets.sh"
#define OUTPUT_MAX 16384

static int
complain(const struct cli *cli, const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", cli->program, what);
	return EX_CONFIG;
}

/* --- the script --- */

/* -p: nothing of the environment is a function, an option or a file of bash's. */
int
cli_secrets_fetch(const struct cli *cli)
{
	static struct {
		enum cli_option option;
		char name[16];
	} passed[] = { { OPTION_FOLDER, "--folder" }, { OPTION_USERS, "--users" } };
	char script[PATH_MAX], program[PATH_MAX];
	char *words[10] = { "/bin/bash", "-p", script, program };
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	struct err err;
	size_t n = 4;

	if (size < 1 || !doctor_find_script(SCRIPT, script))
		return complain(cli, "deploy/" SCRIPT " is not installed beside the program");
	if (geteuid() == 0 && !path_is_safe(script, &err)) {
		(void)err_wrap(&err, "others than root could replace what is run");
		return complain(cli, err.text);
	}
	program[size] = '\0';
	words[n++] = cli->env_file == NULL ? "" : (char *)(uintptr_t)cli->env_file;
	for (size_t i = 0; i < COUNT(passed); i++) {
		if (cli->value[passed[i].option] == NULL)
			continue;
		words[n++] = passed[i].name;
		words[n++] = cli->value[passed[i].option];
	}
	(void)execv(words[0], words);
	return complain(cli, "/bin/bash cannot be started");
}

/* --- which commands there are --- */

static void
print_field(const char *text)
{
	(void)fwrite(text, 1, strlen(text) + 1, stdout);
}

/* Side, name, why it may not be run, its words, and an empty field; each ends with a NUL. */
static void
print_command(const struct env_entry *entry)
{
	char name[SETTING_NAME_MAX], *words[SETTINGS_COMMAND_WORDS + 1];
	const struct settings_spec *spec;
	struct err err = { 0 };
	CLEANUP(freep) char *copy = NULL;

	if (entry->value[0] == '\0' || !settings_command_of(entry->name, name, &spec))
		return;
	copy = mem_text(entry->value);
	print_field(settings_command_side(spec));
	print_field(name);
	if (settings_command_words(copy, words, &err) &&
	    (path_is_safe(words[0], &err) ||
		err_wrap(&err, "others than root could replace what it runs"))) {
		print_field("");
		for (size_t i = 0; words[i] != NULL; i++)
			print_field(words[i]);
	} else {
		print_field(err.text);
	}
	print_field("");
}

int
cli_secrets_commands(const struct cli *cli)
{
	CLEANUP(env_file_done) struct env_file file = { 0 };
	struct err err;

	if (cli->env_file == NULL)
		return complain(cli, "there is no settings file: --env-file FILE");
	if (!path_is_safe(cli->env_file, &err)) {
		(void)err_wrap(&err, "others than root could change what is run");
		return complain(cli, err.text);
	}
	if (!env_file_read(&file, cli->env_file, &err))
		return complain(cli, err.text);
	for (size_t i = 0; i < file.count; i++)
		print_command(&file.entries[i]);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* --- what one has printed --- */

/* As ssh-keygen writes it; ssh wants its last newline too. */
static bool
check_key(char *out, size_t size, struct err *err)
{
	static const char begin[] = "-----BEGIN ", behind[] = "PRIVATE KEY-----\n";
	const char *line;

	if (out[size - 1] != '\n') {
		out[size++] = '\n'; /* there is room for a NUL more */
		out[size] = '\0';
	}
	line = strchr(out, '\n');
	assert(line != NULL);
	for (const char *at = out; *at != '\0'; at++)
		if ((*at < ' ' && *at != '\n') || *at > '~')
			return err_set(err, ERR_CONFIG, "it printed what is in no private key");
	return (text_starts(out, begin) && (size_t)(line + 1 - out) > sizeof(behind) &&
		   text_starts(line + 2 - sizeof(behind), behind) &&
		   strstr(line, "\n-----END ") != NULL && text_ends(out, behind)) ||
	    err_set(err, ERR_CONFIG,
		"it printed no private key, from -----BEGIN … PRIVATE KEY----- to its -----END");
}

/* What may stand there; no part of it is in an error. */
static bool
check_output(const struct settings_spec *spec, char *out, size_t size, struct err *err)
{
	out[size] = '\0';
	if (size > OUTPUT_MAX)
		return err_set(err, ERR_LIMIT, "it printed more than %d bytes", OUTPUT_MAX);
	if (strlen(out) != size)
		return err_set(err, ERR_CONFIG, "it printed a NUL byte");
	if (settings_command_is_key(spec) && size > 0)
		return check_key(out, size, err);
	while (size > 0 && (out[size - 1] == '\n' || out[size - 1] == '\r'))
		out[--size] = '\0';
	if (size == 0)
		return err_set(err, ERR_CONFIG, "it printed nothing");
	return setting_check(spec->type, out, true, err) || err_wrap(err, "what it printed");
}

/* May what one has printed, on stdin, be the value of that setting (NAME_COMMAND)?  64: there is
 * no such setting. */
int
cli_secrets_take(const struct cli *cli)
{
	static char out[OUTPUT_MAX + 2];
	char name[SETTING_NAME_MAX];
	const struct settings_spec *spec;
	struct err err;
	bool is_good;

	if (!settings_command_of(cli->argv[0], name, &spec))
		return EX_USAGE;
	is_good = check_output(spec, out, fread(out, 1, OUTPUT_MAX + 1, stdin), &err);
	if (!is_good)
		(void)fprintf(stderr, "%s\n", err.text);
	else if (fputs(out, stdout) == EOF || fflush(stdout) != 0)
		is_good = false;
	crypto_wipe(out, sizeof(out));
	return is_good ? EX_OK : EX_DATAERR;
}

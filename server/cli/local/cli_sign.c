/* cli_sign.c - `deploybot sign`: a request for curl, signed by a workflow's key.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/shell.h"
#include "lib/text.h"
#include "routes/route_key.h"
#include "types/settings.h"
#include "types/workflow.h"

#define KEY_TEXT 256
#define LINE_MAX 65536 /* a request has 16384 at most */
#define ID_BYTES 16

/* One line of a file, or of standard input: no argument has it, which all users of the machine
 * could read. */
static bool
read_key(const char *path, char ret[KEY_TEXT], struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	bool is_read = file != NULL && fgets(ret, KEY_TEXT, file) != NULL;

	if (file != NULL && !is_stdin)
		(void)fclose(file);
	if (!is_read)
		return err_set(err, ERR_MISSING, "no key can be read from %.200s", path);
	ret[strcspn(ret, "\r\n")] = '\0';
	return true;
}

static bool
find_key(const struct settings *s, const char *id, char ret[KEY_TEXT], struct err *err)
{
	struct workflow workflow;

	assert(id != NULL); /* read_request() wants it where there is no file */
	for (size_t at = 0; workflow_next(s, &at, &workflow);)
		if (strcmp(workflow.id, id) == 0 && workflow.key.values[0] != NULL)
			return text_copy(ret, KEY_TEXT, workflow.key.values[0]) ||
			    err_set(err, ERR_LIMIT, "the key of %s is too long", id);
	return err_set(err, ERR_MISSING, "no workflow %.60s has a WORKFLOW_<NAME>_KEY here", id);
}

static void
add_header(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " -H '%s: %s'", name, value); /* ours: no quote is in it */
}

/* url: where it is sent; NULL: where the variable BOT says. */
static bool
print_line(const char *key, const char *url, struct route_key_request *request, struct err *err)
{
	CLEANUP(buf_done) struct buf out = buf_make(LINE_MAX);
	uint8_t random[ID_BYTES];
	char id[2 * ID_BYTES + 1], at[24], signature[ROUTE_KEY_SIGNATURE];

	if (!crypto_random(random, sizeof(random), err))
		return false;
	text_hex(id, random, sizeof(random));
	(void)snprintf(at, sizeof(at), "%" PRId64, clock_wall_ms() / 1000);
	request->headers = (struct forge_headers){ .id = id, .timestamp = at };
	if (!route_key_sign(key, request, signature, err))
		return false;
	buf_adds(&out, "curl -sS --fail-with-body");
	add_header(&out, "webhook-id", id);
	add_header(&out, "webhook-timestamp", at);
	add_header(&out, "webhook-signature", signature);
	if (request->body != NULL) {
		add_header(&out, "Content-Type", "application/json");
		buf_adds(&out, " --data-raw ");
		shell_add_word(&out, request->body);
	}
	buf_adds(&out, url == NULL ? " \"$BOT\"" : " ");
	if (url != NULL)
		shell_add_word(&out, url);
	shell_add_word(&out, request->path);
	if (!buf_check(&out, err))
		return false;
	(void)printf("%s\n", buf_text(&out));
	return true;
}

/* False: it was said. */
static bool
read_request(const struct cli *cli, struct route_key_request *ret)
{
	bool is_post = strcmp(cli->argv[0], "POST") == 0;
	const char *path = cli->argv[1], *body = cli->argc > 2 ? cli->argv[2] : "{}";

	if (!text_starts(path, "/v1/") ||
	    strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_.-") !=
		strlen(path)) {
		(void)cli_refuse(cli, OPTION_COUNT, path, NULL);
		return false;
	}
	if (!is_post && cli->argc > 2) {
		(void)cli_refuse(cli, OPTION_COUNT, body, "nothing: a GET has no body");
		return false;
	}
	if (cli->value[OPTION_WORKFLOW] == NULL && cli->value[OPTION_KEY_FILE] == NULL) {
		(void)fputs(
		    "error: whose key is it? --workflow NAME, or --key-file FILE\n", stderr);
		return false;
	}
	*ret = (struct route_key_request){ .method = cli->argv[0],
		.path = path,
		.body = is_post ? body : NULL,
		.size = is_post ? strlen(body) : 0 };
	return true;
}

int
cli_sign(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	const char *workflow = cli->value[OPTION_WORKFLOW], *file = cli->value[OPTION_KEY_FILE];
	struct route_key_request request;
	char key[KEY_TEXT];
	struct err err;
	bool ok;

	if (!read_request(cli, &request))
		return EX_USAGE;
	if (workflow != NULL && (s = cli_settings(cli, false)) == NULL)
		return EX_CONFIG;
	ok = file != NULL ? read_key(file, key, &err) : find_key(s, workflow, key, &err);
	ok = ok &&
	    print_line(
		key, s == NULL ? NULL : settings_text(s, SETTING_PUBLIC_URL), &request, &err);
	crypto_wipe(key, sizeof(key));
	return ok ? EX_OK : cli_fail(&err);
}

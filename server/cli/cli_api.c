/* cli_api.c - asks the running server over LOCAL_SOCKET, and waits for its answer.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_api.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/api.h"
#include "types/settings.h"

/* Of each step: what is only read is there at once, a command is answered within 13. */
#define PATIENCE_S     20
#define GET_PATIENCE_S 5
#define ANSWER_MAX     ((size_t)8 << 20)
/* A GET that is one too many: each of these gives the server's bucket two tokens. */
#define AGAIN_MS  200
#define AGAIN_MAX 25

/* A link counts as who made it. */
static bool
is_ours(const char *file)
{
	struct stat st;

	return lstat(file, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid());
}

/* The settings file that may say where the socket is; NULL: none. */
static const char *
file_of(const struct cli *cli)
{
	if (cli->env_file == NULL || cli->value[OPTION_ENV_FILE] != NULL ||
	    strcmp(cli->env_file, CLI_FILE_HERE) != 0 || is_ours(CLI_FILE_HERE))
		return cli->env_file;
	return access(CLI_SETTINGS_FILE, F_OK) == 0 ? CLI_SETTINGS_FILE : NULL;
}

bool
cli_api_of(const struct cli *cli, const char *as, struct cli_api *ret, struct err *err)
{
	const char *path = getenv("LOCAL_SOCKET"); /* NOLINT(concurrency-mt-unsafe): one thread */
	const char *name = file_of(cli);
	CLEANUP(env_file_done) struct env_file file = { 0 };

	*ret = (struct cli_api){ .as = as };
	/* A file that is named is read, or refused, also where the environment wins over it. */
	if (name != NULL && (path == NULL || cli->value[OPTION_ENV_FILE] != NULL)) {
		if (env_file_read(&file, name, err))
			path = path == NULL ? env_file_text(&file, "LOCAL_SOCKET") : path;
		else if (cli->value[OPTION_ENV_FILE] != NULL)
			return false;
		else
			ret->unread = name;
	}
	if (path == NULL || path[0] == '\0')
		path = SETTINGS_LOCAL_SOCKET;
	return text_copy(ret->path, sizeof(ret->path), path) ||
	    err_set(err, ERR_INVALID, "LOCAL_SOCKET: the path is too long");
}

void
cli_answer_done(struct cli_answer *answer)
{
	json_free(answer->json);
	free(answer->body);
	*answer = (struct cli_answer){ 0 };
}

/* Whoever listens learns what we ask, and answers: root (or systemd for it), we, or who has the
 * folder that the socket stands in. */
static bool
is_trusted(int fd, const char *path)
{
	char folder[sizeof(((struct cli_api *)NULL)->path)];
	socklen_t size = sizeof(struct ucred);
	struct ucred peer;
	struct stat st;

	(void)text_copy(folder, sizeof(folder), path); /* of the same size */
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid() ||
		(strchr(path, '/') != NULL && stat(dirname(folder), &st) == 0 &&
		    peer.uid == st.st_uid));
}

static bool
say_nobody(const struct cli_api *api, struct err *err)
{
	if (api->unread != NULL)
		return err_set(err, ERR_BUSY,
		    "nobody listens on %s: the server does not run (systemctl status deploybot), or it listens elsewhere: %s cannot be read by you, so the default socket was asked; LOCAL_SOCKET names another",
		    api->path, api->unread);
	return err_set(err, ERR_BUSY,
	    "nobody listens on %s: the server does not run (systemctl status deploybot), or it listens elsewhere: set LOCAL_SOCKET to one path for both",
	    api->path);
}

static bool
connect_to(const struct cli_api *api, int patience_s, int *ret, struct err *err)
{
	const struct timeval patience = { .tv_sec = patience_s };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!text_copy(address.sun_path, sizeof(address.sun_path), api->path))
		return err_set(
		    err, ERR_INVALID, "LOCAL_SOCKET: the path is too long: %s", api->path);
	*ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret < 0 ||
	    setsockopt(*ret, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(*ret, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return err_errno(err, ERR_IO, errno, "socket");
	if (connect(*ret, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return is_trusted(*ret, api->path) ||
		    err_set(err, ERR_DENIED,
			"%s: who listens there is neither root, nor you, nor who has that folder: nothing was sent to them; see LOCAL_SOCKET",
			api->path);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return say_nobody(api, err);
	return err_errno(err, ERR_IO, errno, "%s", api->path);
}

/* *ret_ended: the server takes no more of it, and may have answered. */
static bool
send_all(int fd, const char *data, size_t size, bool *ret_ended, struct err *err)
{
	ssize_t n;

	*ret_ended = false;
	for (size_t done = 0; done < size && !*ret_ended; done += n > 0 ? (size_t)n : 0) {
		n = send(fd, data + done, size - done, MSG_NOSIGNAL);
		*ret_ended = n < 0 && (errno == EPIPE || errno == ECONNRESET);
		if (n < 0 && errno != EINTR && !*ret_ended)
			return err_errno(err, ERR_IO, errno, "the server does not read");
	}
	return true;
}

static bool
send_file(int fd, const struct cli_file *file, struct err *err)
{
	char piece[65536];
	bool is_ended = false;
	ssize_t n;

	for (int64_t at = 0; at < file->size && !is_ended; at += n) {
		n = pread(file->fd, piece, sizeof(piece), at);
		if (n <= 0 || n > file->size - at)
			return err_set(err, ERR_IO, "%s has changed while it was sent", file->name);
		if (!send_all(fd, piece, (size_t)n, &is_ended, err))
			return false;
		if (file->progress != NULL)
			file->progress(file, at + n);
	}
	return true;
}

static bool
receive_all(int fd, bool waits, struct buf *answer, struct err *err)
{
	char piece[16384];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof(piece), 0)) != 0) {
		if (n < 0 && errno == EINTR && !waits)
			continue;
		if (n < 0 && errno == ECONNRESET)
			break;
		if (n < 0)
			return err_set(err, ERR_TIMEOUT,
			    "the server does not answer: see its log, or try again");
		buf_add(answer, piece, (size_t)n);
	}
	if (answer->size == 0)
		return err_set(err, ERR_BUSY,
		    "the server has closed the connection: try again, or see its log");
	return buf_check(answer, err);
}

static bool
is_shown(uint32_t code)
{
	return code == '\n' || code == '\t' || !clean_is_harmful(code);
}

/* The escape at text is one of a character that is no control; *ret_size: of the whole escape. */
static bool
is_escape_shown(const char *text, size_t *ret_size)
{
	char digits[5] = "";

	*ret_size = 2;
	if (text[1] != 'u')
		return text[1] != 'b' && text[1] != 'f' && text[1] != 'r';
	memcpy(digits, text + 2, strnlen(text + 2, 4));
	*ret_size = 2 + strlen(digits);
	return is_shown((uint32_t)strtoul(digits, NULL, 16));
}

/* JSON of whoever answers: what a terminal would obey is left out, in its strings too. */
static void
strip_controls(char *json)
{
	size_t size = strlen(json), used = 0, n;

	for (size_t at = 0; at < size; at += n) {
		uint32_t code;
		bool is_kept;

		n = text_decode(json + at, size - at, &code);
		is_kept = n > 0 && is_shown(code);
		if (n == 0)
			n = 1;
		if (is_kept && code == '\\' && at + 1 < size)
			is_kept = is_escape_shown(json + at, &n);
		if (is_kept)
			memmove(json + used, json + at, n);
		used += is_kept ? n : 0;
	}
	json[used] = '\0';
}

/* HTTP/1.1 200 OK, headers, an empty line, JSON. */
static bool
read_answer(const struct buf *answer, struct cli_answer *ret, struct err *err)
{
	static const char version[] = "HTTP/1.1 ";
	const char *text = buf_text(answer), *body = strstr(text, "\r\n\r\n");

	if (!text_starts(text, version) || body == NULL)
		return err_set(err, ERR_INVALID, "what listens there is no deploybot");
	ret->status = (int)strtol(text + strlen(version), NULL, 10);
	ret->body = mem_text(body + 4);
	strip_controls(ret->body);
	ret->json = json_decode(ret->body, strlen(ret->body), err);
	if (ret->json != NULL)
		return true;
	return err_set(err, ERR_INVALID,
	    "the server answers with status %d and no JSON: is it of another version?",
	    ret->status);
}

/* What is sent behind the head: a text, a file, or nothing. */
struct body {
	const char *json;
	const struct cli_file *file;
	bool waits; /* of a GET, for something new */
};

static void
put_head(const struct cli_api *api, const char *target, const struct body *body, struct buf *out)
{
	const struct cli_file *file = body->file;

	buf_addf(out, "%s %s HTTP/1.1\r\nHost: local\r\nConnection: close\r\n",
	    body->json == NULL && file == NULL ? "GET" : "POST", target);
	if (body->waits)
		buf_adds(out, "Prefer: wait=7\r\n");
	if (api->as != NULL)
		buf_addf(out, "Deploybot-Role: %s\r\n", api->as);
	if (body->json != NULL)
		buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    strlen(body->json));
	if (file != NULL)
		buf_addf(out,
		    "Content-Type: application/octet-stream\r\nContent-Length: %" PRId64
		    "\r\n" API_FILE_HEADER ": %s\r\n",
		    file->size, file->name);
	if (file != NULL && file->code != NULL)
		buf_addf(out, API_CODE_HEADER ": %s\r\n", file->code);
	if (file != NULL && file->shown != NULL)
		buf_addf(out, API_SHOWN_HEADER ": %s\r\n", file->shown);
	buf_addf(out, "\r\n%s", body->json == NULL ? "" : body->json);
}

static bool
ask_once(const struct cli_api *api, const char *target, const struct body *body,
    struct cli_answer *ret, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	CLEANUP(buf_wipe) struct buf request = buf_make(ANSWER_MAX);
	CLEANUP(buf_done) struct buf answer = buf_make(ANSWER_MAX);
	bool is_get = body->json == NULL && body->file == NULL, is_ended, ok;

	*ret = (struct cli_answer){ 0 };
	put_head(api, target, body, &request);
	ok = buf_check(&request, err) &&
	    connect_to(api, is_get && !body->waits ? GET_PATIENCE_S : PATIENCE_S, &fd, err) &&
	    send_all(fd, request.data, request.size, &is_ended, err) &&
	    (body->file == NULL || is_ended || send_file(fd, body->file, err)) &&
	    receive_all(fd, body->waits, &answer, err) && read_answer(&answer, ret, err);
	if (!ok)
		cli_answer_done(ret);
	return ok;
}

bool
cli_api_send(const struct cli_api *api, const char *target, const struct cli_file *file,
    struct cli_answer *ret, struct err *err)
{
	return ask_once(api, target, &(const struct body){ .file = file }, ret, err);
}

bool
cli_api_wait(const struct cli_api *api, const char *target, struct cli_answer *ret, struct err *err)
{
	return ask_once(api, target, &(const struct body){ .waits = true }, ret, err);
}

bool
cli_api_ask(const struct cli_api *api, const char *target, const char *body, struct cli_answer *ret,
    struct err *err)
{
	const struct body sent = { .json = body };
	bool ok = ask_once(api, target, &sent, ret, err);

	for (int i = 0; ok && body == NULL && ret->status == 429 && i < AGAIN_MAX; i++) {
		if (poll(NULL, 0, AGAIN_MS) < 0)
			break; /* Ctrl-C */
		cli_answer_done(ret);
		ok = ask_once(api, target, &sent, ret, err);
	}
	return ok;
}

/* call.c - a call is checked, its unit started, and its pipes are carried.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/call.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/release_ticket.h"
#include "lib/text.h"

#define STATUS_REFUSED 70
#define STATUS_BUSY    75
#define STATUS_LATE    124 /* as timeout(1) */
#define SECONDS_MAX    90000
#define LOOK_MS	       50    /* whether a unit has begun to read */
#define PEER_MS	       30000 /* for its first packet, to take what there is, and to hang up */
#define LINE_MAX_BYTES 4000  /* of act and words: a pipe takes them at once */

/* Of ssh-host/main.sh, what main() and work() know, behind the program whose script calls it. */
#define RELEASE "check", "logs", "pull", "start", "switch", "tidy"
static const char *const acts[][10] = {
	{ "deploy", RELEASE, "await-migration", "end-migration", "migrate" },
	{ "rollback", RELEASE },
	{ "action", "check", "job" },
	{ "drain", "clean", "drain" },
};
static const char *const pipes[] = { "", ".out", ".err" };

/* --- what is said to the caller ----------------------------------------------------------- */

static void
hang_up(struct call *call)
{
	file_closep(&call->peer);
	call->ends = true;
	call->size = 0;
}

/* Who opens a pipe that nobody has open any more waits for ever: its unit has read of it before. */
static void
end_in(struct call *call)
{
	int left = 0;

	if (call->ends && call->in != -1 && ioctl(call->in, FIONREAD, &left) == 0 &&
	    left < call->given)
		file_closep(&call->in);
}

/* Where the caller does not take it now, it is kept, and nothing more is read. */
static void
flush(struct call *call)
{
	if (call->size == 0 || call->peer == -1)
		return;
	if (send(call->peer, call->piece, call->size, MSG_NOSIGNAL) != -1)
		call->size = 0;
	else if (errno != EAGAIN && errno != EINTR)
		hang_up(call);
}

static void PRINTF(3, 4) say(struct call *call, char kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	call->piece[0] = kind;
	call->size = 1 + (size_t)vsnprintf(call->piece + 1, CALL_PIECE, fmt, args);
	va_end(args);
	if (call->size > sizeof(call->piece))
		call->size = sizeof(call->piece);
	flush(call);
}

/* --- beginning ---------------------------------------------------------------------------- */

static bool
is_word(const char *word)
{
	size_t name = strspn(word, "abcdefghijklmnopqrstuvwxyz");

	return name > 0 && word[name] == '=' &&
	    strspn(word + name + 1,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:@=,+-") ==
	    strlen(word + name + 1);
}

static bool
is_act_of(const char *program, const char *act)
{
	for (size_t i = 0; i < COUNT(acts); i++)
		for (size_t n = 1; strcmp(acts[i][0], program) == 0 && n < COUNT(acts[i]); n++)
			if (acts[i][n] != NULL && strcmp(acts[i][n], act) == 0)
				return true;
	return false;
}

/* What its packet has, in its place. */
struct shown {
	char *seconds, *act, *ticket, *words, *signature;
	int64_t limit_s;
};

/* Whoever passes it on, and so has seen its ticket, could have made another one of it. */
static bool
is_proven(const struct call *call, const struct release_ticket_of *of, const struct shown *shown,
    const struct release_ticket *ticket)
{
	char words[PROTOCOL_PACKET_MAX];
	const struct release_call proof = { of->keys->name, shown->act, words,
		call->challenge.hex };

	(void)snprintf(words, sizeof(words), "%s %s", shown->seconds, shown->words); /* fits */
	return release_call_is_signed(ticket, &proof, shown->signature);
}

static bool
check_shown(
    struct call *call, const struct calls *calls, char *packet, struct shown *ret, struct err *err)
{
	struct protocol_manifest now;
	const struct release_ticket_of of = { .keys = calls->world->settings,
		.lowest = records_epoch(&calls->world->records),
		.now_s = clock_wall_ms() / 1000 };
	struct release_ticket ticket;
	char line[LINE_MAX_BYTES], *rest = line;

	ret->seconds = strsep(&packet, "\n");
	ret->act = strsep(&packet, "\n");
	ret->ticket = strsep(&packet, "\n");
	ret->words = strsep(&packet, "\n");
	ret->signature = strsep(&packet, "\n");
	if (ret->signature == NULL || packet == NULL || packet[0] != '\0' ||
	    !text_to_i64(ret->seconds, 1, SECONDS_MAX, &ret->limit_s, NULL))
		return err_set(err, ERR_INVALID, "it is no call");
	if (!release_ticket_read(ret->ticket, &of, &ticket, err))
		return false;
	if (!is_proven(call, &of, ret, &ticket))
		return err_set(err, ERR_DENIED, "the key of its ticket has not signed this call");
	call->run = ticket.run;
	if (!is_act_of(ticket.program, ret->act))
		return err_set(err, ERR_DENIED, "its ticket is for %s, and %.30s is no act of that",
		    ticket.program, ret->act);
	if (!text_copy(line, sizeof(line) - 32, ret->words)) /* with the act before them */
		return err_set(err, ERR_LIMIT, "more than %d bytes of words", LINE_MAX_BYTES - 32);
	for (const char *word; (word = strsep(&rest, " ")) != NULL;)
		if (line[0] != '\0' && !is_word(word))
			return err_set(err, ERR_INVALID, "a word is not NAME=VALUE: %.60s", word);
	return manifest_make(calls->world->systemd, &now, err) && /* of whose call it is alone */
	    release_ticket_is_for(&ticket, of.keys->name, now.digest, err);
}

/* Both ends of each: it never ends while we have it. */
static bool
make_pipe(
    const struct calls *calls, const struct call *call, const char *end, int *ret, struct err *err)
{
	char name[sizeof(call->name) + 8];

	(void)snprintf(name, sizeof(name), "%s%s", call->name, end);
	if (mkfifoat(calls->folder, name, 0640) == 0)
		*ret = openat(calls->folder, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return *ret != -1 || err_errno(err, ERR_IO, errno, "the pipe %s", name);
}

/* Whose end comes behind what it has said, and may be here before that was read. */
static bool
is_waited_for(const struct call *call, struct err *err)
{
	struct pollfd end = { call->peer, POLLRDHUP, 0 };

	if (clock_monotonic_ms() >= call->due)
		return err_set(
		    err, ERR_DENIED, "it came more than %d s behind its challenge", PEER_MS / 1000);
	return poll(&end, 1, 0) == 0 || err_set(err, ERR_DENIED, "who has called has hung up");
}

static bool
start(struct calls *calls, struct call *call, const struct shown *shown, struct err *err)
{
	char line[LINE_MAX_BYTES], of[sizeof(call->name) + sizeof("release@")], digest[65];
	struct systemd_unit before;
	int size = snprintf(line, sizeof(line), "%s %s\n", shown->act, shown->words);

	(void)snprintf(
	    call->name, sizeof(call->name), "%" PRIu64 "-%u", call->run, ++calls->number);
	(void)snprintf(of, sizeof(of), MANIFEST_RELEASE "@%s", call->name);
	call->systemd = systemd_open(err);
	if (call->systemd == NULL || !manifest_look(call->systemd, of, &before, digest, err) ||
	    !make_pipe(calls, call, pipes[0], &call->in, err) ||
	    !make_pipe(calls, call, pipes[1], &call->out, err) ||
	    !make_pipe(calls, call, pipes[2], &call->err, err))
		return false;
	if (write(call->in, line, (size_t)size) != size)
		return err_errno(err, ERR_IO, errno, "the pipe %s", call->name);
	call->given = size;
	(void)fcntl(call->in, F_SETPIPE_SZ, 2 * CALL_STDIN); /* packets of a half page take one */
	if (!systemd_is_idle(&before))
		return err_set(err, ERR_BUSY, "%s is %s", of, before.active_state);
	if (!is_waited_for(call, err) ||
	    systemd_start(call->systemd, manifest_unit(of, call->unit), &before, err) != 0)
		return false;
	call->state = CALL_GOING;
	call->due = clock_monotonic_ms() + shown->limit_s * 1000;
	log_info("run %" PRIu64 ": starts %s for %s", call->run, call->unit, shown->act);
	return true;
}

/* --- its end ------------------------------------------------------------------------------ */

/* The caller has its last packet, and hangs up when it has read that. */
static void
done(const struct calls *calls, struct call *call)
{
	char name[sizeof(call->name) + 8];

	for (size_t i = 0; call->name[0] != '\0' && i < COUNT(pipes); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", call->name, pipes[i]);
		(void)unlinkat(calls->folder, name, 0); /* or it was not made */
	}
	call->name[0] = '\0';
	file_closep(&call->in);
	file_closep(&call->out);
	file_closep(&call->err);
	systemd_free(call->systemd);
	call->systemd = NULL;
	call->state = CALL_OVER;
	call->due = clock_monotonic_ms() + PEER_MS;
}

static void
forget(const struct calls *calls, struct call **call)
{
	done(calls, *call);
	free(*call);
	*call = NULL;
}

static void
refuse(const struct calls *calls, struct call *call, const struct err *err)
{
	int status = err->code == ERR_BUSY ? STATUS_BUSY : STATUS_REFUSED;

	log_warning("a call of run %" PRIu64 " is refused: %s", call->run, err->text);
	done(calls, call);
	say(call, 'x', "%d %s", status, err->text);
}

static void
finish(const struct calls *calls, struct call *call)
{
	struct protocol_record record = { .status = 0 };
	int status;

	run_fill_record(&record, systemd_end(call->systemd));
	status = call->is_late ? STATUS_LATE :
	    record.signal != 0 ? 128 + record.signal :
				 record.status;
	log_info("run %" PRIu64 ": %s has ended with %d", call->run, call->name, status);
	done(calls, call);
	say(call, 'x', "%d", status);
}

/* --- while it runs ------------------------------------------------------------------------ */

/* False: there is nothing more for now. */
static bool
read_pipe(struct call *call, int fd, char kind)
{
	ssize_t n = call->size > 0 ? -1 : read(fd, call->piece + 1, CALL_PIECE);

	if (n <= 0)
		return false;
	call->piece[0] = kind;
	call->size = 1 + (size_t)n;
	flush(call);
	if (call->peer == -1)
		call->size = 0; /* nobody reads it */
	return true;
}

/* A packet of the caller; false: there is none. */
static bool
hear(struct calls *calls, struct call *call)
{
	char packet[PROTOCOL_PACKET_MAX + 1];
	ssize_t n = call->peer == -1 ?
	    -1 :
	    recv(call->peer, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
	struct shown shown;
	struct err err;
	bool good;

	if (call->peer == -1 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n <= 0 || n > PROTOCOL_PACKET_MAX) {
		hang_up(call);
		return false;
	}
	packet[n] = '\0';
	if (call->state == CALL_NEW) {
		good = strlen(packet) != (size_t)n ?
		    err_set(&err, ERR_INVALID, "it is no call") :
		    check_shown(call, calls, packet, &shown, &err) &&
			start(calls, call, &shown, &err);
		if (!good)
			refuse(calls, call, &err);
	} else if (n == 1) {
		call->ends = true;
	} else if (call->in != -1) { /* else it is over: what was on its way */
		call->given += (int)n - 1;
		if (call->given <= CALL_STDIN &&
		    write(call->in, packet + 1, (size_t)n - 1) == n - 1)
			return true;
		say(call, '2', "more than %d bytes for stdin of %s: the call ends\n", CALL_STDIN,
		    call->name);
		hang_up(call);
	}
	return true;
}

/* What its unit has said and how it ended. */
static void
look_at(const struct calls *calls, struct call *call)
{
	bool reloaded = false, is_over;

	is_over =
	    !systemd_process(call->systemd, &reloaded, NULL) || systemd_end(call->systemd)->is_over;
	while (read_pipe(call, call->out, '1') || read_pipe(call, call->err, '2'))
		;
	if (is_over && call->size == 0)
		finish(calls, call);
}

/* Its main process is asked to end, as timeout(1) does it. */
static void
end_late(struct call *call)
{
	struct err err;

	call->due = INT64_MAX;
	if (call->state != CALL_GOING) {
		hang_up(call);
		return;
	}
	call->is_late = true;
	if (systemd_stop(call->systemd, call->unit, &err))
		return;
	log_error("run %" PRIu64 ": %s", call->run, err.text);
	call->due = clock_monotonic_ms() + PEER_MS;
}

/* False: it is over, and nobody is connected. */
static bool
advance(struct calls *calls, struct call *call)
{
	flush(call);
	if (call->size == 0 || call->peer == -1)
		call->taken = clock_monotonic_ms();
	else if (clock_monotonic_ms() >= call->taken + PEER_MS)
		hang_up(call);
	while (hear(calls, call))
		;
	end_in(call);
	if (call->state == CALL_GOING)
		look_at(calls, call);
	if (clock_monotonic_ms() >= call->due)
		end_late(call);
	return call->peer != -1 || call->state == CALL_GOING;
}

/* False: nobody waits. */
static bool
take_one(struct calls *calls, struct call **ret)
{
	int fd = accept4(calls->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err err;

	if (fd == -1)
		return false;
	*ret = mem_new(1, sizeof(**ret));
	**ret = (struct call){
		.peer = fd, .in = -1, .out = -1, .err = -1, .taken = clock_monotonic_ms()
	};
	(*ret)->due = (*ret)->taken + PEER_MS;
	if (order_challenge_draw(&(*ret)->challenge, &err))
		say(*ret, 'n', "%s", (*ret)->challenge.hex);
	else
		refuse(calls, *ret, &err);
	return true;
}

void
calls_advance(struct calls *calls)
{
	bool may_come = true;

	for (size_t i = 0; i < CALLS_MAX; i++) {
		if (calls->all[i] != NULL && !advance(calls, calls->all[i])) {
			forget(calls, &calls->all[i]);
		}
		if (calls->all[i] == NULL && may_come)
			may_come = take_one(calls, &calls->all[i]);
	}
}

static int
wait_ms_of(const struct calls *calls, int others)
{
	int64_t now = clock_monotonic_ms(), left = others == -1 ? INT64_MAX - now : others;

	for (size_t i = 0; i < CALLS_MAX; i++) {
		const struct call *call = calls->all[i];

		if (call != NULL && call->due - now < left)
			left = call->due - now;
		if (call != NULL && call->size > 0 && call->taken + PEER_MS - now < left)
			left = call->taken + PEER_MS - now;
		if (call != NULL && call->ends && call->in != -1 && left > LOOK_MS)
			left = LOOK_MS;
	}
	return left > INT_MAX ? -1 : left < 0 ? 0 : (int)left;
}

void
calls_watch(const struct calls *calls, struct pollfd fds[CALLS_FDS], int *wait_ms)
{
	struct pollfd *at = fds + 1;

	*wait_ms = wait_ms_of(calls, *wait_ms);
	fds[0] = (struct pollfd){ .fd = -1 };
	for (size_t i = 0; i < CALLS_MAX; i++, at += 4) {
		const struct call *call = calls->all[i];
		bool waits = call != NULL && call->size > 0;

		if (call == NULL)
			fds[0] = (struct pollfd){ calls->listener, POLLIN, 0 };
		at[0] = (struct pollfd){ call == NULL ? -1 : call->peer,
			(short)(POLLIN | (waits ? POLLOUT : 0)), 0 };
		at[1] = (struct pollfd){ call == NULL || waits ? -1 : call->out, POLLIN, 0 };
		at[2] = (struct pollfd){ call == NULL || waits ? -1 : call->err, POLLIN, 0 };
		at[3] = (struct pollfd){ call == NULL || call->systemd == NULL ?
			    -1 :
			    systemd_fd(call->systemd, wait_ms),
			POLLIN, 0 };
	}
}

void
calls_leave(struct calls *calls)
{
	file_closep(&calls->listener);
}

bool
calls_are_open(const struct calls *calls)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (calls->all[i] != NULL && calls->all[i]->state == CALL_GOING)
			return true;
	return false;
}

bool
calls_open(struct calls *calls, const struct run_world *world, const char *run, struct err *err)
{
	CLEANUP(file_closep) int folder = run_make_folder(world->state, 0);
	struct peer peer;

	*calls = (struct calls){ .world = world,
		.folder = open(run, O_DIRECTORY | O_RDONLY | O_CLOEXEC),
		.listener = -1,
		/* Numbers of an agent before us are those of other units. */
		.number = (unsigned)(clock_monotonic_ms() / 1000) };
	if (folder == -1 || calls->folder == -1)
		return err_errno(err, ERR_IO, errno, "opening %s and runs/0", run);
	if (!peer_listen(&peer, folder, "socket", err))
		return false;
	calls->listener = peer.listener;
	return true;
}

void
calls_close(struct calls *calls)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		if (calls->all[i] == NULL)
			continue;
		hang_up(calls->all[i]);
		forget(calls, &calls->all[i]);
	}
	file_closep(&calls->listener);
	file_closep(&calls->folder);
}

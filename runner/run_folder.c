/* run_folder.c - runs/<id>/: order, leader, log, exit record, socket.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/file.h"
#include "lib/packet_socket.h"

#define SMALL_FILE 8192 /* an order is below 2 KB, a main process below 200 bytes */

#define SPARE "spare" /* a folder in runs/ that is no run's yet; runs have numbers */

/* The umask (main.c) takes the group's part away where nobody of it is to read. */
#define FOLDER_MODE 0750
#define FILE_MODE   0640
#define RECORD_MODE 0600 /* who may read a file may lock it, and so hold up the end of a lost run */
#define SOCKET_MODE 0660

static const char *const names[] = { "order", "leader", "log", "exit", "socket", RUN_FOLDER_HOSTS,
	RUN_FOLDER_RESULTS };

static void
name_of(uint64_t id, char ret[24])
{
	(void)snprintf(ret, 24, "%" PRIu64, id);
}

static bool
write_small(int folder, const char *name, const char *data, size_t len, struct err *err)
{
	int fd =
	    openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	bool good;

	if (fd == -1)
		return err_errno(err, ERR_IO, errno, "creating %s", name);
	good = file_write_all(fd, data, len, NULL) ||
	    err_errno(err, ERR_IO, errno, "writing %s", name);
	if (close(fd) == -1 && good)
		good = err_errno(err, ERR_IO, errno, "writing %s", name);
	return good;
}

/* What a moment may cure is no wrong setting: the runner is started again. */
static enum err_code
code_of(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == EIO ?
	    ERR_IO :
	    ERR_CONFIG;
}

int
run_folder_root(const char *state, struct err *err)
{
	CLEANUP(file_closep) int at = open(state, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	int root;

	if (at == -1)
		return ERR_FD(err_errno(err, code_of(errno), errno, "state directory %s", state));
	/* Its name is flushed too: without it every run's flushed record would vanish. */
	if (mkdirat(at, "runs", 0700) == 0 ? fsync(at) == -1 : errno != EEXIST)
		return ERR_FD(err_errno(err, ERR_CONFIG, errno, "making %s/runs", state));
	root = openat(at, "runs", O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (root == -1)
		(void)err_errno(err, code_of(errno), errno, "opening %s/runs", state);
	return root;
}

int
run_folder_open(int root, uint64_t id, struct err *err)
{
	char name[24];
	int folder;

	name_of(id, name);
	folder = openat(root, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (folder == -1)
		(void)err_errno(err, errno == ENOENT ? ERR_MISSING : ERR_IO, errno, "run %s", name);
	return folder;
}

/* Takes the spare folder, or makes one.  Either way an id is given once. */
static bool
take_name(int root, const char *name, bool *ret_is_spare, struct err *err)
{
	*ret_is_spare = renameat2(root, SPARE, root, name, RENAME_NOREPLACE) == 0;
	if (*ret_is_spare || (errno != EEXIST && mkdirat(root, name, FOLDER_MODE) == 0))
		return true;
	return err_errno(err, errno == EEXIST ? ERR_BUSY : ERR_IO, errno, "run %s", name);
}

/* RUN_ID is the id and 128 random bits: nobody else's process has it in its environment. */
static bool
draw_tag(struct protocol_message *order, struct err *err)
{
	unsigned char random[16];
	int used = snprintf(order->tag, sizeof(order->tag), "%" PRIu64 "-", order->id);

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, ERR_IO, errno, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(order->tag + used + 2 * i, 3, "%02x", random[i]);
	return true;
}

int
run_folder_make(int root, struct protocol_message *order, bool *ret_is_spare, struct err *err)
{
	char name[24], text[SMALL_FILE];
	CLEANUP(file_closep) int folder = -1;
	const size_t hosts = order->body_len;
	char first = order->settings[0];
	size_t len = 0;
	bool good;

	if (!draw_tag(order, err))
		return -1;
	order->settings[0] = '\0'; /* a ticket is for the script alone, and on no disk */
	order->body_len = 0;
	good = protocol_encode(order, text, sizeof(text), &len, err);
	order->settings[0] = first;
	order->body_len = hosts;
	if (!good)
		return -1;
	name_of(order->id, name);
	if (!take_name(root, name, ret_is_spare, err))
		return -1;
	CRASH_POINT(folder_named);
	folder = run_folder_open(root, order->id, err);
	if (folder != -1 && write_small(folder, "order", text, len, err) &&
	    (hosts == 0 || write_small(folder, RUN_FOLDER_HOSTS, order->body, hosts, err)))
		return TAKE_FD(folder);
	run_folder_remove(root, order->id);
	return -1;
}

void
run_folder_remove(int root, uint64_t id)
{
	CLEANUP(file_closep) int folder = run_folder_open(root, id, NULL);
	char name[24];

	name_of(id, name);
	for (size_t i = 0; folder != -1 && i < COUNT(names); i++)
		(void)unlinkat(folder, names[i], 0); /* what was not made yet */
	(void)unlinkat(root, name, AT_REMOVEDIR);    /* if it stays, the id is refused as EXISTS */
}

/* ---- the record -------------------------------------------------------------------------- */

static bool
lock_take(int fd, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return true;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(err, ERR_BUSY, "its supervisor is alive");
	return err_errno(err, ERR_IO, errno, "locking the exit record");
}

/* Blocks that are written, not only reserved: on some file systems only those cannot be refused
 * later. */
static bool
allocate(int fd, struct err *err)
{
	static const char zeros[PROTOCOL_RECORD_BYTES];
	struct stat st;
	char first = 0;

	if (fstat(fd, &st) == -1)
		return err_errno(err, ERR_IO, errno, "exit record");
	if (st.st_size > 0 && pread(fd, &first, 1, 0) != 1)
		return err_errno(err, ERR_IO, errno, "reading the exit record");
	if (first != '\0')
		return err_set(err, ERR_DENIED, "there is a record already");
	if (st.st_size >= PROTOCOL_RECORD_BYTES)
		return true;
	if (!file_write_all(fd, zeros, sizeof(zeros), NULL) || fsync(fd) == -1)
		return err_errno(err, ERR_IO, errno, "room for the exit record");
	return true;
}

int
run_folder_claim(int folder, struct err *err)
{
	CLEANUP(file_closep)
	int fd = openat(folder, "exit", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RECORD_MODE);

	if (fd == -1)
		return ERR_FD(err_errno(err, ERR_IO, errno, "creating the exit record"));
	return lock_take(fd, err) && allocate(fd, err) ? TAKE_FD(fd) : -1;
}

void
run_folder_drop_spare(int root)
{
	(void)unlinkat(root, SPARE "/exit", 0); /* mostly none of it is there */
	(void)unlinkat(root, SPARE, AT_REMOVEDIR);
}

void
run_folder_make_spare(int root)
{
	CLEANUP(file_closep) int folder = -1;
	CLEANUP(file_closep) int fd = -1;

	(void)mkdirat(
	    root, SPARE, FOLDER_MODE); /* where it cannot be made, it is not there to be taken */
	folder = openat(root, SPARE, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (folder == -1)
		return;
	fd = openat(folder, "exit", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RECORD_MODE);
	if (fd == -1 || !allocate(fd, NULL) || fsync(folder) == -1)
		run_folder_drop_spare(root);
}

pid_t
run_folder_holder(int folder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP(file_closep) int fd = openat(folder, "exit", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	pid_t holder = 0;

	if (fd == -1)
		return 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		holder = lock.l_pid;
	return holder;
}

/* All of it but its first byte: until that is there, there is no record. */
static bool
write_rest(int claimed, const struct protocol_message *exit_message,
    char text[PROTOCOL_RECORD_BYTES], struct err *err)
{
	size_t len = 0, done = 1;

	memset(text, 0, PROTOCOL_RECORD_BYTES);
	if (!protocol_encode(exit_message, text, PROTOCOL_RECORD_BYTES - 1, &len, err))
		return false;
	memset(text + len, 0, PROTOCOL_RECORD_BYTES - len);
	while (done < PROTOCOL_RECORD_BYTES) {
		ssize_t n = pwrite(claimed, text + done, PROTOCOL_RECORD_BYTES - done, (off_t)done);

		if (n == -1 && errno != EINTR)
			return err_errno(err, ERR_IO, errno, "writing the exit record");
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool
run_folder_draft_write(int claimed, const struct protocol_message *exit_message, struct err *err)
{
	char text[PROTOCOL_RECORD_BYTES];

	if (write_rest(claimed, exit_message, text, err) &&
	    (fdatasync(claimed) == 0 || err_errno(err, ERR_IO, errno, "flushing the draft")))
		return true;
	(void)!pwrite(claimed, "", 1, 1); /* an older one would say too little */
	return false;
}

bool
run_folder_draft_read(int claimed, struct protocol_message *ret)
{
	char text[PROTOCOL_RECORD_BYTES + 1] = "";
	ssize_t len = pread(claimed, text, PROTOCOL_RECORD_BYTES, 0);

	if (len != PROTOCOL_RECORD_BYTES || text[0] != '\0' || text[1] == '\0')
		return false;
	text[0] = protocol_kind_name(PROTOCOL_EXIT)[0];
	return protocol_decode(text, strlen(text), ret, NULL) && ret->kind == PROTOCOL_EXIT;
}

bool
run_folder_record_write(int claimed, const struct protocol_message *exit_message, struct err *err)
{
	char text[PROTOCOL_RECORD_BYTES];

	if (!write_rest(claimed, exit_message, text, err))
		return false;
	CRASH_POINT(record_written);
	if (fdatasync(claimed) == -1)
		return err_errno(err, ERR_IO, errno, "flushing the exit record");
	CRASH_POINT(record_flushed);
	if (pwrite(claimed, text, 1, 0) != 1 || fdatasync(claimed) == -1)
		return err_errno(err, ERR_IO, errno, "writing the exit record");
	return true;
}

enum run_folder_record
run_folder_record_read(int folder, struct protocol_message *ret)
{
	char text[PROTOCOL_RECORD_BYTES + 1];
	ssize_t len = file_read_small(folder, "exit", text, sizeof(text));

	if (len == -1)
		return errno == ENOENT ? RUN_FOLDER_NO_RECORD : RUN_FOLDER_UNREADABLE;
	if (len == 0 || text[0] == '\0')
		return RUN_FOLDER_NO_RECORD;
	if (!protocol_decode(text, strlen(text), ret, NULL) || ret->kind != PROTOCOL_EXIT)
		return RUN_FOLDER_FOREIGN;
	return RUN_FOLDER_RECORD;
}

/* ---- main process, order, socket --------------------------------------------------------- */

bool
run_folder_main_process_write(int folder, const struct process_main *main_process, struct err *err)
{
	char text[192];
	int len = snprintf(text, sizeof(text), "%d %" PRIu64 " %s %s %" PRIu64 " %d\n",
	    (int)main_process->pid, main_process->start,
	    main_process->boot[0] == '\0' ? "-" : main_process->boot, main_process->tag,
	    main_process->space, main_process->in_group ? 1 : 0);

	assert(len > 0 && (size_t)len < sizeof(text));
	return write_small(folder, "leader", text, (size_t)len, err);
}

bool
run_folder_main_process_read(int folder, struct process_main *ret)
{
	char text[192];
	int pid, in_group = 0;

	memset(ret, 0, sizeof(*ret));
	if (file_read_small(folder, "leader", text, sizeof(text)) <= 0)
		return false;
	if (strchr(text, '\n') == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): of our own writing, and compared with /proc */
	    sscanf(text, "%d %" SCNu64 " %36s %53s %" SCNu64 " %d", &pid, &ret->start, ret->boot,
		ret->tag, &ret->space, &in_group) < 4) /* the last two may be missing */
		return false;
	ret->in_group = in_group == 1;
	ret->pid = pid;
	return true;
}

void
run_folder_tag_read(int folder, char ret[PROCESS_TAG])
{
	struct protocol_message order;
	char text[SMALL_FILE];

	ret[0] = '\0';
	if (file_read_small(folder, "order", text, sizeof(text)) <= 0)
		return;
	if (protocol_decode(text, strlen(text), &order, NULL) && order.kind == PROTOCOL_RUN)
		memcpy(ret, order.tag, sizeof(order.tag));
}

/* Does a server of another user read what stands there? */
static bool
is_shared(int folder)
{
	struct stat st;

	return fstat(folder, &st) != 0 || (st.st_mode & S_IXGRP) != 0;
}

/* A server of another user needs more than reading.  Until we listen nobody can come. */
static bool
open_to_group(int folder)
{
	return !is_shared(folder) || fchmodat(folder, "socket", SOCKET_MODE, 0) == 0;
}

int
run_folder_listen(int folder, struct err *err)
{
	char path[PACKET_SOCKET_PATH];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/socket", folder);
	fd = packet_socket(path, true);
	if (fd != -1 && open_to_group(folder) && listen(fd, 4) == 0)
		return fd;
	(void)err_errno(err, ERR_IO, errno, "binding the run's socket");
	file_closep(&fd);
	return fd;
}

bool
run_folder_flush(int root, int folder, bool is_spare, struct err *err)
{
	/* Of a spare one the record's room was flushed before; what else is in it matters only to
	 * this boot. */
	if ((is_spare || fsync(folder) == 0) && fsync(root) == 0)
		return true;
	return err_errno(err, ERR_IO, errno, "flushing the run's folder");
}

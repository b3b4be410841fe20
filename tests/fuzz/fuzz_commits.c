/* fuzz_commits.c - repositories with odd commits, about which the real scripts are asked.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * An input is what stands behind `parent` in each commit of a branch, 0x1e between them: author,
 * date, encoding, message, or whatever a program wrote there.  0x1f, a byte and three more: those
 * three, byte × 256 times.  Whatever it is, deploy/commits.sh answers with these commits.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "types/git_answer.h"

#define COMMITS_MAX   12
#define ANSWER_MAX    65536 /* as the runner takes it */
#define INPUTS_OF_ONE 200   /* then a new repository: a large one is slow */

static const char empty_tree[] = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
static char folder[] = "/tmp/deploybot-fuzz-commits.XXXXXX";
static char origin[64], stdin_file[64];
static char chain[COMMITS_MAX + 1][LIMIT_COMMIT]; /* the first commit, then those of the input */

unsigned fuzz_mutations(void);

/* Each starts several programs. */
unsigned
fuzz_mutations(void)
{
	return 20;
}

/* Exit status; what it printed, at most room - 1 bytes, in out. */
static int
run(char *const argv[], char *out, size_t room)
{
	char state[64], url[96];
	char *const env[] = { "PATH=/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8",
		"DEPLOYBOT_SETTINGS=checked", "GIT_CONFIG_NOSYSTEM=1", state, url, NULL };
	posix_spawn_file_actions_t files;
	int ends[2], status;
	size_t size = 0;
	ssize_t n;
	pid_t pid;

	(void)snprintf(state, sizeof(state), "STATE_DIRECTORY=%s/state", folder);
	(void)snprintf(url, sizeof(url), "REPOSITORY_URL=%s", origin);
	assert(pipe2(ends, O_CLOEXEC) == 0 && posix_spawn_file_actions_init(&files) == 0);
	(void)posix_spawn_file_actions_addopen(&files, 0, stdin_file, O_RDONLY | O_CREAT, 0600);
	(void)posix_spawn_file_actions_adddup2(&files, ends[1], 1);
	assert(posix_spawnp(&pid, argv[0], &files, NULL, argv, env) == 0);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(ends[1]);
	/* libFuzzer's clock interrupts */
	while ((n = TEMP_FAILURE_RETRY(read(ends[0], out + size, room - 1 - size))) > 0)
		size += (size_t)n;
	assert(n == 0 && size < room - 1);
	out[size] = '\0';
	(void)close(ends[0]);
	assert(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(out, ...) run((char *[]){ __VA_ARGS__, NULL }, out, sizeof(out))

static void
remove_folder(void)
{
	char out[64];

	(void)RUN(out, "rm", "-rf", folder);
}

/* Gives the bytes to git as a commit and fills its name in. */
static void
write_commit(char name[LIMIT_COMMIT], const struct buf *bytes)
{
	FILE *file = fopen(stdin_file, "wb");
	char out[LIMIT_COMMIT + 8];

	assert(file != NULL && fwrite(buf_text(bytes), 1, bytes->size, file) == bytes->size);
	assert(fclose(file) == 0);
	assert(RUN(out, "git", "--git-dir", origin, "hash-object", "--literally", "-t", "commit",
		   "-w", "--stdin") == 0);
	out[strcspn(out, "\n")] = '\0';
	assert(text_copy(name, LIMIT_COMMIT, out));
}

static void
make_repository(void)
{
	static const char first[] = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nfirst\n";
	static bool is_made;
	struct buf bytes;
	char out[256];

	if (!is_made) {
		assert(mkdtemp(folder) != NULL);
		(void)atexit(remove_folder);
	}
	is_made = true;
	(void)snprintf(origin, sizeof(origin), "%s/origin", folder);
	(void)snprintf(stdin_file, sizeof(stdin_file), "%s/stdin", folder);
	assert(RUN(out, "find", folder, "-mindepth", "1", "-delete") == 0);
	assert(RUN(out, "git", "init", "-q", "--bare", "-b", "main", origin) == 0);
	assert(RUN(out, "git", "--git-dir", origin, "hash-object", "-t", "tree", "-w", "--stdin") ==
	    0);
	buf_init(&bytes, sizeof(first) + 64);
	buf_addf(&bytes, "tree %s\n%s", empty_tree, first);
	write_commit(chain[0], &bytes);
	buf_done(&bytes);
}

static void
add_odd(struct buf *bytes, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != 0x1f || size - i < 5) {
			buf_add(bytes, data + i, 1);
			continue;
		}
		for (size_t n = data[i + 1] * (size_t)256; n > 0; n--)
			buf_add(bytes, data + i + 2, 3);
		i += 4;
	}
}

/* How many commits there are above the first. */
static size_t
write_commits(const uint8_t *data, size_t size)
{
	size_t count = 0;

	do {
		const uint8_t *end = size == 0 ? NULL : memchr(data, 0x1e, size);
		size_t n = end == NULL ? size : (size_t)(end - data);
		struct buf bytes;

		buf_init(&bytes, (size_t)1 << 24);
		buf_addf(&bytes, "tree %s\nparent %s\n", empty_tree, chain[count]);
		/* No repository would have taken a parent that is not there, or nothing at all. */
		if (n == 0)
			buf_addc(&bytes, '\n');
		else if (n >= 6 && memcmp(data, "parent", 6) == 0)
			buf_adds(&bytes, "author ");
		add_odd(&bytes, data, n);
		assert(!buf_failed(&bytes));
		write_commit(chain[++count], &bytes);
		buf_done(&bytes);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	} while (size > 0 && count < COMMITS_MAX);
	return count;
}

static void
check(size_t count)
{
	static char text[ANSWER_MAX + 1];
	struct git_answer answer;
	struct err err = { .text = "" };
	int status = RUN(text, "bash", "deploy/commits.sh", "commits", "main", "main", chain[0]);

	if (status != 0 || !git_answer_decode(text, status, &answer, &err)) {
		(void)fprintf(stderr, "status %d: %s\n%s\n", status, err.text, text);
		abort();
	}
	assert(strcmp(answer.commit, chain[count]) == 0 &&
	    strcmp(answer.branch_commit, chain[count]) == 0 && answer.in_branch);
	assert(answer.has_base && strcmp(answer.base, chain[0]) == 0 && !answer.forced);
	assert(answer.count == (int64_t)count);
	assert(answer.n_changes == (count < LIMIT_COMMITS ? count : LIMIT_COMMITS));
	assert(fuzz_is_clean(answer.author, false) && fuzz_is_clean(answer.subject, false));
	for (size_t i = 0; i < answer.n_changes; i++) {
		assert(fuzz_is_clean(answer.change[i].author, false));
		assert(fuzz_is_clean(answer.change[i].subject, false));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	char out[256];
	size_t count;

	if (inputs++ % INPUTS_OF_ONE == 0)
		make_repository();
	count = write_commits(data, size);
	assert(RUN(out, "git", "--git-dir", origin, "update-ref", "refs/heads/main",
		   chain[count]) == 0);
	check(count);
	return 0;
}

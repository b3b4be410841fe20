/* main_unpack.c - deploybot-unpack: an archive becomes files in one folder, and can do nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/text.h"
#include "lib/version.h"
#include "runner/unpack.h"
#include "runner/unpack_confine.h"

#define EXIT_USAGE   64
#define EXIT_REFUSED 65
#define FOLDER	     3
#define ORDERED	     "UPLOAD_SHA256"

static const char usage[] =
    "usage: UPLOAD_SHA256=DIGEST deploybot-unpack <ARCHIVE 3<FOLDER\n"
    "       deploybot-unpack --version\n"
    "Writes the files of a .zip, .tar or .tar.gz of that SHA-256 into an empty folder; prints what\n"
    "they are, or exits with 65 and why not.  deploybot-runner starts it.\n";

/* What libc would read from files later.  Without that locale each name of a zip beyond ASCII is
 * NULL; a zip's times have no zone. */
static bool
prepare(struct err *err)
{
	(void)umask(022);
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL || setenv("TZ", "UTC0", 1) != 0)
		return err_set(err, ERR_CONFIG, "this system has no locale C.UTF-8");
	tzset();
	return true;
}

static int
say_failure(const struct err *err)
{
	(void)printf("error %s\nend\n", err->text);
	return err_exit_status(err->code);
}

/* The bytes that were ordered, in memory of our own: nobody changes them while they are read. */
static char *
read_archive(const char *ordered, size_t *ret_size, uint8_t sum[SHA256_SIZE], struct err *err)
{
	char *bytes = malloc(UNPACK_PACKED_MAX + 1), hex[2 * SHA256_SIZE + 1];
	size_t size = 0;
	ssize_t n = 1;

	if (bytes == NULL)
		return ERR_NULL(err_set(err, ERR_LIMIT, "no memory"));
	while (n > 0 && size <= UNPACK_PACKED_MAX) {
		n = read(STDIN_FILENO, bytes + size, UNPACK_PACKED_MAX + 1 - size);
		size += n > 0 ? (size_t)n : 0;
	}
	sha256(bytes, size, sum);
	text_hex(hex, sum, SHA256_SIZE);
	*ret_size = size;
	if (n == 0 && strcmp(hex, ordered) == 0)
		return bytes;
	free(bytes);
	return ERR_NULL(n == -1 ?
		err_errno(err, ERR_IO, errno, "the archive cannot be read") :
		err_set(err, ERR_IO, "the archive is not the one that was sent: send it again"));
}

static int
say_refusal(const struct unpack_refusal *refusal)
{
	(void)printf("error %s\n", refusal->text);
	if (refusal->why == UNPACK_NONE)
		return err_exit_status(ERR_IO);
	(void)printf("violation %s\nend\n", unpack_why_words[refusal->why]);
	return EXIT_REFUSED;
}

static int
say_result(const struct unpack_result *result, const char *sum)
{
	char tree[2 * SHA256_SIZE + 1];

	text_hex(tree, result->tree, sizeof(result->tree));
	(void)printf("kind upload\ncommit %s\ntree %s\nin_branch 0\nforced 0\ncount 0\n"
		     "files %zu\nbytes %lld\n",
	    sum, tree, result->files, (long long)result->bytes);
	if (result->has_barrier)
		(void)printf("barrier %s\n", result->barrier);
	if (result->pointers > 0)
		(void)printf("missing %zu of Git LFS, only pointers are there (%s%s)\n",
		    result->pointers, result->pointer, result->pointers > 1 ? ", …" : "");
	(void)printf("end\n");
	return 0;
}

int
main(int argc, char **argv)
{
	const char *ordered = getenv(ORDERED);
	struct unpack_refusal refusal = { .why = UNPACK_NONE };
	struct unpack_result result;
	struct err err = { .code = ERR_NONE };
	uint8_t sum[SHA256_SIZE];
	char *bytes;
	size_t size;
	int status;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("deploybot-unpack %s\n", version_text) < 0;
	if (argc != 1 || ordered == NULL || !text_is_hex(ordered, 64, 64)) {
		(void)fputs(usage, stderr); /* nobody else to say it to */
		return EXIT_USAGE;
	}
	if (!prepare(&err) || !unpack_confine(FOLDER, &err))
		return say_failure(&err);
	bytes = read_archive(ordered, &size, sum, &err);
	if (bytes == NULL)
		return say_failure(&err);
	status = unpack(bytes, size, FOLDER, &result, &refusal) ? say_result(&result, ordered) :
								  say_refusal(&refusal);
	free(bytes);
	return fflush(stdout) == 0 ? status : err_exit_status(ERR_IO);
}

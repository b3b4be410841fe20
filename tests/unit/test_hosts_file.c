/* Goal: a file of hosts is taken with its comments, and what is no list of hosts is refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/hosts_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "unit.h"

static char *
reads(const char *text, size_t size, struct err *err)
{
	char path[] = "/tmp/test_hosts_file.XXXXXX";
	int fd = mkstemp(path);
	char *list;

	assert_true(fd >= 0 && file_write_all(fd, text, size, NULL));
	(void)close(fd);
	list = hosts_file_read(path, geteuid(), err);
	(void)unlink(path);
	return list;
}

static void
refuses(const char *text, const char *why)
{
	struct err err = { .text = "" };

	assert_null(reads(text, strlen(text), &err));
	if (strstr(err.text, why) == NULL)
		fail_msg("not said: %s; but: %s", why, err.text);
}

TEST(comments_blanks_and_ends_of_lines_are_left_out)
{
	static const char text[] = "# kiosks\n\n web1 \nWeb2:2222\t# the old one\r\n[2001:db8::1]\n"
				   "10.0.0.7";
	char *list = reads(text, sizeof(text) - 1, NULL);

	assert_string_equal(list, "web1,Web2:2222,[2001:db8::1],10.0.0.7");
	free(list);
}

TEST(what_is_no_list_of_hosts_is_refused)
{
	refuses("", "names no host: write one a line, HOST[:PORT]");
	refuses("# none\n\n", "names no host");
	refuses("web1\nweb2\nweb1\n", "web1 is there twice, in lines 1 and 3");
	refuses("web1\nWEB1:22\n", "web1 (line 1) and WEB1:22 (line 2) are one host");
	refuses("[2001:db8::1]\n[2001:DB8:0::1]:22\n", "are one host");
	refuses("web1\nweb2 web3\n", "line 2: no HOST or HOST:PORT, with […] around an IPv6");
	refuses("web1:0\n", "line 1: no HOST");
	refuses("root@web1\n", "line 1: no HOST");
	refuses("web1,web2\n", "line 1: a comma: write one host a line");
	refuses("-oProxyCommand=x\n", "line 1: no HOST");
}

TEST(a_thousand_hosts_are_taken_and_one_more_is_not)
{
	struct buf text = buf_make(HOSTS_FILE_MAX);
	struct err err;
	char *list;

	for (int i = 0; i < HOST_LINES_MAX; i++)
		buf_addf(&text, "kiosk%d\n", i);
	list = reads(buf_text(&text), text.size, &err);
	assert_non_null(list);
	free(list);
	buf_adds(&text, "one-more\n");
	assert_null(reads(buf_text(&text), text.size, &err));
	assert_non_null(strstr(err.text, "line 1001: more than 1000 hosts"));
	buf_done(&text);
}

TEST(what_is_no_small_file_of_ours_is_refused)
{
	struct buf text = buf_make(HOSTS_FILE_MAX + 100);
	char path[] = "/tmp/test_hosts_mode.XXXXXX";
	struct err err;
	int fd = mkstemp(path);

	assert_null(hosts_file_read("/tmp", geteuid(), &err));
	assert_non_null(strstr(err.text, "/tmp is not a regular file"));
	assert_null(hosts_file_read("/nowhere/hosts", geteuid(), &err));
	assert_non_null(strstr(err.text, "/nowhere/hosts"));
	assert_null(reads("web1\n\0web2\n", 11, &err));
	assert_non_null(strstr(err.text, "NUL byte"));
	while (text.size <= HOSTS_FILE_MAX)
		buf_adds(&text, "# nothing in it\n");
	assert_null(reads(buf_text(&text), text.size, &err));
	assert_non_null(strstr(err.text, "has more than 512 KB"));
	buf_done(&text);
	assert_true(file_write_all(fd, "web1\n", 5, NULL));
	assert_int_equal(fchmod(fd, 0664), 0);
	assert_null(hosts_file_read(path, geteuid(), &err));
	assert_non_null(strstr(err.text, "others may write"));
	assert_int_equal(fchmod(fd, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchown(fd, 4242, (gid_t)-1), 0);
		assert_null(hosts_file_read(path, 0, &err));
		assert_non_null(strstr(err.text, "belongs to user 4242: chown it to root"));
	}
	(void)close(fd);
	(void)unlink(path);
}

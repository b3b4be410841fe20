/* Goal: a socket at a path keeps the bounds of packets, never waits, and says why it is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/packet_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/deploybot-packet-XXXXXX", path[PACKET_SOCKET_PATH + 1];

static int
begin(UNUSED void **state)
{
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int
end(UNUSED void **state)
{
	return rmdir(folder);
}

TEST_GROUP(begin, end)

TEST(who_connects_reaches_who_is_bound_there)
{
	char packet[8];
	int bound = packet_socket(path, true), here, there;

	assert_true(bound >= 0);
	assert_int_equal(packet_socket(path, false), -1);
	assert_int_equal(errno, ECONNREFUSED); /* nobody listens yet */
	assert_int_equal(listen(bound, 0), 0);
	here = packet_socket(path, false);
	there = accept4(bound, NULL, NULL, SOCK_CLOEXEC);
	assert_true(here >= 0 && there >= 0);
	assert_int_equal(fcntl(here, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(send(there, "one", 3, 0) + send(there, "two!", 4, 0), 7);
	assert_int_equal(recv(here, packet, sizeof(packet), 0), 3);
	close(here);
	close(there);
	here = packet_socket(path, false);
	assert_int_equal(packet_socket(path, false), -1);
	assert_int_equal(errno, EAGAIN); /* there is no room for one more */
	assert_int_equal(packet_socket(path, true), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(here);
	close(bound);
	assert_int_equal(unlink(path), 0);
}

TEST(a_path_that_is_too_long_is_not_cut)
{
	memset(path + strlen(path), 'x', sizeof(path) - 1 - strlen(path));
	assert_int_equal(strlen(path), PACKET_SOCKET_PATH);
	assert_int_equal(packet_socket(path, true), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	path[PACKET_SOCKET_PATH - 1] = '\0';
	close(packet_socket(path, true));
	assert_int_equal(unlink(path), 0);
}

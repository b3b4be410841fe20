/* http_listen.h - from "address:port", "unix:path" or "fd:number" to a listening socket.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include "lib/base.h"
#include "lib/err.h"

/*
 * "127.0.0.1:8080", "[::1]:0", "unix:/run/x.sock"; numeric addresses only.  A socket file that
 * nobody answers on is replaced (mode 0660), any other file is refused.  "fd:3" is a stream socket
 * that listens already: it is returned as it is, its file is not removed here, and it stays
 * open when it is refused.  Returns a non-blocking, close-on-exec descriptor that listens, or -1
 * and *err.
 */
int http_listen_open(const char *where, struct err *err) MUST_USE;

/* The port a socket is bound to; 0 for a unix socket. */
uint16_t http_listen_port(int fd);

#define HTTP_LISTEN_NAME_SIZE 128	/* "unix:" and a path; an address and a port are shorter */

/* Where a socket listens, as http_listen_open() takes it; "" when it is not known. */
void http_listen_name(int fd, char ret[HTTP_LISTEN_NAME_SIZE]);

#define HTTP_LISTEN_PEER_SIZE 46	/* INET6_ADDRSTRLEN */

/* Writes an address without its port, or "unix".  Returns whether it is of this machine:
 * loopback or a unix socket. */
bool http_listen_peer(const struct sockaddr *address, char text[HTTP_LISTEN_PEER_SIZE]);

/* Whether the text is one IPv4 or IPv6 address and nothing else. */
bool http_listen_is_address(const char *text) MUST_USE;

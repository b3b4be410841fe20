/* link_call.h - `deploybot-link call`: an act of a release on a host, like a program here.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* words: agent, seconds, act, NAME=VALUE…, NULL.  Shows RELEASE_TICKET at the socket that
 * LINK_CALLS names; stdin, stdout and stderr are the act's.  Returns its exit status; 69: the agent
 * is not connected, and nothing was begun; 255: what has become of it is not known, as of ssh. */
int link_call(char *const words[]);

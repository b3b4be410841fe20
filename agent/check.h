/* check.h - `deploybot-agent check`: what this host has for orders, what is wrong.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* Prints a line for each capability, and the digest of the manifest.  1: something is wrong. */
int check_host(const char *config);

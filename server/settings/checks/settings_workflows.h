/* settings_workflows.h - workflows that one job could be both of, and what they all need.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct settings_loader;

/* When all is filled; says what is wrong. */
void settings_say_workflows(struct settings_loader *l);

/* settings_notify.h - NOTIFY_<NAME>_…: what each kind of destination needs.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct settings_loader;

/* Names in the report what is wrong with them, of the main snapshot, when its environments are
 * known. */
void settings_check_notify(struct settings_loader *l);

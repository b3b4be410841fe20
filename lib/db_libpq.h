/* db_libpq.h - libpq's header, where Debian has it and where others have it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

/* cli_audit_s3.c - stub */
#include "cli/cli_audit_against_inside.h"
#include "lib/err.h"
bool
cli_audit_s3(const char *place, struct audit_against *against, struct err *err)
{
	(void)against;
	return err_set(err, ERR_INVALID, "%s", place);
}

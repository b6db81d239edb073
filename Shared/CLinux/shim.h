#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
/* prctl is variadic: invisible to Swift. */
static inline int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
#endif

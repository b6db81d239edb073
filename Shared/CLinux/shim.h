#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* prctl and syscall are variadic: invisible to Swift. */
static inline int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static inline int clinux_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* Landlock, as far as it goes today: the headers of Debian 12 know its beginnings only. A kernel
   takes a longer structure than it knows if what it does not know is 0. */
struct clinux_landlock_rights { uint64_t files, network, scopes; };
struct clinux_landlock_path { uint64_t rights; int32_t folder; } __attribute__((packed));
static inline int clinux_landlock_version(void) { return (int)syscall(444, NULL, 0, 1u); }
static inline int clinux_landlock_create(struct clinux_landlock_rights rights) {
    return (int)syscall(444, &rights, sizeof rights, 0u);
}
static inline int clinux_landlock_allow(int rules, int folder, uint64_t rights) {
    struct clinux_landlock_path path = {rights, folder};
    return (int)syscall(445, rules, 1, &path, 0u);
}
static inline int clinux_landlock_enter(int rules) { return (int)syscall(446, rules, 0u); }

#if defined(__x86_64__)
#define CLINUX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CLINUX_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#define CLINUX_REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define CLINUX_LOAD(field) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
/* Calls of another architecture than ours end the process; those of x32 are refused. */
#define CLINUX_FILTER_HEAD \
    CLINUX_LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLINUX_ARCHITECTURE, 1, 0), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), CLINUX_LOAD(nr), \
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), CLINUX_REFUSE(EPERM)

/* From now on this thread, and what it starts, can make none of these calls. */
static inline int clinux_refuse_calls(const long *calls, int count) {
    enum { head = 6, max = 200 };
    struct sock_filter code[head + 2 * max + 1] = {CLINUX_FILTER_HEAD};
    if (count > max) return -1;
    int length = head;
    for (int i = 0; i < count; i++) {
        code[length++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
        code[length++] = (struct sock_filter)CLINUX_REFUSE(EPERM);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)length, code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* Limits of other processes may not be set; clone3 hides its flags in memory, so it is said to be
   missing and clone is used. Without `processes`, threads are all that can be begun. */
static inline int clinux_refuse_reach(int processes) {
    struct sock_filter code[] = {
        CLINUX_FILTER_HEAD,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prlimit64, 0, 3),
        CLINUX_LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        CLINUX_REFUSE(EPERM),
        CLINUX_LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1),
        CLINUX_REFUSE(ENOSYS),
#ifdef __NR_fork
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fork, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_vfork, 0, 1),
        BPF_STMT(BPF_RET | BPF_K,
            processes ? SECCOMP_RET_ALLOW : (SECCOMP_RET_ERRNO | EPERM)),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
        CLINUX_LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        BPF_STMT(BPF_RET | BPF_K,
            processes ? SECCOMP_RET_ALLOW : (SECCOMP_RET_ERRNO | EPERM)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* Starts a program that can begin no process of its own, with these descriptors as 1 and 2. */
static inline pid_t clinux_start(
    const char *path, char *const arguments[], char *const environment[], int output, int complaints
) {
    pid_t process = fork();
    if (process != 0) return process;
    /* Between fork and exec: nothing but system calls. */
    if (dup2(output, 1) == 1 && dup2(complaints, 2) == 2 && clinux_refuse_reach(0) == 0)
        execve(path, arguments, environment);
    _exit(127);
}

/* Whether a process can be begun. */
static inline int clinux_can_fork(void) {
    pid_t process = fork();
    if (process == 0) _exit(0);
    if (process > 0) waitpid(process, NULL, 0);
    return process > 0;
}
#endif

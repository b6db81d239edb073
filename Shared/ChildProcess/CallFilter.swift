import CLinux
import Glibc

/// seccomp: the system calls that reach beyond a process that only reads and writes files.
enum CallFilter {
    static func enter(mayStartPrograms: Bool) {
        var calls = refused.map { Int($0) }
        if !mayStartPrograms { calls += [Int(SYS_execve), Int(SYS_execveat)] }
        _ = clinux_refuse_calls(&calls, CInt(calls.count))
        _ = clinux_refuse_reach(mayStartPrograms ? 1 : 0)
    }

    private static let refused =
        connections + otherProcesses + ownGroup + otherFiles + kernel

    /// A socket is where every connection begins, also one to a daemon of this machine.
    private static let connections = [
        SYS_socket, SYS_socketpair, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    ]

    /// Memory, signals and scheduling of others: the worker is of the same user where it is not
    /// root. Nobody here needs signals but to end itself, and a fault does that as well.
    private static let otherProcesses = [
        SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill, SYS_tgkill,
        SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_open, SYS_pidfd_send_signal,
        SYS_pidfd_getfd, SYS_process_madvise, SYS_setpriority, SYS_ioprio_set,
        SYS_sched_setaffinity, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setattr,
        SYS_migrate_pages, SYS_move_pages, SYS_kcmp, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget,
        SYS_semctl, SYS_msgget, SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
    ]

    /// Whatever is started stays in the group that is killed in the end.
    private static let ownGroup = [SYS_setsid, SYS_setpgid]

    /// What Landlock leaves open to the files' owner.
    private static let otherFiles: [CInt] = {
        var calls = [
            SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_truncate,
            SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr,
            SYS_fremovexattr, SYS_fanotify_init, SYS_inotify_init1, fchmodat2,
        ]
        #if arch(x86_64)
            calls += [SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat]
        #endif
        return calls
    }()

    /// Newer than the headers of Debian 12; of one number everywhere.
    private static let fchmodat2: CInt = 452

    private static let kernel = [
        SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount,
        SYS_open_tree, SYS_fsopen, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_bpf,
        SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key,
        SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_personality,
        SYS_syslog, SYS_quotactl, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_name_to_handle_at,
        SYS_open_by_handle_at, SYS_acct,
    ]
}

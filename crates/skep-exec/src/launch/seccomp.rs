//! The filter of system calls: what no program needs that is run with secrets, and what leads past
//! the other layers.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};

use crate::order::Net;

/// Refused whatever their arguments are.
const DENIED: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The keys of the user that runs the daemon.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Other views of the machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Rings of requests, which pass this filter by.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Large parts of the kernel that few programs ask for.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_lookup_dcookie,
    // The machine itself.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
];

/// Flags of `clone` that make namespaces, in which there would be rights again.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Requests that type into a terminal as if somebody sat there.
const TYPING: &[u64] = &[0x5412, 0x541c];

/// Puts the filters on. `network` says whether the program's network is its own or the plan opens
/// the host's: where neither holds, no internet socket can be made at all.
pub(super) fn apply(net: Net, network: bool, local_sockets: bool) -> Result<(), String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let mut families = vec![];
    if network || net == Net::Open {
        families.extend([libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
    }
    if local_sockets {
        families.push(libc::AF_UNIX);
    }
    let rules = rules(&families).map_err(|error| error.to_string())?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        arch,
    );
    let filter: BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(|error| error.to_string())?;
    apply_filter(&absent()).map_err(|error| error.to_string())?;
    apply_filter(&filter).map_err(|error| error.to_string())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules(families: &[libc::c_int]) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let one = |argument, op, value| {
        let condition = SeccompCondition::new(argument, Len::Dword, op, value)?;
        SeccompRule::new(vec![condition])
    };
    let flags = NAMESPACES.iter().map(|flag| {
        let flag = *flag as u32;
        one(0, Op::MaskedEq(u64::from(flag)), u64::from(flag))
    });
    rules.insert(libc::SYS_clone, flags.collect::<Result<_, _>>()?);
    let typing = TYPING.iter().map(|request| one(1, Op::Eq, *request));
    rules.insert(libc::SYS_ioctl, typing.collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_socket, sockets(families)?);
    Ok(rules)
}

/// No socket but of these families, and of netlink the part that tells of addresses.
fn sockets(families: &[libc::c_int]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    if families.is_empty() {
        return Ok(Vec::new());
    }
    let condition = |argument, op, value| SeccompCondition::new(argument, Len::Dword, op, value);
    let other = families
        .iter()
        .map(|family| condition(0, Op::Ne, *family as u64));
    let mut rules = vec![SeccompRule::new(other.collect::<Result<_, _>>()?)?];
    rules.push(SeccompRule::new(vec![
        condition(0, Op::Eq, libc::AF_NETLINK as u64)?,
        condition(2, Op::Ne, libc::NETLINK_ROUTE as u64)?,
    ])?);
    Ok(rules)
}

/// `clone3` keeps its flags in memory, where no filter sees them: it is not there, and libraries
/// fall back to `clone`. Nor are the calls of x32, which have other numbers for the same.
fn absent() -> BpfProgram {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    const X32: u32 = 0x4000_0000;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        step(LOAD, 0, 0, 0), // the call's number
        step(EQUAL, 2, 0, libc::SYS_clone3 as u32),
        step(AT_LEAST, 1, 0, X32),
        step(RETURN, 0, 0, ALLOW),
        step(RETURN, 0, 0, ERRNO | libc::ENOSYS as u32),
    ]
}

package sandbox

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/abi"
)

// More steps that a child can take; see [Script].

// Rbind mounts the directory from, with everything mounted below it, also on to.
func (s *Script) Rbind(from, to string) {
	s.add(fmt.Sprintf("mount --rbind %s %s", from, to), unix.SYS_MOUNT,
		s.str(from), s.str(to), 0, unix.MS_BIND|unix.MS_REC, 0)
}

// Umount is a umount2(2) under test; its outcome is read with [Process.Umount].
func (s *Script) Umount(path string, flags int) {
	s.free[s.n] = true
	s.add(umountText(path, flags), unix.SYS_UMOUNT2, s.str(path), uintptr(flags))
}

// Vfork makes the rest of the script the life of a child of the child, which has a root and
// cwd of its own but shares the memory, while the child itself is suspended as by vfork(2).
// [Process.Child] is the ID of the new process.
func (s *Script) Vfork() {
	// Both use one stack, which is safe because only one of the two ever runs.
	first, second := abi.Clone(uintptr(unix.SIGCHLD) | unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PARENT_SETTID)
	s.add("vfork", unix.SYS_CLONE, first, second, uintptr(unsafe.Pointer(&s.errs[childSlot])))
}

// DieOfAbort gives SIGABRT its default action back, which is to dump core, and unblocks it.
// That the child may be dumped is not a matter of course: another spec may have changed the
// capabilities or user of the process that it is a copy of.
func (s *Script) DieOfAbort() {
	// Zeros are SIG_DFL without flags, and the empty set, in the layout of every architecture.
	zeros := make([]byte, 256)
	s.alone = true // older kernels kill whoever shares the memory of what dumps core
	s.keep = append(s.keep, zeros)
	z := uintptr(unsafe.Pointer(unsafe.SliceData(zeros)))
	s.add("prctl(PR_SET_DUMPABLE)", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1)
	s.add("trap - ABRT", unix.SYS_RT_SIGACTION, uintptr(unix.SIGABRT), z, 0, abi.SigsetSize)
	s.add("unblock all signals", unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, z, 0, abi.SigsetSize)
}

// BecomeLeaderless is the last step of a script: the child becomes a process at "/" whose first
// thread is dead, once [Process.Leaderless] lets it.
func (s *Script) BecomeLeaderless() {
	s.Pause()
	if shared == 0 {
		s.execLeaderless()
		return
	}
	// From here on there are two threads without a stack, and both take the same steps: they wait for a
	// signal, and the one that gets it exits. It is sent to the first.
	first, second := abi.Clone(unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD)
	s.add("clone(CLONE_THREAD)", unix.SYS_CLONE, first, second)
	all := bytes.Repeat([]byte{0xff}, abi.SigsetSize)
	s.keep = append(s.keep, all)
	s.add("wait for a signal", unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&all[0])), 0, 0, abi.SigsetSize)
	s.add("exit", unix.SYS_EXIT)
}

// execLeaderless is the same by a program, for a child with a stack, which two threads cannot share.
func (s *Script) execLeaderless() {
	// By the cwd, for there is no /proc under the child's root. By a descriptor of the program,
	// execveat(2) gave ENOENT on Linux 5.10.
	s.Fchdir(s.proc, "/proc")
	argv := []uintptr{s.str("helper"), s.str(helperArg), s.str(leaderless), 0}
	s.words = append(s.words, argv)
	s.add("exec "+leaderless, unix.SYS_EXECVE, s.str("self/exe"),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&argv[3])))
}

// Umount lets the child go on to its next pause, over exactly one umount2 under test, and
// returns what came of it.
func (p *Process) Umount() Call {
	step := p.next()
	c := Call{Outcome: ErrnoName(p.make("umount2", step))}
	p.world.note(fmt.Sprintf("%s: %s = %s", p.name, p.script.names[step], c.Outcome))
	return c
}

// Child is the ID of the process that [Script.Vfork] made.
func (p *Process) Child() int {
	id := int(p.script.errs[childSlot])
	if id <= 0 {
		p.world.Broken("set-up: %s has no child", p.name)
	}
	p.world.Defer(func() {
		if !p.world.park {
			_ = unix.Kill(id, unix.SIGKILL)
		}
	})
	return id
}

// release lets the child go on without waiting for it.
func (p *Process) release() {
	_, err := unix.Write(p.script.resume[1], []byte{1})
	p.world.quiet("resume "+p.name, err)
}

package migrate

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// thread is an other task that is a thread of the spec's process, placed by place.
func thread(place func(w *sandbox.World, b *sandbox.Bystander)) func(*sandbox.World) int {
	return func(w *sandbox.World) int {
		b := w.Bystander("bystander")
		place(w, b)
		return b.TID
	}
}

// several observes what a pivot does to tasks that all stand at the old root.
func several(id string, start func(w *sandbox.World) (tasks []int)) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		tasks := start(w)
		for _, t := range tasks {
			w.Expect(t, sandbox.Root, "old_root")
			w.Expect(t, sandbox.Cwd, "old_root")
		}
		w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
		roots, cwds := map[string]bool{}, map[string]bool{}
		for _, t := range tasks {
			roots[w.Where(t, sandbox.Root)] = true
			cwds[w.Where(t, sandbox.Cwd)] = true
		}
		w.Fact("task-root", strings.Join(slices.Sorted(maps.Keys(roots)), ", "))
		w.Fact("task-cwd", strings.Join(slices.Sorted(maps.Keys(cwds)), ", "))
	}}
}

// taskSpecs are about the kinds of task that there are besides plain processes and threads, and
// about places that are nearly the old root.
func taskSpecs() []spec.Spec {
	return []spec.Spec{
		other("migrate/process-in-other-user-namespace", func(w *sandbox.World) int {
			// A new user namespace is refused to a caller whose root is not the namespace's.
			return fromOutside(w, unix.CLONE_NEWUSER)
		}, "old_root", "old_root"),
		other("migrate/process-in-child-pid-namespace", func(w *sandbox.World) int {
			return w.Fork("bystander", unix.CLONE_NEWPID, func(*sandbox.Script) {}).PID
		}, "old_root", "old_root"),
		other("migrate/stopped-process", func(w *sandbox.World) int {
			p := w.Fork("bystander", 0, func(*sandbox.Script) {})
			p.Stop()
			return p.PID
		}, "old_root", "old_root"),
		other("migrate/process-stopped-at-its-exit", func(w *sandbox.World) int {
			p := w.Fork("bystander", 0, func(*sandbox.Script) {})
			p.StopAtExit()
			return p.PID
		}, "old_root", "old_root"),
		// Further on than the one before: marked as exiting, with root and cwd still held. Not in the
		// plain scenario, which is run the most, for a FUSE costs as much as ten other specs.
		{ID: "migrate/process-exiting", Scenarios: []string{"ramfs"}, Body: func(w *sandbox.World) {
			held := w.FlushHolder()
			w.Jail()
			w.Mkdir("/fuse")
			held.Mount("/fuse")
			p := w.Fork("bystander", 0, func(s *sandbox.Script) { s.OpenHeld("/fuse") })
			p.ExitSlowly(held)
			w.Expect(p.PID, sandbox.Root, "old_root")
			w.Expect(p.PID, sandbox.Cwd, "old_root")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("task-root", w.Where(p.PID, sandbox.Root))
			w.Fact("task-cwd", w.Where(p.PID, sandbox.Cwd))
		}},
		several("migrate/vforked-process-and-its-parent", func(w *sandbox.World) []int {
			p := w.Fork("bystander", 0, func(s *sandbox.Script) { s.Vfork() })
			return []int{p.PID, p.Child()}
		}),
		several("migrate/threads-under-dead-leader", func(w *sandbox.World) []int {
			p := w.Fork("bystander", 0, func(s *sandbox.Script) { s.BecomeLeaderless() })
			return p.Leaderless()
		}),
		{ID: "migrate/process-dumping-core", Body: func(w *sandbox.World) {
			w.Jail()
			p := w.Fork("bystander", 0, func(s *sandbox.Script) { s.DieOfAbort() })
			p.Dump()
			w.Expect(p.PID, sandbox.Root, "old_root")
			w.Expect(p.PID, sandbox.Cwd, "old_root")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("task-root", w.Where(p.PID, sandbox.Root))
			w.Fact("task-cwd", w.Where(p.PID, sandbox.Cwd))
			p.RequireDumping()
		}},
		{ID: "migrate/zombie-holds-nothing", Body: func(w *sandbox.World) {
			w.Jail()
			p := w.Fork("bystander", 0, func(*sandbox.Script) {})
			w.Expect(p.PID, sandbox.Root, "old_root")
			p.Zombie()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("umount", w.Umount("/old", 0).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},

		// Threads cost less than processes, and the kernel does not tell the two apart here.
		other("migrate/thread-in-other-namespace-root-at-old-root", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			fd := w.Open("/")
			b.OwnNamespace()
			w.MarkTask("its own cwd", b.TID, sandbox.Cwd)
			own := w.OpenOf(b.TID, sandbox.Cwd)
			b.Fchdir(fd, "the caller's root")
			b.Chroot(".")
			b.Fchdir(own, "its own root")
		}), "old_root", "its own cwd"),
		// The same directory through another mount, and the same mount at another directory:
		// neither is the old root.
		other("migrate/thread-at-a-bind-of-the-old-root", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			w.Mkdir("/bind")
			w.Bind("/", "/bind")
			w.Mark("bind of the old root", "/bind")
			b.Chroot("/bind")
			b.Chdir("/")
		}), "bind of the old root", "bind of the old root"),
		other("migrate/thread-at-a-cover-of-the-old-root", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			w.Tmpfs("/")
			w.RequireWayToCover()
			b.Step("cd /..", func() error { return unix.Chdir("/..") })
			b.Chroot(".")
			w.MarkTask("cover", b.TID, sandbox.Root)
		}), "cover", "cover"),
		other("migrate/thread-cwd-at-put-old", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			b.Chdir("/new/old")
		}), "old_root", "put_old"),
		other("migrate/thread-chrooted-below-new-root", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			b.Chroot("/new/sub")
			b.Chdir("/")
		}), "new_root's sub", "new_root's sub"),
		other("migrate/thread-cwd-in-removed-directory", thread(func(w *sandbox.World, b *sandbox.Bystander) {
			w.Mkdir("/gone")
			w.Mark("removed directory", "/gone")
			b.Chdir("/gone")
			w.Rmdir("/gone")
		}), "old_root", "removed directory"),
		{ID: "migrate/open-descriptor-stays", Body: func(w *sandbox.World) {
			w.Jail()
			fd := w.Open("/")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-descriptor", w.LabelAt(fd, "."))
			w.Fact("at-descriptor-dotdot", w.LabelAt(fd, ".."))
		}},
	}
}

// fromOutside starts a process with the clone flags outside the jail and has it enter the jail.
func fromOutside(w *sandbox.World, flags int) int {
	inside := w.Open("/")
	w.LeaveJail()
	p := w.Fork("bystander", flags, func(s *sandbox.Script) {
		s.Fchdir(inside, "the jail")
		s.Chroot(".")
	})
	w.Fchdir(inside, "the jail")
	w.Chroot(".")
	return p.PID
}

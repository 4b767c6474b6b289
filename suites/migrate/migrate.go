// Package migrate observes whose root and working directory a pivot moves, and whose it
// leaves.
package migrate

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// other observes what a pivot does to another task, which start makes and places. before
// names where the task must stand, or nothing is proven.
func other(id string, start func(w *sandbox.World) (task int), rootBefore, cwdBefore string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		w.Mkdir("/sub")
		w.Mark("sub", "/sub")
		w.Mkdir("/new/sub")
		w.Mark("new_root's sub", "/new/sub")
		task := start(w)
		w.Expect(task, sandbox.Root, rootBefore)
		w.Expect(task, sandbox.Cwd, cwdBefore)
		w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
		w.Fact("task-root", w.Where(task, sandbox.Root))
		w.Fact("task-cwd", w.Where(task, sandbox.Cwd))
	}}
}

// process is an other task that is a child process running script.
func process(script func(*sandbox.Script)) func(*sandbox.World) int {
	return func(w *sandbox.World) int { return w.Fork("bystander", 0, script).PID }
}

// caller observes what a pivot does to the caller, whose cwd prepare sets.
func caller(id string, prepare func(w *sandbox.World), cwdBefore string, after func(w *sandbox.World)) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		w.Mkdir("/sub")
		w.Mark("sub", "/sub")
		w.Mkdir("/new/sub")
		w.Mark("new_root's sub", "/new/sub")
		prepare(w)
		w.Expect(w.Self(), sandbox.Cwd, cwdBefore)
		w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
		w.Fact("root", w.Where(w.Self(), sandbox.Root))
		w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
		if after != nil {
			after(w)
		}
	}}
}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return append(taskSpecs(), []spec.Spec{
		caller("migrate/caller-at-old-root", func(w *sandbox.World) { w.Chdir("/") }, "old_root", nil),
		caller("migrate/caller-cwd-below-old-root", func(w *sandbox.World) { w.Chdir("/sub") }, "sub",
			func(w *sandbox.World) { w.Fact("at-put-old-sub", w.Label("/old/sub")) }),
		caller("migrate/caller-cwd-in-new-root", func(w *sandbox.World) { w.Chdir("/new/sub") }, "new_root's sub", nil),
		caller("migrate/caller-cwd-at-new-root", func(w *sandbox.World) { w.Chdir("/new") }, "new_root", nil),
		caller("migrate/caller-cwd-on-third-mount", func(w *sandbox.World) {
			w.Mkdir("/third")
			w.Tmpfs("/third")
			w.Mark("third mount", "/third")
			w.Chdir("/third")
		}, "third mount", nil),

		other("migrate/process-at-old-root", process(func(s *sandbox.Script) {}), "old_root", "old_root"),
		other("migrate/process-cwd-below-old-root", process(func(s *sandbox.Script) { s.Chdir("/sub") }), "old_root", "sub"),
		other("migrate/process-cwd-in-new-root", process(func(s *sandbox.Script) { s.Chdir("/new/sub") }), "old_root", "new_root's sub"),
		other("migrate/process-chrooted-elsewhere", process(func(s *sandbox.Script) {
			s.Chroot("/sub")
			s.Chdir("/")
		}), "sub", "sub"),
		// A cwd on the old root moves even where the task's root is another.
		other("migrate/process-chrooted-elsewhere-cwd-at-old-root", process(func(s *sandbox.Script) {
			s.Chroot("/sub")
		}), "sub", "old_root"),
		other("migrate/process-sharing-callers-fs", func(w *sandbox.World) int {
			return w.Fork("bystander", unix.CLONE_FS, func(s *sandbox.Script) {}).PID
		}, "old_root", "old_root"),
		other("migrate/thread-with-own-fs", thread(func(*sandbox.World, *sandbox.Bystander) {}), "old_root", "old_root"),
		other("migrate/thread-with-own-fs-cwd-below-old-root", thread(func(_ *sandbox.World, b *sandbox.Bystander) {
			b.Chdir("/sub")
		}), "old_root", "sub"),
		other("migrate/thread-with-own-fs-chrooted-elsewhere", thread(func(_ *sandbox.World, b *sandbox.Bystander) {
			b.Chroot("/sub")
			b.Chdir("/")
		}), "sub", "sub"),
		other("migrate/thread-with-own-fs-chrooted-to-new-root", thread(func(_ *sandbox.World, b *sandbox.Bystander) {
			b.Chroot("/new")
			b.Chdir("/")
		}), "new_root", "new_root"),
		// unshare(CLONE_NEWNS) moves root and cwd to the copies of their mounts; a
		// descriptor brings the cwd back onto the caller's mount.
		other("migrate/process-in-other-namespace-cwd-at-old-root", func(w *sandbox.World) int {
			fd := w.Open("/")
			task := w.Fork("bystander", 0, func(s *sandbox.Script) {
				s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS")
				s.Fchdir(fd, "the caller's root")
			}).PID
			w.MarkTask("its own root", task, sandbox.Root)
			return task
		}, "its own root", "old_root"),
		other("migrate/process-in-other-namespace", func(w *sandbox.World) int {
			task := w.Peer().PID
			w.MarkTask("its own root", task, sandbox.Root)
			return task
		}, "its own root", "its own root"),
	}...)
}

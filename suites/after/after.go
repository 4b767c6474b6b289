// Package after observes what the rest of the system shows once a pivot is done: who is told
// of it, where others land who enter the namespace, and what may be done in it.
package after

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return []spec.Spec{
		// --- who is told ---
		{ID: "after/poll-of-mountinfo", Body: func(w *sandbox.World) {
			w.Jail()
			t := w.WatchTable(w.Self())
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("poll", t.Events())
			w.Fact("poll-again", t.Events())
		}},
		{ID: "after/poll-of-mountinfo-when-the-call-fails", Body: func(w *sandbox.World) {
			w.Jail()
			t := w.WatchTable(w.Self())
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.Fact("poll", t.Events())
			w.Control(w.PivotRoot("/new", "/new/old"))
			w.Fact("poll-after-control", t.Events())
		}},
		{ID: "after/poll-of-another-namespaces-mountinfo", Body: func(w *sandbox.World) {
			w.Jail()
			b := w.Bystander("other namespace")
			b.OwnNamespace()
			t, own := w.WatchTable(b.TID), w.WatchTable(w.Self())
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("poll", t.Events())
			w.Fact("poll-own", own.Events())
		}},
		{ID: "after/fanotify-of-the-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			m := w.WatchMounts(map[string]string{"/": "old_root", "/new": "new_root"})
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("events", m.Events())
		}},
		{ID: "after/fanotify-of-the-namespace-when-the-call-fails", Body: func(w *sandbox.World) {
			w.Jail()
			m := w.WatchMounts(map[string]string{"/": "old_root", "/new": "new_root"})
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.Fact("events", m.Events())
			w.Control(w.PivotRoot("/new", "/new/old"))
			w.Fact("events-after-control", m.Events())
		}},

		// --- where setns(2) lands ---
		{ID: "after/setns-lands-on-new-root", Body: func(w *sandbox.World) {
			w.JailOnTop()
			b, ns := visitor(w)
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			visit(w, b, ns)
		}},
		{ID: "after/setns-lands-on-old-root-stacked-on-new", Body: func(w *sandbox.World) {
			w.JailOnTop()
			b, ns := visitor(w)
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			visit(w, b, ns)
			w.Chdir("/")
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("at-slash-after-umount", w.Label("/"))
			w.Fact("setns-after-umount", b.TryEnter(ns).Outcome)
			w.Fact("at-visitors-slash-after-umount", w.LabelOf(b.TID, sandbox.Root, "."))
		}},
		{ID: "after/setns-lands-outside-a-jail", Body: func(w *sandbox.World) {
			w.Jail()
			b, ns := visitor(w)
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			visit(w, b, ns)
			w.Fact("at-slash", w.Label("/"))
		}},

		// --- who may make a user namespace ---
		{ID: "after/new-user-namespace", Body: func(w *sandbox.World) {
			w.JailOnTop()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("new-user-namespace", w.TryUserNamespace().Outcome)
		}},
		{ID: "after/new-user-namespace-while-old-root-is-stacked", Body: func(w *sandbox.World) {
			w.JailOnTop()
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			w.Fact("new-user-namespace", w.TryUserNamespace().Outcome)
			w.Chdir("/")
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("new-user-namespace-after-umount", w.TryUserNamespace().Outcome)
		}},
		{ID: "after/new-user-namespace-in-a-jail", Body: func(w *sandbox.World) {
			ns := w.Namespace()
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("new-user-namespace", w.TryUserNamespace().Outcome)
			// The positive control: the same caller at the namespace's root.
			w.Setns(ns, "the namespace")
			w.Fact("new-user-namespace-at-namespace-root", w.TryUserNamespace().Outcome)
		}},
		// What an initramfs met that entered the real root by chroot alone.
		{ID: "after/new-user-namespace-after-chroot", Body: func(w *sandbox.World) {
			ns := w.Namespace()
			w.JailWithout()
			w.Observe(w.TryUserNamespace())
			w.Setns(ns, "the namespace")
			w.Control(w.TryUserNamespace())
		}},
		{ID: "after/new-user-namespace-after-move-and-chroot", Body: func(w *sandbox.World) {
			w.JailOnTop()
			w.Observe(w.TryUserNamespace())
		}},

		// --- locked mounts in a user namespace ---
		{ID: "after/lock-of-old-root-passes-to-new-root", Body: func(w *sandbox.World) {
			p := lockedRoot(w, func(s *sandbox.Script) {
				s.Umount("/", unix.MNT_DETACH)
				s.Pause()
				s.PivotRoot("/new", "/new/old")
				s.Chdir("/")
				s.Pause()
				s.Umount("/old", unix.MNT_DETACH)
				s.Pause()
				s.Umount("/", unix.MNT_DETACH)
			})
			w.Fact("umount-before", p.Umount().Outcome)
			w.ObserveSuccess(p.Call("/new"))
			w.Fact("umount", p.Umount().Outcome)
			w.Fact("umount-of-new-root", p.Umount().Outcome)
		}},
		{ID: "after/second-pivot-from-a-locked-root", Body: func(w *sandbox.World) {
			p := lockedRoot(w, func(s *sandbox.Script) {
				s.PivotRoot("/new", "/new/old")
				s.Chdir("/")
				s.Rbind("/second", "/second")
				s.Pause()
				s.PivotRoot("/second", "/second/old")
			})
			w.ObserveSuccess(p.Call("/new"))
			w.MarkOf("second new_root", p.PID, sandbox.Root, "second")
			w.Fact("back", p.Call("/second").Result())
			w.Fact("at-slash", w.LabelOf(p.PID, sandbox.Root, "."))
		}},
		{ID: "after/locked-mount-on-a-detached-old-root", Body: func(w *sandbox.World) {
			p := lockedRoot(w, func(s *sandbox.Script) {
				s.PivotRoot("/new", "/new/old")
				s.Pause()
				s.Chdir("/old")
				s.Umount("/old", unix.MNT_DETACH)
			})
			w.MarkOf("locked mount", p.PID, sandbox.Root, "locked")
			w.MarkOf("its old root", p.PID, sandbox.Root, ".")
			w.ObserveSuccess(p.Call("/new"))
			w.Fact("umount", p.Umount().Outcome)
			w.Fact("at-descriptor", w.LabelOf(p.PID, sandbox.Cwd, "."))
			w.Fact("at-locked-mount", w.LabelOf(p.PID, sandbox.Cwd, "locked"))
			w.Fact("filesystem-at-locked-mount", w.FilesystemOf(p.PID, sandbox.Cwd, "locked"))
		}},
	}
}

// visitor starts a thread that stands in another namespace, and returns a descriptor of the
// world's own for it to enter.
func visitor(w *sandbox.World) (*sandbox.Bystander, int) {
	b := w.Bystander("visitor")
	b.OwnNamespace()
	return b, w.Namespace()
}

// visit has the visitor enter the namespace and notes where that takes it.
func visit(w *sandbox.World, b *sandbox.Bystander, ns int) {
	w.Fact("setns", b.TryEnter(ns).Outcome)
	w.Fact("task-root", w.Where(b.TID, sandbox.Root))
	w.Fact("task-cwd", w.Where(b.TID, sandbox.Cwd))
}

// lockedRoot starts a process in a user namespace and a mount namespace of its own, in which all
// mounts that it inherits are locked, the jail's root included. A bind mount, which is not, is
// its new_root. The script begins at the jail's "/".
func lockedRoot(w *sandbox.World, script func(*sandbox.Script)) *sandbox.Process {
	w.Jail()
	// The script's paths exist before a pivot as after it, whatever the kernel under test says.
	for _, d := range []string{"/locked", "/old", "/second", "/second/old", "/new/second", "/new/second/old"} {
		w.Mkdir(d)
	}
	w.Tmpfs("/locked")
	inside := w.Open("/")
	w.LeaveJail()
	base := w.Base()
	p := w.Fork("user root", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(s *sandbox.Script) {
		// Not by the descriptor: that leads to the parent's mounts.
		s.Chroot(base)
		s.Chdir("/")
		s.Rbind("/new", "/new")
		s.Pause()
		script(s)
	})
	w.Fchdir(inside, "the jail")
	w.Chroot(".")
	return p
}

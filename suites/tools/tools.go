// Package tools observes the real programs, busybox's and util-linux's pivot_root(8) and
// switch_root(8), as Debian packages them: what their users are told, what becomes of the root, and
// what switch_root deletes. They run in a way to boot of their own, whose image carries them.
package tools

import (
	"slices"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Scenario is the way to boot whose image carries the programs.
const Scenario = "tools"

// maker is whose program it is.
type maker struct {
	id string
	// pivotRoot and switchRoot are the programs' names in the image, and the applets' arguments.
	pivotRoot, switchRoot []string
}

func makers() []maker {
	return []maker{
		{"busybox", []string{"busybox", "pivot_root"}, []string{"busybox", "switch_root"}},
		{"util-linux", []string{"pivot_root"}, []string{"switch_root"}},
	}
}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	var list, last []spec.Spec
	for _, m := range makers() {
		list = slices.Concat(list, m.pivots(), m.switches())
		last = append(last, m.switchOnInitramfs())
	}
	list = slices.Concat(list, last)
	for i := range list {
		list[i].Scenarios = []string{Scenario}
	}
	return append(list, dracutSpecs()...)
}

func (m maker) pivots() []spec.Spec {
	program := func(w *sandbox.World) sandbox.Program { return w.Program(m.pivotRoot[0], m.pivotRoot[1:]...) }
	return []spec.Spec{
		{ID: "tools/" + m.id + "-pivot-root-on-initramfs", Body: func(w *sandbox.World) {
			p := program(w)
			base := rootfs.Require(w)
			w.Tmpfs(base)
			w.Mkdir(base + "/old")
			w.Mark("new_root", base)
			t := w.PivotRootBy(p, base, base+"/old")
			w.ObserveTold(t)
			if t.Outcome == record.OK {
				afterPivot(w, "/old")
				return
			}
			rootfs.Bind(w, base)
			w.Control(w.PivotRootBy(p, base, base+"/old").Call)
		}},
		{ID: "tools/" + m.id + "-pivot-root", Body: func(w *sandbox.World) {
			p := program(w)
			w.JailOnTop()
			p.Install("/")
			t := w.PivotRootBy(p, "/new", "/new/old")
			w.ObserveTold(t)
			if t.Outcome == record.OK {
				afterPivot(w, "/old")
			}
		}},
		{ID: "tools/" + m.id + "-pivot-root-dot-dot", Body: func(w *sandbox.World) {
			p := program(w)
			w.JailOnTop()
			p.Install("/")
			w.Chdir("/new")
			t := w.PivotRootBy(p, ".", ".")
			w.ObserveTold(t)
			if t.Outcome == record.OK {
				w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
				w.Fact("at-slash", w.Label("/"))
				w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
			}
		}},
		{ID: "tools/" + m.id + "-pivot-root-not-a-mount-point", Body: func(w *sandbox.World) {
			p := program(w)
			w.JailOnTop()
			p.Install("/")
			// on another mount than the root's, which would be another error
			w.Mkdir("/new/dir")
			w.Mkdir("/new/dir/old")
			w.ObserveTold(w.PivotRootBy(p, "/new/dir", "/new/dir/old"))
			w.Bind("/new/dir", "/new/dir")
			w.Control(w.PivotRootBy(p, "/new/dir", "/new/dir/old").Call)
		}},
		{ID: "tools/" + m.id + "-pivot-root-put-old-on-root-mount", Body: func(w *sandbox.World) {
			p := program(w)
			w.JailOnTop()
			p.Install("/")
			w.Mkdir("/dir")
			w.ObserveTold(w.PivotRootBy(p, "/new", "/dir"))
			w.Control(w.PivotRootBy(p, "/new", "/new/old").Call)
		}},
	}
}

// afterPivot looks at where the program's parent is and unmounts the old root.
func afterPivot(w *sandbox.World, putOld string) {
	w.Chdir("/")
	w.Fact("at-slash", w.Label("/"))
	w.Fact("at-put-old", w.Label(putOld))
	w.Fact("umount", w.Umount(putOld, unix.MNT_DETACH).Outcome)
}

func (m maker) switches() []spec.Spec {
	program := func(w *sandbox.World) sandbox.Program { return w.Program(m.switchRoot[0], m.switchRoot[1:]...) }
	return []spec.Spec{
		{ID: "tools/" + m.id + "-switch-root", Body: func(w *sandbox.World) {
			s := furnish(w, program(w))
			s.observe(s.run(unix.CLONE_NEWPID))
		}},
		{ID: "tools/" + m.id + "-switch-root-not-pid1", Body: func(w *sandbox.World) {
			s := furnish(w, program(w))
			l := s.run(0)
			s.observe(l)
			if l.Outcome != record.OK {
				w.Control(s.run(unix.CLONE_NEWPID).Call)
			}
		}},
		{ID: "tools/" + m.id + "-switch-root-without-init", Body: func(w *sandbox.World) {
			s := furnish(w, program(w))
			w.Remove("/init")
			l := s.run(unix.CLONE_NEWPID)
			s.observe(l)
			if l.Outcome != record.OK {
				w.WriteFile("/init", "")
				w.Control(s.run(unix.CLONE_NEWPID).Call)
			}
		}},
		{ID: "tools/" + m.id + "-switch-root-not-a-mount-point", Body: func(w *sandbox.World) {
			s := furnish(w, program(w))
			w.Mkdir("/plain")
			s.shell.Install("/plain")
			s.to = "/plain"
			l := s.run(unix.CLONE_NEWPID)
			s.observe(l)
			if l.Outcome != record.OK {
				s.to = "/new"
				w.Control(s.run(unix.CLONE_NEWPID).Call)
			}
		}},
	}
}

// stage is a root to switch from and one to switch to.
type stage struct {
	w       *sandbox.World
	program sandbox.Program
	shell   sandbox.Program
	to      string
	old     int // the old root
	below   int // a mount on it
}

// furnish makes a tmpfs the root, with a file in a folder, one on a mount below, and an init, as an
// initramfs has it, and a new root with a shell.
func furnish(w *sandbox.World, p sandbox.Program) stage {
	s := stage{w: w, program: p, shell: w.Program("busybox"), to: "/new"}
	w.JailOnTop()
	p.Install("/")
	w.WriteFile("/init", "")
	s.files("/")
	s.shell.Install("/new")
	return s
}

// files makes what is looked for afterwards, in the root, which dir ends with a slash.
func (s *stage) files(dir string) {
	w := s.w
	w.Mkdir(dir + "folder")
	w.WriteFile(dir+"folder/file", "")
	w.Mark("file", dir+"folder/file")
	w.Mkdir(dir + "mount")
	w.Tmpfs(dir + "mount")
	w.WriteFile(dir+"mount/file", "")
	w.Mark("file below", dir+"mount/file")
	s.old, s.below = w.Open(dir), w.Open(dir+"mount")
	w.Defer(func() { // for a spec behind this one with the same root
		_ = unix.Unmount(dir+"mount", unix.MNT_DETACH)
		_ = unix.Rmdir(dir + "mount")
		_ = unix.Rmdir(dir + "folder")
	})
}

func (s *stage) run(flags int) sandbox.Landing {
	return s.w.SwitchRootBy(s.program, flags, s.to, s.shell)
}

func (s *stage) observe(l sandbox.Landing) {
	w := s.w
	w.Fact("file-in-old-root", w.LabelAt(s.old, "folder/file"))
	w.Fact("file-on-mount-below", w.LabelAt(s.below, "file"))
	if l.PID != 0 {
		w.Fact("root", w.Where(l.PID, sandbox.Root))
		w.Fact("cwd", w.Where(l.PID, sandbox.Cwd))
		w.Fact("left-in-old-root", w.Names(s.old))
	}
	w.ObserveTold(l.Told)
}

// switchOnInitramfs has the program leave the initramfs itself, whose files it deletes for everyone.
func (m maker) switchOnInitramfs() spec.Spec {
	return spec.Spec{ID: "tools/" + m.id + "-switch-root-on-initramfs", Stage: spec.Initial, Body: func(w *sandbox.World) {
		base := rootfs.Require(w)
		s := stage{w: w, program: w.Program(m.switchRoot[0], m.switchRoot[1:]...), shell: w.Program("busybox"), to: base}
		w.KeepPrograms()
		w.Tmpfs(base)
		w.Mark("new_root", base)
		s.shell.Install(base)
		s.files("/")
		covered := w.Open(base)
		l := s.run(unix.CLONE_NEWPID)
		w.Defer(func() {
			_ = unix.Fchdir(covered)
			_ = unix.Unmount(".", unix.MNT_DETACH)
			_ = unix.Chdir("/")
		})
		s.observe(l)
	}}
}

package tools

import (
	"os"

	"golang.org/x/sys/unix"

	"pivotspec/suites/disk"
	"pivotspec/suites/record"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// DracutScenario is the way to boot in which dracut has made the initramfs and rd.break stopped it
// before it enters the real root.
const DracutScenario = "dracut"

// dracutSpecs are what users do in the shell that rd.break gives them.
func dracutSpecs() []spec.Spec {
	return []spec.Spec{{
		// As it was asked about: cd /sysroot; usr/bin/pivot_root . mnt
		ID: "tools/dracut-rd-break-pivot-root", Stage: spec.Initial, Scenarios: []string{DracutScenario},
		Body: func(w *sandbox.World) {
			rootfs.Require(w)
			shell := os.Getppid()
			w.Mark("new_root", disk.Sysroot)
			w.Expect(shell, sandbox.Root, "old_root")
			w.Expect(shell, sandbox.Cwd, "new_root")
			w.Chdir(disk.Sysroot)
			p := w.ProgramAt(disk.PivotRoot)
			t := w.PivotRootBy(p, ".", disk.Mnt)
			w.Fact("root-of-the-shell", w.Where(shell, sandbox.Root))
			w.Fact("root-of-init", w.Where(1, sandbox.Root))
			w.ObserveTold(t)
			if t.Outcome == record.OK {
				afterPivot(w, "/"+disk.Mnt)
				return
			}
			// The same from a bind of the initramfs, which has a parent.
			bound := "/run/bound"
			w.Mkdir(bound)
			w.Rbind("/", bound)
			w.Chroot(bound)
			w.Chdir(disk.Sysroot)
			w.Defer(func() { _ = unix.Chdir("/") })
			w.Control(w.PivotRootBy(p, ".", disk.Mnt).Call)
		},
	}}
}
